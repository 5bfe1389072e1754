package local_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/journal"
	"outrider/journal/journaltest"
	"outrider/journal/local"
	"outrider/telemetry"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]local.Options{
		"one segment":               {},
		"small segments":            {SegmentBytes: 2000, Retention: time.Nanosecond},
		"small segments and memory": {SegmentBytes: 2000, TailEntries: 3, RetentionBytes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			journaltest.Run(t, func(t *testing.T, dir string) journal.Journal {
				own := o
				own.Dir, own.Partitions = dir, journaltest.Partitions
				return open(t, own)
			})
		})
	}
}

func open(t testing.TB, o local.Options) *local.Journal {
	t.Helper()
	j, err := local.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// filled returns the bytes of a segment with n records of one fix each, and where each record ends.
func filled(t *testing.T, dir string, n int) (path string, content []byte, ends []int64) {
	t.Helper()
	j := open(t, local.Options{Dir: dir, Partitions: 1})
	for i := range n {
		if err := j.Append(t.Context(), []telemetry.Fix{journaltest.Fix("van", i)}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(segment(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	path = segment(t, dir)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, content, ends
}

func segment(t *testing.T, dir string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

// firstSegment returns the path of the oldest segment.
func firstSegment(t *testing.T, dir string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	return all[0]
}

func count(t *testing.T, j *local.Journal) int {
	t.Helper()
	_, next, err := j.Bounds(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return int(next) - 1
}

func TestATailCutAtAnyByteKeepsEveryWholeRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, content, ends := filled(t, dir, 4)
	for cut := range int64(len(content)) {
		if err := os.WriteFile(path, content[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, end := range ends {
			if end <= cut {
				want++
			}
		}
		j := open(t, local.Options{Dir: dir, Partitions: 1})
		if got := count(t, j); got != want {
			t.Fatalf("cut at %d: %d entries, want %d", cut, got, want)
		}
		if err := j.Append(t.Context(), []telemetry.Fix{journaltest.Fix("van", 99)}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = open(t, local.Options{Dir: dir, Partitions: 1})
		if got := count(t, j); got != want+1 {
			t.Fatalf("cut at %d, appended: %d entries, want %d", cut, got, want+1)
		}
		_ = j.Close()
	}
}

func TestDamageBeforeTheTailIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, content, ends := filled(t, dir, 4)
	for at := range ends[2] { // the last whole record stands behind all of it
		flipped := bytes.Clone(content)
		flipped[at] ^= 0x40
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := local.Open(local.Options{Dir: dir, Partitions: 1})
		if err == nil {
			_ = j.Close()
			t.Fatalf("byte %d flipped: was accepted", at)
		}
		if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "byte") {
			t.Fatalf("byte %d flipped: %v does not name the place", at, err)
		}
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, local.Options{Dir: dir})
	if _, err := local.Open(local.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("got %v", err)
	}
	_ = j.Close()
	_ = open(t, local.Options{Dir: dir}).Close()
}

func TestTheNumberOfPartitionsIsFixed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_ = open(t, local.Options{Dir: dir, Partitions: 3}).Close()
	if _, err := local.Open(local.Options{Dir: dir, Partitions: 5}); err == nil || !strings.Contains(err.Error(), "made with 3 partitions, 5 were asked for") {
		t.Errorf("got %v", err)
	}
}

func TestRetentionKeepsWhatIsYoung(t *testing.T) {
	t.Parallel()
	now := time.Now()
	j := open(t, local.Options{
		Dir: t.TempDir(), Partitions: 1, SegmentBytes: 200, Retention: time.Hour, Now: func() time.Time { return now },
	})
	defer j.Close()
	for i := range 20 {
		if err := j.Append(t.Context(), []telemetry.Fix{journaltest.Fix("van", i)}); err != nil {
			t.Fatal(err)
		}
	}
	first := func() journal.Position {
		if err := j.Trim(t.Context(), 0, 15); err != nil {
			t.Fatal(err)
		}
		first, _, err := j.Bounds(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	if got := first(); got != 1 {
		t.Errorf("within the retention: kept from %d, want 1", got)
	}
	now = now.Add(2 * time.Hour)
	if got := first(); got <= 1 || got > 15 {
		t.Errorf("after the retention: kept from %d, want up to 15", got)
	}
}

func TestAPartitionWithoutFixesKeepsNoFiles(t *testing.T) {
	t.Parallel()
	j := open(t, local.Options{Dir: t.TempDir(), Partitions: 8, SegmentBytes: 200, RetentionBytes: 1})
	defer j.Close()
	for i := range 20 {
		if err := j.Append(t.Context(), []telemetry.Fix{journaltest.Fix("van", i)}); err != nil {
			t.Fatal(err)
		}
	}
	p := journal.PartitionOf(journaltest.Fix("van", 0).Tenant, "van", 8)
	if err := j.Trim(t.Context(), p, 15); err != nil {
		t.Fatal(err)
	}
	if first, _, err := j.Bounds(t.Context(), p); err != nil || first <= 1 {
		t.Errorf("kept from %d (%v), want later", first, err)
	}
}

func BenchmarkAppend(b *testing.B) {
	journaltest.BenchAppend(b, func(b *testing.B) journal.Journal { return open(b, local.Options{Dir: b.TempDir()}) })
}
