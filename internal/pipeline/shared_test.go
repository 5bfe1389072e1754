package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/geofence"
	"outrider/identity"
	"outrider/internal/cluster"
	"outrider/internal/natstest"
	"outrider/internal/pipeline"
	"outrider/internal/postgrestest"
	"outrider/journal"
	"outrider/journal/jetstream"
	"outrider/journal/local"
	"outrider/notify"
	"outrider/simulator"
	"outrider/store"
	"outrider/store/postgres"
	"outrider/store/sqlstore"
	"outrider/telemetry"
	"outrider/telemetry/codec"
)

// peer is one of several processes on a journal and a PostgreSQL. All it does to the database waits while it sleeps.
type peer struct {
	*sqlstore.Store
	asleep sync.RWMutex // held for writing while the process sleeps

	journal  func() error // ends its way to the journal
	registry *prometheus.Registry
	pipeline *pipeline.Pipeline
	keeper   *cluster.Keeper
}

func (p *peer) Commit(ctx context.Context, c store.Commit) error {
	p.asleep.RLock()
	defer p.asleep.RUnlock()
	return p.Store.Commit(ctx, c)
}

func (p *peer) Beat(ctx context.Context, work store.Work, id store.ProcessID) (store.Roster, error) {
	p.asleep.RLock()
	defer p.asleep.RUnlock()
	return p.Store.Beat(ctx, work, id)
}

func (p *peer) OwnLane(ctx context.Context, partition int, id store.ProcessID) (store.Lane, error) {
	p.asleep.RLock()
	defer p.asleep.RUnlock()
	return p.Store.OwnLane(ctx, partition, id)
}

const peerLease = 500 * time.Millisecond

// newPeer starts a process, on its own connections, that shares the partitions of a journal.
func newPeer(t *testing.T, g *group) *peer {
	t.Helper()
	ctx := t.Context()
	j, end := g.open(t)
	p := &peer{Store: openPostgres(t, g.url), journal: end, registry: prometheus.NewRegistry()}
	directory := identity.NewDirectory()
	rules := notify.NewRules(directory, notify.NewRulebook())
	var err error
	p.pipeline, err = pipeline.New(ctx, pipeline.Options{
		Journal: j, Store: p, OnCommit: g.note, Decoder: codec.New(codec.Options{}), Devices: directory, Rules: rules, TopicOwner: codec.TopicOwner,
		Wake: func(identity.PageID) {}, Now: time.Now, Logger: slog.New(slog.DiscardHandler), SnapshotEvery: 300 * time.Millisecond,
		RefreshEvery: 50 * time.Millisecond, Registerer: p.registry,
		Shared: true, OnLost: func(partition int) { p.keeper.Lost(partition) },
		OnTake: func(ctx context.Context, _ int) error {
			records, err := p.Identities(ctx)
			directory.Load(records)
			return err
		},
	})
	must(t, err)
	p.keeper = cluster.NewKeeper(cluster.Options{
		Shares: p, Work: store.LaneWork, Parts: g.journal.Partitions(), Holder: p.pipeline, Lease: peerLease, Logger: slog.New(slog.DiscardHandler),
		Registerer: p.registry,
	})
	must(t, p.pipeline.Start(ctx))
	must(t, p.keeper.Start(ctx))
	return p
}

// stop ends a process in good order.
func (p *peer) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	must(t, p.keeper.Stop(ctx))
	must(t, p.pipeline.Stop(ctx))
	must(t, p.journal())
	must(t, p.Close())
}

// count reads a metric of the process.
func (p *peer) count(t *testing.T, name string) int {
	t.Helper()
	families, err := p.registry.Gather()
	must(t, err)
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return int(m.GetCounter().GetValue() + m.GetGauge().GetValue())
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// trip is a city, vehicles that drive in it, and how far they have come.
type trip struct {
	city  *simulator.City
	fleet *simulator.Fleet
}

func newTrip() trip {
	city := simulator.NewCity(3)
	return trip{city, simulator.NewFleet(city, simulator.FleetOptions{Vehicles: 24, Seed: 3, Start: begin, WholeSeconds: true})}
}

func (c trip) putFences(t *testing.T, s store.Geofences) {
	t.Helper()
	for _, f := range c.city.Fences {
		_, err := s.PutGeofence(t.Context(), store.Geofence{Tenant: "default", ID: geofence.FenceID(f.ID), Feature: f.GeoJSON()}, 0)
		must(t, err)
	}
}

// drive lets all vehicles send what they send in some seconds, each second's fixes through the next of the intakes.
func (c trip) drive(t *testing.T, from, to int, through ...*pipeline.Pipeline) {
	t.Helper()
	for second := from; second < to; second++ {
		var batch []telemetry.Message
		for v := range c.fleet.Len() {
			f := c.fleet.Fix(v, second)
			batch = append(batch, telemetry.Message{
				Topic: "fleet/default/" + string(f.Vehicle) + "/fix", Payload: codec.AppendNative(nil, f), Received: f.Time,
			})
		}
		must(t, through[second%len(through)].Intake().Accept(t.Context(), batch))
	}
}

// group is what the processes of a test have in common.
type group struct {
	journal journal.Journal
	open    func(*testing.T) (j journal.Journal, end func() error) // a process's way to the journal
	url     string
	record  *sqlstore.Store // to look on

	mu        sync.Mutex // guards committed
	committed map[int]journal.Position
}

func newGroup(t *testing.T, url string) *group {
	t.Helper()
	j, err := local.Open(local.Options{Dir: t.TempDir(), Partitions: 8})
	must(t, err)
	t.Cleanup(func() { must(t, j.Close()) })
	open := func(*testing.T) (journal.Journal, func() error) { return j, func() error { return nil } }
	return newGroupOn(t, url, j, open)
}

func newGroupOn(t *testing.T, url string, j journal.Journal, open func(*testing.T) (journal.Journal, func() error)) *group {
	t.Helper()
	g := &group{url: url, journal: j, open: open, committed: map[int]journal.Position{}, record: openPostgres(t, url)}
	t.Cleanup(func() { must(t, g.record.Close()) })
	return g
}

// newNATSGroup is newGroup with a journal in NATS, to which each process has a connection of its own.
func newNATSGroup(t *testing.T, url string) *group {
	t.Helper()
	node := natstest.Start(t, nil)
	open := func(t *testing.T) (journal.Journal, func() error) {
		j, err := jetstream.Open(t.Context(), jetstream.Options{URL: node.URL, Partitions: 8})
		must(t, err)
		return j, j.Close
	}
	j, end := open(t)
	t.Cleanup(func() { must(t, end()) })
	return newGroupOn(t, url, j, open)
}

func openPostgres(t *testing.T, url string) *sqlstore.Store {
	t.Helper()
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize))
	must(t, err)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: identity.NewToken(url), Sealer: sealer, Now: time.Now})
	must(t, err)
	return s
}

