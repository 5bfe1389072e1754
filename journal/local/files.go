package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"syscall"

	"outrider/journal"
	"outrider/telemetry"
)

// errNoSpace is the one write error after which a journal can go on.
const errNoSpace = syscall.ENOSPC

// load finds the end of the log, cuts a torn tail off, and opens the last segment for writing.
func (j *Journal) load() error {
	segments, err := listSegments(j.o.Dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.segments = segments
	if len(segments) == 0 {
		return j.roll()
	}
	// The segments before the last were whole when the next one began; they are checked as they are read.
	if err := j.check(&j.segments[len(segments)-1]); err != nil {
		return err
	}
	for _, t := range j.tails {
		t.skip(j.next)
	}
	last := j.segments[len(j.segments)-1]
	if j.file, err = os.OpenFile(last.path, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.size = last.size
	_, err = j.file.Seek(j.size, io.SeekStart)
	j.metrics.segments.Set(float64(len(j.segments)))
	return err
}

// check reads the last segment through, and cuts off what a crash left torn at its end.
func (j *Journal) check(s *segment) error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	rr := newRecordReader(f, 0)
	j.next = s.first
	for {
		rec, err := rr.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTorn) && !followed(f, rr.offset):
			return j.cut(s, rr.offset)
		case errors.Is(err, errTorn):
			return damaged(s.path, rr.offset)
		case err != nil:
			return err
		}
		fixes, err := journal.DecodeBatch(nil, rec.batch)
		if err != nil {
			return fmt.Errorf("journal: %s at byte %d: %w", s.path, rec.offset, err)
		}
		j.next = rec.first + journal.Position(len(fixes))
	}
}

func damaged(path string, offset int64) error {
	return fmt.Errorf("journal: %s is damaged at byte %d: restore it from a backup, or move the journal away to go on without what it held", path, offset)
}

// followed reports whether a whole record stands behind the damage at offset: then it is not the torn end of
// the last write but damage to something that was acknowledged.
func followed(f *os.File, offset int64) bool {
	rest, err := io.ReadAll(io.NewSectionReader(f, offset, longestRecord))
	if err != nil {
		return true // a disk that cannot be read must not lead to cutting
	}
	for i := 1; i+headBytes+metaBytes <= len(rest); i++ {
		if wholeRecord(rest[i:]) {
			return true
		}
	}
	return false
}

func (j *Journal) cut(s *segment, at int64) error {
	j.o.Logger.Warn("torn tail cut off", "segment", s.path, "from_byte", at, "bytes", s.size-at)
	j.metrics.torn.Inc()
	if err := os.Truncate(s.path, at); err != nil {
		return fmt.Errorf("journal: cut torn tail: %w", err)
	}
	s.size = at
	return nil
}

// wholeRecord reports whether bytes begin with a record that is not damaged.
func wholeRecord(b []byte) bool {
	length := int(binary.BigEndian.Uint32(b))
	if length < metaBytes || length > len(b)-headBytes {
		return false
	}
	return crc32.Checksum(b[headBytes:headBytes+length], castagnoli) == binary.BigEndian.Uint32(b[4:])
}

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
		return dst, next, fmt.Errorf("%w: partition %d at %d, the oldest is %d", journal.ErrTrimmed, p, from, segments[0].first)
	}
	if c.at != from {
		c = cursor{}
	}
	begin := segmentOf(segments, max(from, c.segment))
	r := fileReader{partition: p, from: from, next: next, dst: dst}
	for i, s := range segments[begin:] {
		if s.first != c.segment {
			c.offset = 0
		}
		if err := r.read(s, c.offset, begin+i == len(segments)-1); err != nil {
			return r.dst, next, err
		}
		if len(r.dst) == cap(r.dst) {
			break
		}
	}
	if len(r.dst) > len(dst) {
		j.mu.Lock()
		j.cursors[p] = cursor{r.dst[len(r.dst)-1].Position + 1, r.segment, r.offset}
		j.mu.Unlock()
	}
	return r.dst, next, nil
}

// segmentOf returns the index of the segment that holds a position.
func segmentOf(segments []segment, at journal.Position) int {
	i := len(segments) - 1
	for i > 0 && segments[i].first > at {
		i--
	}
	return i
}

// fileReader collects entries of one partition from segments.
type fileReader struct {
	partition  int
	from, next journal.Position
	dst        []journal.Entry

	segment journal.Position // of the record read last
	offset  int64            // of that record
	fixes   []telemetry.Fix
}

// read appends a segment's entries from the record at offset on. In the last segment the end may be in the
// middle of what is being written.
func (r *fileReader) read(s segment, offset int64, last bool) error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for rr := newRecordReader(f, offset); len(r.dst) < cap(r.dst); {
		rec, err := rr.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errTorn) && last, err == nil && rec.first >= r.next:
			return nil
		case errors.Is(err, errTorn):
			return damaged(s.path, rr.offset)
		case err != nil:
			return err
		}
		if rec.partition == r.partition {
			if err := r.take(s, rec); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *fileReader) take(s segment, rec record) error {
	var err error
	if r.fixes, err = journal.DecodeBatch(r.fixes[:0], rec.batch); err != nil {
		return fmt.Errorf("journal: %s at byte %d: %w", s.path, rec.offset, err)
	}
	for i := range r.fixes {
		at := rec.first + journal.Position(i)
		if at < r.from || len(r.dst) == cap(r.dst) {
			continue
		}
		r.dst = append(r.dst, journal.Entry{Position: at, Fix: r.fixes[i]})
		r.segment, r.offset = s.first, rec.offset
	}
	return nil
}
