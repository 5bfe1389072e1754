package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"outrider/identity"
	"outrider/journal"
	"outrider/notify"
	"outrider/store"
)

var outboxTests = map[string]func(*testing.T, *bench){
	"delivery comes back as it was put":              outboxRoundTrip,
	"a claim takes what is due, oldest event first":  outboxClaims,
	"a claim takes one delivery of a person":         outboxOnePerPerson,
	"an older pending delivery holds a newer back":   outboxOrder,
	"a claim is bounded, and of one page":            outboxBounded,
	"a settled delivery is what its outcome says":    outboxSettles,
	"an outcome is worth more than a judgement":      outboxOutcomeAfterJudgement,
	"an outcome of another lease is ignored":         outboxFences,
	"an outcome after the echo tells the route":      outboxRoute,
	"pages tell when their next delivery is due":     outboxPages,
	"a claim whose lease ended waits for its echo":   outboxAbandons,
	"later echoes of a page judge the silent":        outboxJudges,
	"a start waits for the echoes of the last run":   outboxStarts,
	"release frees what was held for a reason":       outboxReleases,
	"templates are kept by page, name and language":  outboxTemplates,
	"answers go before alerts and in their own room": outboxUrgent,
	"what was held while away goes out together":     outboxDigest,
	"a delivery keeps what was tried for it":         outboxTrace,
	"what is enqueued twice is there once":           outboxEnqueue,
}

const lease = time.Minute

func position(n uint64) journal.Position { return journal.Position(n) }

// delivery is a pending delivery of an event, due at once.
func delivery(id, page, psid string, at time.Time) notify.Delivery {
	return notify.Delivery{
		Alert: notify.Alert{
			ID: id, Event: "event of " + id, Tenant: "acme", Owner: "ann", Vehicle: "van", VehicleName: "Van", Fence: "depot",
			FenceName: "Depot", Kind: notify.Enter, At: at, Received: at, Locale: "de_DE", TimeZone: "Europe/Berlin",
			MaxAge: time.Hour,
		},
		Page: identity.PageID(page), PSID: identity.PSID(psid), State: notify.Pending, NextAt: epoch, Created: epoch,
	}
}

// queue commits deliveries.
func queue(t tester, s store.Store, deliveries ...notify.Delivery) {
	t.Helper()
	c := own(t, s, 30)
	c.Next++
	c.Deliveries = deliveries
	ok(t, s.Commit(t.Context(), c))
}

// claim claims at a time after the epoch and returns the ids.
func (b *bench) claim(t *testing.T, page string, n int, after time.Duration) []string {
	t.Helper()
	claims := must(b.Claim(t.Context(), identity.PageID(page), notify.AnyRoom(n), epoch.Add(after), lease))(t)
	return names(claims, func(c notify.Claim) string { return c.Alert.ID })
}

// one claims the only delivery that is due.
func (b *bench) one(t *testing.T, page string, after time.Duration) notify.Claim {
	t.Helper()
	claims := must(b.Claim(t.Context(), identity.PageID(page), notify.AnyRoom(10), epoch.Add(after), lease))(t)
	if len(claims) != 1 {
		t.Fatalf("claimed %d deliveries, want 1", len(claims))
	}
	return claims[0]
}

func (b *bench) delivery(t *testing.T, id string) notify.Delivery {
	t.Helper()
	return must(b.Delivery(t.Context(), "acme", id))(t).Delivery
}

// settle settles a claim to a state, to be looked at again after a time since the epoch; 0: never.
func (b *bench) settle(t *testing.T, c notify.Claim, s notify.State, reason notify.Reason, next time.Duration) {
	t.Helper()
	o := notify.Outcome{ID: c.Alert.ID, Lease: c.Lease, State: s, Reason: reason}
	if next != 0 {
		o.NextAt = epoch.Add(next)
	}
	ok(t, b.Settle(t.Context(), []notify.Outcome{o}))
}

func outboxRoundTrip(t *testing.T, b *bench) {
	want := delivery("d", "p", "u", epoch)
	want.Reason, want.Detail = notify.ReasonNoContact, "nobody to send to"
	want.State, want.NextAt = notify.Held, time.Time{}
	queue(t, b, want)
	same(t, "delivery", b.delivery(t, "d"), want)
	_, err := b.Delivery(t.Context(), "other", "d")
	wantError(t, err, store.ErrNotFound)
	_, err = b.Delivery(t.Context(), "acme", "e")
	wantError(t, err, store.ErrNotFound)
}

