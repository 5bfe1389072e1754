package notifytest

import (
	"context"
	"slices"
	"sync"
	"time"

	"outrider/identity"
	"outrider/notify"
)

// Outbox is a notify.Outbox, Inbox and Templates in memory. It is safe for many goroutines.
type Outbox struct {
	now func() time.Time

	mu        sync.Mutex // guards everything below
	rows      []*notify.Delivery
	lease     uint64
	actions   map[thread]time.Time
	seen      map[string]bool
	echoed    map[identity.PageID]time.Time // newest claim that was echoed
	templates []notify.Template
	traces    map[string][]notify.Try
	fail      error
}

type thread struct {
	page identity.PageID
	psid identity.PSID
}

var (
	_ notify.Outbox    = (*Outbox)(nil)
	_ notify.Enqueuer  = (*Outbox)(nil)
	_ notify.Inbox     = (*Outbox)(nil)
	_ notify.Templates = (*Outbox)(nil)
)

// NewOutbox returns an empty outbox.
func NewOutbox(now func() time.Time) *Outbox {
	return &Outbox{now: now, actions: map[thread]time.Time{}, seen: map[string]bool{},
		echoed: map[identity.PageID]time.Time{}, traces: map[string][]notify.Try{}}
}

// Put adds deliveries as a lane's commit does: known ids are ignored.
func (o *Outbox) Put(deliveries ...notify.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range deliveries {
		if o.row(d.Alert.ID) == nil {
			o.rows = append(o.rows, &d)
		}
	}
}

// Act records that a person opened the window, as a webhook would.
func (o *Outbox) Act(page identity.PageID, psid identity.PSID, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.act(thread{page, psid}, at)
}

// Fail makes every method return err until it is called with nil.
func (o *Outbox) Fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = err
}

// Delivery returns a delivery as it stands now; the zero Delivery if there is none.
func (o *Outbox) Delivery(id string) notify.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := o.row(id); d != nil {
		return *d
	}
	return notify.Delivery{}
}

// Deliveries returns all deliveries in the order in which they were put.
func (o *Outbox) Deliveries() []notify.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []notify.Delivery
	for _, d := range o.rows {
		all = append(all, *d)
	}
	return all
}

// Claim implements notify.Outbox.
func (o *Outbox) Claim(_ context.Context, page identity.PageID, room notify.Room, now time.Time, lease time.Duration) ([]notify.Claim, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return nil, o.fail
	}
	var claims []notify.Claim
	busy := map[identity.PSID]bool{}    // for alerts
	answers := map[identity.PSID]bool{} // for answers
	for _, d := range o.ofPage(page, notify.Sending, notify.Settling) {
		busy[d.PSID] = true
		answers[d.PSID] = answers[d.PSID] || d.Urgent
	}
	for _, d := range o.ofPage(page, notify.Pending, notify.Held) {
		due := !d.NextAt.After(now) && (d.State == notify.Pending || !d.NextAt.IsZero())
		free := !busy[d.PSID] || d.Urgent && !answers[d.PSID]
		if due && free && room.All > 0 && (d.Urgent || room.Alerts > 0) {
			room.All--
			if !d.Urgent {
				room.Alerts--
			}
			claims = append(claims, o.take(d, now, lease))
			busy[d.PSID], answers[d.PSID] = true, answers[d.PSID] || d.Urgent
		}
		if d.State == notify.Pending {
			busy[d.PSID] = true // whoever comes later waits for this one
			answers[d.PSID] = answers[d.PSID] || d.Urgent
		}
	}
	return claims, nil
}

// take claims a delivery, and what goes out in its digest.
func (o *Outbox) take(d *notify.Delivery, now time.Time, lease time.Duration) notify.Claim {
	one := func(d *notify.Delivery, leader string) notify.Delivery {
		o.lease++
		d.State, d.Lease, d.NextAt, d.Claimed, d.Leader = notify.Sending, o.lease, now.Add(lease), now, leader
		d.Attempts++
		return *d
	}
	c := notify.Claim{Delivery: one(d, ""), LastAction: o.actions[thread{d.Page, d.PSID}]}
	if !d.Away || d.Urgent {
		return c
	}
	for _, other := range o.ofPage(d.Page, notify.Pending) {
		if other.PSID == d.PSID && other.Away && !other.Urgent && !other.NextAt.After(now) && len(c.Also) < notify.DigestMost {
			c.Also = append(c.Also, one(other, d.Alert.ID))
		}
	}
	return c
}

