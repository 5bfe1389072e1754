package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"outrider/identity"
)

// Rules decides who wants to hear of an event: the rulebook and the directory say so. What a person asked to be told of
// one time is told once, whatever rules say and whatever they muted; a fence that is one person's is that person's
// news only, and no rule's business. A late event is for the record only. It is safe for many goroutines, as long as the events of one vehicle come from one of them.
type Rules struct {
	// MaxAge is how long an alert may wait for a way to its person before it expires, where its rule does not say; 0: for
	// ever. Recent is asked, once for each vehicle, what was told before a restart; nil: nothing was. Set them before
	// first use.
	MaxAge time.Duration
	Recent RecentFunc

	directory *identity.Directory
	book      *Rulebook
	cooldowns cooldowns
	wishes    wishes
}

// NewRules returns the decisions by a book over a directory. A nil book is one of default rules.
func NewRules(d *identity.Directory, book *Rulebook) *Rules {
	if book == nil {
		book = NewRulebook()
	}
	r := &Rules{directory: d, book: book}
	r.cooldowns.told, r.cooldowns.known = map[told]time.Time{}, map[vehicleOf]bool{}
	return r
}

// Forget makes Recent be asked again for vehicles whose events came from another process meanwhile.
func (r *Rules) Forget(these func(identity.TenantID, identity.VehicleID) bool) {
	r.cooldowns.forget(these)
}

// Alerts appends to dst one alert for each person who wants to hear of e: of several rules that say so the first
// counts, see [Rulebook.Rules]. The same event gives the same alert ids each time, so that an outbox which knows them
// can skip them.
func (r *Rules) Alerts(dst []Alert, e Event) []Alert {
	if e.Late {
		return dst
	}
	v, _ := r.directory.Vehicle(e.Tenant, e.Vehicle)
	rules, start := r.rulesFor(&e), len(dst)
	var taken []identity.OwnerID // who hear of it by another reading
	for i := range rules {
		switch rule := &rules[i]; rule.misses(&e, v.Tags, r.book.timetable) {
		case Hit:
			dst = r.tell(dst, start, rule, &e, v, taken)
		case MissReading:
			if rule.takes(&e) {
				taken = append(taken, ids(r.people(rule, &e))...)
			}
		}
	}
	return r.grant(dst, start, &e, v, taken)
}

func ids(people []identity.Owner) []identity.OwnerID {
	all := make([]identity.OwnerID, len(people))
	for i := range people {
		all[i] = people[i].ID
	}
	return all
}

// rulesFor returns the rules that say something of e: of a fence that is one person's only the usual one does.
func (r *Rules) rulesFor(e *Event) []Rule {
	if e.Private != "" {
		return []Rule{usual(e.Tenant)}
	}
	return r.book.Rules(e.Tenant)
}

// grant appends alerts for people who asked to be told of this one time, and are not told already in dst[start:], nor by
// another reading.
func (r *Rules) grant(dst []Alert, start int, e *Event, v identity.Vehicle, taken []identity.OwnerID) []Alert {
	if e.Kind != Enter && e.Kind != Exit || e.Reading != (Reading{}) {
		return dst
	}
	rule := usual(e.Tenant)
	for _, o := range r.people(&rule, e) {
		if isTold(dst[start:], o.ID) || slices.Contains(taken, o.ID) {
			continue
		}
		if a := r.alert(&rule, e, o, v); a.Once != "" {
			dst = append(dst, a)
		}
	}
	return dst
}

func isTold(alerts []Alert, owner identity.OwnerID) bool {
	return slices.ContainsFunc(alerts, func(a Alert) bool { return a.Owner == owner })
}

// tell appends the alerts of one rule, but for people who are told already in dst[start:], or by another reading.
func (r *Rules) tell(dst []Alert, start int, rule *Rule, e *Event, v identity.Vehicle, taken []identity.OwnerID) []Alert {
	for _, o := range r.people(rule, e) {
		if !isTold(dst[start:], o.ID) && !slices.Contains(taken, o.ID) {
			dst = append(dst, r.alert(rule, e, o, v))
		}
	}
	return dst
}

// people lists whom a rule tells.
func (r *Rules) people(rule *Rule, e *Event) []identity.Owner {
	var people []identity.Owner
	if !rule.To.NotOwners {
		people = append(people, r.directory.Owners(e.Tenant, e.Vehicle)...)
	}
	for _, id := range rule.To.Owners {
		if o, ok := r.directory.Owner(e.Tenant, id); ok {
			people = append(people, o)
		}
	}
	if e.Private != "" {
		people = slices.DeleteFunc(people, func(o identity.Owner) bool { return o.ID != e.Private })
	}
	return people
}

// Wanted reports whether any rule holds for e: then only the want of a person silences it.
func (r *Rules) Wanted(e Event) bool {
	v, _ := r.directory.Vehicle(e.Tenant, e.Vehicle)
	return slices.ContainsFunc(r.rulesFor(&e), func(rule Rule) bool { return rule.misses(&e, v.Tags, r.book.timetable) == Hit })
}

// Concerns reports whether a rule looks for what e tells, whenever and for whomever it does: what nobody looks for in a
// reading of its own is not worth a record.
func (r *Rules) Concerns(e Event) bool {
	v, _ := r.directory.Vehicle(e.Tenant, e.Vehicle)
	return slices.ContainsFunc(r.rulesFor(&e), func(rule Rule) bool {
		if rule.Reading != e.Reading {
			return false
		}
		switch rule.misses(&e, v.Tags, r.book.timetable) {
		case Hit, MissSchedule, MissConfidence:
			return true
		}
		return false
	})
}

