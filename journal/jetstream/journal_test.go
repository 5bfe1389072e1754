package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/internal/natstest"
	"outrider/journal"
	"outrider/journal/jetstream"
	"outrider/journal/journaltest"
	"outrider/journal/local"
	"outrider/telemetry"
)

func open(t testing.TB, o jetstream.Options) *jetstream.Journal {
	t.Helper()
	j, err := jetstream.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func options(n *natstest.Node) jetstream.Options {
	return jetstream.Options{URL: n.URL, Partitions: journaltest.Partitions}
}

// js speaks to the server as an administrator would.
func admin(t *testing.T, n *natstest.Node) natsjs.JetStream {
	t.Helper()
	nc, err := nats.Connect(n.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func put(t *testing.T, j journal.Journal, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := j.Append(t.Context(), []telemetry.Fix{journaltest.Fix("van", n)}); err != nil {
			t.Fatal(err)
		}
	}
}

// partition of the vehicle that the tests append fixes of.
func partition() int { return journal.PartitionOf("acme", "van", journaltest.Partitions) }

// numbers reads fixes until a number of them is there.
func numbers(t *testing.T, j journal.Journal, from journal.Position, n int) []int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all []int
	for len(all) < n {
		got, err := j.Read(ctx, partition(), from, make([]journal.Entry, 0, 64))
		if err != nil {
			t.Fatalf("after %d of %d: %v", len(all), n, err)
		}
		for _, e := range got {
			all = append(all, int(e.Fix.Accuracy))
		}
		from = got[len(got)-1].Position + 1
	}
	return all
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestJournal(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	journaltest.Run(t, func(t *testing.T, dir string) journal.Journal {
		o := options(n)
		h := fnv.New64a()
		_, _ = h.Write([]byte(dir))
		o.Prefix = fmt.Sprintf("test-%x", h.Sum64())
		return open(t, o)
	})
}

// A server that is stopped and started again loses nothing, and whoever appends and reads meanwhile only waits.
func TestAServerIsRestarted(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, func(o *server.Options) { o.SyncAlways = true })
	j := open(t, options(n))
	put(t, j, 0, 10)
	read := make(chan []int)
	go func() { read <- numbers(t, j, 0, 30) }()
	n.Down()
	eventually(t, "the journal says that it cannot append", func() bool { return j.Health() != nil })
	appended := make(chan struct{})
	go func() { put(t, j, 10, 20); close(appended) }()
	n.Up()
	<-appended
	put(t, j, 20, 30)
	if got := <-read; !slices.Equal(got, upTo(30)) {
		t.Errorf("read %v", got)
	}
	if err := j.Health(); err != nil {
		t.Error(err)
	}
}

// TestACluster stops the server that leads a partition's stream while fixes are appended: nothing that was acknowledged is
// lost or out of order, and appending goes on after the election.
func TestACluster(t *testing.T) {
	t.Parallel()
	nodes := natstest.Cluster(t, nil)
	registry := prometheus.NewRegistry()
	j := open(t, jetstream.Options{
		URL: nodes.URL, Partitions: journaltest.Partitions, Registerer: registry, OpenWithin: time.Minute, AppendWithin: time.Minute,
	})
	read := make(chan []int)
	const all = 400
	go func() { read <- numbers(t, j, 0, all) }()
	put(t, j, 0, 100)
	stream, err := admin(t, nodes[0]).Stream(t.Context(), fmt.Sprint("outrider-journal-", partition()))
	if err != nil {
		t.Fatal(err)
	}
	if replicas := stream.CachedInfo().Config.Replicas; replicas != 3 {
		t.Errorf("%d replicas, want 3", replicas)
	}
	leader := slices.IndexFunc(nodes, func(n *natstest.Node) bool { return n.Options.ServerName == stream.CachedInfo().Cluster.Leader })
	appended := make(chan struct{})
	go func() { put(t, j, 100, 300); close(appended) }()
	nodes[leader].Down()
	<-appended
	put(t, j, 300, all)
	if got := <-read; !slices.Equal(got, upTo(all)) {
		t.Errorf("read %d, want %d in order: %v", len(got), all, got)
	}
	nodes[leader].Up()
	again := open(t, jetstream.Options{URL: nodes[leader].URL, Partitions: journaltest.Partitions, OpenWithin: time.Minute})
	if got := numbers(t, again, 0, all); !slices.Equal(got, upTo(all)) {
		t.Errorf("the server that was stopped has %v", got)
	}
}

// ledger keeps what is known of streams in memory.
type ledger struct {
	mu    sync.Mutex
	known map[string]time.Time
}

func (l *ledger) JournalStreams(context.Context) (map[string]time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.known), nil
}

