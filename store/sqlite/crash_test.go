package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"outrider/identity"
	"outrider/journal"
	"outrider/notify"
	"outrider/store"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

const crashFileVariable = "OUTRIDER_STORE_CRASH_FILE"

// TestMain also plays the process that is killed while lanes commit and a sender claims and settles. It prints
// what was done when, and only when, the store said so.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashFileVariable); path != "" {
		if err := workUntilKilled(path); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func workUntilKilled(path string) error {
	ctx := context.Background()
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		return err
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path, Sealer: sealer, Now: time.Now})
	if err != nil {
		return err
	}
	problems := make(chan error)
	var wg sync.WaitGroup
	for p := range 3 {
		wg.Go(func() { problems <- commitForEver(ctx, s, p) })
	}
	wg.Go(func() { problems <- sendForEver(ctx, s) })
	return <-problems
}

// commitForEver commits a crossing and its delivery for each position of a lane.
func commitForEver(ctx context.Context, s *sqlstore.Store, partition int) error {
	l, err := s.OwnLane(ctx, partition, "")
	if err != nil {
		return err
	}
	for next := l.Next + 1; ; next++ {
		id := fmt.Sprintf("%d/%d", partition, next)
		at := time.UnixMilli(int64(next))
		err := s.Commit(ctx, store.Commit{
			Partition: partition, Epoch: l.Epoch, Next: next,
			Crossings:  []store.Crossing{{ID: id, Tenant: "acme", At: at}},
			Deliveries: []notify.Delivery{{Alert: notify.Alert{ID: id, Tenant: "acme", At: at}, Page: "p", PSID: identity.PSID(id), State: notify.Pending}},
		})
		if err != nil {
			return err
		}
		fmt.Println("committed", id)
	}
}

func sendForEver(ctx context.Context, s *sqlstore.Store) error {
	for {
		claims, err := s.Claim(ctx, "p", notify.AnyRoom(8), time.Now(), time.Hour)
		if err != nil {
			return err
		}
		for _, c := range claims {
			fmt.Println("claimed", c.Alert.ID)
		}
		var outcomes []notify.Outcome
		for _, c := range claims {
			outcomes = append(outcomes, notify.Outcome{ID: c.Alert.ID, Lease: c.Lease, State: notify.Sent, SentAt: time.Now()})
		}
		if err := s.Settle(ctx, outcomes); err != nil {
			return err
		}
		for _, c := range claims {
			fmt.Println("sent", c.Alert.ID)
		}
	}
}

// TestKilledAtAnyMomentTheStoreHoldsWhatItSaid kills the process again and again: each commit is there as a whole or
// not at all, what was said to be done is done, and nothing is claimed twice.
func TestKilledAtAnyMomentTheStoreHoldsWhatItSaid(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outrider.db")
	said := map[string]int{}
	for range 5 {
		for _, line := range killed(t, path, 60+rand.IntN(200)) {
			said[line]++
		}
		judge(t, path, said)
	}
	for line, times := range said {
		if times > 1 {
			t.Errorf("%q was said %d times", line, times)
		}
	}
}

func judge(t *testing.T, path string, said map[string]int) {
	t.Helper()
	s, err := openAt(t, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.AbandonAll(t.Context(), time.Now(), time.Hour); err != nil {
		t.Fatal(err)
	}
	const all = 1 << 20
	crossings, err := s.Crossings(t.Context(), store.Query{Tenant: "acme", Limit: all})
	if err != nil {
		t.Fatal(err)
	}
	deliveries, err := s.Deliveries(t.Context(), store.Query{Tenant: "acme", Limit: all})
	if err != nil {
		t.Fatal(err)
	}
	states, inLane := map[string]notify.State{}, map[string]int{}
	for _, d := range deliveries {
		states[d.Alert.ID] = d.State
	}
	for _, c := range crossings {
		if states[c.ID] == "" {
			t.Errorf("crossing %s is there without its delivery", c.ID)
		}
		lane, _, _ := strings.Cut(c.ID, "/")
		inLane[lane]++
	}
	if len(states) != len(crossings) {
		t.Errorf("%d deliveries of %d crossings", len(states), len(crossings))
	}
	for p := range 3 {
		l, err := s.OwnLane(t.Context(), p, "")
		if err != nil {
			t.Fatal(err)
		}
		if n := inLane[fmt.Sprint(p)]; l.Next != journal.Position(n) {
			t.Errorf("lane %d is at %d with %d crossings", p, l.Next, n)
		}
	}
	for line := range said {
		what, id, _ := strings.Cut(line, " ")
		state := states[id]
		switch {
		case what == "committed" && state == "",
			what == "claimed" && state != notify.Sent && state != notify.Settling,
			what == "sent" && state != notify.Sent:
			t.Errorf("%s, but its delivery is %q", line, state)
		}
	}
}

// killed runs the process until it has printed so many lines, kills it, and returns every whole line.
func killed(t *testing.T, path string, after int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFileVariable+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for r := bufio.NewReader(out); ; {
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
