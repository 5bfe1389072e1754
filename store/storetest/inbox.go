package storetest

import (
	"fmt"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
)

var inboxTests = map[string]func(*testing.T, *bench){
	"an action opens the window and never closes it":   inboxWindow,
	"an action wakes what the person's silence held":   inboxWakes,
	"an event that is told twice counts once":          inboxOnce,
	"an echo settles its delivery whatever its state":  inboxEcho,
	"an echo of a stranger or another page is nothing": inboxStranger,
	"an echo tells when Meta had the message":          inboxEchoTime,
	"marks go to the messages they mean":               inboxMarks,
	"an approved template releases what waited for it": inboxTemplate,
	"a claim knows the person's last action":           inboxClaim,
}

// receive applies one event under a key of its own.
func (b *bench) receive(t *testing.T, e notify.ThreadEvent) {
	t.Helper()
	if e.Key == "" {
		e.Key = fmt.Sprint(e.Kind, e.Page, e.PSID, e.Time.UnixMicro(), e.Delivery, e.Mids)
	}
	same(t, "fresh events", must(b.Receive(t.Context(), []notify.ThreadEvent{e}))(t).Fresh, 1)
}

func echo(t *testing.T, b *bench, page, id string, after time.Duration) {
	t.Helper()
	b.receive(t, notify.ThreadEvent{
		Page: identity.PageID(page), PSID: "u", Time: epoch.Add(after), Kind: notify.ThreadEcho, Delivery: id, MessageID: "m_" + id,
	})
}

func action(after time.Duration) notify.ThreadEvent {
	return notify.ThreadEvent{Page: "p", PSID: "u", Time: epoch.Add(after), Kind: notify.ThreadAction}
}

func inboxWindow(t *testing.T, b *bench) {
	last := func() time.Time { return must(b.LastAction(t.Context(), "p", "u"))(t) }
	same(t, "never", last(), time.Time{})
	for _, step := range []struct{ event, want time.Duration }{{0, 0}, {time.Minute, time.Minute}, {time.Second, time.Minute}} {
		b.receive(t, action(step.event))
		same(t, "last action", last(), epoch.Add(step.want))
	}
	same(t, "of another page", must(b.LastAction(t.Context(), "q", "u"))(t), time.Time{})
}

func inboxWakes(t *testing.T, b *bench) {
	hold := func(id, page, psid string, next time.Time) notify.Delivery {
		d := delivery(id, page, psid, epoch)
		d.State, d.Reason, d.NextAt = notify.Held, notify.ReasonTemplateMissing, next
		return d
	}
	queue(t, b, hold("a", "p", "u", time.Time{}), hold("b", "p", "u", epoch.Add(time.Hour)), hold("c", "p", "w", time.Time{}),
		hold("d", "q", "u", time.Time{}))
	b.clock.advance(time.Minute)
	b.receive(t, action(0))
	for id, state := range map[string]notify.State{"a": notify.Pending, "b": notify.Pending, "c": notify.Held, "d": notify.Held} {
		same(t, id, b.delivery(t, id).State, state)
	}
	same(t, "due", b.delivery(t, "a").NextAt, epoch.Add(time.Minute))
}

func inboxOnce(t *testing.T, b *bench) {
	e := action(0)
	e.Key = "k"
	same(t, "fresh", must(b.Receive(t.Context(), []notify.ThreadEvent{e, e}))(t).Fresh, 1)
	e.Time = epoch.Add(time.Hour)
	same(t, "fresh again", must(b.Receive(t.Context(), []notify.ThreadEvent{e}))(t).Fresh, 0)
	same(t, "last action", must(b.LastAction(t.Context(), "p", "u"))(t), epoch)
	same(t, "nothing", must(b.Receive(t.Context(), nil))(t).Fresh, 0)
}

func inboxEcho(t *testing.T, b *bench) {
	for i, state := range notify.States() {
		id := string(state)
		queue(t, b, delivery(id, id, "u", epoch))
		if state != notify.Pending {
			c := b.one(t, id, 0)
			if state != notify.Sending {
				b.settle(t, c, state, notify.ReasonAmbiguous, time.Minute)
			}
		}
		echo(t, b, id, id, time.Duration(i)*time.Second)
		d := b.delivery(t, id)
		same(t, id, d.State, notify.Sent)
		if state == notify.Sent {
			continue // what its receipt said stays
		}
		same(t, id+": message id", d.MessageID, "m_"+id)
		same(t, id+": sent at", d.SentAt, epoch.Add(time.Duration(i)*time.Second))
		same(t, id+": reason", d.Reason, notify.ReasonNone)
		same(t, id+": next", d.NextAt, time.Time{})
	}
	same(t, "nothing is left to do", must(b.Pages(t.Context()))(t), nil)
}

func inboxStranger(t *testing.T, b *bench) {
	queue(t, b, delivery("d", "p", "u", epoch))
	c := b.one(t, "p", 0)
	echo(t, b, "q", "d", 0)
	echo(t, b, "p", "unknown", 0)
	b.receive(t, notify.ThreadEvent{Page: "p", PSID: "u", Time: epoch, Kind: notify.ThreadEcho, MessageID: "m_human"})
	same(t, "delivery", b.delivery(t, "d"), c.Delivery)
}