func (l *ledger) PutJournalStreams(_ context.Context, made map[string]time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[string]time.Time{}
	}
	for name, at := range made {
		if _, ok := l.known[name]; !ok {
			l.known[name] = at
		}
	}
	return nil
}

// A log that is gone, or was made anew, is not taken for the one that was written.
func TestALostLogIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	o := options(n)
	o.Ledger, o.SureAfter = &ledger{}, time.Second
	j := open(t, o)
	put(t, j, 0, 3)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, open(t, o), 0, 3); !slices.Equal(got, upTo(3)) {
		t.Errorf("the same log: read %v", got)
	}
	js := admin(t, n)
	if err := js.DeleteStream(t.Context(), "outrider-journal-1"); err != nil {
		t.Fatal(err)
	}
	wantLost(t, o, "outrider-journal-1", "is gone", "gateway journal accept")
	stranger := options(n)
	if err := open(t, stranger).Close(); err != nil { // makes the stream anew
		t.Fatal(err)
	}
	wantLost(t, o, "outrider-journal-1", "was made at", "gateway journal accept")
	o.Partitions = 2
	wantLost(t, o, "journal.partitions")
}

func wantLost(t *testing.T, o jetstream.Options, words ...string) {
	t.Helper()
	_, err := jetstream.Open(t.Context(), o)
	if !errors.Is(err, journal.ErrLost) {
		t.Fatalf("got %v, want journal.ErrLost", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v: want %q in it", err, w)
		}
	}
}

// A log that is lost while the gateway runs ends it, whether it is made anew or not.
func TestALostLogIsNoticed(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *natstest.Node, natsjs.StreamConfig){
		"gone": func(*testing.T, *natstest.Node, natsjs.StreamConfig) {},
		"made anew": func(t *testing.T, n *natstest.Node, c natsjs.StreamConfig) {
			if _, err := admin(t, n).CreateStream(t.Context(), c); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := natstest.Start(t, nil)
			o := options(n)
			o.SureAfter = time.Second
			j := open(t, o)
			put(t, j, 0, 3)
			waits := make(chan error)
			end := numbersEnd(t, j)
			go func() {
				_, err := j.Read(context.Background(), partition(), end, make([]journal.Entry, 0, 8))
				waits <- err
			}()
			stream := fmt.Sprint("outrider-journal-", partition())
			js := admin(t, n)
			s, err := js.Stream(t.Context(), stream)
			if err != nil {
				t.Fatal(err)
			}
			if err := js.DeleteStream(t.Context(), stream); err != nil {
				t.Fatal(err)
			}
			lose(t, n, s.CachedInfo().Config)
			if err := j.Append(t.Context(), []telemetry.Fix{journaltest.Fix("van", 3)}); !errors.Is(err, journal.ErrLost) {
				t.Errorf("append: %v, want journal.ErrLost", err)
			}
			if err := <-waits; !errors.Is(err, journal.ErrLost) {
				t.Errorf("read: %v, want journal.ErrLost", err)
			}
			if err := j.Health(); !errors.Is(err, journal.ErrLost) {
				t.Errorf("health: %v, want journal.ErrLost", err)
			}
		})
	}
}

func numbersEnd(t *testing.T, j journal.Journal) journal.Position {
	t.Helper()
	_, next, err := j.Bounds(t.Context(), partition())
	if err != nil {
		t.Error(err)
	}
	return next
}

