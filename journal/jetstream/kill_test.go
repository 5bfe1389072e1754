package jetstream_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"outrider/internal/mosquittotest"
	"outrider/journal"
	"outrider/journal/jetstream"
	"outrider/journal/journaltest"
	"outrider/telemetry"
)

// The environment of the child process that is a server.
const (
	childDir  = "OUTRIDER_TEST_NATS_DIR"
	childPort = "OUTRIDER_TEST_NATS_PORT"
)

// TestMain also plays the server that is killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	port, _ := strconv.Atoi(os.Getenv(childPort))
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir, SyncAlways: true,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Start()
	s.WaitForShutdown()
}

// TestKilledServersKeepWhatTheyConfirmed kills the server at random moments while eight vehicles send: each fix that was acknowledged is
// there, once, in order.
func TestKilledServersKeepWhatTheyConfirmed(t *testing.T) {
	t.Parallel()
	const vehicles, kills = 8, 6
	dir, port := t.TempDir(), strconv.Itoa(mosquittotest.FreePort(t))
	var child *exec.Cmd
	begin := func() {
		child = exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir, childPort+"="+port)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
	}
	kill := func() { _ = child.Process.Kill(); _ = child.Wait() }
	begin()
	t.Cleanup(func() { kill() })
	j := open(t, jetstream.Options{URL: func() string { return "nats://127.0.0.1:" + port }, Partitions: 1, AppendWithin: time.Minute})
	var wg sync.WaitGroup
	var stop atomic.Bool
	var confirmed atomic.Int64
	acked := make([]int, vehicles) // of each, by its goroutine
	for v := range vehicles {
		wg.Go(func() {
			for !stop.Load() {
				if err := j.Append(t.Context(), []telemetry.Fix{journaltest.Fix(fmt.Sprint("van", v), acked[v])}); err != nil {
					t.Errorf("van%d at %d: %v", v, acked[v], err)
					return
				}
				acked[v]++
				confirmed.Add(1)
			}
		})
	}
	for range kills {
		from, wait := confirmed.Load(), 20+rand.Int64N(200)
		eventually(t, "fixes are confirmed", func() bool { return confirmed.Load() > from+wait })
		kill()
		begin()
	}
	from := confirmed.Load()
	eventually(t, "fixes are confirmed again", func() bool { return confirmed.Load() > from+20 })
	stop.Store(true)
	wg.Wait()

	next, all := map[telemetry.VehicleID]int{}, 0
	for at := journal.Position(0); all < int(confirmed.Load()); {
		got, err := j.Read(t.Context(), 0, at, make([]journal.Entry, 0, 256))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got {
			if n := int(e.Fix.Accuracy); n != next[e.Fix.Vehicle] {
				t.Fatalf("%s: fix %d came, want %d", e.Fix.Vehicle, n, next[e.Fix.Vehicle])
			}
			next[e.Fix.Vehicle]++
		}
		all, at = all+len(got), got[len(got)-1].Position+1
	}
	for v, n := range acked {
		if got := next[telemetry.VehicleID(fmt.Sprint("van", v))]; got != n {
			t.Errorf("van%d: %d fixes, %d were acknowledged", v, got, n)
		}
	}
}
