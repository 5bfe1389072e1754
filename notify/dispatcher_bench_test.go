package notify_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/postgrestest"
	"outrider/notify"
	"outrider/notify/notifytest"
	"outrider/store"
	"outrider/store/postgres"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

// load is a dispatcher over the embedded store, and a sender that takes everything at once.
type load struct {
	b      *testing.B
	store  *sqlstore.Store
	server *postgrestest.Server // nil: the store is in this process
	d      *notify.Dispatcher
	epoch  uint64
	mu     sync.Mutex // guards waits
	waits  []time.Duration
	done   chan struct{} // sent for each message
	number int
}

// onPostgres chooses the database of the benchmarks.
var onPostgres = flag.Bool("postgres", false, "use PostgreSQL instead of SQLite")

func openStore(b *testing.B) (*sqlstore.Store, *postgrestest.Server) {
	b.Helper()
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	var (
		s      *sqlstore.Store
		server *postgrestest.Server
	)
	if *onPostgres {
		server = postgrestest.Start(b, true)
		url := identity.NewToken(server.URL(b))
		s, err = postgres.Open(b.Context(), postgres.Options{URL: url, Sealer: sealer, Now: time.Now})
	} else {
		s, err = sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "load.db"), Sealer: sealer, Now: time.Now})
	}
	if err != nil {
		b.Fatal(err)
	}
	return s, server
}

func newLoad(b *testing.B, pages int, sender notify.Sender) *load {
	b.Helper()
	l := &load{b: b, done: make(chan struct{}, 1_000_000)}
	l.store, l.server = openStore(b)
	b.Cleanup(func() { l.store.Close() })
	directory := identity.NewDirectory()
	var records identity.Records
	for i := range pages {
		records.Pages = append(records.Pages, identity.Page{ID: benchPage(i), AccessToken: identity.NewToken("EAAB")})
	}
	directory.Load(records)
	lane, err := l.store.OwnLane(b.Context(), 0, "")
	if err != nil {
		b.Fatal(err)
	}
	l.epoch = lane.Epoch
	l.d, err = notify.NewDispatcher(notify.DispatcherOptions{Outbox: l.store, Templates: l.store, Sender: sender,
		Directory: directory, Now: time.Now, Rate: 1_000_000, OnSent: l.sent})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func benchPage(i int) identity.PageID { return identity.PageID(fmt.Sprint(1000 + i)) }

func (l *load) sent(d notify.Delivery, started time.Time) {
	l.mu.Lock()
	l.waits = append(l.waits, started.Sub(d.Created))
	l.mu.Unlock()
	l.done <- struct{}{}
}

// commit puts n deliveries, spread over pages and people whose window is open, as a lane does.
func (l *load) commit(n, pages int) {
	l.b.Helper()
	var list []notify.Delivery
	var opens []notify.ThreadEvent
	now := time.Now()
	for range n {
		l.number++
		page, psid := benchPage(l.number%pages), identity.PSID(fmt.Sprint(l.number))
		list = append(list, notify.Delivery{Page: page, PSID: psid, State: notify.Pending, NextAt: now, Created: now,
			Alert: notify.Alert{ID: notify.AlertID(fmt.Sprint(l.number), "o"), Kind: notify.Enter, At: now, VehicleName: "Van", FenceName: "Depot"}})
		opens = append(opens, notify.ThreadEvent{Key: string(psid), Page: page, PSID: psid, Time: now, Kind: notify.ThreadAction})
	}
	if _, err := l.store.Receive(l.b.Context(), opens); err != nil {
		l.b.Fatal(err)
	}
	for i := range list {
		list[i].Created = time.Now()
	}
	if err := l.store.Commit(l.b.Context(), store.Commit{Epoch: l.epoch, Deliveries: list}); err != nil {
		l.b.Fatal(err)
	}
	for i := range min(n, pages) {
		l.d.Wake(benchPage((l.number - i) % pages))
	}
}

func (l *load) start() {
	l.b.Helper()
	if err := l.d.Start(l.b.Context()); err != nil {
		l.b.Fatal(err)
	}
	l.b.Cleanup(func() { l.d.Stop(context.Background()) })
}

func (l *load) await(n int) {
	for range n {
		<-l.done
	}
}

func (l *load) report() {
	slices.Sort(l.waits)
	l.b.ReportMetric(float64(l.waits[len(l.waits)/2].Microseconds())/1000, "p50-ms")
	l.b.ReportMetric(float64(l.waits[len(l.waits)*99/100].Microseconds())/1000, "p99-ms")
}

// How fast a full outbox empties: 20 pages, a sender without latency.
func BenchmarkDispatcherDrain(b *testing.B) {
	const pages = 20
	l := newLoad(b, pages, &notifytest.Sender{})
	l.commit(b.N, pages)
	b.ResetTimer()
	l.start()
	for i := range pages {
		l.d.Wake(benchPage(i))
	}
	before := l.processorTime()
	l.await(b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64((l.processorTime()-before).Microseconds())/float64(b.N), "cpu-us/delivery")
}

// processorTime is what this process, and the database's server if there is one, took of the processors so far: unlike
// the clock it depends little on what else a machine does.
func (l *load) processorTime() time.Duration {
	b := l.b
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	own := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if l.server == nil {
		return own
	}
	return own + l.server.ProcessorTime(b)
}

// How long an alert waits from its lane's commit to its request, one every 10 ms.
func BenchmarkDispatcherLatency(b *testing.B) {
	l := newLoad(b, 1, &notifytest.Sender{})
	l.start()
	for b.Loop() {
		l.commit(1, 1)
		l.await(1)
	}
	l.report()
}
