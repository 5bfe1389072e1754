package local

import (
	"context"
	"errors"
	"os"
	"slices"

	"outrider/journal"
)

// Trim implements journal.Journal. A file goes when no partition needs anything in it and the retention is over.
// What was trimmed is not remembered over a new start: files may then stay until the partitions are trimmed again.
func (j *Journal) Trim(_ context.Context, p int, before journal.Position) error {
	var problems []error
	for _, s := range j.forget(p, before) {
		problems = append(problems, os.Remove(s.path))
	}
	return errors.Join(problems...)
}

// forget takes the files that nobody needs out of the list and returns them. The one being written stays.
func (j *Journal) forget(p int, before journal.Position) []segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.trimmed[p] = max(j.trimmed[p], before)
	needed, size := j.needed(), sizeOfAll(j.segments)
	n := 0
	for n+1 < len(j.segments) && j.segments[n+1].first <= needed && j.expired(j.segments[n], size) {
		size -= j.segments[n].size
		n++
	}
	gone := slices.Clone(j.segments[:n])
	j.segments = slices.Delete(j.segments, 0, n)
	j.metrics.kept(j.segments)
	return gone
}

// needed is the oldest position that a partition may still read. One that has trimmed all it holds needs nothing,
// however long ago its last fix came. j.mu is held.
func (j *Journal) needed() journal.Position {
	needed := j.next
	for p, at := range j.trimmed {
		if at < j.nexts[p] {
			needed = min(needed, at)
		}
	}
	return needed
}

// expired reports whether the retention of a segment is over when all of them have the size. j.mu is held.
func (j *Journal) expired(s segment, size int64) bool {
	if j.o.RetentionBytes > 0 && size > j.o.RetentionBytes {
		return true
	}
	return j.o.Retention > 0 && j.o.Now().Sub(s.written) > j.o.Retention
}