func (g *group) note(c store.Commit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.committed[c.Partition] = max(g.committed[c.Partition], c.Next)
}

// crossings waits until every partition is committed to its end, and returns everything in the record.
func (g *group) crossings(t *testing.T) []string {
	t.Helper()
	eventually(t, "all partitions are committed to their ends", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		for p := range g.journal.Partitions() {
			_, end, err := g.journal.Bounds(t.Context(), p)
			must(t, err)
			if g.committed[p] < end {
				return false
			}
		}
		return true
	})
	list, err := g.record.Crossings(t.Context(), store.Query{Tenant: "default", Limit: 10_000})
	must(t, err)
	var all []string
	for _, c := range list {
		all = append(all, fmt.Sprintf("%s %s %s %s %s", c.Vehicle, c.Kind, c.Fence, c.At.UTC().Format(time.TimeOnly), c.ID))
	}
	slices.Sort(all)
	return all
}

// share waits until the processes have so many partitions, each as many as the next or one less.
func share(t *testing.T, all ...*peer) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d processes share the partitions", len(all)), func() bool {
		sum, least, most := 0, 8, 0
		for _, p := range all {
			n := p.count(t, "outrider_cluster_parts")
			sum, least, most = sum+n, min(least, n), max(most, n)
		}
		return sum == 8 && most-least <= 1
	})
}

// Processes come and go, one sleeps for longer than its lease and wakes, one never wakes: the record is that of one process
// which did all of it alone.
func TestProcessesShareThePartitions(t *testing.T) {
	t.Parallel()
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		sharePartitions(t, newGroup)
	})
	t.Run("NATS", func(t *testing.T) {
		t.Parallel()
		sharePartitions(t, newNATSGroup)
	})
}

func sharePartitions(t *testing.T, newShared func(*testing.T, string) *group) {
	server := postgrestest.Start(t, false)
	way := newTrip()

	alone := newGroup(t, server.URL(t))
	way.putFences(t, alone.record)
	one := newPeer(t, alone)
	way.drive(t, 0, 400, one.pipeline)
	want := alone.crossings(t)
	one.stop(t)
	if len(want) < 50 {
		t.Fatalf("only %d crossings: the test shows little", len(want))
	}

	g := newShared(t, server.URL(t))
	way.putFences(t, g.record)
	a := newPeer(t, g)
	way.drive(t, 0, 50, a.pipeline)
	b, c := newPeer(t, g), newPeer(t, g)
	share(t, a, b, c)
	way.drive(t, 50, 150, a.pipeline, b.pipeline, c.pipeline)

	b.asleep.Lock()
	way.drive(t, 150, 200, a.pipeline, b.pipeline)
	share(t, a, c)
	way.drive(t, 200, 250, a.pipeline, b.pipeline)
	b.asleep.Unlock()
	share(t, a, b, c)
	if b.count(t, "outrider_lane_fenced_total") == 0 {
		t.Error("no commit of the one that slept was refused")
	}

	buried := func() (n int) {
		for _, p := range []*peer{a, b, c} {
			n += p.count(t, "outrider_cluster_buried_total")
		}
		return n
	}
	before := buried()
	server.Crash(t, func() {
		way.drive(t, 250, 275, a.pipeline, c.pipeline)
		eventually(t, "nobody can say that they live", func() bool { return a.keeper.Ready() != nil && b.keeper.Ready() != nil && c.keeper.Ready() != nil })
		time.Sleep(2 * peerLease) // for longer than what would cost them the lease
	})
	eventually(t, "everybody lives", func() bool { return errors.Join(a.keeper.Ready(), b.keeper.Ready(), c.keeper.Ready()) == nil })
	share(t, a, b, c)
	if n := buried() - before; n > 0 {
		t.Errorf("%d processes were given up because the database was away", n)
	}

	c.asleep.Lock() // for ever
	way.drive(t, 275, 300, a.pipeline, b.pipeline)
	share(t, a, b)
	a.stop(t)
	share(t, b)
	way.drive(t, 300, 400, b.pipeline)
	got := g.crossings(t)
	c.asleep.Unlock() // to be able to end
	c.stop(t)
	b.stop(t)
	for _, x := range missing(want, got) {
		t.Errorf("only one process alone has: %s", x)
	}
	for _, x := range missing(got, want) {
		t.Errorf("only several processes have: %s", x)
	}
}

// missing returns what is in all and not in other; both are sorted.
func missing(all, other []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		_, found := slices.BinarySearch(other, s)
		return found
	})
}