// inboxEchoTime: our receipt comes later than Meta's own time of the message, and marks compare with Meta's.
func inboxEchoTime(t *testing.T, b *bench) {
	queue(t, b, delivery("d", "p", "u", epoch))
	c := b.one(t, "p", 0)
	ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: "d", Lease: c.Lease, State: notify.Sent, SentAt: epoch.Add(300 * time.Millisecond), MessageID: "m_receipt"}}))
	echo(t, b, "p", "d", 100*time.Millisecond)
	d := b.delivery(t, "d")
	same(t, "sent at", d.SentAt, epoch.Add(100*time.Millisecond))
	same(t, "message id", d.MessageID, "m_receipt")
	b.receive(t, notify.ThreadEvent{Page: "p", PSID: "u", Time: epoch.Add(time.Second), Kind: notify.ThreadRead, Watermark: epoch.Add(200 * time.Millisecond)})
	same(t, "read", b.delivery(t, "d").Read, epoch.Add(time.Second))
}

func inboxMarks(t *testing.T, b *bench) {
	for i, id := range []string{"1", "2", "3"} {
		queue(t, b, delivery(id, "p", "u", epoch))
		c := b.one(t, "p", 0)
		sent := epoch.Add(time.Duration(i) * time.Second)
		ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: id, Lease: c.Lease, State: notify.Sent, SentAt: sent, MessageID: "m_" + id}}))
	}
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	mark := func(kind notify.ThreadKind, s int, watermark time.Time, mids ...string) {
		b.receive(t, notify.ThreadEvent{Page: "p", PSID: "u", Time: at(s), Kind: kind, Watermark: watermark, Mids: mids})
	}
	none := time.Time{}
	check := func(what string, want map[string][2]time.Time) {
		t.Helper()
		for id, marks := range want {
			d := b.delivery(t, id)
			same(t, what+": "+id, [2]time.Time{d.Delivered, d.Read}, marks)
		}
	}
	mark(notify.ThreadDelivered, 10, none, "m_2")
	check("delivered by id", map[string][2]time.Time{"1": {none, none}, "2": {at(10), none}, "3": {none, none}})
	mark(notify.ThreadRead, 11, at(1))
	check("read by watermark", map[string][2]time.Time{"1": {at(11), at(11)}, "2": {at(10), at(11)}, "3": {none, none}})
	mark(notify.ThreadRead, 12, at(2))
	check("read by a later one", map[string][2]time.Time{"1": {at(11), at(11)}, "2": {at(10), at(11)}, "3": {at(12), at(12)}})
	b.receive(t, notify.ThreadEvent{Page: "p", PSID: "w", Time: at(13), Kind: notify.ThreadRead, Watermark: at(99)})
	check("read by somebody else", map[string][2]time.Time{"3": {at(12), at(12)}})
}

func inboxTemplate(t *testing.T, b *bench) {
	var all []notify.Delivery
	reasons := []notify.Reason{notify.ReasonTemplateMissing, notify.ReasonTemplatePending, notify.ReasonTemplateRejected, notify.ReasonUnreachable}
	for _, r := range reasons {
		d := delivery(string(r), "p", string(r), epoch)
		d.State, d.Reason, d.NextAt = notify.Held, r, time.Time{}
		all = append(all, d)
	}
	queue(t, b, all...)
	x := notify.Template{Page: "p", Name: "enter", Language: "en", ID: "1", Status: notify.TemplatePending, Params: 2, Checked: epoch}
	ok(t, b.PutTemplate(t.Context(), x))
	x.Params = 0 // a webhook knows no shape
	event := notify.ThreadEvent{Key: "1", Page: "p", Time: epoch, Kind: notify.ThreadTemplate, Template: x}
	b.receive(t, event)
	same(t, "held while pending", b.delivery(t, string(notify.ReasonTemplateMissing)).State, notify.Held)
	event.Key, event.Template.Status = "2", notify.TemplateApproved
	b.receive(t, event)
	for _, r := range reasons {
		want := notify.Pending
		if r == notify.ReasonUnreachable {
			want = notify.Held
		}
		same(t, string(r), b.delivery(t, string(r)).State, want)
	}
	unknown := notify.Template{Page: "p", Name: "outrider_exit_v2", Language: "en", Status: notify.TemplatePending, Checked: epoch}
	b.receive(t, notify.ThreadEvent{Key: "3", Page: "p", Time: epoch, Kind: notify.ThreadTemplate, Template: unknown})
	event.Template.Params = 2
	unknown.Params, unknown.Buttons = 3, 3
	same(t, "templates", must(b.Templates(t.Context(), "p"))(t), []notify.Template{event.Template, unknown})
}

func inboxClaim(t *testing.T, b *bench) {
	queue(t, b, delivery("d", "p", "u", epoch), delivery("e", "q", "u", epoch))
	b.receive(t, action(time.Second))
	same(t, "of the page", b.one(t, "p", 0).LastAction, epoch.Add(time.Second))
	same(t, "of another page", b.one(t, "q", 0).LastAction, time.Time{})
}
