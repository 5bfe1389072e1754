package messenger_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/internal/postgrestest"
	"outrider/notify"
	"outrider/notify/messenger"
	sandbox "outrider/simulator/graph"
	"outrider/store"
	"outrider/store/postgres"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

// onPostgres chooses the database.
var onPostgres = flag.Bool("postgres", false, "use PostgreSQL instead of SQLite")

// outlet is everything from the outbox on: a store, the dispatcher, the Send API client and a sandbox that
// answers at once and without limit, all in this process.
type outlet struct {
	tb     testing.TB
	store  *sqlstore.Store
	server *postgrestest.Server // nil: the store is in this process
	meta   *sandbox.Sandbox
	d      *notify.Dispatcher
	epoch  uint64
	n      int
	turn   int // whose turn it is of the people of each page
	people int

	mu        sync.Mutex // guards what follows
	committed map[string]time.Time
	waits     map[identity.PageID][]time.Duration // from the commit of the crossing to the request
	done      chan identity.PageID
}

func newOutlet(tb testing.TB, pages, people int) *outlet {
	tb.Helper()
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		tb.Fatal(err)
	}
	o := &outlet{tb: tb, people: people, committed: map[string]time.Time{}, waits: map[identity.PageID][]time.Duration{}, done: make(chan identity.PageID, 1<<20)}
	if *onPostgres {
		o.server = postgrestest.Start(tb, true)
		o.store, err = postgres.Open(tb.Context(), postgres.Options{URL: identity.NewToken(o.server.URL(tb)), Sealer: sealer, Now: time.Now})
	} else {
		o.store, err = sqlite.Open(tb.Context(), sqlite.Options{Path: filepath.Join(tb.TempDir(), "out.db"), Sealer: sealer, Now: time.Now})
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { o.store.Close() })
	o.meta = sandbox.New(sandbox.Options{AppSecret: appSecret, Rate: -1, Unsubscribed: true})
	tb.Cleanup(func() { o.meta.Close() })
	directory := identity.NewDirectory()
	var records identity.Records
	var opens []notify.ThreadEvent
	for i := range pages {
		id, token := outletPage(i), fmt.Sprint("token-", i)
		o.meta.AddPage(string(id), "Fleet", token)
		records.Pages = append(records.Pages, identity.Page{ID: id, AccessToken: identity.NewToken(token)})
		for k := range people {
			psid := fmt.Sprint(7000 + k)
			if err := o.meta.AddPerson(string(id), psid, "Ann"); err != nil {
				tb.Fatal(err)
			}
			if _, err := o.meta.Say(string(id), psid, "hello"); err != nil {
				tb.Fatal(err)
			}
			opens = append(opens, notify.ThreadEvent{Key: fmt.Sprint(id, psid), Page: id, PSID: identity.PSID(psid), Time: time.Now(), Kind: notify.ThreadAction})
		}
	}
	if _, err := o.store.Receive(tb.Context(), opens); err != nil {
		tb.Fatal(err)
	}
	directory.Load(records)
	g, err := graph.New(graph.Options{URL: "http://graph.test", Version: "v26.0", AppSecret: identity.NewToken(appSecret),
		HTTP: &http.Client{Transport: o.meta.Transport()}})
	if err != nil {
		tb.Fatal(err)
	}
	lane, err := o.store.OwnLane(tb.Context(), 0, "")
	if err != nil {
		tb.Fatal(err)
	}
	o.epoch = lane.Epoch
	o.d, err = notify.NewDispatcher(notify.DispatcherOptions{Outbox: o.store, Templates: o.store, Sender: messenger.NewClient(g, directory),
		Directory: directory, Now: time.Now, Rate: 1_000_000, Pace: notify.Pace{Burst: 1 << 20}, OnSent: o.sent})
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

func outletPage(i int) identity.PageID { return identity.PageID(fmt.Sprint(1000 + i)) }

