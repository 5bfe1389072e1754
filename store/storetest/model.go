package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// RunModel drives the outbox and the inbox of a store through random histories, and compares it after each step
// with a model that is as slow and plain as the contract's words.
func RunModel(t *testing.T, place Place) {
	t.Helper()
	b := newBench(t, place)
	history := 0
	rapid.Check(t, func(r *rapid.T) {
		history++
		m := &model{
			b: b, pages: []identity.PageID{identity.PageID(fmt.Sprint("p", history)), identity.PageID(fmt.Sprint("q", history))},
			now: epoch.Add(time.Duration(history) * 24 * time.Hour), windows: map[person]time.Time{}, echoed: map[identity.PageID]time.Time{},
		}
		r.Repeat(map[string]func(*rapid.T){
			"":        m.compare,
			"queue":   m.queue,
			"claim":   m.claim,
			"settle":  m.settle,
			"abandon": m.abandon,
			"judge":   m.judge,
			"release": m.release,
			"act":     m.act,
			"echo":    m.echo,
			"look":    m.look,
			"wait":    m.wait,
		})
		m.finish(r)
	})
}

type person struct {
	page identity.PageID
	psid identity.PSID
}

// model is what a store with the same history must hold. Each history has pages of its own, so that all can share
// a store.
type model struct {
	b       *bench
	pages   []identity.PageID
	now     time.Time
	rows    []*notify.Delivery // in the order in which they were queued
	windows map[person]time.Time
	echoed  map[identity.PageID]time.Time // when the newest echoed message had been claimed
	claims  []notify.Outcome              // with which rows can be settled, old leases included
	events  int
}

func (m *model) page(r *rapid.T) identity.PageID { return rapid.SampledFrom(m.pages).Draw(r, "page") }

// vehicle is one for each history, by which its deliveries are found.
func (m *model) vehicle() identity.VehicleID { return identity.VehicleID(m.pages[0]) }

func (m *model) psid(r *rapid.T) identity.PSID {
	return rapid.SampledFrom([]identity.PSID{"u", "v", "w"}).Draw(r, "psid")
}

func (m *model) seconds(r *rapid.T, what string, least, most int) time.Duration {
	return time.Duration(rapid.IntRange(least, most).Draw(r, what)) * time.Second
}

// storeClock makes the store's clock show the model's time.
func (m *model) storeClock() { m.b.clock.passed.Store(int64(m.now.Sub(epoch))) }

func (m *model) wait(r *rapid.T) { m.now = m.now.Add(m.seconds(r, "seconds", 1, 90)) }

func (m *model) queue(r *rapid.T) {
	page := m.page(r)
	d := delivery(fmt.Sprint(page, "/", len(m.rows)), string(page), string(m.psid(r)), m.now.Add(-m.seconds(r, "age", 0, 60)))
	d.Alert.Vehicle, d.Created, d.NextAt = m.vehicle(), m.now, m.now
	if rapid.IntRange(0, 4).Draw(r, "held") == 0 {
		d.State, d.Reason, d.NextAt = notify.Held, notify.ReasonNoContact, time.Time{}
	}
	d.Urgent = rapid.IntRange(0, 4).Draw(r, "urgent") == 0
	queue(r, m.b.Store, d)
	m.rows = append(m.rows, &d)
}

// before orders rows as messages to a person must go.
func (m *model) before(a, b *notify.Delivery) int {
	return cmp.Or(rank(a)-rank(b), a.Alert.At.Compare(b.Alert.At), cmp.Compare(slices.Index(m.rows, a), slices.Index(m.rows, b)))
}

func rank(d *notify.Delivery) int {
	if d.Urgent {
		return 0
	}
	return 1
}

// claimable follows the words of notify.Outbox.
func (m *model) claimable(d *notify.Delivery) bool {
	due := d.State == notify.Pending || d.State == notify.Held && !d.NextAt.IsZero()
	if !due || d.NextAt.After(m.now) {
		return false
	}
	return !slices.ContainsFunc(m.rows, func(o *notify.Delivery) bool {
		if o == d || o.Page != d.Page || o.PSID != d.PSID {
			return false
		}
		busy := (o.State == notify.Sending || o.State == notify.Settling) && rank(o) <= rank(d)
		return busy || o.State == notify.Pending && m.before(o, d) < 0
	})
}

