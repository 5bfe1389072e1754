package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/identity"
	"outrider/internal/pipeline"
	"outrider/journal"
	"outrider/journal/local"
	"outrider/notify"
	"outrider/simulator"
	"outrider/store"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
	"outrider/telemetry"
	"outrider/telemetry/codec"
)

// rig is a pipeline with a real journal and a real store, without network.
type rig struct {
	dir       string
	journal   *local.Journal
	store     *sqlstore.Store
	directory *identity.Directory
	book      *notify.Rulebook
	pipeline  *pipeline.Pipeline

	files     local.Options // of the journal, but for its directory
	snapshots time.Duration
	lasting   time.Duration
	wrapped   func(journal.Journal) journal.Journal // nil: as it is
	now       func() time.Time
	fenced    atomic.Bool // another process has taken the partitions over

	mu    sync.Mutex // guards woken
	woken map[identity.PageID]bool
}

var begin = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), woken: map[identity.PageID]bool{}, files: local.Options{Partitions: 2}, snapshots: time.Hour, now: time.Now}
	r.open(t)
	ctx := t.Context()
	must(t, r.store.PutOwner(ctx, identity.Owner{Tenant: "default", ID: "ann", Contacts: []identity.Contact{{Page: "1", PSID: "2"}}}))
	must(t, r.store.PutVehicle(ctx, identity.Vehicle{Tenant: "default", ID: "van", Name: "The van", Owners: []identity.OwnerID{"ann"}, Device: "box/7"}))
	r.reload(t)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open begins with what is in the directory.
func (r *rig) open(t *testing.T) {
	t.Helper()
	r.prepare(t)
	must(t, r.pipeline.Start(t.Context()))
	t.Cleanup(func() { r.close(t) })
}

func (r *rig) prepare(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	key, err := identity.LoadOrCreateKey(filepath.Join(r.dir, "key"))
	must(t, err)
	sealer, err := identity.NewSealer(key)
	must(t, err)
	r.files.Dir = filepath.Join(r.dir, "journal")
	r.journal, err = local.Open(r.files)
	must(t, err)
	r.store, err = sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(r.dir, "db"), Sealer: sealer, Now: time.Now})
	must(t, err)
	r.directory = identity.NewDirectory()
	r.book = notify.NewRulebook()
	r.reload(t)
	var j journal.Journal = r.journal
	if r.wrapped != nil {
		j = r.wrapped(j)
	}
	r.pipeline, err = pipeline.New(ctx, pipeline.Options{
		Lasting: r.lasting, Journal: j, Store: &fencedStore{r.store, &r.fenced}, Decoder: codec.New(codec.Options{}), Devices: r.directory,
		Rules: notify.NewRules(r.directory, r.book), TopicOwner: codec.TopicOwner, Wake: r.wake, Now: r.now,
		Logger: slog.New(slog.DiscardHandler), SnapshotEvery: r.snapshots,
	})
	must(t, err)
}

// fencedStore refuses commits once another process owns the partitions.
type fencedStore struct {
	*sqlstore.Store
	fenced *atomic.Bool
}

func (s *fencedStore) Commit(ctx context.Context, c store.Commit) error {
	if s.fenced.Load() {
		return store.ErrFenced
	}
	return s.Store.Commit(ctx, c)
}

// crash ends the pipeline so that it can write nothing more, and begins anew.
func (r *rig) crash(t *testing.T) {
	t.Helper()
	r.fenced.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = r.pipeline.Stop(ctx) // which says that it could not commit
	must(t, r.journal.Close())
	must(t, r.store.Close())
	r.fenced.Store(false)
	r.open(t)
}

func (r *rig) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	must(t, r.pipeline.Stop(ctx))
	must(t, r.journal.Close())
	must(t, r.store.Close())
}

func (r *rig) reload(t *testing.T) {
	t.Helper()
	records, err := r.store.Identities(t.Context())
	must(t, err)
	r.directory.Load(records)
	rules, err := r.store.Rules(t.Context())
	must(t, err)
	r.book.Load(rules)
}

func (r *rig) wake(page identity.PageID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.woken[page] = true
}