func outboxClaims(t *testing.T, b *bench) {
	held := delivery("held-due", "p", "u3", epoch.Add(-30*time.Second))
	held.State, held.NextAt = notify.Held, epoch.Add(time.Second)
	forever := delivery("held-forever", "p", "u4", epoch.Add(-time.Hour))
	forever.State, forever.NextAt = notify.Held, time.Time{}
	later := delivery("later", "p", "u5", epoch.Add(-time.Hour))
	later.NextAt = epoch.Add(time.Minute)
	queue(t, b, delivery("newer", "p", "u1", epoch), delivery("older", "p", "u2", epoch.Add(-time.Minute)), held, forever, later)
	now := epoch.Add(time.Second)
	claims := must(b.Claim(t.Context(), "p", notify.AnyRoom(10), now, lease))(t)
	same(t, "claimed", names(claims, func(c notify.Claim) string { return c.Alert.ID }), []string{"older", "held-due", "newer"})
	for _, c := range claims {
		if c.Lease == 0 {
			t.Fatalf("%s has no lease", c.Alert.ID)
		}
		want := b.delivery(t, c.Alert.ID)
		same(t, "claim", c.Delivery, want)
		want.State, want.Attempts, want.NextAt, want.Claimed = notify.Sending, 1, now.Add(lease), now
		same(t, "claimed delivery", c.Delivery, want)
	}
	same(t, "claimed a second time", b.claim(t, "p", 10, time.Second), nil)
}

func outboxOnePerPerson(t *testing.T, b *bench) {
	held := delivery("3", "p", "u", epoch.Add(3))
	held.State, held.NextAt = notify.Held, epoch
	second := delivery("4", "p", "u", epoch.Add(4*time.Second))
	second.State, second.NextAt = notify.Held, epoch
	queue(t, b, delivery("1", "p", "u", epoch), delivery("2", "p", "u", epoch.Add(time.Second)), held, second,
		delivery("other page", "q", "u", epoch))
	same(t, "claimed at first", b.claim(t, "p", 10, 0), []string{"1"})
	same(t, "while it is sending", b.claim(t, "p", 10, 0), nil)
	same(t, "on another page", b.claim(t, "q", 10, 0), []string{"other page"})
	ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: "1", Lease: b.delivery(t, "1").Lease, State: notify.Settling, NextAt: epoch.Add(time.Hour)}}))
	same(t, "while it is settling", b.claim(t, "p", 10, 0), nil)
}

func outboxOrder(t *testing.T, b *bench) {
	queue(t, b, delivery("old", "p", "u", epoch), delivery("new", "p", "u", epoch.Add(time.Second)))
	same(t, "claimed", b.claim(t, "p", 1, 0), []string{"old"})
	c := notify.Claim{Delivery: b.delivery(t, "old")}
	b.settle(t, c, notify.Pending, notify.ReasonTemporary, time.Minute)
	same(t, "while the older waits", b.claim(t, "p", 10, 30*time.Second), nil)
	same(t, "when the older is due", b.claim(t, "p", 10, time.Minute), []string{"old"})
	c = notify.Claim{Delivery: b.delivery(t, "old")}
	same(t, "attempts", c.Attempts, 2)
	b.settle(t, c, notify.Held, notify.ReasonUnreachable, 0)
	same(t, "when the older is held", b.claim(t, "p", 10, time.Minute), []string{"new"})
}

func outboxBounded(t *testing.T, b *bench) {
	var all []notify.Delivery
	for i := range 6 {
		all = append(all, delivery(fmt.Sprint(i), "p", fmt.Sprint(i), epoch.Add(time.Duration(i)*time.Second)))
	}
	queue(t, b, append(all, delivery("q", "q", "0", epoch))...)
	same(t, "none", b.claim(t, "p", 0, 0), nil)
	same(t, "first two", b.claim(t, "p", 2, 0), []string{"0", "1"})
	same(t, "next three", b.claim(t, "p", 3, 0), []string{"2", "3", "4"})
	same(t, "rest", b.claim(t, "p", 3, 0), []string{"5"})
	same(t, "unknown page", b.claim(t, "r", 3, 0), nil)
}

