package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"outrider/chat"
	"outrider/geofence"
	"outrider/identity"
	"outrider/internal/fencejson"
	"outrider/internal/pipeline"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// fleet is what the dialog may know, from the directory, the store and the fences in force.
type fleet struct {
	store     store.Store
	directory *identity.Directory
	fences    func() *pipeline.FenceSet
	changed   func(context.Context) error                     // puts stored fences in force
	picture   func(identity.Owner, identity.VehicleID) string // address of a vehicle's picture; empty: none
	reload    func(context.Context, ...identity.Ref) error
	now       func() time.Time
}

var _ chat.Fleet = (*fleet)(nil)

// Owner implements chat.Fleet.
func (f *fleet) Owner(page identity.PageID, psid identity.PSID) (identity.Owner, bool) {
	p, ok := f.directory.Page(page)
	if !ok {
		return identity.Owner{}, false
	}
	return f.directory.Person(p.Tenant, identity.Contact{Page: page, PSID: psid})
}

// Vehicles implements chat.Fleet.
func (f *fleet) Vehicles(o identity.Owner) []chat.Named {
	var mine []chat.Named
	for v := range f.directory.Vehicles(o.Tenant, "") {
		if slices.Contains(v.Owners, o.ID) {
			mine = append(mine, chat.Named{ID: string(v.ID), Name: v.Title()})
		}
	}
	slices.SortStableFunc(mine, func(a, b chat.Named) int { return cmp.Compare(a.Name, b.Name) })
	return mine
}