// Judgement is what one rule says of an event.
type Judgement struct {
	Rule string             `json:"rule"`
	Name string             `json:"name,omitempty"`
	Miss Miss               `json:"miss,omitempty" doc:"Why it does not hold: disabled, event, vehicle, geofence, schedule, reading or confidence. Absent: it holds."`
	To   []identity.OwnerID `json:"to,omitempty" nullable:"false" doc:"Whom it tells."`
}

// Judge says of every rule of the tenant whether it holds for e, as the rules are now.
func (r *Rules) Judge(e Event) []Judgement {
	rules := r.rulesFor(&e)
	all := make([]Judgement, 0, len(rules))
	for i := range rules {
		all = append(all, r.judge(&rules[i], e))
	}
	return all
}

func (r *Rules) judge(rule *Rule, e Event) Judgement {
	v, _ := r.directory.Vehicle(e.Tenant, e.Vehicle)
	j := Judgement{Rule: rule.ID, Name: rule.Name, Miss: rule.misses(&e, v.Tags, r.book.timetable)}
	if j.Miss == Hit {
		for _, o := range r.people(rule, &e) {
			if !slices.Contains(j.To, o.ID) {
				j.To = append(j.To, o.ID)
			}
		}
	}
	return j
}

func (r *Rules) alert(rule *Rule, e *Event, o identity.Owner, v identity.Vehicle) Alert {
	name, fenceName, maxAge := string(e.Vehicle), e.FenceName, r.MaxAge
	if v.ID != "" {
		name = v.Title()
	}
	if fenceName == "" {
		fenceName = e.Fence
	}
	if rule.MaxAge > 0 {
		maxAge = time.Duration(rule.MaxAge) * time.Second
	}
	a := Alert{
		ID:          AlertID(e.ID, o.ID),
		Event:       e.ID,
		Tenant:      e.Tenant,
		Owner:       o.ID,
		Vehicle:     e.Vehicle,
		VehicleName: name,
		Fence:       e.Fence,
		FenceName:   fenceName,
		Kind:        e.Kind,
		At:          e.At,
		Inside:      e.Inside,
		Point:       e.Point,
		Received:    e.Received,
		Locale:      o.Locale,
		TimeZone:    o.TimeZone,
		MaxAge:      maxAge,
		Text:        rule.Text,
		High:        rule.Priority == PriorityHigh,
		Once:        r.wishes.grant(e, o, AlertID(e.ID, o.ID)),
	}
	if rule.ID != DefaultRule {
		a.Rule = rule.ID
	}
	return a
}

// Deliver addresses an alert: a pending delivery to the owner's first contact, to no page when the owner has only
// another channel, or a held one that says that there is neither. What the owner has muted, and what the rule tells
// seldom and told just now, is over at once: it is in the record, and nobody is told. In quiet hours it is held until
// they end, or the person writes.
func (r *Rules) Deliver(a Alert, now time.Time) Delivery {
	d := Delivery{Alert: a, State: Pending, NextAt: now, Created: now}
	owner, _ := r.directory.Owner(a.Tenant, a.Owner)
	if m, muted := owner.Muted(a.Vehicle, a.Fence, a.At); muted && a.Once == "" {
		detail := "muted by the owner"
		if !m.Until.IsZero() {
			detail += " until " + m.Until.UTC().Format(time.RFC3339)
		}
		return d.over(ReasonMuted, detail)
	}
	rule, ok := r.book.Rule(a.Tenant, cmp.Or(a.Rule, DefaultRule))
	if !ok {
		rule = usual(a.Tenant)
	}
	if rule.Cooldown > 0 && a.Once == "" {
		if last := r.cooldowns.last(&a, r.Recent); !last.IsZero() && a.At.Sub(last) < time.Duration(rule.Cooldown)*time.Second {
			return d.over(ReasonCooldown, "the same was told at "+last.UTC().Format(time.RFC3339))
		}
		r.cooldowns.note(&a)
	}
	r.address(&d, &owner)
	if end, quiet := rule.Quiet.end(now, owner.Location()); quiet && rule.Priority != PriorityHigh && d.State == Pending && a.Once == "" {
		d.State, d.Route, d.Reason, d.NextAt = Held, RouteHold, ReasonQuietHours, end
		d.Detail = "quiet until " + end.Format(time.RFC3339)
	}
	return d
}

// over ends a delivery of which nobody is told.
func (d Delivery) over(why Reason, detail string) Delivery {
	d.State, d.Route, d.Reason, d.Detail, d.NextAt = Expired, RouteHold, why, detail, time.Time{}
	return d
}

// address says where a delivery goes.
func (r *Rules) address(d *Delivery, owner *identity.Owner) {
	a := &d.Alert
	switch {
	case len(owner.Contacts) > 0:
		d.Page, d.PSID = owner.Contacts[0].Page, owner.Contacts[0].PSID
	case !owner.Fallback.Empty():
		// Nobody at Messenger, but another channel: each owner's messages keep their order.
		d.PSID = identity.PSID("owner:" + string(a.Tenant) + "/" + string(a.Owner))
	default:
		d.State, d.Route, d.Reason = Held, RouteHold, ReasonNoContact
		d.Detail = "the owner is linked to no page"
		d.NextAt = a.Expiry()
	}
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