func (m *model) claim(r *rapid.T) {
	page, room := m.page(r), notify.Room{All: rapid.IntRange(0, 4).Draw(r, "all"), Alerts: rapid.IntRange(0, 4).Draw(r, "alerts")}
	var due []*notify.Delivery
	for _, d := range m.rows {
		if d.Page == page && m.claimable(d) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, m.before)
	people, left := map[identity.PSID]bool{}, room
	due = slices.DeleteFunc(due, func(d *notify.Delivery) bool {
		if people[d.PSID] || left.All == 0 || !d.Urgent && left.Alerts == 0 {
			return true
		}
		people[d.PSID] = true
		left.All--
		if !d.Urgent {
			left.Alerts--
		}
		return false
	})

	claims := must(m.b.Claim(r.Context(), page, room, m.now, lease))(r)
	same(r, "claimed", names(claims, func(c notify.Claim) string { return c.Alert.ID }),
		names(due, func(d *notify.Delivery) string { return d.Alert.ID }))
	for i, d := range due {
		c := claims[i]
		want := notify.Claim{Delivery: m.taken(d, c.Lease, ""), LastAction: m.windows[person{d.Page, d.PSID}]}
		followers := m.followers(d)
		same(r, "in the digest", len(c.Also), len(followers))
		for k, f := range followers {
			want.Also = append(want.Also, m.taken(f, c.Also[k].Lease, d.Alert.ID))
		}
		same(r, "claim", c, want)
	}
}

// taken claims a row of the model.
func (m *model) taken(d *notify.Delivery, lease64 uint64, leader string) notify.Delivery {
	d.State, d.Claimed, d.NextAt, d.Lease, d.Leader = notify.Sending, m.now, m.now.Add(lease), lease64, leader
	d.Attempts++
	m.claims = append(m.claims, notify.Outcome{ID: d.Alert.ID, Lease: lease64})
	return *d
}

// followers are what goes out in the digest of a row.
func (m *model) followers(d *notify.Delivery) []*notify.Delivery {
	var list []*notify.Delivery
	for _, o := range m.rows {
		same := o != d && o.Page == d.Page && o.PSID == d.PSID && d.Away && !d.Urgent
		if same && o.State == notify.Pending && o.Away && !o.Urgent && !o.NextAt.After(m.now) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, m.before)
	return list
}

func (m *model) settle(r *rapid.T) {
	if len(m.claims) == 0 {
		r.Skip("nothing was claimed")
	}
	o := rapid.SampledFrom(m.claims).Draw(r, "claim")
	o.State = rapid.SampledFrom([]notify.State{notify.Sent, notify.Pending, notify.Held, notify.Failed, notify.Settling, notify.Expired}).Draw(r, "state")
	o.Route = notify.RouteWindow
	switch o.State {
	case notify.Sent:
		o.SentAt, o.MessageID = m.now, "m_"+o.ID
	case notify.Pending, notify.Settling:
		o.Reason, o.NextAt = notify.ReasonTemporary, m.now.Add(m.seconds(r, "next", 0, 60))
	case notify.Held:
		o.Reason = rapid.SampledFrom([]notify.Reason{notify.ReasonNoToken, notify.ReasonUnreachable}).Draw(r, "reason")
		if rapid.Bool().Draw(r, "for a time") {
			o.NextAt = m.now.Add(m.seconds(r, "next", 0, 60))
		}
	}
	o.Apart = o.State == notify.Pending && rapid.Bool().Draw(r, "apart")
	ok(r, m.b.Settle(r.Context(), []notify.Outcome{o}))
	d := m.row(o.ID)
	if d.Lease != o.Lease {
		return
	}
	if d.State == notify.Sent && o.State == notify.Sent {
		d.Route = o.Route // an echo does not know it
	}
	judged := d.State == notify.Pending || d.State == notify.Unknown
	if d.State != notify.Sending && d.State != notify.Settling && !(judged && o.State == notify.Sent) {
		return
	}
	if d.State == notify.Sending || d.State == notify.Settling {
		d.Away = d.Away && !o.Apart
	}
	d.State, d.Route, d.Reason, d.Detail, d.NextAt, d.SentAt, d.MessageID = o.State, o.Route, o.Reason, o.Detail, o.NextAt, o.SentAt, o.MessageID
}

func (m *model) row(id string) *notify.Delivery {
	i := slices.IndexFunc(m.rows, func(d *notify.Delivery) bool { return d.Alert.ID == id })
	if i < 0 {
		return nil
	}
	return m.rows[i]
}

const grace = 20 * time.Second

func (m *model) abandon(r *rapid.T) {
	n := 0
	for _, d := range m.rows {
		if d.State == notify.Sending && !d.NextAt.After(m.now) {
			d.State, d.Reason, d.NextAt = notify.Settling, notify.ReasonAmbiguous, m.now.Add(grace)
			n++
		}
	}
	same(r, "abandoned", must(m.b.Abandon(r.Context(), m.now, grace))(r), n)
}

func (m *model) judge(r *rapid.T) {
	want := [2]int{}
	for _, d := range m.rows {
		switch {
		case d.State != notify.Settling || d.NextAt.After(m.now):
		case m.echoed[d.Page].After(d.Claimed):
			d.State, d.NextAt = notify.Pending, m.now
			want[0]++
		default:
			d.State, d.NextAt = notify.Unknown, time.Time{}
			want[1]++
		}
	}
	again, unknown, err := m.b.Judge(r.Context(), m.now)
	ok(r, err)
	same(r, "judged", [2]int{again, unknown}, want)
}

