// Package local keeps the journal in files of one directory, for one process.
//
// All partitions share one log, so one fsync makes the appends of every caller durable: while the disk works for
// one group of callers, the next group gathers. The log is cut into segment files; each record carries a
// CRC-32C. A tail that a crash left torn is cut off at the next start, since nothing in it was acknowledged.
//
// Promise: when Append returns nil the fixes survive a crash of the process and of the machine, and a reader
// sees the fixes of one vehicle in the order in which they were appended.
package local
