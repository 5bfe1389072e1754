// Package card draws the picture of an alert: the fence with its holes, its neighbours, the vehicle's way and place,
// and a scale, without any map server; and it makes and checks the addresses under which Meta fetches such pictures.
//
// [Scene] says what is to be seen and [Draw] writes it as PNG. [ParseShape] reads a fence's GeoJSON. [Signer] makes
// addresses that cannot be guessed and that end. Nothing here knows a clock, a store or another package of ours.
//
// Places are degrees, lengths metres. Everything is safe for many goroutines.
package card
