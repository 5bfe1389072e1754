package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"outrider/journal"
)

// errNoMark says that a segment was begun and nothing ever acknowledged in it.
var errNoMark = errors.New("journal: segment without a mark")

// load finds the end of the log, cuts a torn tail off, and opens the last segment for writing.
//
// The segments before the last were whole when the next one began; their readers check them.
func (j *Journal) load() error {
	segments, err := listSegments(j.o.Dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for i := len(segments) - 1; i >= 0; i-- {
		end, err := j.check(&segments[i], i+1 == len(segments))
		switch {
		case errors.Is(err, errNoMark):
			if err := j.discard(segments[i]); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		case i+1 < len(segments) && j.next != segments[i+1].first:
			return damaged(segments[i].path, end)
		}
		j.segments = segments[:i+1]
		return j.resume(&j.segments[i])
	}
	if len(segments) > 0 {
		j.next = segments[0].first // what came before was trimmed
	}
	return j.roll()
}

// discard removes a segment whose beginning a crash left torn.
func (j *Journal) discard(s segment) error {
	j.o.Logger.Warn("segment that a crash left without content removed", "segment", s.path, "bytes", s.size)
	if err := os.Remove(s.path); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// resume opens the last segment for writing at its end.
func (j *Journal) resume(s *segment) error {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.file, j.size, j.begun = f, s.size, s.first
	for p, t := range j.tails {
		t.skip(j.nexts[p])
	}
	j.metrics.kept(j.segments)
	if _, err := f.Seek(j.size, io.SeekStart); err != nil {
		return errors.Join(fmt.Errorf("journal: %w", err), f.Close())
	}
	return nil
}

// check reads a segment through, takes over where its entries end, and cuts off what a crash left torn. It returns
// the offset of the end, and errNoMark if the segment holds nothing at all. Only the last segment may be torn.
func (j *Journal) check(s *segment, last bool) (end int64, err error) {
	f, err := os.Open(s.path)
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	rr := newRecordReader(f, 0)
	for marked := false; ; marked = true {
		rec, err := rr.next()
		switch {
		case err == nil:
			err = j.follow(s, &rec, marked)
		case errors.Is(err, errTorn), errors.Is(err, io.EOF):
			if torn := errors.Is(err, errTorn); torn && !last {
				return rr.offset, damaged(s.path, rr.offset)
			}
			return rr.offset, j.endAt(s, f, rr.offset, err)
		default:
			err = fmt.Errorf("%s at byte %d: %w", s.path, rr.offset, err)
		}
		if err != nil {
			return rr.offset, err
		}
	}
}

// follow takes over where a record ends, and checks that it goes on where the one before it ended.
func (j *Journal) follow(s *segment, rec *record, marked bool) error {
	if !marked {
		if rec.first != s.first || !readMark(rec, j.nexts) {
			return damaged(s.path, rec.offset)
		}
		j.next = rec.first
		return nil
	}
	if rec.first != j.next || rec.partition >= len(j.nexts) {
		return damaged(s.path, rec.offset)
	}
	j.next = rec.end()
	j.nexts[rec.partition] = j.next
	return nil
}

// endAt decides what the end of the readable part at offset means: a clean end, a torn one, or damage.
func (j *Journal) endAt(s *segment, f *os.File, offset int64, cause error) error {
	if errors.Is(cause, errTorn) {
		rest, err := io.ReadAll(io.NewSectionReader(f, offset, longestRecord))
		if err != nil {
			return fmt.Errorf("journal: read %s: %w", s.path, err) // what cannot be read must not be cut
		}
		if laterGroup(rest, offset) {
			return damaged(s.path, offset)
		}
	}
	switch {
	case offset == 0:
		return errNoMark
	case errors.Is(cause, errTorn):
		return j.cut(s, offset)
	}
	return nil
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

// roll begins a new segment.
//
// ORDER: create, write the mark, fsync the file, fsync the directory, use it. A crash before the end leaves a
// segment without entries, with or without a whole mark, which the next start removes or goes on with.
func (j *Journal) roll() error {
	path := segmentPath(j.o.Dir, j.next)
	mark := appendMark(nil, j.next, j.nexts)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("journal: begin segment: %w", err)
	}
	_, err = f.Write(mark)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("journal: begin segment: %w", err), f.Close(), os.Remove(path))
	}
	old := j.file
	j.file, j.size, j.begun = f, int64(len(mark)), j.next
	j.begin(segment{path: path, first: j.next, size: j.size, written: j.o.Now()})
	if old != nil {
		return old.Close()
	}
	return nil
}

// begin makes a segment the one that is being written.
func (j *Journal) begin(s segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.segments = append(j.segments, s)
	j.metrics.kept(j.segments)
}

// beginning is where the partitions of a new journal stand.
func beginning(partitions int) []journal.Position {
	nexts := make([]journal.Position, partitions)
	for p := range nexts {
		nexts[p] = 1
	}
	return nexts
}
