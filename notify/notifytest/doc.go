// Package notifytest helps to test what stands around package notify: an [Outbox] in memory with the exact
// semantics of the real ones, and a scripted [Sender].
package notifytest
