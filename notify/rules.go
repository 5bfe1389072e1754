package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"outrider/identity"
)

// Rules decides who wants to hear of an event. It reads the directory and nothing else, and is safe for many
// goroutines.
//
// What a person asked to be told of one time is told once, whatever they muted; a fence that is one person's is
// nobody else's news.
//
// The one rule so far is the default: every owner of the vehicle hears of each enter and exit. A pass is not
// told on top of the enter and exit it consists of, and a late event is for the record only.
type Rules struct {
	// MaxAge is how long an alert may wait for a way to its person before it expires; 0: for ever. Set it
	// before first use.
	MaxAge time.Duration

	directory *identity.Directory

	mu   sync.Mutex        // guards told
	told map[string]string // the alert that fulfilled a wish, until the directory no longer knows the wish
}

// NewRules returns the rules over a directory.
func NewRules(d *identity.Directory) *Rules { return &Rules{directory: d, told: map[string]string{}} }

// Alerts appends to dst one alert for each person who wants to hear of e. The same event gives the same alert
// ids each time, so that an outbox which knows them can skip them.
func (r *Rules) Alerts(dst []Alert, e Event) []Alert {
	if e.Late || (e.Kind != Enter && e.Kind != Exit) {
		return dst
	}
	name := string(e.Vehicle)
	if v, ok := r.directory.Vehicle(e.Tenant, e.Vehicle); ok {
		name = v.Title()
	}
	for _, o := range r.directory.Owners(e.Tenant, e.Vehicle) {
		if e.Private == "" || e.Private == o.ID {
			dst = append(dst, r.alert(e, o, name))
		}
	}
	return dst
}

// wish returns the id of the owner's wish that the alert fulfils; empty: none. One wish is for one alert, and the
// directory learns of that only after it is stored.
func (r *Rules) wish(e Event, o identity.Owner, alert string) string {
	w, ok := o.Wants(e.Vehicle, string(e.Kind), e.Fence, e.At)
	if !ok {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if by, told := r.told[w.ID]; told {
		if by == alert {
			return w.ID
		}
		return ""
	}
	if len(r.told) >= mostTold {
		clear(r.told) // a wish among them that is still in the directory is seconds old
	}
	r.told[w.ID] = alert
	return w.ID
}

// mostTold bounds what is remembered of wishes that were told.
const mostTold = 10_000

func (r *Rules) alert(e Event, o identity.Owner, vehicleName string) Alert {
	fenceName := e.FenceName
	if fenceName == "" {
		fenceName = e.Fence
	}
	return Alert{
		ID:          AlertID(e.ID, o.ID),
		Event:       e.ID,
		Tenant:      e.Tenant,
		Owner:       o.ID,
		Vehicle:     e.Vehicle,
		VehicleName: vehicleName,
		Fence:       e.Fence,
		FenceName:   fenceName,
		Kind:        e.Kind,
		At:          e.At,
		Inside:      e.Inside,
		Point:       e.Point,
		Received:    e.Received,
		Locale:      o.Locale,
		TimeZone:    o.TimeZone,
		MaxAge:      r.MaxAge,
		Once:        r.wish(e, o, AlertID(e.ID, o.ID)),
	}
}

// Deliver addresses an alert: a pending delivery to the owner's first contact, to no page when the owner has only
// another channel, or a held one that says that there is neither. What the owner has muted is over at once: it is in
// the record, and nobody is told.
func (r *Rules) Deliver(a Alert, now time.Time) Delivery {
	d := Delivery{Alert: a, State: Pending, NextAt: now, Created: now}
	owner, _ := r.directory.Owner(a.Tenant, a.Owner)
	if m, muted := owner.Muted(a.Vehicle, a.Fence, a.At); muted && a.Once == "" {
		d.State, d.Route, d.Reason, d.NextAt = Expired, RouteHold, ReasonMuted, time.Time{}
		d.Detail = "muted by the owner"
		if !m.Until.IsZero() {
			d.Detail += " until " + m.Until.UTC().Format(time.RFC3339)
		}
		return d
	}
	if len(owner.Contacts) > 0 {
		d.Page, d.PSID = owner.Contacts[0].Page, owner.Contacts[0].PSID
		return d
	}
	if !owner.Fallback.Empty() {
		// Nobody at Messenger, but another channel: each owner's messages keep their order.
		d.PSID = identity.PSID("owner:" + string(a.Tenant) + "/" + string(a.Owner))
		return d
	}
	d.State, d.Route, d.Reason = Held, RouteHold, ReasonNoContact
	d.Detail = "the owner is linked to no page"
	d.NextAt = a.Expiry()
	return d
}

// AlertID is the id of the alert of one event to one owner: 32 hexadecimal digits.
func AlertID(event string, owner identity.OwnerID) string {
	sum := sha256.Sum256([]byte(event + "\x00" + string(owner)))
	return hex.EncodeToString(sum[:16])
}

// Expiry is when the alert is too old to be sent; zero: never.
func (a Alert) Expiry() time.Time {
	if a.MaxAge <= 0 {
		return time.Time{}
	}
	return a.At.Add(a.MaxAge)
}

// Stale reports whether the alert is too old to be sent.
func (a Alert) Stale(now time.Time) bool {
	expiry := a.Expiry()
	return !expiry.IsZero() && !now.Before(expiry)
}

// Location is the owner's time zone as it was when the event happened; UTC when it is empty or unknown.
func (a Alert) Location() *time.Location {
	return identity.Owner{TimeZone: a.TimeZone}.Location()
}
