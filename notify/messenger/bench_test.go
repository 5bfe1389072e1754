package messenger_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/notify"
	"outrider/notify/messenger"
	sandbox "outrider/simulator/graph"
	"outrider/store"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

// outlet is everything from the outbox on: the embedded store, the dispatcher, the Send API client and a sandbox that
// answers at once and without limit, all in this process.
type outlet struct {
	b     *testing.B
	store *sqlstore.Store
	meta  *sandbox.Sandbox
	d     *notify.Dispatcher
	epoch uint64
	n     int

	mu        sync.Mutex // guards what follows
	committed map[string]time.Time
	waits     map[identity.PageID][]time.Duration // from the commit of the crossing to the request
	done      chan struct{}
}

func newOutlet(b *testing.B, pages, people int) *outlet {
	b.Helper()
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	o := &outlet{b: b, committed: map[string]time.Time{}, waits: map[identity.PageID][]time.Duration{}, done: make(chan struct{}, 1<<20)}
	o.store, err = sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "out.db"), Sealer: sealer, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { o.store.Close() })
	o.meta = sandbox.New(sandbox.Options{AppSecret: appSecret, Rate: -1, Unsubscribed: true})
	b.Cleanup(func() { o.meta.Close() })
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
				b.Fatal(err)
			}
			if _, err := o.meta.Say(string(id), psid, "hello"); err != nil {
				b.Fatal(err)
			}
			opens = append(opens, notify.ThreadEvent{Key: fmt.Sprint(id, psid), Page: id, PSID: identity.PSID(psid), Time: time.Now(), Kind: notify.ThreadAction})
		}
	}
	if _, err := o.store.Receive(b.Context(), opens); err != nil {
		b.Fatal(err)
	}
	directory.Load(records)
	g, err := graph.New(graph.Options{URL: "http://graph.test", Version: "v26.0", AppSecret: identity.NewToken(appSecret),
		HTTP: &http.Client{Transport: o.meta.Transport()}})
	if err != nil {
		b.Fatal(err)
	}
	lane, err := o.store.OwnLane(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	o.epoch = lane.Epoch
	o.d, err = notify.NewDispatcher(notify.DispatcherOptions{Outbox: o.store, Templates: o.store, Sender: messenger.NewClient(g, directory),
		Directory: directory, Now: time.Now, Rate: 1_000_000, Pace: notify.Pace{Burst: 1 << 20}, OnSent: o.sent})
	if err != nil {
		b.Fatal(err)
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
	o.done <- struct{}{}
}

// commit puts one delivery for each page and person given, as a lane does.
func (o *outlet) commit(to ...[2]int) {
	o.b.Helper()
	var list []notify.Delivery
	now := time.Now()
	for _, who := range to {
		o.n++
		list = append(list, notify.Delivery{Page: outletPage(who[0]), PSID: identity.PSID(fmt.Sprint(7000 + who[1])), State: notify.Pending, NextAt: now, Created: now,
			Alert: notify.Alert{ID: notify.AlertID(fmt.Sprint(o.n), "o"), Tenant: "default", Owner: "ann", Vehicle: "van-12", Fence: "depot", Kind: notify.Exit, At: now,
				Received: now, VehicleName: "Van 12", FenceName: "Depot North", TimeZone: "Europe/Berlin", MaxAge: 24 * time.Hour}})
	}
	if err := o.store.Commit(o.b.Context(), store.Commit{Epoch: o.epoch, Deliveries: list}); err != nil {
		o.b.Fatal(err)
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
	o.b.Helper()
	if err := o.d.Start(o.b.Context()); err != nil {
		o.b.Fatal(err)
	}
	o.b.Cleanup(func() {
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

// How fast a full outbox of 20 pages empties through the real client into a sandbox without latency.
func BenchmarkTwentyPages(b *testing.B) {
	const pages, people = 20, 200
	o := newOutlet(b, pages, people)
	var to [][2]int
	for i := range b.N {
		to = append(to, [2]int{i % pages, i / pages % people})
		if len(to) == 1000 || i == b.N-1 {
			o.commit(to...)
			to = to[:0]
		}
	}
	b.ResetTimer()
	before := cpu(b)
	o.start()
	for i := range pages {
		o.d.Wake(outletPage(i))
	}
	o.await(b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/delivery")
}

// cpu is how long this process has computed: unlike the time that passed, it tells the same beside other programs.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// spread sends n deliveries to a page at 100 a second.
func (o *outlet) spread(page, n int) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for i := range n {
		<-ticker.C
		o.commit([2]int{page, i % 200})
	}
	o.await(n)
}

// From the commit of a crossing to its request, at 100 deliveries a second.
func BenchmarkCommitToRequest(b *testing.B) {
	o := newOutlet(b, 1, 200)
	o.start()
	o.spread(0, 100) // warm
	o.quantiles(0)
	for b.Loop() {
		o.spread(0, 500)
	}
	p50, p99 := o.quantiles(0)
	b.ReportMetric(p50, "p50-ms")
	b.ReportMetric(p99, "p99-ms")
}

// The same for one page while another answers each request with 551, or hangs until our time-out; beside it, in turns
// in the same run, without the other. Ratio is the p99 with it to the p99 without.
func BenchmarkBesideATroubledPage(b *testing.B) {
	for _, trouble := range []string{"551", "hanging"} {
		b.Run(trouble, func(b *testing.B) {
			var alone, beside []float64
			for b.Loop() {
				for range 3 {
					alone = append(alone, besideTrouble(b, ""))
					beside = append(beside, besideTrouble(b, trouble))
				}
			}
			slices.Sort(alone)
			slices.Sort(beside)
			b.ReportMetric(alone[len(alone)/2], "alone-p99-ms")
			b.ReportMetric(beside[len(beside)/2], "beside-p99-ms")
			b.ReportMetric(beside[len(beside)/2]/alone[len(alone)/2], "ratio")
		})
	}
}

func besideTrouble(b *testing.B, trouble string) (p99 float64) {
	o := newOutlet(b, 2, 200)
	switch trouble {
	case "551":
		o.meta.FailNext("1001", "", 1<<30, sandbox.Unavailable())
	case "hanging":
		if err := o.meta.Hang("1001"); err != nil {
			b.Fatal(err)
		}
	}
	o.start()
	if trouble != "" {
		for i := range 200 {
			o.commit([2]int{1, i})
		}
	}
	o.spread(0, 100)
	o.quantiles(0)
	o.spread(0, 400)
	_, p99 = o.quantiles(0)
	return p99
}
