package app

// NewDecoder is newDecoder, for tests.
var NewDecoder = newDecoder