// fence puts a circle of 100 m around a point.
func (r *rig) fence(t *testing.T, id string, center orb.Point) {
	t.Helper()
	feature := fmt.Sprintf(`{"type":"Feature","id":%q,"properties":{"name":"Fence %s","shape":"circle","radius_m":100},"geometry":{"type":"Point","coordinates":[%v,%v]}}`,
		id, id, center.Lon(), center.Lat())
	_, err := r.store.PutGeofence(t.Context(), store.Geofence{Tenant: "default", ID: geofence.FenceID(id), Name: "Fence " + id, Feature: []byte(feature)}, 0)
	must(t, err)
	must(t, r.pipeline.FencesChanged(t.Context()))
}

// drive publishes a way due north at 10 m/s from a point south of the equator's metre grid, a fix a second.
func (r *rig) drive(t *testing.T, topic string, from orb.Point, start time.Time, seconds int) {
	t.Helper()
	for i := range seconds {
		f := telemetry.NewFix("", "", start.Add(time.Duration(i)*time.Second), orb.Point{from.Lon(), from.Lat() + float64(i)*10/111_195})
		f.Speed, f.Heading = 10, 0
		r.accept(t, topic, codec.AppendNative(nil, f), f.Time)
	}
}

func (r *rig) accept(t *testing.T, topic string, payload []byte, received time.Time) {
	t.Helper()
	must(t, r.pipeline.Intake().Accept(t.Context(), []telemetry.Message{{Topic: topic, Payload: payload, Received: received}}))
}

// crossings waits until the record holds n crossings and returns them, oldest first, as text.
func (r *rig) crossings(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	eventually(t, fmt.Sprintf("%d crossings", n), func() bool {
		list, err := r.store.Crossings(t.Context(), store.Query{Tenant: "default", Limit: 1000})
		must(t, err)
		all = nil
		for i := len(list) - 1; i >= 0; i-- {
			all = append(all, fmt.Sprintf("%s %s %s", list[i].Vehicle, list[i].Kind, list[i].Fence))
		}
		return len(all) >= n
	})
	return all
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

const topic = "fleet/default/van/fix"

func south(of orb.Point, metres float64) orb.Point {
	return orb.Point{of.Lon(), of.Lat() - metres/111_195}
}

func TestAFixBecomesADelivery(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	yard := orb.Point{11.5, 48.1}
	r.fence(t, "yard", yard)
	r.drive(t, topic, south(yard, 300), begin, 60)
	got := r.crossings(t, 2)
	if fmt.Sprint(got) != "[van enter yard van exit yard]" {
		t.Fatalf("got %q", got)
	}
	list, err := r.store.Deliveries(t.Context(), store.Query{Tenant: "default"})
	must(t, err)
	if len(list) != 2 || list[1].Alert.VehicleName != "The van" || list[1].Alert.FenceName != "Fence yard" || list[1].PSID != "2" || list[1].State != notify.Pending {
		t.Errorf("deliveries are %+v", list)
	}
	eventually(t, "the page is woken", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.woken["1"]
	})
}

func TestADeviceIsItsVehicle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	yard := orb.Point{11.5, 48.1}
	r.fence(t, "yard", yard)
	for i := range 60 {
		f := telemetry.NewFix("", "", begin.Add(time.Duration(i)*time.Second), south(yard, float64(300-10*i)))
		f.Speed, f.Heading = 10, 0
		r.accept(t, "owntracks/box/7", codec.AppendOwnTracks(nil, f), f.Time)
	}
	if got := r.crossings(t, 2); fmt.Sprint(got) != "[van enter yard van exit yard]" {
		t.Errorf("got %q", got)
	}
}

func TestAFenceIsInForceWhenTheCallReturns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second := orb.Point{11.5, 48.1}, orb.Point{11.5, 48.11}
	r.fence(t, "first", first)
	r.drive(t, topic, south(first, 300), begin, 60)
	r.crossings(t, 2)
	r.fence(t, "second", second)
	r.drive(t, topic, south(first, -300), begin.Add(time.Minute), 120)
	if got := r.crossings(t, 4); fmt.Sprint(got) != "[van enter first van exit first van enter second van exit second]" {
		t.Errorf("got %q", got)
	}
}

