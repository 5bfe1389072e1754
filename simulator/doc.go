// Package simulator drives a fleet through a city and knows exactly what happened: the judge of the gateway.
//
// A [City] is a network of streets with fences across them. A [Fleet] drives through it; where each vehicle
// is at a moment is a function of the seed and of that moment alone, so a fleet can be run in real time,
// faster, or at a fixed clock, and twice in the same way. [Fleet.Truth] lists the crossings, computed on the
// exact path by the simulator's own geometry; what trackers report ([Fleet.Fix]) is the path with the noise
// of a good receiver.
//
// A [Publisher] sends a fleet's fixes over MQTT and loses none, whatever happens to the broker. [Match]
// compares the truth with what was delivered.
//
// The package never uses the gateway's engine, and no other package of the gateway than telemetry: a judge
// must not share the mistakes of those it judges.
package simulator