func outboxSettles(t *testing.T, b *bench) {
	for i, o := range []notify.Outcome{
		{State: notify.Sent, Route: notify.RouteWindow, SentAt: epoch.Add(time.Second), MessageID: "m_1"},
		{State: notify.Pending, Route: notify.RouteWindow, Reason: notify.ReasonTemporary, Detail: "code 2", NextAt: epoch.Add(time.Minute)},
		{State: notify.Held, Route: notify.RouteHold, Reason: notify.ReasonTemplateMissing, Detail: "no template"},
		{State: notify.Held, Reason: notify.ReasonPolicy, NextAt: epoch.Add(time.Hour)},
		{State: notify.Failed, Reason: notify.ReasonBadRequest, Detail: "code 100"},
		{State: notify.Settling, Route: notify.RouteUtility, Reason: notify.ReasonAmbiguous, NextAt: epoch.Add(time.Minute)},
		{State: notify.Expired, Reason: notify.ReasonStale},
	} {
		page := fmt.Sprint("page", i)
		queue(t, b, delivery(page, page, "u", epoch))
		c := b.one(t, page, 0)
		o.ID, o.Lease = c.Alert.ID, c.Lease
		ok(t, b.Settle(t.Context(), []notify.Outcome{o}))
		want := c.Delivery
		want.State, want.Route, want.Reason, want.Detail = o.State, o.Route, o.Reason, o.Detail
		want.NextAt, want.SentAt, want.MessageID = o.NextAt, o.SentAt, o.MessageID
		same(t, string(o.State), b.delivery(t, page), want)
	}
}

// outboxOutcomeAfterJudgement: while the store could not be written, the answers waited in memory and the leases ended.
func outboxOutcomeAfterJudgement(t *testing.T, b *bench) {
	for i, c := range []struct {
		judged    bool
		echoed    bool
		got, want notify.State
	}{
		{false, false, notify.Sent, notify.Sent},
		{false, false, notify.Failed, notify.Failed},
		{true, false, notify.Sent, notify.Sent},
		{true, false, notify.Failed, notify.Unknown},
		{true, true, notify.Sent, notify.Sent},
		{true, true, notify.Failed, notify.Pending},
	} {
		page := fmt.Sprint("page", i)
		queue(t, b, delivery(page, page, "u", epoch))
		claim := b.one(t, page, 0)
		must(b.Abandon(t.Context(), epoch.Add(lease), time.Second))(t)
		if c.echoed {
			queue(t, b, delivery(page+"later", page, "w", epoch))
			b.one(t, page, time.Second)
			echo(t, b, page, page+"later", time.Second)
		}
		if c.judged {
			_, _, err := b.Judge(t.Context(), epoch.Add(lease+time.Second))
			ok(t, err)
		}
		b.settle(t, claim, c.got, "", 0)
		same(t, page, b.delivery(t, page).State, c.want)
	}
}

func outboxFences(t *testing.T, b *bench) {
	queue(t, b, delivery("d", "p", "u", epoch))
	first := b.one(t, "p", 0)
	b.settle(t, first, notify.Pending, notify.ReasonNetwork, time.Second)
	second := b.one(t, "p", time.Second)
	if second.Lease == first.Lease {
		t.Fatal("the second claim has the lease of the first")
	}
	b.settle(t, first, notify.Sent, "", 0)
	same(t, "after an outcome of the first claim", b.delivery(t, "d"), second.Delivery)
	b.settle(t, second, notify.Failed, notify.ReasonBadRequest, 0)
	b.settle(t, second, notify.Sent, "", 0)
	same(t, "after a second outcome", b.delivery(t, "d").State, notify.Failed)
	ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: "unknown", Lease: 1, State: notify.Sent}}))
	ok(t, b.Settle(t.Context(), nil))
}

// outboxRoute: an echo often overtakes the answer. It settles the delivery, but only the sender knows the route.
func outboxRoute(t *testing.T, b *bench) {
	queue(t, b, delivery("d", "p", "u", epoch))
	c := b.one(t, "p", 0)
	echo(t, b, "p", "d", time.Second)
	want := b.delivery(t, "d")
	late := notify.Outcome{ID: "d", Lease: c.Lease, State: notify.Sent, Route: notify.RouteUtility, SentAt: epoch.Add(time.Hour), MessageID: "m_late"}
	ok(t, b.Settle(t.Context(), []notify.Outcome{late}))
	want.Route = notify.RouteUtility
	same(t, "delivery", b.delivery(t, "d"), want)
	late.State, late.Route = notify.Failed, notify.RouteTag
	ok(t, b.Settle(t.Context(), []notify.Outcome{late}))
	late.State, late.Lease = notify.Sent, c.Lease+1
	ok(t, b.Settle(t.Context(), []notify.Outcome{late}))
	same(t, "after a failure and another's outcome", b.delivery(t, "d"), want)
}

