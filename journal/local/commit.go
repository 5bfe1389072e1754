package local

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"outrider/journal"
	"outrider/telemetry"
)

// How much may share one fsync, and how much of it one caller may bring at once. Together they keep every record
// far below longestRecord.
const (
	groupCalls = 4096
	groupBytes = 8 << 20
	pieceBytes = 2 << 20
)

// disk is the part of *os.File that the committer needs.
type disk interface {
	io.Writer
	io.Seeker
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// appending is a piece of one call of Append on its way through the committer.
type appending struct {
	fixes []telemetry.Fix
	size  int        // bytes, about
	done  chan error // capacity 1, sent once
}

// pieces cuts what one caller appends into parts that are small enough to be one record.
func pieces(fixes []telemetry.Fix) iter.Seq2[[]telemetry.Fix, int] {
	return func(yield func([]telemetry.Fix, int) bool) {
		begin, size := 0, 0
		for i := range fixes {
			size += sizeOf(&fixes[i])
			if last := i+1 == len(fixes); last || size >= pieceBytes {
				if !yield(fixes[begin:i+1], size) {
					return
				}
				begin, size = i+1, 0
			}
		}
	}
}

// sizeOf is about what a fix takes in a record.
func sizeOf(f *telemetry.Fix) int { return 80 + len(f.Tenant) + len(f.Vehicle) }

// commit is the committer: it alone writes.
//
// ORDER: write the records, fsync, show them to readers, answer the callers. A crash before the fsync has ended
// loses records that nobody was told of; a crash after it keeps records that the sender will send again, which
// the gate recognises.
func (j *Journal) commit() {
	defer close(j.done)
	for {
		select {
		case first := <-j.queue:
			group := j.gather(first)
			err := j.write(group)
			for _, a := range group {
				a.done <- err
			}
		case <-j.closing:
			return
		}
	}
}

// gather adds the calls that wait now.
func (j *Journal) gather(first *appending) []*appending {
	group, size := append(j.group[:0], first), first.size
	for len(group) < groupCalls && size < groupBytes {
		select {
		case a := <-j.queue:
			group, size = append(group, a), size+a.size
		default:
			j.group = group
			return group
		}
	}
	j.group = group
	return group
}

// write makes a group durable and shows it to the readers.
func (j *Journal) write(group []*appending) error {
	if err := j.broken(); err != nil {
		return err
	}
	j.split(group)
	at := j.next // only the committer changes it
	j.buf = j.buf[:0]
	for p, fixes := range j.parts {
		if len(fixes) > 0 {
			j.buf = appendBatch(j.buf, at, p, fixes)
			at += journal.Position(len(fixes))
		}
	}
	if intact, err := j.persist(); err != nil {
		return j.fail(err, intact)
	}
	j.show()
	return nil
}

// split sorts the fixes of a group into j.parts; those of one vehicle keep their order.
func (j *Journal) split(group []*appending) {
	for p := range j.parts {
		j.parts[p] = j.parts[p][:0]
	}
	for _, a := range group {
		for i := range a.fixes {
			f := &a.fixes[i]
			p := journal.PartitionOf(f.Tenant, f.Vehicle, len(j.parts))
			j.parts[p] = append(j.parts[p], *f)
		}
	}
}

// persist writes j.buf to the current segment, or to a new one when that is full, and waits for the disk. After
// an error, intact says that the segment still ends with what was acknowledged last, so that writing may go on.
func (j *Journal) persist() (intact bool, err error) {
	if j.size >= j.o.SegmentBytes && j.next > j.begun {
		if err := j.roll(); err != nil {
			return true, err
		}
	}
	if n, err := j.file.Write(j.buf); err != nil {
		undone := j.undo()
		return undone == nil, errors.Join(fmt.Errorf("journal: write %d of %d bytes: %w", n, len(j.buf), err), undone)
	}
	began := time.Now() //nolint:forbidigo // the length of an fsync is a wall-clock figure
	if err := j.file.Sync(); err != nil {
		// The kernel may have dropped the pages, and a second fsync would not tell: what is on disk is unknown.
		return false, fmt.Errorf("journal: fsync: %w", err)
	}
	j.metrics.fsync.Observe(time.Since(began).Seconds())
	j.size += int64(len(j.buf))
	return true, nil
}

// undo removes what a failed write left, so that the next one begins at a clean end.
func (j *Journal) undo() error {
	if err := j.file.Truncate(j.size); err != nil {
		return fmt.Errorf("journal: cut what was written: %w", err)
	}
	if _, err := j.file.Seek(j.size, io.SeekStart); err != nil {
		return fmt.Errorf("journal: cut what was written: %w", err)
	}
	return nil
}

// fail notes that a group was not made durable. While the file is intact (a full disk), each append tries
// again; after any other error only a new start, which reads what is there, may go on.
func (j *Journal) fail(err error, intact bool) error {
	j.metrics.failures.Inc()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ailing == nil {
		j.o.Logger.Error("journal cannot append", "cause", err, "until_restart", !intact)
	}
	j.ailing, j.dead = err, !intact
	return err
}

// show makes durable fixes visible to readers.
func (j *Journal) show() {
	at, count := j.next, 0
	j.mu.Lock()
	for p, fixes := range j.parts {
		count += len(fixes)
		if len(fixes) > 0 {
			j.next += journal.Position(len(fixes))
			j.nexts[p] = j.next
		}
	}
	last := &j.segments[len(j.segments)-1]
	last.size, last.written = j.size, j.o.Now()
	if j.ailing != nil {
		j.o.Logger.Info("journal appends again")
		j.ailing = nil
	}
	j.mu.Unlock()
	for p, fixes := range j.parts {
		if len(fixes) > 0 {
			j.tails[p].append(at, fixes)
			at += journal.Position(len(fixes))
		}
	}
	j.metrics.appended(count, len(j.buf))
}