// Enqueue implements notify.Enqueuer.
func (o *Outbox) Enqueue(_ context.Context, deliveries []notify.Delivery) error {
	if err := o.failure(); err != nil {
		return err
	}
	o.Put(deliveries...)
	return nil
}

func (o *Outbox) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fail
}

// Trace returns what was tried for a delivery.
func (o *Outbox) Trace(id string) []notify.Try {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.traces[id])
}

// Settle implements notify.Outbox.
func (o *Outbox) Settle(_ context.Context, outcomes []notify.Outcome) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	for _, out := range outcomes {
		d := o.row(out.ID)
		if d != nil && d.Lease == out.Lease {
			o.traces[out.ID] = append(o.traces[out.ID], out.Tries...)
		}
		if d != nil && d.Lease == out.Lease && d.State == notify.Sent && out.State == notify.Sent {
			d.Route = out.Route
		}
		if d == nil || d.Lease != out.Lease || !takes(d.State, out.State) {
			continue
		}
		d.State, d.Route, d.Reason, d.Detail, d.NextAt = out.State, out.Route, out.Reason, out.Detail, out.NextAt
		d.Away = d.Away && !out.Apart
		if out.State == notify.Sent {
			d.SentAt, d.MessageID = out.SentAt, out.MessageID
		}
	}
	return nil
}

// takes reports whether a row in a state takes an outcome of its own lease.
func takes(s, outcome notify.State) bool {
	judged := s == notify.Pending || s == notify.Unknown
	return s == notify.Sending || s == notify.Settling || judged && outcome == notify.Sent
}

// Pages implements notify.Outbox.
func (o *Outbox) Pages(context.Context) ([]notify.PageDue, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return nil, o.fail
	}
	due := map[identity.PageID]time.Time{}
	for _, d := range o.rows {
		waits := d.State == notify.Pending || d.State == notify.Held && !d.NextAt.IsZero()
		if at, known := due[d.Page]; waits && (!known || d.NextAt.Before(at)) {
			due[d.Page] = d.NextAt
		}
	}
	var pages []notify.PageDue
	for page, at := range due {
		pages = append(pages, notify.PageDue{Page: page, Due: at})
	}
	return pages, nil
}

// Abandon implements notify.Outbox.
func (o *Outbox) Abandon(_ context.Context, now time.Time, grace time.Duration) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return 0, o.fail
	}
	n := 0
	for _, d := range o.rows {
		if d.State == notify.Sending && !d.NextAt.After(now) {
			d.State, d.Reason, d.NextAt = notify.Settling, notify.ReasonAmbiguous, now.Add(grace)
			n++
		}
	}
	return n, nil
}

// Judge implements notify.Outbox.
func (o *Outbox) Judge(_ context.Context, now time.Time) (again, unknown int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return 0, 0, o.fail
	}
	for _, d := range o.rows {
		switch {
		case d.State != notify.Settling || d.NextAt.After(now):
		case o.echoed[d.Page].After(d.Claimed):
			d.State, d.NextAt = notify.Pending, now
			again++
		default:
			d.State, d.NextAt = notify.Unknown, time.Time{}
			unknown++
		}
	}
	return again, unknown, nil
}

// Release implements notify.Outbox.
func (o *Outbox) Release(_ context.Context, page identity.PageID, reasons ...notify.Reason) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return 0, o.fail
	}
	return o.release(page, reasons...), nil
}

// Templates implements notify.Templates.
func (o *Outbox) Templates(_ context.Context, page identity.PageID) ([]notify.Template, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return nil, o.fail
	}
	var list []notify.Template
	for _, t := range o.templates {
		if t.Page == page {
			list = append(list, t)
		}
	}
	return list, nil
}

// PutTemplate implements notify.Templates.
func (o *Outbox) PutTemplate(_ context.Context, t notify.Template) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	o.putTemplate(t)
	return nil
}

