// Package telemetry is what a tracker says, in one form: a [Fix] is one position of one vehicle at one
// time, in SI units, whatever the tracker sent.
//
// A [Decoder] turns a [Message] as it came from MQTT into fixes and says in words what it refused. A [Sink]
// takes messages and returns when what they hold is durable; only then may they be acknowledged. A [Gate]
// judges each fix before the engine sees it.
//
// The package knows neither MQTT (telemetry/mqtt) nor any payload format (telemetry/codec).
package telemetry
