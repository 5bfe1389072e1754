// Package console is the gateway's HTTP side: the REST API for fleet admins, its OpenAPI description, the
// health and metrics pages, and the place where Messenger's webhook is mounted.
//
// [New] checks its [Options] and returns one http.Handler. Handlers decode, call and encode; what they call
// are the small interfaces declared here ([Geofences], [Registry], [Records]) and an [identity.Directory].
//
// Promises: an answer to a write is sent when the change is durable and in force, so a fix that is published
// after the answer is judged with the new fence. Every error is a problem document (RFC 9457) that names the
// field and what was expected. No answer, log line or error holds a secret. A request sees one tenant only.
//
// The package never knows which store, broker or Graph stands behind it.
package console