func (m *model) release(r *rapid.T) {
	page, reason := m.page(r), rapid.SampledFrom([]notify.Reason{notify.ReasonNoToken, notify.ReasonNoContact}).Draw(r, "reason")
	n := 0
	for _, d := range m.rows {
		if d.Page == page && d.State == notify.Held && d.Reason == reason {
			d.State, d.NextAt = notify.Pending, m.now
			n++
		}
	}
	m.storeClock()
	same(r, "released", must(m.b.Release(r.Context(), page, reason))(r), n)
}

// receive tells the store an event, and perhaps tells it again.
func (m *model) receive(r *rapid.T, e notify.ThreadEvent) {
	m.events++
	e.Key = fmt.Sprint(m.pages[0], "/", m.events)
	m.storeClock()
	for fresh := 1; fresh >= 0; fresh-- {
		same(r, "fresh", must(m.b.Receive(r.Context(), []notify.ThreadEvent{e}))(r).Fresh, fresh)
		if rapid.Bool().Draw(r, "told once") {
			return
		}
	}
}

func (m *model) act(r *rapid.T) {
	who := person{m.page(r), m.psid(r)}
	at := m.now.Add(-m.seconds(r, "age", 0, 30))
	m.receive(r, notify.ThreadEvent{Page: who.page, PSID: who.psid, Time: at, Kind: notify.ThreadAction})
	if at.After(m.windows[who]) {
		m.windows[who] = at
	}
	for _, d := range m.rows {
		if d.Page == who.page && d.PSID == who.psid && d.State == notify.Held {
			d.State, d.Away, d.NextAt = notify.Pending, true, m.now
		}
	}
}

func (m *model) echo(r *rapid.T) {
	if len(m.claims) == 0 {
		r.Skip("nothing was claimed")
	}
	d := m.row(rapid.SampledFrom(m.claims).Draw(r, "claim").ID)
	at := m.now.Add(-m.seconds(r, "age", 0, 5))
	m.receive(r, notify.ThreadEvent{Page: d.Page, PSID: d.PSID, Time: at, Kind: notify.ThreadEcho, Delivery: d.Alert.ID, MessageID: "e_" + d.Alert.ID})
	if d.Claimed.After(m.echoed[d.Page]) {
		m.echoed[d.Page] = d.Claimed
	}
	for _, f := range m.rows {
		if f.Leader == d.Alert.ID && f.Page == d.Page && f.State != notify.Sent {
			settleByEcho(f, at, "e_"+d.Alert.ID)
		}
	}
	switch {
	case d.State != notify.Sent:
		settleByEcho(d, at, "e_"+d.Alert.ID)
	case d.SentAt.After(at):
		d.SentAt = at
	}
}

func settleByEcho(d *notify.Delivery, at time.Time, mid string) {
	d.State, d.Reason, d.Detail, d.NextAt = notify.Sent, notify.ReasonNone, "", time.Time{}
	d.SentAt, d.MessageID = at, mid
}

// compare looks at every row.
func (m *model) compare(r *rapid.T) {
	records := must(m.b.Deliveries(r.Context(), store.Query{Tenant: "acme", Vehicle: m.vehicle(), Limit: len(m.rows) + 1}))(r)
	same(r, "number of deliveries", len(records), len(m.rows))
	for i, d := range m.rows {
		same(r, "delivery", records[len(records)-1-i].Delivery, *d) // the newest comes first
	}
}

// look compares when the pages are due.
func (m *model) look(r *rapid.T) {
	want, got := map[identity.PageID]time.Time{}, map[identity.PageID]time.Time{}
	for _, d := range m.rows {
		waits := d.State == notify.Pending || d.State == notify.Held && !d.NextAt.IsZero()
		if at, known := want[d.Page]; waits && (!known || d.NextAt.Before(at)) {
			want[d.Page] = d.NextAt
		}
	}
	for _, p := range must(m.b.Pages(r.Context()))(r) {
		got[p.Page] = p.Due
	}
	same(r, "due pages", got, want)
}

// finish leaves nothing that concerns a later history: nothing to abandon, to judge or to claim.
func (m *model) finish(r *rapid.T) {
	m.now = m.now.Add(time.Hour)
	m.abandon(r)
	m.now = m.now.Add(time.Hour)
	m.judge(r)
	m.compare(r)
	m.look(r)
	for _, page := range m.pages {
		for m.sendAll(r, page) > 0 {
		}
	}
	same(r, "pages left", must(m.b.Pages(r.Context()))(r), nil)
}

// sendAll sends the next delivery of each person on a page.
func (m *model) sendAll(r *rapid.T, page identity.PageID) int {
	claims := must(m.b.Claim(r.Context(), page, notify.AnyRoom(10), m.now, lease))(r)
	var outcomes []notify.Outcome
	for _, c := range claims {
		for _, d := range append([]notify.Delivery{c.Delivery}, c.Also...) {
			outcomes = append(outcomes, notify.Outcome{ID: d.Alert.ID, Lease: d.Lease, State: notify.Sent})
		}
	}
	ok(r, m.b.Settle(r.Context(), outcomes))
	return len(claims)
}

var _ store.Store = (*bench)(nil)