func TestARestartAnywhereChangesNothing(t *testing.T) {
	t.Parallel()
	const seconds = 400
	city := simulator.NewCity(3)
	fleet := simulator.NewFleet(city, simulator.FleetOptions{Vehicles: 6, Seed: 3, Start: begin, WholeSeconds: true})
	run := func(restarts map[int]bool) []string {
		r := newRig(t)
		for _, f := range city.Fences {
			_, err := r.store.PutGeofence(t.Context(), store.Geofence{Tenant: "default", ID: geofence.FenceID(f.ID), Feature: f.GeoJSON()}, 0)
			must(t, err)
		}
		must(t, r.pipeline.FencesChanged(t.Context()))
		r.rule(t, notify.Rule{ID: "calm", Events: []notify.Kind{notify.Enter, notify.Exit}, Reading: notify.Reading{Preset: "calm"}})
		r.rule(t, notify.Rule{ID: "slow", Events: []notify.Kind{notify.Dwell, notify.Stopped, notify.Overspeed}, Reading: notify.Reading{Dwell: 20, Stopped: 15, Limit: 20}})
		for second := range seconds {
			for v := range fleet.Len() {
				f := fleet.Fix(v, second)
				r.accept(t, "fleet/default/"+string(f.Vehicle)+"/fix", codec.AppendNative(nil, f), f.Time)
			}
			if restarts[second] {
				r.close(t)
				r.open(t)
			}
		}
		r.close(t) // evaluates what is in the journal
		r.open(t)
		list, err := r.store.Crossings(t.Context(), store.Query{Tenant: "default", Limit: 10_000})
		must(t, err)
		seen := map[string]bool{}
		var all []string
		for _, c := range list {
			all = append(all, c.ID)
			if seen[c.ID] {
				t.Errorf("crossing %s is there twice", c.ID)
			}
			seen[c.ID] = true
		}
		return all
	}
	plain := run(nil)
	restarted := run(map[int]bool{0: true, 50: true, 51: true, 180: true, 299: true, 399: true})
	if len(plain) < 10 {
		t.Fatalf("only %d crossings: the test shows little", len(plain))
	}
	same := map[string]bool{}
	for _, id := range plain {
		same[id] = true
	}
	for _, id := range restarted {
		if !same[id] {
			t.Errorf("crossing %s exists only with restarts", id)
		}
		delete(same, id)
	}
	for id := range same {
		t.Errorf("crossing %s exists only without restarts", id)
	}
}

func TestRefusedInputIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	future := begin.AddDate(73, 0, 0)
	for _, m := range []struct{ topic, payload string }{
		{topic, `{"t":`},
		{topic, `{"t":1,"lat":91,"lon":0}`},
		{topic, `[]`},
		{"somewhere/else", `{}`},
		{topic, fmt.Sprintf(`{"t":%d,"lat":48,"lon":11}`, future.Unix())},
	} {
		r.accept(t, m.topic, []byte(m.payload), begin)
	}
	var reasons []telemetry.Reason
	eventually(t, "five dead letters", func() bool {
		list, err := r.store.DeadLetters(t.Context(), store.Query{Tenant: "default"})
		must(t, err)
		reasons = nil
		for i := len(list) - 1; i >= 0; i-- {
			reasons = append(reasons, list[i].Reason)
		}
		return len(reasons) >= 5
	})
	if fmt.Sprint(reasons) != "[malformed range empty topic future]" {
		t.Errorf("got %v", reasons)
	}
	r.fence(t, "yard", orb.Point{11.5, 48.1})
	r.drive(t, topic, south(orb.Point{11.5, 48.1}, 300), begin, 60)
	if got := r.crossings(t, 2); len(got) != 2 {
		t.Errorf("after refused input: %q", got)
	}
}

