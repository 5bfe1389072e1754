package store

import "context"

// Work is a kind of work that processes divide among themselves, in numbered parts.
type Work string

// LaneWork is that of the lanes; its parts are the journal's partitions.
const LaneWork Work = "lane"

// ProcessID names one start of one process. It is never used again.
type ProcessID string

// Process is a process that takes part in a kind of work.
type Process struct {
	ID   ProcessID
	Beat uint64 // grows with each heartbeat
}

// Roster is who takes part in a kind of work, and who owns which parts, at one moment.
type Roster struct {
	Processes []Process // in the order of their ids
	Owners    map[int]ProcessID
}

// Shares keeps how processes divide work: a part has one owner at most. It knows no clock: whether a process lives is
// for the others to judge, by the heartbeats that they see come.
type Shares interface {
	// Join makes a process known that never was. ErrConflict if its id was used.
	Join(ctx context.Context, work Work, id ProcessID) error
	// Beat counts a heartbeat of the process up and returns the roster. ErrFenced if the process is not known: it owns
	// nothing, and must join again under another id.
	Beat(ctx context.Context, work Work, id ProcessID) (Roster, error)
	// Take makes the process the owner of a part. ErrConflict if another one is, ErrFenced if the process is not known.
	Take(ctx context.Context, work Work, part int, id ProcessID) error
	// Give ends that the process owns the part, if it does.
	Give(ctx context.Context, work Work, part int, id ProcessID) error
	// Bury forgets a process whose heartbeat is the one given, and that it owned anything; it reports whether it did. One
	// that has beaten since lives.
	Bury(ctx context.Context, work Work, p Process) (bool, error)
	// Leave forgets the process and that it owned anything.
	Leave(ctx context.Context, work Work, id ProcessID) error
}
