// Package people holds who signs in at the console: people with their passwords, and their sessions. It decides and
// hashes; it stores nothing and knows no HTTP.
//
// Nothing that opens the gateway is kept: of sessions, whose tokens are random, a SHA-256; of passwords, which are not, an
// Argon2id hash. Everything here is safe for many goroutines.
package people
