// Package journal is the first of the program's two queues: the durable, ordered record of every fix that
// was acknowledged to a tracker.
//
// Fixes are spread over partitions by vehicle ([PartitionOf]), so the fixes of one vehicle are in one
// partition, in the order in which they were appended. A partition is read by exactly one lane.
//
// journal/local keeps it in files of one process, journal/jetstream in NATS JetStream, journal/journaltest is the suite that every
// implementation passes.
package journal