// TestALostJournalLosesNothingMore: when the journal was moved away (its error says so) or its disk lost what it had
// confirmed, positions begin again below the committed one, and what comes now must be evaluated all the same.
func TestALostJournalLosesNothingMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	yard := orb.Point{11.5, 48.1}
	r.fence(t, "yard", yard)
	r.drive(t, topic, south(yard, 300), begin, 60)
	r.crossings(t, 2)
	r.close(t)
	must(t, os.RemoveAll(filepath.Join(r.dir, "journal")))
	r.open(t)
	r.fence(t, "far", orb.Point{12, 49}) // an adoption at a position that comes again
	r.drive(t, topic, south(yard, 300), begin.Add(time.Hour), 20)
	r.close(t)
	r.open(t) // recovers from what the new journal holds
	r.drive(t, topic, south(yard, 100), begin.Add(time.Hour+20*time.Second), 40)
	if got := r.crossings(t, 4); fmt.Sprint(got) != "[van enter yard van exit yard van enter yard van exit yard]" {
		t.Errorf("got %q", got)
	}
}

// A journal that does not lose what it confirmed, and yet ends before what was evaluated, is refused.
func TestALastingJournalThatLostItsEndIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.drive(t, topic, south(orb.Point{11.5, 48.1}, 300), begin, 60)
	r.close(t)
	r.lasting = time.Millisecond
	r.open(t) // nothing is missing
	r.close(t)
	must(t, os.RemoveAll(filepath.Join(r.dir, "journal")))
	r.prepare(t)
	t.Cleanup(func() { r.close(t) })
	err := r.pipeline.Start(t.Context())
	if !errors.Is(err, journal.ErrLost) || !strings.Contains(err.Error(), "gateway journal accept") {
		t.Errorf("got %v, want ErrLost", err)
	}
}

// unreachable is a journal that cannot be asked for a while.
type unreachable struct {
	journal.Journal
	off   atomic.Bool
	reads atomic.Int64 // while it is off
}

func (u *unreachable) Read(ctx context.Context, p int, from journal.Position, dst []journal.Entry) ([]journal.Entry, error) {
	if !u.off.Load() {
		return u.Journal.Read(ctx, p, from, dst)
	}
	<-ctx.Done()
	u.reads.Add(1)
	return dst, fmt.Errorf("%w: %w", journal.ErrUnreachable, context.Cause(ctx))
}

// A vehicle is not silent because the journal is: no timer fires while it cannot be asked, and the lane says so.
func TestNoTimerFiresWhileTheJournalCannotBeAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.close(t)
	u := &unreachable{}
	r.wrapped = func(j journal.Journal) journal.Journal { u.Journal = j; return u }
	var clock atomic.Int64
	clock.Store(begin.Add(25 * time.Second).UnixMicro())
	r.now = func() time.Time { return time.UnixMicro(clock.Load()) }
	r.open(t)
	yard := orb.Point{11.5, 48.1}
	feature := fmt.Sprintf(`{"type":"Feature","id":"yard","geometry":{"type":"Point","coordinates":[%v,%v]},
		"properties":{"radius_m":100,"rules":{"silent_s":600}}}`, yard.Lon(), yard.Lat())
	_, err := r.store.PutGeofence(t.Context(), store.Geofence{Tenant: "default", ID: "yard", Feature: []byte(feature)}, 0)
	must(t, err)
	must(t, r.pipeline.FencesChanged(t.Context()))
	r.drive(t, topic, south(yard, 300), begin, 25) // ends inside
	r.crossings(t, 1)
	u.off.Store(true)
	eventually(t, "the lanes say that they know nothing", func() bool { return r.pipeline.Ready() != nil })
	clock.Store(begin.Add(time.Hour).UnixMicro())
	seen := u.reads.Load()
	eventually(t, "each lane has gone round", func() bool { return u.reads.Load() > seen+10 })
	if got := r.crossings(t, 1); len(got) != 1 {
		t.Errorf("while the journal could not be asked: %q", got)
	}
	u.off.Store(false)
	if got := r.crossings(t, 2); fmt.Sprint(got) != "[van enter yard van silent yard]" {
		t.Errorf("got %q", got)
	}
	eventually(t, "the lanes are ready again", func() bool { return r.pipeline.Ready() == nil })
}

