package local

import (
	"errors"
	"fmt"
	"os"
	"time"

	"outrider/journal"
	"outrider/telemetry"
)

// How much may share one fsync.
const (
	groupCalls = 4096
	groupBytes = 8 << 20
)

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
	group, fixes := []*appending{first}, len(first.fixes)
	for len(group) < groupCalls && fixes*64 < groupBytes {
		select {
		case a := <-j.queue:
			group, fixes = append(group, a), fixes+len(a.fixes)
		default:
			return group
		}
	}
	return group
}

// write makes a group durable and shows it to the readers.
func (j *Journal) write(group []*appending) error {
	if err := j.Health(); err != nil {
		return err
	}
	parts := split(group, j.o.Partitions)
	at := j.next // only the committer changes it
	j.buf = j.buf[:0]
	for p, fixes := range parts {
		if len(fixes) == 0 {
			continue
		}
		j.buf = appendRecord(j.buf, at, p, func(dst []byte) []byte { return journal.AppendBatch(dst, fixes) })
		at += journal.Position(len(fixes))
	}
	if err := j.persist(); err != nil {
		return j.fail(err)
	}
	j.show(parts)
	j.metrics.groups.Inc()
	return nil
}

// split sorts the fixes of a group by partition; those of one vehicle keep their order.
func split(group []*appending, partitions int) [][]telemetry.Fix {
	parts := make([][]telemetry.Fix, partitions)
	for _, a := range group {
		for i := range a.fixes {
			f := &a.fixes[i]
			p := journal.PartitionOf(f.Tenant, f.Vehicle, partitions)
			parts[p] = append(parts[p], *f)
		}
	}
	return parts
}

// persist writes j.buf to the current segment, or to a new one when that is full, and waits for the disk.
func (j *Journal) persist() error {
	if j.size >= j.o.SegmentBytes {
		if err := j.roll(); err != nil {
			return err
		}
	}
	n, err := j.file.Write(j.buf)
	if err != nil {
		return errors.Join(fmt.Errorf("journal: write %d bytes: %w", len(j.buf), err), j.undo(n))
	}
	began := time.Now()
	if err := j.file.Sync(); err != nil {
		// After a failed fsync the kernel may have dropped the pages: what is on disk is unknown.
		return fmt.Errorf("journal: fsync: %w", err)
	}
	j.metrics.fsync.Observe(time.Since(began).Seconds())
	j.size += int64(n)
	return nil
}

// undo removes what a failed write left, so that the next one begins at a clean end.
func (j *Journal) undo(written int) error {
	if written == 0 {
		return nil
	}
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	_, err := j.file.Seek(j.size, 0)
	return err
}

// errFull marks errors after which the journal can go on, once the cause is gone.
func recoverable(err error) bool { return errors.Is(err, errNoSpace) }

// fail decides whether the journal can go on after an error. A full disk can be emptied; after any other error
// the state of the file is in doubt, and only a new start, which checks it, may go on.
func (j *Journal) fail(err error) error {
	j.metrics.failures.Inc()
	if recoverable(err) {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.broken = err
	j.o.Logger.Error("journal cannot append any more until it is opened anew", "cause", err)
	return err
}

// roll begins a new segment.
func (j *Journal) roll() error {
	path := segmentPath(j.o.Dir, j.next)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("journal: begin segment: %w", err)
	}
	if err := syncDir(j.o.Dir); err != nil {
		return errors.Join(fmt.Errorf("journal: begin segment: %w", err), f.Close())
	}
	old := j.file
	j.file, j.size = f, 0
	j.mu.Lock()
	j.segments = append(j.segments, segment{path: path, first: j.next})
	j.metrics.segments.Set(float64(len(j.segments)))
	j.mu.Unlock()
	if old != nil {
		return old.Close()
	}
	return nil
}

// show makes durable fixes visible to readers.
func (j *Journal) show(parts [][]telemetry.Fix) {
	j.mu.Lock()
	at := j.next
	for _, fixes := range parts {
		j.next += journal.Position(len(fixes))
	}
	j.segments[len(j.segments)-1].size = j.size
	j.mu.Unlock()
	for p, fixes := range parts {
		if len(fixes) > 0 {
			j.tails[p].append(at, fixes)
			at += journal.Position(len(fixes))
		}
		j.metrics.fixes.Add(float64(len(fixes)))
	}
}