// A message of a version to come stops whoever reads, again and again, and nothing behind it is read.
func TestAnUnknownVersionStopsThePartition(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	j := open(t, options(n))
	put(t, j, 0, 2)
	if _, err := admin(t, n).Publish(t.Context(), fmt.Sprint("outrider.journal.", partition()), []byte{9, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	put(t, j, 2, 3)
	if got := numbers(t, j, 0, 2); !slices.Equal(got, upTo(2)) {
		t.Errorf("read %v", got)
	}
	for range 3 {
		_, err := j.Read(t.Context(), partition(), 3<<16, make([]journal.Entry, 0, 8))
		if !errors.Is(err, journal.ErrBatch) || !strings.Contains(err.Error(), "message 3 of stream outrider-journal-") {
			t.Errorf("got %v, want ErrBatch at message 3", err)
		}
	}
}

// A message that is missing in the middle is an error, not a gap that nobody sees.
func TestAMissingMessageIsNoticed(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	if err := open(t, options(n)).Close(); err != nil {
		t.Fatal(err)
	}
	js, name := admin(t, n), fmt.Sprint("outrider-journal-", partition())
	s, err := js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	c := s.CachedInfo().Config
	c.DenyDelete = false
	if err := js.DeleteStream(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if s, err = js.CreateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	j := open(t, options(n))
	put(t, j, 0, 6)
	if err := s.DeleteMsg(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	var from journal.Position
	for {
		var got []journal.Entry
		if got, err = j.Read(t.Context(), partition(), from, make([]journal.Entry, 0, 64)); err != nil {
			break
		}
		if from = got[len(got)-1].Position + 1; from > 4<<16 {
			t.Fatalf("read up to %d", from)
		}
	}
	if !errors.Is(err, journal.ErrLost) || !strings.Contains(err.Error(), "no messages 4 to 4") {
		t.Errorf("got %v, want journal.ErrLost", err)
	}
}

// What is processed and old goes; what is not processed stays, however old it is, and so does the newest batch.
func TestRetention(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*jetstream.Options){
		"by age":  func(o *jetstream.Options) { o.Retention = time.Hour },
		"by size": func(o *jetstream.Options) { o.RetentionBytes = 1 },
		"none":    func(*jetstream.Options) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(natstest.Start(t, nil))
			later := time.Duration(0)
			o.Now = func() time.Time { return time.Now().Add(later) }
			change(&o)
			j := open(t, o)
			put(t, j, 0, 10)
			later = 2 * time.Hour
			if err := j.Close(); err != nil { // the clock is read by nobody else then
				t.Fatal(err)
			}
			j = open(t, o)
			kept := func() int {
				first, next, err := j.Bounds(t.Context(), partition())
				if err != nil {
					t.Fatal(err)
				}
				return int(next>>16 - first>>16 + 1)
			}
			for _, step := range []struct {
				before journal.Position
				want   int
			}{{0, 10}, {4 << 16, 7}, {99 << 16, 1}} {
				if err := j.Trim(t.Context(), partition(), step.before); err != nil {
					t.Fatal(err)
				}
				if name == "none" {
					step.want = 10
				}
				if got := kept(); got != step.want {
					t.Errorf("trimmed to %d: %d kept, want %d", step.before, got, step.want)
				}
			}
			_, err := j.Read(t.Context(), partition(), 0, make([]journal.Entry, 0, 1))
			if gone := errors.Is(err, journal.ErrTrimmed); gone != (name != "none") {
				t.Errorf("reading what is gone: %v", err)
			}
			if _, next, err := j.Bounds(t.Context(), partition()); err != nil || next != 10<<16+1 {
				t.Errorf("next is %d, %v", next, err)
			}
		})
	}
}

// Streams that somebody made or changed otherwise are refused with what is wrong.
func TestStreamsThatDiffer(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	if err := open(t, options(n)).Close(); err != nil {
		t.Fatal(err)
	}
	js := admin(t, n)
	s, err := js.Stream(t.Context(), "outrider-journal-2")
	if err != nil {
		t.Fatal(err)
	}
	c := s.CachedInfo().Config
	c.MaxAge, c.Discard = time.Hour, natsjs.DiscardOld
	if _, err := js.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	_, err = jetstream.Open(t.Context(), options(n))
	for _, w := range []string{"outrider-journal-2", "max_age is 1h0m0s, expected 0s", "discard is DiscardOld, expected DiscardNew"} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q in it", err, w)
		}
	}
	o := options(n)
	o.Partitions = 2
	if _, err := jetstream.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "outrider.partitions is 4, expected 2") {
		t.Errorf("another number of partitions: %v", err)
	}
	o = options(n)
	o.Replicas = 3
	if _, err := jetstream.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "replicas (nats.replicas) is 1, expected 3") {
		t.Errorf("another number of replicas: %v", err)
	}
}

