package local_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"outrider/journal"
	"outrider/journal/journaltest"
	"outrider/journal/local"
	"outrider/telemetry"
)

// fleet is one fix of each of n vehicles, which go to several partitions and so to several records of a group.
func fleet(n, round int) []telemetry.Fix {
	var fixes []telemetry.Fix
	for v := range n {
		fixes = append(fixes, journaltest.Fix(fmt.Sprint("van", v), round))
	}
	return fixes
}

// total counts the fixes of all partitions.
func total(t *testing.T, j *local.Journal) int {
	t.Helper()
	n := 0
	for p := range j.Partitions() {
		n += len(entries(t, j, p))
	}
	return n
}

// entries reads all that a partition holds.
func entries(t *testing.T, j *local.Journal, p int) []journal.Entry {
	t.Helper()
	from, next, err := j.Bounds(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all []journal.Entry
	for from < next {
		got, err := j.Read(ctx, p, from, make([]journal.Entry, 0, 64))
		if err != nil {
			t.Fatalf("partition %d at %d of %d: %v", p, from, next, err)
		}
		all = append(all, got...)
		from = got[len(got)-1].Position + 1
	}
	return all
}

// TestATornGroupIsNeverTakenForDamage: a disk writes the pages of one group in any order. Whatever part of the last
// group is missing after a power cut, even with whole records of it behind, what was acknowledged is there.
func TestATornGroupIsNeverTakenForDamage(t *testing.T) {
	t.Parallel()
	const vans, block = 12, 64
	dir := t.TempDir()
	o := local.Options{Dir: dir, Partitions: 4}
	j := open(t, o)
	appendAll(t, j, fleet(vans, 0))
	info, err := os.Stat(segment(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, j, fleet(vans, 1))
	_ = j.Close()
	path := segment(t, dir)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := int(info.Size()); at < len(content); at += block {
		torn := bytes.Clone(content)
		clear(torn[at:min(at+block, len(torn))])
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := local.Open(o)
		if err != nil {
			t.Fatalf("block at %d lost: %v", at, err)
		}
		if n := total(t, j); n < vans || n >= 2*vans {
			t.Fatalf("block at %d lost: %d fixes, want the %d acknowledged and not all of the torn group", at, n, vans)
		}
		appendAll(t, j, fleet(vans, 2))
		_ = j.Close()
	}
}

func appendAll(t testing.TB, j *local.Journal, fixes []telemetry.Fix) {
	t.Helper()
	if err := j.Append(t.Context(), fixes); err != nil {
		t.Fatal(err)
	}
}

// TestALargeTornTailIsCutQuickly: nobody waits minutes for a start after a power cut.
func TestALargeTornTailIsCutQuickly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, content, _ := filled(t, dir, 3)
	noise := make([]byte, 4<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	if err := os.WriteFile(path, append(content, noise...), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	j := open(t, local.Options{Dir: dir, Partitions: 1})
	defer j.Close()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("opening took %v", took)
	}
	if got := count(t, j); got != 3 {
		t.Errorf("%d entries, want 3", got)
	}
}

// TestAnAppendOfAnySizeIsReadable: what was acknowledged can be read, however much came at once.
func TestAnAppendOfAnySizeIsReadable(t *testing.T) {
	t.Parallel()
	const n, longID = 2200, 32 << 10 // 72 MB in one call
	dir := t.TempDir()
	o := local.Options{Dir: dir, Partitions: 1, TailEntries: 1}
	j := open(t, o)
	fixes := make([]telemetry.Fix, n)
	for i := range fixes {
		fixes[i] = journaltest.Fix(strings.Repeat("x", longID), i)
	}
	appendAll(t, j, fixes)
	_ = j.Close()
	j = open(t, o)
	defer j.Close()
	for i, e := range entries(t, j, 0) {
		if int(e.Fix.Accuracy) != i {
			t.Fatalf("entry %d is fix %v", i, e.Fix.Accuracy)
		}
	}
	if got := count(t, j); got != n {
		t.Errorf("%d entries, want %d", got, n)
	}
}

// TestDamageIsFoundByTheReader flips each byte of a segment that is not the last, and of what the last one holds.
func TestDamageIsFoundByTheReader(t *testing.T) {
	t.Parallel()
	for name, segmentBytes := range map[string]int64{"earlier segment": 200, "segment being written": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := open(t, local.Options{Dir: dir, Partitions: 1, TailEntries: 1, SegmentBytes: segmentBytes})
			defer j.Close()
			for i := range 12 {
				appendAll(t, j, []telemetry.Fix{journaltest.Fix("van", i)})
			}
			path := firstSegment(t, dir)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for at := range content {
				flipped := bytes.Clone(content)
				flipped[at] ^= 1
				if err := os.WriteFile(path, flipped, 0o600); err != nil {
					t.Fatal(err)
				}
				_, err := readThrough(t, j, 12)
				if err == nil || !strings.Contains(err.Error(), path) {
					t.Fatalf("byte %d flipped: got %v, want an error that names the file", at, err)
				}
			}
		})
	}
}

