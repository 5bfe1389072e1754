package journal

import (
	"context"
	"errors"
	"hash/fnv"
	"io"

	"outrider/telemetry"
)

// Position orders the entries of one partition. Positions grow, but need not be dense. The zero position is
// before the first entry.
type Position uint64

// Entry is one fix in the journal.
type Entry struct {
	Position Position
	Fix      telemetry.Fix
}

// ErrNoSnapshot says that a partition has no usable snapshot.
var ErrNoSnapshot = errors.New("journal: no snapshot")

// ErrTrimmed says that the asked position is no longer kept: what was there is lost to this reader.
var ErrTrimmed = errors.New("journal: position is no longer kept")

// ErrUnreachable says that a journal could not be asked: there may be more in it than was read. It comes with the cause of ctx.
var ErrUnreachable = errors.New("journal: cannot be reached")

// ErrLost says that a journal is not the one that was written, or not all of it. Nobody may go on before a person has looked.
var ErrLost = errors.New("journal: the log is not the one that was written")

// ErrClosed says that the journal was closed.
var ErrClosed = errors.New("journal: closed")

// Journal is the durable record. All methods are safe for many goroutines.
type Journal interface {
	// Partitions is the number of partitions, fixed for the life of the journal.
	Partitions() int

	// Append makes the fixes durable, each in the partition of its vehicle, in the order given. When it
	// returns nil they survive a crash of the process and of the machine. When it returns an error, some may
	// be durable all the same: the caller may append again, and the gate drops the repeats.
	Append(ctx context.Context, fixes []telemetry.Fix) error

	// Read appends to dst entries of partition p at positions >= from, in order, at most cap(dst)-len(dst) of
	// them (at least one place is needed). It waits until there is at least one, or until ctx ends: then it
	// returns dst and the cause of ctx.
	Read(ctx context.Context, p int, from Position, dst []Entry) ([]Entry, error)

	// Bounds returns the oldest kept position of p and the position after its newest entry.
	Bounds(ctx context.Context, p int) (first, next Position, err error)

	// Trim allows the journal to forget entries of p before the position. It may keep them longer.
	Trim(ctx context.Context, p int, before Position) error

	Snapshots
	Close() error
}

// Snapshots keeps the newest state of each partition's lane, with the position up to which it has read.
type Snapshots interface {
	// SaveSnapshot stores what write writes, atomically: a crash leaves the old snapshot or the new one.
	SaveSnapshot(ctx context.Context, p int, at Position, write func(io.Writer) error) error
	// LoadSnapshot returns the newest snapshot of p, or ErrNoSnapshot. The caller closes it.
	LoadSnapshot(ctx context.Context, p int) (Position, io.ReadCloser, error)
}

// Rewinder is a journal whose positions do not say how many entries are between them.
type Rewinder interface {
	// Rewind returns a kept position of p with about n entries at or behind it.
	Rewind(ctx context.Context, p, n int) (Position, error)
}

// Rewind returns a kept position of p with about n of the newest entries at or behind it, and the position after the newest.
func Rewind(ctx context.Context, j Journal, p, n int) (from, next Position, err error) {
	first, next, err := j.Bounds(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	if r, ok := j.(Rewinder); ok {
		from, err = r.Rewind(ctx, p, n)
		return max(from, first), next, err
	}
	return max(first, next-min(next, Position(n))), next, nil
}

// PartitionOf returns the partition of a vehicle among n. It never changes for the same n.
func PartitionOf(tenant telemetry.TenantID, vehicle telemetry.VehicleID, n int) int {
	if n == 1 {
		return 0
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, string(tenant))
	_, _ = h.Write([]byte{0})
	_, _ = io.WriteString(h, string(vehicle))
	return int(h.Sum64() % uint64(n))
}
