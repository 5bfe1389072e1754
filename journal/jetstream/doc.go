// Package jetstream keeps the journal in NATS JetStream, for gateways that share it and outlive a machine.
//
// Each partition is a stream of its own. One message of it is a batch: the fixes of all callers that waited while the batch
// before was under way, so that order, batching and back-pressure are one mechanism. A batch is repeated under its message id
// until the servers confirm it, which they do when a majority holds it.
//
// A [journal.Position] is the sequence of the message in its stream, shifted left by 16 bits, and the index of the fix within
// the batch. Sequences have no gaps, which readers check: a message that is missing is an error and never a silence.
//
// Promise: when Append returns nil the fixes are on the disks of a majority of the stream's servers, as far as their
// sync_interval says (`always`: after an fsync), and a reader sees the fixes of one vehicle in the order in which they were
// appended. A log that was lost and made anew is noticed by what the [Ledger] knows; the journal then refuses everything.
package jetstream