// LastFix implements chat.Fleet.
func (f *fleet) LastFix(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (telemetry.Fix, bool, error) {
	fix, err := f.store.LastFix(ctx, tenant, vehicle)
	if errors.Is(err, store.ErrNotFound) {
		return fix, false, nil
	}
	return fix, err == nil, err
}

// nearEnough is how far in metres a fence may be for a place to be told by it.
const nearEnough = 20_000

// Places implements chat.Fleet.
func (f *fleet) Places(o identity.Owner, fix telemetry.Fix) []chat.Place {
	ix := f.fences().Index(telemetry.TenantID(o.Tenant))
	var all []chat.Place
	for _, metres := range []float64{0, 500, 5000, nearEnough} { // most are near: look far only when nothing is
		all = places(ix, o.ID, fix.Point, metres)
		if slices.ContainsFunc(all, func(p chat.Place) bool { return p.Inside }) || metres > 0 && len(all) > 0 {
			return all
		}
	}
	return all
}

func places(ix *geofence.Index, owner identity.OwnerID, p orb.Point, metres float64) []chat.Place {
	var all []chat.Place
	for _, ref := range ix.Near(nil, p, metres) {
		fence, ok := ix.Fence(ref)
		if !ok || fence.Owner != "" && fence.Owner != string(owner) {
			continue
		}
		all = append(all, chat.Place{
			Fence: cmp.Or(fence.Name, string(fence.ID)), Inside: fence.Shape.Contains(p),
			Distance: math.Abs(fence.Shape.Distance(p)), Bearing: bearing(middle(fence.Shape), p),
		})
	}
	slices.SortStableFunc(all, func(a, b chat.Place) int {
		if a.Inside != b.Inside {
			return map[bool]int{true: -1, false: 1}[a.Inside]
		}
		return cmp.Compare(a.Distance, b.Distance)
	})
	return all
}

// middle is the middle of a shape's first bound.
func middle(s geofence.Shape) orb.Point {
	if bounds := s.Bounds(); len(bounds) > 0 {
		return bounds[0].Center()
	}
	return orb.Point{}
}

// bearing is the direction from a to b in degrees clockwise from north, on the plane around them.
func bearing(a, b orb.Point) float64 {
	dx := math.Mod(b[0]-a[0]+540, 360) - 180
	return math.Atan2(dx*math.Cos(a[1]*math.Pi/180), b[1]-a[1]) * 180 / math.Pi
}

// Events implements chat.Fleet.
func (f *fleet) Events(ctx context.Context, o identity.Owner, vehicle identity.VehicleID, since time.Time) ([]chat.Event, error) {
	all, err := f.store.Crossings(ctx, store.Query{Tenant: o.Tenant, Vehicle: vehicle, Limit: 200})
	if err != nil {
		return nil, fmt.Errorf("app: crossings: %w", err)
	}
	var events []chat.Event
	ix := f.fences().Index(telemetry.TenantID(o.Tenant))
	for _, c := range slices.Backward(all) {
		twice := c.Reading != "" && (c.Kind == string(notify.Enter) || c.Kind == string(notify.Exit))     // seen in a rule's own way, too
		if !c.At.Before(since) && c.Kind != string(notify.Pass) && !twice && mayKnow(ix, o.ID, c.Fence) { // a pass is its enter and exit
			events = append(events, chat.Event{Kind: c.Kind, Fence: cmp.Or(c.FenceName, string(c.Fence)), At: c.At})
		}
	}
	slices.SortStableFunc(events, func(a, b chat.Event) int { return a.At.Compare(b.At) })
	return events, nil
}

// mayKnow reports whether a crossing of a fence is the owner's to know: another person's own fence is not, nor is one
// that was such a fence and is gone.
func mayKnow(ix *geofence.Index, owner identity.OwnerID, id geofence.FenceID) bool {
	ref, ok := ix.Lookup(id)
	if !ok {
		return !strings.HasPrefix(string(id), chat.OwnPrefix)
	}
	fence, _ := ix.Fence(ref)
	return fence.Owner == "" || fence.Owner == string(owner)
}

// fencesAtOnce is how many fences are read at a time, and mostFences how many a person is told of.
const (
	fencesAtOnce = 500
	mostFences   = 5000
)

// Fences implements chat.Fleet.
func (f *fleet) Fences(ctx context.Context, o identity.Owner) ([]chat.Fence, error) {
	var all []chat.Fence
	ix := f.fences().Index(telemetry.TenantID(o.Tenant))
	for after := geofence.FenceID(""); len(all) < mostFences; {
		some, err := f.store.Geofences(ctx, o.Tenant, after, fencesAtOnce)
		if err != nil {
			return nil, fmt.Errorf("app: geofences: %w", err)
		}
		for _, g := range some {
			if mayKnow(ix, o.ID, g.ID) {
				all = append(all, chat.Fence{Named: chat.Named{ID: string(g.ID), Name: cmp.Or(g.Name, string(g.ID))}, Own: ownedBy(ix, g.ID) == o.ID})
			}
		}
		if len(some) < fencesAtOnce {
			break
		}
		after = some[len(some)-1].ID
	}
	slices.SortStableFunc(all, func(a, b chat.Fence) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// ownedBy is whose fence it is; empty: everybody's.
func ownedBy(ix *geofence.Index, id geofence.FenceID) identity.OwnerID {
	if ref, ok := ix.Lookup(id); ok {
		if fence, ok := ix.Fence(ref); ok {
			return identity.OwnerID(fence.Owner)
		}
	}
	return ""
}

// PutFence implements chat.Fleet.
func (f *fleet) PutFence(ctx context.Context, o identity.Owner, c chat.Circle) error {
	feature := fencejson.Feature{
		ID: geofence.FenceID(c.ID), Name: c.Name, Kind: fencejson.Circle, Geometry: c.Center, Radius: c.Radius, Owner: string(o.ID),
	}
	shape, _, err := feature.Shape()
	if err != nil {
		return fmt.Errorf("app: fence of an owner: %w", err)
	}
	bounds := shape.Bounds()
	bound := bounds[0]
	for _, b := range bounds[1:] {
		bound = bound.Union(b)
	}
	_, err = f.store.PutGeofence(ctx, store.Geofence{Tenant: o.Tenant, ID: feature.ID, Name: c.Name, Feature: feature.JSON(), Bound: bound}, 0)
	if err != nil {
		return err
	}
	return f.changed(ctx)
}

// RemoveFence implements chat.Fleet.
func (f *fleet) RemoveFence(ctx context.Context, o identity.Owner, id string) error {
	g, err := f.store.Geofence(ctx, o.Tenant, geofence.FenceID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	feature, err := fencejson.Parse(g.Feature)
	if err != nil || feature.Owner != string(o.ID) {
		return err
	}
	if _, err := f.store.DeleteGeofence(ctx, o.Tenant, g.ID, 0); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return f.changed(ctx)
}

// Picture implements chat.Fleet.
func (f *fleet) Picture(o identity.Owner, vehicle identity.VehicleID) string {
	return f.picture(o, vehicle)
}

// Acknowledge implements chat.Fleet.
func (f *fleet) Acknowledge(ctx context.Context, o identity.Owner, person identity.Contact, alert, by string) error {
	_, err := f.store.Acknowledge(ctx, o.Tenant, alert, person, by, f.now())
	return err
}

// Ask implements chat.Fleet.
func (f *fleet) Ask(ctx context.Context, person identity.Contact, question string, until time.Time) error {
	return f.store.Ask(ctx, store.Question{Person: person, Text: question, Until: until})
}

// Asked implements chat.Fleet.
func (f *fleet) Asked(ctx context.Context, person identity.Contact, now time.Time) (string, error) {
	q, _, err := f.store.Asked(ctx, person, now)
	return q.Text, err
}

// PageName implements chat.Fleet.
func (f *fleet) PageName(page identity.PageID) string {
	p, _ := f.directory.Page(page)
	return cmp.Or(p.Name, string(page))
}

// SetMutes implements chat.Fleet.
func (f *fleet) SetMutes(ctx context.Context, o identity.Owner, mutes []identity.Mute) error {
	if err := f.store.SetMutes(ctx, o.Tenant, o.ID, mutes); err != nil {
		return err
	}
	return f.reload(ctx, identity.OwnerRef(o.Tenant, o.ID))
}

// SetLocale implements chat.Fleet.
func (f *fleet) SetLocale(ctx context.Context, o identity.Owner, locale string) error {
	if err := f.store.SetLocale(ctx, o.Tenant, o.ID, locale); err != nil {
		return err
	}
	return f.reload(ctx, identity.OwnerRef(o.Tenant, o.ID))
}

// SetQuiet implements chat.Fleet.
func (f *fleet) SetQuiet(ctx context.Context, o identity.Owner, quiet identity.Quiet) error {
	if err := f.store.SetQuiet(ctx, o.Tenant, o.ID, quiet); err != nil {
		return err
	}
	return f.reload(ctx, identity.OwnerRef(o.Tenant, o.ID))
}

// SetOnce implements chat.Fleet.
func (f *fleet) SetOnce(ctx context.Context, o identity.Owner, once []identity.Once) error {
	if err := f.store.SetOnce(ctx, o.Tenant, o.ID, once); err != nil {
		return err
	}
	return f.reload(ctx, identity.OwnerRef(o.Tenant, o.ID))
}