// TestAMissingPartOfTheMiddleIsFound cuts an earlier segment at a record's end, which no checksum shows.
func TestAMissingPartOfTheMiddleIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := local.Options{Dir: dir, Partitions: 1, SegmentBytes: 400}
	j := open(t, o)
	var size int64
	path := firstSegment(t, dir)
	for i := range 20 {
		appendAll(t, j, []telemetry.Fix{journaltest.Fix("van", i)})
		if i == 0 {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			size = info.Size()
		}
	}
	_ = j.Close()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	j = open(t, o)
	defer j.Close()
	if all, err := readThrough(t, j, 20); err == nil {
		t.Errorf("read %d of 20 entries without an error", len(all))
	}
}

// readThrough reads partition 0 from its beginning until it has n entries.
func readThrough(t *testing.T, j *local.Journal, n int) ([]journal.Entry, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var all []journal.Entry
	from := journal.Position(1)
	for len(all) < n {
		got, err := j.Read(ctx, 0, from, make([]journal.Entry, 0, n))
		if ctx.Err() != nil {
			t.Fatal("the reader waits for what was lost")
		}
		if err != nil {
			return all, err
		}
		all = append(all, got...)
		from = got[len(got)-1].Position + 1
	}
	return all, nil
}

const crashDirVariable = "OUTRIDER_JOURNAL_CRASH_DIR"

// TestMain also plays the process that is killed: it appends from several goroutines and prints each fix when,
// and only when, it was acknowledged.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirVariable); dir != "" {
		appendUntilKilled(dir)
	}
	os.Exit(m.Run())
}

func appendUntilKilled(dir string) {
	j, err := local.Open(local.Options{Dir: dir, Partitions: 4, SegmentBytes: 20_000})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	begin := 0
	for p := range 4 {
		_, next, _ := j.Bounds(context.Background(), p)
		begin = max(begin, int(next))
	}
	var wg sync.WaitGroup
	for v := range 8 {
		wg.Go(func() {
			for n := begin; ; n++ {
				fixes := []telemetry.Fix{journaltest.Fix(fmt.Sprint("van", v), n)}
				if err := j.Append(context.Background(), fixes); err != nil {
					fmt.Println("append:", err)
					os.Exit(1)
				}
				fmt.Printf("%d %d\n", v, n) // one write system call a line
			}
		})
	}
	wg.Wait()
}

// TestKilledAtAnyMomentNothingAcknowledgedIsLost kills a process in the middle of its appends, again and again on
// the same directory.
func TestKilledAtAnyMomentNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for range 6 {
		for _, line := range killed(t, dir, 50+rand.IntN(150)) {
			acknowledged[line] = true
		}
		j := open(t, local.Options{Dir: dir, Partitions: 4, SegmentBytes: 20_000})
		there := map[string]bool{}
		for p := range 4 {
			last := map[telemetry.VehicleID]int{}
			for _, e := range entries(t, j, p) {
				n := int(e.Fix.Accuracy)
				if n <= last[e.Fix.Vehicle] {
					t.Fatalf("%s: fix %d after %d", e.Fix.Vehicle, n, last[e.Fix.Vehicle])
				}
				last[e.Fix.Vehicle] = n
				there[fmt.Sprintf("%s %d", strings.TrimPrefix(string(e.Fix.Vehicle), "van"), n)] = true
			}
		}
		for line := range acknowledged {
			if !there[line] {
				t.Fatalf("acknowledged and lost: vehicle and fix %s", line)
			}
		}
		_ = j.Close()
	}
	if len(acknowledged) < 6*50 {
		t.Fatalf("only %d fixes were acknowledged", len(acknowledged))
	}
}

// killed runs the process until it has printed so many lines, kills it, and returns every whole line.
func killed(t *testing.T, dir string, after int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDirVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break // a line without an end was cut by the kill
		}
		lines = append(lines, strings.TrimSpace(line))
		if len(lines) == after {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if len(lines) < after {
		t.Fatalf("the process ended by itself: %q", lines)
	}
	return lines
}
