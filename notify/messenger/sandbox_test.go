package messenger_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/notify"
	"outrider/notify/messenger"
	"outrider/notify/notifytest"
	sandbox "outrider/simulator/graph"
)

// whole is everything between the outbox and a person's phone, in a synctest bubble: dispatcher, client, keeper
// and webhook on our side, the sandbox with its rules on Meta's.
type whole struct {
	*testing.T
	meta   *sandbox.Sandbox
	outbox *notifytest.Outbox
	d      *notify.Dispatcher
}

func newWhole(t *testing.T, o sandbox.Options) *whole {
	t.Helper()
	w := &whole{T: t, outbox: notifytest.NewOutbox(time.Now)}
	directory := pages()
	hook := &http.ServeMux{}
	o.WebhookURL, o.Client = "http://gateway.test/webhook/messenger", &http.Client{Transport: handler{hook}}
	w.meta = newSandbox(t, o)
	g, err := graph.New(graph.Options{URL: "http://graph.test", Version: "v26.0", AppSecret: identity.NewToken(appSecret),
		HTTP: &http.Client{Transport: w.meta.Transport()}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := messenger.NewTemplateKeeper(messenger.TemplateKeeperOptions{Graph: g, Directory: directory,
		Templates: w.outbox, Outbox: w.outbox, Now: time.Now, Wake: func(p identity.PageID) { w.d.Wake(p) }})
	if err != nil {
		t.Fatal(err)
	}
	w.d, err = notify.NewDispatcher(notify.DispatcherOptions{Outbox: w.outbox, Templates: w.outbox, Directory: directory,
		Sender: messenger.NewClient(g, directory), Now: time.Now, NeedTemplates: keeper.Need, MaxAttempts: 20})
	if err != nil {
		t.Fatal(err)
	}
	hook.Handle("/webhook/messenger", messenger.NewWebhook(messenger.WebhookOptions{
		VerifyToken: identity.NewToken(w.meta.VerifyToken()), AppSecret: identity.NewToken(w.meta.AppSecret()),
		Inbox: w.outbox, Wake: w.d.Wake, Now: time.Now}))
	if err := w.meta.VerifyWebhook(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(keeper.Stop(context.Background()), w.d.Stop(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *whole) person(psid string) {
	w.Helper()
	if err := w.meta.AddPerson("111", psid, "Anna"); err != nil {
		w.Fatal(err)
	}
}

// alert puts an alert about a vehicle that entered the depot now, and returns its id.
func (w *whole) alert(n int, psid string) string {
	id := notify.AlertID(fmt.Sprint("event ", n), "anna")
	w.outbox.Put(notify.Delivery{Page: "111", PSID: identity.PSID(psid), State: notify.Pending, NextAt: time.Now(),
		Created: time.Now(), Alert: notify.Alert{ID: id, Kind: notify.Enter, At: time.Now(), Received: time.Now(),
			Vehicle: "van-12", VehicleName: "Ван 12", FenceName: "Depot Nörd", TimeZone: "Europe/Berlin", MaxAge: 24 * time.Hour}})
	w.d.Wake("111")
	return id
}

func (w *whole) want(id string, state notify.State, route notify.Route) {
	w.Helper()
	if d := w.outbox.Delivery(id); d.State != state || d.Route != route {
		w.Errorf("%s %s %s, want %s %s (%s)", d.State, d.Route, d.Reason, state, route, d.Detail)
	}
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// The first alert finds no window and no template; the page gets one; the tap on its button opens the window;
// the next alert is a free message.
func TestFromNothingToTheOpenWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWhole(t, sandbox.Options{ApproveAfter: 10 * time.Second})
		w.person("7001")
		first := w.alert(1, "7001")
		synctest.Wait()
		w.want(first, notify.Held, notify.RouteHold)
		pass(15 * time.Second)
		w.want(first, notify.Sent, notify.RouteUtility)
		m := w.meta.Messages()[0]
		if m.Text != "Your vehicle Ван 12 entered the area Depot Nörd at 01:00. Tap a button below to ask where it is now, or to mute these alerts." ||
			m.Metadata != first || m.InWindow || m.Buttons[0].Payload != "WHERE:van-12" {
			t.Errorf("message %+v", m)
		}
		if d := w.outbox.Delivery(first); d.Delivered.IsZero() {
			t.Error("Meta's delivery mark is missing")
		}
		if err := w.meta.Tap("111", "7001", "WHERE:van-12"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		second := w.alert(2, "7001")
		synctest.Wait()
		w.want(second, notify.Sent, notify.RouteWindow)
		if m := w.meta.Messages()[1]; m.Text != "Ван 12 entered Depot Nörd at 01:00." || m.Type != "UPDATE" || !m.InWindow {
			t.Errorf("message %+v", m)
		}
	})
}

// We believe the window open, Meta's clock says otherwise: utility at once.
func TestMetasClockDecides(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWhole(t, sandbox.Options{})
		w.person("7001")
		if _, err := w.meta.Say("111", "7001", "hi"); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if err := w.meta.Forget("111", "7001"); err != nil {
			t.Fatal(err)
		}
		id := w.alert(1, "7001")
		pass(10 * time.Second)
		w.want(id, notify.Sent, notify.RouteUtility)
		if n := len(w.meta.Refusals()); n != 1 {
			t.Errorf("%d refusals, want the one that told", n)
		}
	})
}

// Lost answers, refusals, throttling, doubled, overtaken and oddly written webhooks: everyone gets every message
// once.
func TestNothingLostNothingDoubled(t *testing.T) {
	t.Parallel()
	const people, alerts = 40, 400
	synctest.Test(t, func(t *testing.T) {
		w := newWhole(t, sandbox.Options{Seed: 7, Faults: sandbox.Faults{LostAnswer: 0.15, Transient: 0.1, Throttled: 0.02,
			Duplicate: 0.3, Reorder: 0.3, Seconds: 0.3, NumericIDs: 0.3, Latency: 30 * time.Millisecond, EchoDelay: 200 * time.Millisecond}})
		for p := range people {
			psid := fmt.Sprint(7000 + p)
			w.person(psid)
			if p%2 == 0 {
				if _, err := w.meta.Say("111", psid, "hi"); err != nil {
					t.Fatal(err)
				}
			}
		}
		pass(5 * time.Second)
		ids := map[string]bool{}
		for n := range alerts {
			ids[w.alert(n, fmt.Sprint(7000+n%people))] = true
			time.Sleep(50 * time.Millisecond)
		}
		pass(6 * time.Hour)
		got := map[string]int{}
		for _, m := range w.meta.Messages() {
			got[m.Metadata]++
		}
		for id := range ids {
			if d := w.outbox.Delivery(id); d.State != notify.Sent || got[id] != 1 {
				t.Errorf("%s: %s %s, arrived %d times (%s)", id, d.State, d.Reason, got[id], d.Detail)
			}
		}
		if len(got) != alerts {
			t.Errorf("%d messages arrived, want %d", len(got), alerts)
		}
		if n := len(w.meta.Refusals()); n < alerts/20 {
			t.Errorf("%d refusals: the sandbox was too kind for this test to mean something", n)
		}
	})
}

// The page's token dies and is renewed: nothing is lost, and the reason is visible meanwhile.
func TestDeadTokenIsVisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWhole(t, sandbox.Options{})
		w.person("7001")
		if _, err := w.meta.Say("111", "7001", "hi"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		w.meta.RevokeToken(pageToken, 460)
		id := w.alert(1, "7001")
		pass(time.Minute)
		if d := w.outbox.Delivery(id); d.State != notify.Held || d.Reason != notify.ReasonTokenInvalid || d.Detail == "" {
			t.Errorf("%s %s %q", d.State, d.Reason, d.Detail)
		}
		w.meta.RestoreToken(pageToken)
		w.d.PageChanged("111")
		synctest.Wait()
		w.want(id, notify.Sent, notify.RouteWindow)
	})
}