// Receive implements notify.Inbox.
//
// Links and what people said are not kept: it has no owners.
func (o *Outbox) Receive(_ context.Context, events []notify.ThreadEvent) (notify.Received, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var r notify.Received
	if o.fail != nil {
		return r, o.fail
	}
	for _, e := range events {
		if !o.seen[e.Key] {
			o.seen[e.Key] = true
			o.apply(e)
			r.Fresh++
		}
	}
	return r, nil
}

// LastAction implements notify.Inbox.
func (o *Outbox) LastAction(_ context.Context, page identity.PageID, psid identity.PSID) (time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.actions[thread{page, psid}], o.fail
}

func (o *Outbox) apply(e notify.ThreadEvent) {
	switch e.Kind {
	case notify.ThreadAction:
		o.act(thread{e.Page, e.PSID}, e.Time)
	case notify.ThreadEcho:
		if d := o.row(e.Delivery); d != nil && d.Page == e.Page {
			if d.Claimed.After(o.echoed[e.Page]) {
				o.echoed[e.Page] = d.Claimed
			}
			for _, x := range o.rows {
				if (x == d || x.Leader != "" && x.Leader == d.Alert.ID && x.Page == e.Page) && x.State != notify.Sent {
					x.State, x.Reason, x.Detail, x.NextAt = notify.Sent, notify.ReasonNone, "", time.Time{}
					x.SentAt, x.MessageID = e.Time, e.MessageID
				}
			}
		}
	case notify.ThreadDelivered, notify.ThreadRead:
		o.mark(e)
	case notify.ThreadTemplate:
		t := e.Template
		t.Params, t.Buttons = notify.ShapeOf(t.Name)
		for _, old := range o.templates {
			if old.Page == t.Page && old.Name == t.Name && old.Language == t.Language {
				t.Params, t.Buttons = old.Params, old.Buttons
			}
		}
		o.putTemplate(t)
		if e.Template.Status == notify.TemplateApproved {
			o.release(e.Page, notify.ReasonTemplateMissing, notify.ReasonTemplatePending,
				notify.ReasonTemplateRejected, notify.ReasonTemplateShape)
		}
	}
}

func (o *Outbox) act(t thread, at time.Time) {
	if at.After(o.actions[t]) {
		o.actions[t] = at
	}
	for _, d := range o.rows {
		if d.Page == t.page && d.PSID == t.psid && d.State == notify.Held {
			d.State, d.Away, d.NextAt = notify.Pending, true, o.now()
		}
	}
}

func (o *Outbox) mark(e notify.ThreadEvent) {
	for _, d := range o.rows {
		meant := slices.Contains(e.Mids, d.MessageID) || !d.SentAt.After(e.Watermark)
		if d.Page != e.Page || d.PSID != e.PSID || d.State != notify.Sent || !meant {
			continue
		}
		if d.Delivered.IsZero() {
			d.Delivered = e.Time
		}
		if e.Kind == notify.ThreadRead && d.Read.IsZero() {
			d.Read = e.Time
		}
	}
}

func (o *Outbox) release(page identity.PageID, reasons ...notify.Reason) int {
	n := 0
	for _, d := range o.rows {
		if d.Page == page && d.State == notify.Held && slices.Contains(reasons, d.Reason) {
			d.State, d.NextAt = notify.Pending, o.now()
			n++
		}
	}
	return n
}

func (o *Outbox) putTemplate(t notify.Template) {
	for i, old := range o.templates {
		if old.Page == t.Page && old.Name == t.Name && old.Language == t.Language {
			o.templates[i] = t
			return
		}
	}
	o.templates = append(o.templates, t)
}

func (o *Outbox) row(id string) *notify.Delivery {
	for _, d := range o.rows {
		if d.Alert.ID == id {
			return d
		}
	}
	return nil
}

// ofPage lists the page's rows in one of the states, answers first and then the oldest event first.
func (o *Outbox) ofPage(page identity.PageID, states ...notify.State) []*notify.Delivery {
	var rows []*notify.Delivery
	for _, d := range o.rows {
		if d.Page == page && slices.Contains(states, d.State) {
			rows = append(rows, d)
		}
	}
	slices.SortStableFunc(rows, func(a, b *notify.Delivery) int {
		if a.Urgent != b.Urgent {
			if a.Urgent {
				return -1
			}
			return 1
		}
		return a.Alert.At.Compare(b.Alert.At)
	})
	return rows
}