func outboxPages(t *testing.T, b *bench) {
	later := delivery("a2", "a", "u2", epoch)
	later.NextAt = epoch.Add(time.Hour)
	held := delivery("b1", "b", "u", epoch)
	held.State, held.NextAt = notify.Held, epoch.Add(time.Minute)
	forever := delivery("c1", "c", "u", epoch)
	forever.State, forever.NextAt = notify.Held, time.Time{}
	queue(t, b, delivery("a1", "a", "u", epoch), later, held, forever)
	due := map[identity.PageID]time.Time{}
	look := func() map[identity.PageID]time.Time {
		clear(due)
		for _, p := range must(b.Pages(t.Context()))(t) {
			due[p.Page] = p.Due
		}
		return due
	}
	same(t, "pages", look(), map[identity.PageID]time.Time{"a": epoch, "b": epoch.Add(time.Minute)})
	b.settle(t, b.one(t, "a", 0), notify.Sent, "", 0)
	same(t, "pages", look(), map[identity.PageID]time.Time{"a": epoch.Add(time.Hour), "b": epoch.Add(time.Minute)})
}

func outboxAbandons(t *testing.T, b *bench) {
	queue(t, b, delivery("d", "p", "u", epoch), delivery("e", "p", "w", epoch))
	same(t, "claimed", b.claim(t, "p", 1, 0), []string{"d"})
	same(t, "claimed", b.claim(t, "p", 1, time.Second), []string{"e"})
	abandon := func(after time.Duration) int {
		return must(b.Abandon(t.Context(), epoch.Add(after), 10*time.Second))(t)
	}
	same(t, "before the lease ends", abandon(lease-1000), 0)
	same(t, "when it ends", abandon(lease), 1)
	same(t, "again", abandon(lease), 0)
	d := b.delivery(t, "d")
	same(t, "state", d.State, notify.Settling)
	same(t, "reason", d.Reason, notify.ReasonAmbiguous)
	same(t, "to be judged at", d.NextAt, epoch.Add(lease+10*time.Second))
	same(t, "the other", b.delivery(t, "e").State, notify.Sending)
}

// outboxJudges has three messages whose answers were lost, claimed one after the other; the page echoes one that
// was claimed between the second and the third, and then one that was claimed before them all.
func outboxJudges(t *testing.T, b *bench) {
	ctx := t.Context()
	for i, id := range []string{"early", "first", "second", "echoed", "third"} {
		after := time.Duration(i) * time.Second
		queue(t, b, delivery(id, "p", id, epoch))
		c := b.one(t, "p", after)
		b.settle(t, c, notify.Settling, notify.ReasonAmbiguous, time.Minute+after)
	}
	queue(t, b, delivery("elsewhere", "q", "u", epoch))
	b.settle(t, b.one(t, "q", 0), notify.Settling, notify.ReasonAmbiguous, time.Minute)
	echo(t, b, "p", "echoed", time.Minute)
	echo(t, b, "p", "early", time.Minute)

	judge := func(after time.Duration) [2]int {
		again, unknown, err := b.Judge(ctx, epoch.Add(after))
		ok(t, err)
		return [2]int{again, unknown}
	}
	same(t, "too early", judge(time.Minute-1000), [2]int{0, 0})
	same(t, "elsewhere", judge(time.Minute), [2]int{0, 1})
	same(t, "the others", judge(time.Minute+10*time.Second), [2]int{2, 1})
	want := map[string]notify.State{"first": notify.Pending, "second": notify.Pending, "early": notify.Sent, "echoed": notify.Sent,
		"third": notify.Unknown, "elsewhere": notify.Unknown}
	for id, state := range want {
		same(t, id, b.delivery(t, id).State, state)
	}
	same(t, "due again", b.delivery(t, "second").NextAt, epoch.Add(time.Minute+10*time.Second))
	same(t, "claimed again", b.claim(t, "p", 10, 2*time.Minute), []string{"first", "second"})
}

