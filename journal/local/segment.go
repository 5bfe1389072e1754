package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"outrider/journal"
)

const segmentSuffix = ".seg"

// segment is one file of the log, named after the position of its first entry.
type segment struct {
	path    string
	first   journal.Position // of its first entry
	size    int64
	written time.Time // when something was last appended
}

func segmentPath(dir string, first journal.Position) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", uint64(first), segmentSuffix))
}

// listSegments returns the segments of a directory in order.
func listSegments(dir string) ([]segment, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []segment
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		if !ok {
			continue
		}
		first, err := strconv.ParseUint(name, 10, 63)
		if err != nil || first == 0 {
			return nil, fmt.Errorf("%s is no segment of this journal", filepath.Join(dir, f.Name()))
		}
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, segment{filepath.Join(dir, f.Name()), journal.Position(first), info.Size(), info.ModTime()})
	}
	slices.SortFunc(all, func(a, b segment) int { return int(int64(a.first) - int64(b.first)) })
	return all, nil
}

// segmentOf returns the index of the segment that holds a position.
func segmentOf(segments []segment, at journal.Position) int {
	i := len(segments) - 1
	for i > 0 && segments[i].first > at {
		i--
	}
	return i
}

func sizeOfAll(segments []segment) int64 {
	total := int64(0)
	for _, s := range segments {
		total += s.size
	}
	return total
}

// damaged is the error of bytes that were acknowledged and can be read no more.
func damaged(path string, offset int64) error {
	return fmt.Errorf("journal: %s is damaged at byte %d: restore it from a backup, or move the journal away to go on without what it held", path, offset)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
