// Package quality makes worlds in which alerts go wrong, with exact truth beside them, and judges what an
// engine told about them.
//
// A [World] holds fences, what the trackers sent (deliberately bad: noise that wanders, reflections, silences,
// uploads out of order, clocks that are off) and, kept apart, where the vehicles really were. [World.Judge]
// compares crossings with that truth. The package knows no engine: it is an independent judge, and shares no
// code with the one that is judged. Everything is a function of the seed.
package quality