// While the process was down no echo could come, so that neither a delivery that was being sent nor one whose
// answer was lost may be judged before the echoes had their time again.
func outboxStarts(t *testing.T, b *bench) {
	store := b.Store.(interface {
		AbandonAll(ctx context.Context, now time.Time, grace time.Duration) (int, error)
	})
	for _, id := range []string{"lost", "cut", "echoed"} {
		queue(t, b, delivery(id, "p", id, epoch))
		c := b.one(t, "p", time.Duration(len(id))*time.Second) // "echoed" last
		if id == "lost" {
			b.settle(t, c, notify.Settling, notify.ReasonAmbiguous, 10*time.Second)
		}
	}
	start := 30 * time.Second
	_, err := store.AbandonAll(t.Context(), epoch.Add(start), time.Minute)
	ok(t, err)
	echo(t, b, "p", "echoed", start)
	judge := func(after time.Duration) int {
		again, unknown, err := b.Judge(t.Context(), epoch.Add(after))
		ok(t, err)
		same(t, "unknown", unknown, 0)
		return again
	}
	same(t, "judged at the start", judge(start), 0)
	same(t, "judged when the echoes had their time", judge(start+time.Minute), 2)
}

func outboxReleases(t *testing.T, b *bench) {
	hold := func(id, page string, reason notify.Reason, next time.Time) notify.Delivery {
		d := delivery(id, page, id, epoch)
		d.State, d.Reason, d.NextAt = notify.Held, reason, next
		return d
	}
	queue(t, b, hold("a", "p", notify.ReasonNoToken, time.Time{}), hold("b", "p", notify.ReasonTemplateMissing, epoch.Add(time.Hour)),
		hold("c", "p", notify.ReasonUnreachable, time.Time{}), hold("d", "q", notify.ReasonNoToken, time.Time{}))
	b.clock.advance(time.Minute)
	n := must(b.Release(t.Context(), "p", notify.ReasonNoToken, notify.ReasonTemplateMissing, notify.ReasonPolicy))(t)
	same(t, "released", n, 2)
	for id, state := range map[string]notify.State{"a": notify.Pending, "b": notify.Pending, "c": notify.Held, "d": notify.Held} {
		same(t, id, b.delivery(t, id).State, state)
	}
	same(t, "due", b.delivery(t, "b").NextAt, epoch.Add(time.Minute))
	same(t, "released for no reason", must(b.Release(t.Context(), "p"))(t), 0)
}

func outboxTemplates(t *testing.T, b *bench) {
	ctx := t.Context()
	en := notify.Template{Page: "p", Name: "enter", Language: "en", ID: "1", Status: notify.TemplatePending, Checked: epoch}
	de := notify.Template{Page: "p", Name: "enter", Language: "de", ID: "2", Status: notify.TemplateRejected, Detail: "tone", Checked: epoch}
	other := notify.Template{Page: "q", Name: "enter", Language: "en", ID: "3", Status: notify.TemplateApproved, Checked: epoch}
	for _, x := range []notify.Template{en, de, other} {
		ok(t, b.PutTemplate(ctx, x))
	}
	en.Status, en.Checked = notify.TemplateApproved, epoch.Add(time.Minute)
	ok(t, b.PutTemplate(ctx, en))
	got := map[string]notify.Template{}
	for _, x := range must(b.Templates(ctx, "p"))(t) {
		got[x.Language] = x
	}
	same(t, "templates", got, map[string]notify.Template{"en": en, "de": de})
	same(t, "of an unknown page", must(b.Templates(ctx, "r"))(t), nil)
}

func outboxUrgent(t *testing.T, b *bench) {
	answer := func(id, psid string, after time.Duration) notify.Delivery {
		d := delivery(id, "p", psid, epoch.Add(after))
		d.Urgent = true
		return d
	}
	queue(t, b, delivery("alert 1", "p", "u", epoch), delivery("alert 2", "p", "v", epoch), delivery("alert 3", "p", "w", epoch))
	same(t, "alerts", b.claim(t, "p", 1, 0), []string{"alert 1"})
	queue(t, b, answer("answer 1", "u", time.Second), answer("answer 2", "u", 2*time.Second), answer("answer 3", "w", time.Second))
	room := func(all, alerts int) []string {
		claims := must(b.Claim(t.Context(), "p", notify.Room{All: all, Alerts: alerts}, epoch, lease))(t)
		return names(claims, func(c notify.Claim) string { return c.Alert.ID })
	}
	same(t, "no room for alerts: an answer passes the alert under way", room(1, 0), []string{"answer 1"})
	same(t, "one answer of a person at a time", room(5, 0), []string{"answer 3"})
	same(t, "alerts in what is left, but not those of a person who is answered", room(5, 1), []string{"alert 2"})
}

