package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"outrider/journal"
	"outrider/telemetry"
)

// cursor is where a partition's reader stopped in the files, so that it need not search for its place again.
type cursor struct {
	at      journal.Position // of the next entry to read; 0: unknown
	segment journal.Position // first of the segment
	offset  int64            // of a record there, at or before the entry's
}

// readFiles serves a reader that is behind what is kept in memory. It appends entries of a partition at
// positions from ≤ … < next, as many as fit, and returns next: there are none before it if it appends none.
func (j *Journal) readFiles(p int, from journal.Position, dst []journal.Entry) ([]journal.Entry, journal.Position, error) {
	j.mu.Lock()
	segments, next, c := slices.Clone(j.segments), j.next, j.cursors[p]
	j.mu.Unlock()
	if from < segments[0].first {
		return dst, next, trimmed(p, from, segments[0].first)
	}
	if c.at != from || c.segment < segments[0].first {
		c = cursor{}
	}
	r := fileReader{partition: p, from: from, next: next, dst: dst}
	for i := segmentOf(segments, max(from, c.segment)); i < len(segments) && !r.full(); i++ {
		s := segments[i]
		if s.first != c.segment {
			c.offset = 0
		}
		r.until = next
		if i+1 < len(segments) {
			r.until = segments[i+1].first
		}
		if err := r.read(s, c.offset); err != nil {
			return r.dst, next, j.explain(p, from, err)
		}
	}
	if len(r.dst) > len(dst) {
		j.mu.Lock()
		j.cursors[p] = cursor{r.dst[len(r.dst)-1].Position + 1, r.segment, r.offset}
		j.mu.Unlock()
	}
	return r.dst, next, nil
}

func trimmed(p int, from, first journal.Position) error {
	return fmt.Errorf("%w: partition %d at %d, the oldest is %d", journal.ErrTrimmed, p, from, first)
}

// explain tells a file that was trimmed under the reader's hands from one that is missing.
func (j *Journal) explain(p int, from journal.Position, err error) error {
	j.mu.Lock()
	first := j.segments[0].first
	j.mu.Unlock()
	if errors.Is(err, os.ErrNotExist) && from < first {
		return trimmed(p, from, first)
	}
	return err
}

// fileReader collects entries of one partition from segments.
type fileReader struct {
	partition  int
	from, next journal.Position
	until      journal.Position // where the segment's entries must end, or go beyond
	dst        []journal.Entry

	segment journal.Position // of the record taken last
	offset  int64            // of that record
	fixes   []telemetry.Fix
}

func (r *fileReader) full() bool { return len(r.dst) == cap(r.dst) }

// read appends a segment's entries from the record at offset on. It misses nothing silently: records must follow
// each other without a gap up to until. Behind that may be the middle of what is being written.
func (r *fileReader) read(s segment, offset int64) error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	at := s.first
	for rr := newRecordReader(f, offset); at < r.until && !r.full(); {
		rec, err := rr.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errTorn):
			return damaged(s.path, rr.offset)
		case err != nil:
			return fmt.Errorf("%s at byte %d: %w", s.path, rr.offset, err)
		case rec.first != at && rec.offset != offset, rec.offset == 0 && rec.first != s.first:
			return damaged(s.path, rec.offset)
		}
		at = rec.end()
		if rec.partition == r.partition && rec.end() > r.from {
			if err := r.take(s, rec); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *fileReader) take(s segment, rec record) error {
	var err error
	if r.fixes, err = journal.DecodeBatch(r.fixes[:0], rec.body); err != nil || len(r.fixes) != int(rec.count) {
		return errors.Join(damaged(s.path, rec.offset), err)
	}
	r.segment, r.offset = s.first, rec.offset
	for i, f := range r.fixes {
		at := rec.first + journal.Position(i)
		if at >= r.from && !r.full() {
			r.dst = append(r.dst, journal.Entry{Position: at, Fix: f})
		}
	}
	return nil
}