// Many callers share batches while one is under way.
func TestBatches(t *testing.T) {
	t.Parallel()
	o := options(natstest.Start(t, nil))
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	j := open(t, o)
	many := make([]telemetry.Fix, 70_000) // more than one batch may hold
	for i := range many {
		many[i] = journaltest.Fix("van", i)
	}
	if err := j.Append(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, j, 0, len(many)); !slices.Equal(got, upTo(len(many))) {
		t.Errorf("%d read", len(got))
	}
	if n, err := testutil.GatherAndCount(registry, "outrider_journal_fixes_total"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	for p := range journaltest.Partitions {
		if _, _, err := j.Bounds(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
}

// A journal without servers says so, and never with the password.
func TestServersThatAreNotThere(t *testing.T) {
	t.Parallel()
	_, err := jetstream.Open(t.Context(), jetstream.Options{
		URL: func() string { return "nats://gateway:hunter22@127.0.0.1:1" }, OpenWithin: 200 * time.Millisecond,
	})
	if err == nil || !strings.Contains(err.Error(), "nats.url") || strings.Contains(err.Error(), "hunter22") {
		t.Errorf("got %v", err)
	}
	n := natstest.Start(t, func(o *server.Options) { o.JetStream = false })
	o := options(n)
	o.OpenWithin = 500 * time.Millisecond
	if _, err := jetstream.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "expected a jetstream block") {
		t.Errorf("without JetStream: %v", err)
	}
}

// A log that was made anew and is longer than the old one is not read on from where the old one ended.
func TestALongerLogIsNotTheOldOne(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	j := open(t, options(n))
	put(t, j, 0, 3)
	waits := make(chan error)
	end := numbersEnd(t, j)
	go func() {
		_, err := j.Read(context.Background(), partition(), end, make([]journal.Entry, 0, 8))
		waits <- err
	}()
	js, name := admin(t, n), fmt.Sprint("outrider-journal-", partition())
	if err := js.DeleteStream(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	put(t, open(t, options(n)), 0, 10)
	if err := <-waits; !errors.Is(err, journal.ErrLost) {
		t.Errorf("read: %v, want journal.ErrLost", err)
	}
}

// What is about the newest of a partition is found, though positions do not count.
func TestRewind(t *testing.T) {
	t.Parallel()
	j := open(t, options(natstest.Start(t, nil)))
	if from, next, err := journal.Rewind(t.Context(), j, partition(), 10); err != nil || from != next {
		t.Errorf("empty: %d to %d, %v", from, next, err)
	}
	put(t, j, 0, 100)
	for asked, want := range map[int][2]int{10: {5, 20}, 1: {1, 5}, 100_000: {100, 100}} {
		from, next, err := journal.Rewind(t.Context(), j, partition(), asked)
		if err != nil || next != 100<<16+1 {
			t.Fatalf("to %d, %v", next, err)
		}
		if got := int(next>>16-from>>16) + 1; got < want[0] || got > want[1] {
			t.Errorf("asked for %d: %d", asked, got)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("timed out: %s", what)
}

// BenchmarkAppend compares, in one run, a journal in files with one server and with a cluster of three, which do an fsync for each batch.
func BenchmarkAppend(b *testing.B) {
	b.Run("files", func(b *testing.B) {
		journaltest.BenchAppend(b, func(b *testing.B) journal.Journal {
			j, err := local.Open(local.Options{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			return j
		})
	})
	one := natstest.Start(b, func(o *server.Options) { o.SyncAlways = true })
	for name, url := range map[string]func() string{"one server": one.URL, "three servers": natstest.Cluster(b, nil).URL} {
		b.Run(name, func(b *testing.B) {
			runs := 0
			journaltest.BenchAppend(b, func(b *testing.B) journal.Journal {
				runs++
				return open(b, jetstream.Options{URL: url, Prefix: fmt.Sprint("run-", runs), Partitions: journaltest.Partitions, OpenWithin: time.Minute})
			})
		})
	}
}

// Somebody who waits at the end of a partition goes on waiting, however many look back meanwhile and need readers of their own.
func TestAReaderThatMakesRoom(t *testing.T) {
	t.Parallel()
	j := open(t, options(natstest.Start(t, nil)))
	put(t, j, 0, 40)
	waits := make(chan []journal.Entry)
	end := numbersEnd(t, j)
	go func() {
		got, err := j.Read(context.Background(), partition(), end, make([]journal.Entry, 0, 8))
		if err != nil {
			t.Error(err)
		}
		waits <- got
	}()
	for first := range 12 { // each reads on from where nobody else does
		for seq := 2*first + 1; seq < 2*first+4; seq++ {
			got, err := j.Read(t.Context(), partition(), journal.Position(seq)<<16, make([]journal.Entry, 0, 1))
			if err != nil || int(got[0].Fix.Accuracy) != seq-1 {
				t.Fatalf("message %d: %v, %v", seq, got, err)
			}
		}
	}
	put(t, j, 40, 41)
	if got := <-waits; len(got) != 1 || got[0].Fix.Accuracy != 40 {
		t.Errorf("got %v", got)
	}
}

// BenchmarkRead compares, in one run, how fast a lane that begins reads what a journal in files and one in NATS hold: ns/op is a fix.
func BenchmarkRead(b *testing.B) {
	const each, batches = 64, 4000
	files, err := local.Open(local.Options{Dir: b.TempDir(), Partitions: 1, TailEntries: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = files.Close() })
	for name, j := range map[string]journal.Journal{
		"files": files, "one server": open(b, jetstream.Options{URL: natstest.Start(b, nil).URL, Partitions: 1}),
	} {
		fixes := make([]telemetry.Fix, each)
		for n := range batches {
			for i := range fixes {
				fixes[i] = journaltest.Fix(fmt.Sprint("van", i), n)
			}
			if err := j.Append(b.Context(), fixes); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			dst, at, left := make([]journal.Entry, 0, 4096), journal.Position(0), each*batches
			for n := 0; n < b.N; {
				if left == 0 {
					at, left = 0, each*batches
				}
				got, err := j.Read(b.Context(), 0, at, dst)
				if err != nil {
					b.Fatal(err)
				}
				n, left, at = n+len(got), left-len(got), got[len(got)-1].Position+1
			}
		})
	}
}

// Whoever reads on is given a reader, which asks for many batches at once; single ones are for those who look for a place.
func TestReadingOnAsksSeldom(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	j := open(t, options(n))
	put(t, j, 0, 200)
	var asked atomic.Int64
	nc := admin(t, n).Conn()
	if _, err := nc.Subscribe("$JS.API.STREAM.MSG.GET.>", func(*nats.Msg) { asked.Add(1) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, j, 0, 200); !slices.Equal(got, upTo(200)) {
		t.Errorf("read %v", got)
	}
	if _, err := j.Read(t.Context(), partition(), 7<<16, make([]journal.Entry, 0, 1)); err != nil { // asks once more
		t.Fatal(err)
	}
	eventually(t, "requests are seen", func() bool { return asked.Load() > 0 })
	if got := asked.Load(); got > 4 {
		t.Errorf("%d batches were asked for one by one", got)
	}
}
