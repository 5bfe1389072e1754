package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"outrider/chat"
	"outrider/chat/lex"
	"outrider/geofence"
	"outrider/identity"
	"outrider/internal/pipeline"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// talker lets people talk with their vehicles: it hears what they say, asks the dialog, and puts the answer into the
// outbox, ahead of alerts.
type talker struct {
	dialog *chat.Dialog
	store  store.Store
	wake   func(identity.PageID)
	tenant func(identity.PageID) (identity.TenantID, bool)
	now    func() time.Time
}

var _ notify.Listener = (*talker)(nil)

// chatOff is the chat.mode in which nobody answers.
const chatOff = "off"

// prepareTalk decides who hears and answers people.
func (a *App) prepareTalk() {
	if a.listener = a.o.Listener; a.listener != nil || a.o.Config.Chat.Mode == chatOff {
		return
	}
	a.listener = &talker{
		dialog: a.dialog(), store: a.store, wake: a.dispatcher.Wake, now: a.o.Now,
		tenant: func(page identity.PageID) (identity.TenantID, bool) {
			p, ok := a.directory.Page(page)
			return p.Tenant, ok
		},
	}
}

// dialog is the gateway's own.
func (a *App) dialog() *chat.Dialog {
	return chat.New(&fleet{store: a.store, directory: a.directory, reload: a.reloadDirectory, fences: a.pipeline.Fences}, a.o.Now)
}

// fulfilment answers Amazon Lex; nil when nobody gave it a key.
func (a *App) fulfilment() (http.Handler, error) {
	c := a.o.Config.Lex
	if c.Key.Empty() {
		return nil, nil
	}
	return lex.NewHandler(lex.Options{
		Dialog: a.dialog(), Key: c.Key, Wrote: a.wrote, Logger: a.logger.With("part", "lex"),
		Page: func() identity.PageID {
			if c.Page != "" {
				return identity.PageID(c.Page)
			}
			if pages := a.directory.AllPages(); len(pages) == 1 {
				return pages[0].ID
			}
			return ""
		},
	})
}

// wrote opens a person's window: where Lex has the webhook, Meta tells nobody else.
func (a *App) wrote(ctx context.Context, page identity.PageID, psid identity.PSID) error {
	now := a.o.Now()
	_, err := a.store.Receive(ctx, []notify.ThreadEvent{{
		Key: fmt.Sprintf("lex/%s/%s/%d", page, psid, now.UnixMilli()), Page: page, PSID: psid, Time: now, Kind: notify.ThreadAction,
	}})
	if err != nil {
		return fmt.Errorf("app: a person wrote by lex: %w", err)
	}
	a.heard(page)
	return nil
}

// Hear implements notify.Listener. The answer's id follows from what was said, so that what is heard again after a
// crash is answered once.
func (t *talker) Hear(ctx context.Context, w notify.Said) error {
	tenant, ok := t.tenant(w.Page)
	if !ok {
		return nil // the page is no longer registered: nothing could be sent through it
	}
	reply, err := t.dialog.Answer(ctx, chat.Message{
		Page: w.Page, PSID: w.PSID, Text: w.Text, Payload: w.Payload, Blind: w.Kind == notify.SaidAttachment,
	})
	if err != nil || reply.Text == "" {
		return err
	}
	say := notify.Say{Text: reply.Text}
	for _, tap := range reply.Taps {
		say.QuickReplies = append(say.QuickReplies, notify.Button{Title: tap.Title, Payload: tap.Payload})
	}
	sum := sha256.Sum256([]byte("answer\x00" + string(w.Page) + "\x00" + string(w.PSID) + "\x00" + strconv.FormatUint(w.Seq, 10) + "\x00" + w.MessageID))
	d := notify.NewReply(hex.EncodeToString(sum[:16]), tenant, w.Page, w.PSID, say, t.now())
	if err := t.store.Enqueue(ctx, []notify.Delivery{d}); err != nil {
		return fmt.Errorf("app: answer: %w", err)
	}
	t.wake(w.Page)
	return nil
}

// fleet is what the dialog may know, from the directory, the store and the fences in force.
type fleet struct {
	store     store.Store
	directory *identity.Directory
	fences    func() *pipeline.FenceSet
	reload    func(context.Context) error
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
	for _, v := range f.directory.Vehicles(o.Tenant) {
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
func (f *fleet) Places(tenant identity.TenantID, fix telemetry.Fix) []chat.Place {
	ix := f.fences().Index(telemetry.TenantID(tenant))
	var all []chat.Place
	for _, metres := range []float64{0, 500, 5000, nearEnough} { // most are near: look far only when nothing is
		all = places(ix, fix.Point, metres)
		if slices.ContainsFunc(all, func(p chat.Place) bool { return p.Inside }) || metres > 0 && len(all) > 0 {
			return all
		}
	}
	return all
}

func places(ix *geofence.Index, p orb.Point, metres float64) []chat.Place {
	var all []chat.Place
	for _, ref := range ix.Near(nil, p, metres) {
		fence, ok := ix.Fence(ref)
		if !ok {
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
func (f *fleet) Events(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, since time.Time) ([]chat.Event, error) {
	all, err := f.store.Crossings(ctx, store.Query{Tenant: tenant, Vehicle: vehicle, Limit: 200})
	if err != nil {
		return nil, fmt.Errorf("app: crossings: %w", err)
	}
	var events []chat.Event
	for _, c := range slices.Backward(all) {
		if !c.At.Before(since) && c.Kind != string(notify.Pass) { // a pass is its enter and exit
			events = append(events, chat.Event{Kind: c.Kind, Fence: cmp.Or(c.FenceName, string(c.Fence)), At: c.At})
		}
	}
	slices.SortStableFunc(events, func(a, b chat.Event) int { return a.At.Compare(b.At) })
	return events, nil
}

// Fences implements chat.Fleet.
func (f *fleet) Fences(ctx context.Context, tenant identity.TenantID) ([]chat.Named, error) {
	all, err := f.store.Geofences(ctx, tenant, "", 200)
	if err != nil {
		return nil, fmt.Errorf("app: geofences: %w", err)
	}
	var names []chat.Named
	for _, g := range all {
		names = append(names, chat.Named{ID: string(g.ID), Name: cmp.Or(g.Name, string(g.ID))})
	}
	slices.SortStableFunc(names, func(a, b chat.Named) int { return strings.Compare(a.Name, b.Name) })
	return names, nil
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
	return f.reload(ctx)
}

// SetLocale implements chat.Fleet.
func (f *fleet) SetLocale(ctx context.Context, o identity.Owner, locale string) error {
	if err := f.store.SetLocale(ctx, o.Tenant, o.ID, locale); err != nil {
		return err
	}
	return f.reload(ctx)
}