func (o *outlet) sent(d notify.Delivery, started time.Time) {
	o.mu.Lock()
	if at := o.committed[d.Alert.ID]; !at.IsZero() {
		o.waits[d.Page] = append(o.waits[d.Page], started.Sub(at))
	}
	o.mu.Unlock()
	o.done <- d.Page
}

// commit puts one delivery for each page and person given, as a lane does.
func (o *outlet) commit(to ...[2]int) {
	o.tb.Helper()
	var list []notify.Delivery
	now := time.Now()
	for _, who := range to {
		o.n++
		list = append(list, notify.Delivery{Page: outletPage(who[0]), PSID: identity.PSID(fmt.Sprint(7000 + who[1])), State: notify.Pending, NextAt: now, Created: now,
			Alert: notify.Alert{ID: notify.AlertID(fmt.Sprint(o.n), "o"), Tenant: "default", Owner: "ann", Vehicle: "van-12", Fence: "depot", Kind: notify.Exit, At: now,
				Received: now, VehicleName: "Van 12", FenceName: "Depot North", TimeZone: "Europe/Berlin", MaxAge: 24 * time.Hour}})
	}
	if err := o.store.Commit(o.tb.Context(), store.Commit{Epoch: o.epoch, Deliveries: list}); err != nil {
		o.tb.Fatal(err)
	}
	now = time.Now()
	o.mu.Lock()
	for _, d := range list {
		o.committed[d.Alert.ID] = now
	}
	o.mu.Unlock()
	for _, d := range list {
		o.d.Wake(d.Page)
	}
}

func (o *outlet) start() {
	o.tb.Helper()
	if err := o.d.Start(o.tb.Context()); err != nil {
		o.tb.Fatal(err)
	}
	o.tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = o.d.Stop(ctx) // what hangs is cut
	})
}

func (o *outlet) await(n int) {
	for range n {
		<-o.done
	}
}

// quantiles of a page's waits in milliseconds; it forgets them.
func (o *outlet) quantiles(page int) (p50, p99 float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.waits[outletPage(page)]
	slices.Sort(all)
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000 }
	p50, p99 = at(0.5), at(0.99)
	delete(o.waits, outletPage(page))
	return p50, p99
}

// trouble makes a page answer every request with 551, or hang until our time-out.
func (o *outlet) trouble(page int, kind string) {
	o.tb.Helper()
	if kind == "551" {
		o.meta.FailNext(string(outletPage(page)), "", 1<<30, sandbox.Unavailable())
	} else if err := o.meta.Hang(string(outletPage(page))); err != nil {
		o.tb.Fatal(err)
	}
}

// A page that answers everything with 551, or hangs, has three hundred deliveries under way: all of another page's go out
// while it does.
func TestATroubledPageHoldsNobodyUp(t *testing.T) {
	const well, troubled, backlog, deliveries = 0, 1, 300, 60
	for _, trouble := range []string{"551", "hanging"} {
		t.Run(trouble, func(t *testing.T) {
			t.Parallel()
			o := newOutlet(t, 2, backlog)
			o.trouble(troubled, trouble)
			o.start()
			var to [][2]int
			for i := range backlog {
				to = append(to, [2]int{troubled, i})
			}
			o.commit(to...)
			for i := range deliveries {
				o.commit([2]int{well, i})
			}
			for range deliveries {
				if page := <-o.done; page != outletPage(well) {
					t.Errorf("a delivery of page %s was sent", page)
				}
			}
			rows, err := o.store.Deliveries(t.Context(), store.Query{Tenant: "default", Limit: 2 * backlog})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range rows {
				// None that hangs has been given up: nobody waited for that.
				waits := d.State == notify.Pending || d.State == notify.Sending
				if d.Page == outletPage(troubled) && (d.State == notify.Sent || trouble == "hanging" && !waits) {
					t.Errorf("a delivery of the troubled page is %s", d.State)
				}
			}
			if len(rows) != backlog+deliveries {
				t.Errorf("%d deliveries, want %d", len(rows), backlog+deliveries)
			}
		})
	}
}
