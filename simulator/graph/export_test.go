package graph

// Escape is escape, for tests.
func Escape(raw []byte) []byte { return escape(raw) }
