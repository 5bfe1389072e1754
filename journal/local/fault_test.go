package local

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/journal"
	"outrider/telemetry"
)

// faulty is a file whose calls fail as told. The committer owns it while a call of Append is under way, the test
// between two calls.
type faulty struct {
	disk
	room             int   // bytes until a write is cut short; < 0: enough
	write, sync, cut error // what a short write, Sync and Truncate answer
}

func (f *faulty) Write(p []byte) (int, error) {
	if f.room < 0 || len(p) <= f.room {
		return f.disk.Write(p)
	}
	n, _ := f.disk.Write(p[:f.room])
	return n, f.write
}

func (f *faulty) Sync() error { return errors.Join(f.sync, f.disk.Sync()) }

func (f *faulty) Truncate(n int64) error { return errors.Join(f.cut, f.disk.Truncate(n)) }

func fixNumber(n int) []telemetry.Fix {
	f := telemetry.NewFix("acme", "van", time.UnixMilli(int64(n)).UTC(), orb.Point{})
	f.Received = time.UnixMicro(0).UTC()
	return []telemetry.Fix{f}
}

// failing opens a journal on a file with faults and appends fix 0.
func failing(t *testing.T, dir string) (*Journal, *faulty) {
	t.Helper()
	j, err := Open(Options{Dir: dir, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	f := &faulty{disk: j.file, room: -1}
	j.file = f
	if err := j.Append(t.Context(), fixNumber(0)); err != nil {
		t.Fatal(err)
	}
	return j, f
}

// numbers reads what a journal holds after it was opened anew.
func numbers(t *testing.T, j *Journal, dir string) []int64 {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, err := Open(Options{Dir: dir, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var all []int64
	_, next, _ := j.Bounds(t.Context(), 0)
	for from := journal.Position(1); from < next; from++ {
		got, err := j.Read(t.Context(), 0, from, make([]journal.Entry, 0, 1))
		if err != nil || got[0].Position != from {
			t.Fatalf("at %d: %v, %v", from, got, err)
		}
		all = append(all, got[0].Fix.Time.UnixMilli())
	}
	return all
}

// TestAFullDiskIsSurvived cuts a write short after every possible number of bytes.
func TestAFullDiskIsSurvived(t *testing.T) {
	t.Parallel()
	for room := range 60 {
		dir := t.TempDir()
		j, f := failing(t, dir)
		f.room, f.write = room, syscall.ENOSPC
		if err := j.Append(t.Context(), fixNumber(1)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d bytes: got %v, want ENOSPC", room, err)
		}
		if !errors.Is(j.Health(), syscall.ENOSPC) {
			t.Fatalf("health says %v", j.Health())
		}
		f.room = -1
		if err := j.Append(t.Context(), fixNumber(2)); err != nil {
			t.Fatalf("with room again: %v", err)
		}
		if j.Health() != nil {
			t.Fatalf("health with room again says %v", j.Health())
		}
		if got := numbers(t, j, dir); len(got) != 2 || got[0] != 0 || got[1] != 2 {
			t.Fatalf("room for %d bytes: kept %v, want 0 and 2", room, got)
		}
	}
}

// TestAFailedSyncEndsAppends: after it nobody knows what is on disk, whatever the error says, and a journal that
// went on could give a position twice.
func TestAFailedSyncEndsAppends(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*faulty){
		"sync says the disk is full": func(f *faulty) { f.sync = syscall.ENOSPC },
		"sync fails":                 func(f *faulty) { f.sync = syscall.EIO },
		"a short write cannot be cut": func(f *faulty) {
			f.room, f.write, f.cut = 5, syscall.ENOSPC, syscall.EIO
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j, f := failing(t, dir)
			fault(f)
			if err := j.Append(t.Context(), fixNumber(1)); err == nil {
				t.Fatal("the append was acknowledged")
			}
			*f = faulty{disk: f.disk, room: -1}
			if err := j.Append(t.Context(), fixNumber(2)); err == nil {
				t.Fatal("the journal went on")
			}
			if j.Health() == nil {
				t.Error("health says nothing")
			}
			if got := numbers(t, j, dir); got[0] != 0 || len(got) > 2 || len(got) == 2 && got[1] != 1 {
				t.Errorf("kept %v, want 0 and perhaps 1", got)
			}
		})
	}
}

// TestCallsThatWaitShareOneFsync: while the disk works for one group, the next gathers.
func TestCallsThatWaitShareOneFsync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		j, err := Open(Options{Dir: t.TempDir(), Partitions: 1, Registerer: registry})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		slow := &slowDisk{disk: j.file}
		j.file = slow
		done := make(chan error)
		for i := range 50 {
			go func() { done <- j.Append(t.Context(), fixNumber(i)) }()
		}
		for range 50 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if slow.syncs > 2 {
			t.Errorf("%d fsyncs for 50 calls at once, want at most 2", slow.syncs)
		}
		if n := testutil.ToFloat64(j.metrics.fixes); n != 50 {
			t.Errorf("counted %v fixes, want 50", n)
		}
		problems, err := testutil.GatherAndLint(registry)
		if err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
	})
}

// slowDisk takes a second for an fsync.
type slowDisk struct {
	disk
	syncs int
}

func (s *slowDisk) Sync() error {
	s.syncs++
	time.Sleep(time.Second)
	return s.disk.Sync()
}