// TestQuietVehiclesKeepNoFiles: what a lane has evaluated and saved may go, though another partition never had a fix,
// or had its last one before a restart.
func TestQuietVehiclesKeepNoFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.close(t)
	must(t, os.RemoveAll(filepath.Join(r.dir, "journal")))
	r.files.SegmentBytes, r.files.Retention, r.snapshots = 1000, time.Nanosecond, 20*time.Millisecond
	names := map[int]string{}
	for i := range 20 {
		name := fmt.Sprint("van-", i)
		names[journal.PartitionOf("default", telemetry.VehicleID(name), 2)] = name
	}
	for p := range 2 {
		r.open(t)
		for i := range 5 {
			r.drive(t, "fleet/default/"+names[p]+"/fix", orb.Point{11.5, 48.1}, begin.Add(time.Duration(i)*time.Minute), 20)
		}
		eventually(t, "old files go", func() bool {
			files, err := filepath.Glob(filepath.Join(r.dir, "journal", "*.seg"))
			must(t, err)
			return len(files) <= 2
		})
		r.close(t)
	}
}

// TestABusyTenantDelaysNobodysTimers: a lane that always finds fixes to evaluate still looks at the clock of those
// that are not heard of.
func TestABusyTenantDelaysNobodysTimers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	yard := orb.Point{11.5, 48.1}
	feature := fmt.Sprintf(`{"type":"Feature","id":"yard","properties":{"shape":"circle","radius_m":100,"rules":{"dwell_s":60}},"geometry":{"type":"Point","coordinates":[%v,%v]}}`,
		yard.Lon(), yard.Lat())
	_, err := r.store.PutGeofence(t.Context(), store.Geofence{Tenant: "default", ID: "yard", Feature: []byte(feature)}, 0)
	must(t, err)
	must(t, r.pipeline.FencesChanged(t.Context()))
	busy := ""
	for i := 0; busy == ""; i++ { // a vehicle of another tenant in the same partition
		name := fmt.Sprint("bus-", i)
		if journal.PartitionOf("city", telemetry.VehicleID(name), 2) == journal.PartitionOf("default", "van", 2) {
			busy = "fleet/city/" + name + "/fix"
		}
	}
	start := time.Now().Add(-10 * time.Minute)
	r.accept(t, busy, codec.AppendNative(nil, telemetry.NewFix("", "", time.Now(), yard)), time.Now())
	r.drive(t, topic, south(yard, 300), start, 30)
	for deadline := time.Now().Add(10 * time.Second); ; {
		now := time.Now()
		r.accept(t, busy, codec.AppendNative(nil, telemetry.NewFix("", "", now, yard)), now)
		list, err := r.store.Crossings(t.Context(), store.Query{Tenant: "default"})
		must(t, err)
		if len(list) == 2 && list[0].Kind == "dwell" {
			return
		}
		if now.After(deadline) {
			t.Fatalf("the dwell was not told: %d crossings", len(list))
		}
	}
}

// TestRecoveryWithoutAUsableSnapshot: the vehicle is inside the fence when the process ends; the exit is told once.
func TestRecoveryWithoutAUsableSnapshot(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string, content []byte) error{
		"missing": func(path string, _ []byte) error { return os.Remove(path) },
		"empty":   func(path string, _ []byte) error { return os.Truncate(path, 0) },
		"cut":     func(path string, content []byte) error { return os.Truncate(path, int64(len(content)/2)) },
		"bit": func(path string, content []byte) error {
			content[len(content)-9] ^= 4
			return os.WriteFile(path, content, 0o600)
		},
		"no journal": func(path string, _ []byte) error { return os.RemoveAll(filepath.Dir(filepath.Dir(path))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			yard := orb.Point{11.5, 48.1}
			r.fence(t, "yard", yard)
			r.drive(t, topic, south(yard, 300), begin, 30)
			r.crossings(t, 1)
			r.close(t)
			files, err := filepath.Glob(filepath.Join(r.dir, "journal", "snapshots", "*.snapshot"))
			must(t, err)
			if len(files) != 2 {
				t.Fatalf("%d snapshots", len(files))
			}
			for _, path := range files {
				if content, err := os.ReadFile(path); err == nil {
					must(t, spoil(path, content))
				}
			}
			r.open(t)
			r.drive(t, topic, south(yard, 0), begin.Add(30*time.Second), 30)
			if got := r.crossings(t, 2); fmt.Sprint(got) != "[van enter yard van exit yard]" {
				t.Errorf("got %q", got)
			}
		})
	}
}
