// Package mqtt brings messages from MQTT to a [telemetry.Sink], in two ways: [Endpoint] is a server that trackers
// connect to directly, [Client] reads from a broker that someone else runs.
//
// Both keep one promise: a message is acknowledged only after Sink.Accept returned nil, that is when what it holds
// is durable. What is not acknowledged, the tracker or the broker sends again. Both call Accept with batches, the
// messages of one connection in the order in which they came and never two batches of it at once; so a slow sink
// slows the publishers down, and memory stays bounded.
//
// The endpoint only takes in. It is no broker: it forwards nothing and keeps no sessions. A device may subscribe to the
// topic of its own commands and to nothing else; a will is taken in like a message of the device. It speaks MQTT 3.1,
// 3.1.1 and 5, with QoS 0, 1 and 2, over TCP, TLS and WebSocket. Who may come in, and on which topics, a [Gatekeeper]
// says; without one the endpoint lets in anybody, and listens on loopback addresses only.
//
// The package decodes no payloads.
package mqtt