func outboxDigest(t *testing.T, b *bench) {
	hold := func(id string, after time.Duration) notify.Delivery {
		d := delivery(id, "p", "u", epoch.Add(after))
		d.State, d.Reason, d.NextAt = notify.Held, notify.ReasonTemplateMissing, epoch.Add(time.Hour)
		return d
	}
	queue(t, b, hold("2", 2*time.Second), hold("1", time.Second), hold("3", 3*time.Second))
	b.receive(t, action(time.Minute))
	queue(t, b, delivery("new", "p", "u", epoch.Add(time.Minute)))
	c := b.one(t, "p", time.Minute)
	same(t, "leader", c.Alert.ID, "1")
	same(t, "together with", names(c.Also, func(d notify.Delivery) string { return d.Alert.ID + " of " + d.Leader }), []string{"2 of 1", "3 of 1"})
	same(t, "nothing else of the person", b.claim(t, "p", 5, time.Minute), nil)
	for _, d := range c.Also {
		o := notify.Outcome{ID: d.Alert.ID, Lease: d.Lease, State: notify.Settling, NextAt: epoch.Add(time.Hour)}
		if d.Alert.ID == "3" {
			o.State, o.Apart = notify.Pending, true
		}
		ok(t, b.Settle(t.Context(), []notify.Outcome{o}))
	}
	same(t, "not in a digest any more", b.delivery(t, "3").Away, false)
	b.settle(t, c, notify.Settling, notify.ReasonAmbiguous, time.Hour)
	echo(t, b, "p", "1", time.Minute)
	for id, want := range map[string]notify.State{"1": notify.Sent, "2": notify.Sent, "3": notify.Sent, "new": notify.Pending} {
		same(t, id+" after the echo of 1", b.delivery(t, id).State, want)
	}
	same(t, "message id of all", b.delivery(t, "2").MessageID, "m_1")
}

func outboxTrace(t *testing.T, b *bench) {
	queue(t, b, delivery("d", "p", "u", epoch))
	c := b.one(t, "p", 0)
	first := notify.Try{At: epoch.UTC(), Route: notify.RouteWindow, Reason: notify.ReasonTemporary, Detail: "line\nbreak", Took: 12.5, Status: 500,
		Code: 2, Subcode: 1, Request: `{"a":1}`, Response: `{"error":{}}`}
	ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: "d", Lease: c.Lease, State: notify.Pending, NextAt: epoch, Tries: []notify.Try{first}}}))
	c = b.one(t, "p", 0)
	echo(t, b, "p", "d", 0)
	second := notify.Try{At: epoch.UTC(), Route: notify.RouteUtility, State: notify.Sent}
	ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: "d", Lease: c.Lease, State: notify.Sent, Tries: []notify.Try{second}}}))
	ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: "d", Lease: c.Lease + 1, State: notify.Sent, Tries: []notify.Try{second}}}))
	trace := must(b.Delivery(t.Context(), "acme", "d"))(t).Trace
	same(t, "entries", len(trace), 3)
	same(t, "first", trace[0], first)
	same(t, "the echo", trace[1].State, notify.Sent)
	same(t, "the late answer", trace[2], second)
}

func outboxEnqueue(t *testing.T, b *bench) {
	d := notify.NewReply("r", "acme", "p", "u", notify.Say{Text: "Here it is", Buttons: []notify.Button{{Title: "A", Payload: "B"}}}, epoch)
	ok(t, b.Enqueue(t.Context(), []notify.Delivery{d, d}))
	changed := d
	changed.PSID = "w"
	ok(t, b.Enqueue(t.Context(), []notify.Delivery{changed}))
	same(t, "delivery", b.delivery(t, "r"), d)
	same(t, "claimed", b.claim(t, "p", 5, 0), []string{"r"})
}
