// Package replay runs the real engine over recorded messages: codec, gate and tracker exactly as the lanes of
// the pipeline call them, without network, store or clock of its own. It is behind "gateway replay" and behind
// the dry run of a rule over history.
//
// The arrival time of each line is the only clock. What the engine decides without a new message (a timer) is
// written with the moment it was due and the last line read before.
package replay
