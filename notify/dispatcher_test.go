package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/identity"
	"outrider/notify"
	"outrider/notify/notifytest"
)

// rig is a dispatcher over an outbox in memory and a scripted sender, inside a synctest bubble.
type rig struct {
	t         *testing.T
	outbox    *notifytest.Outbox
	sender    *notifytest.Sender
	directory *identity.Directory
	d         *notify.Dispatcher
	registry  *prometheus.Registry
	missing   []identity.PageID
}

// run starts a dispatcher in a bubble and stops it after the test.
func run(t *testing.T, change func(*notify.DispatcherOptions), test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, outbox: notifytest.NewOutbox(time.Now), sender: &notifytest.Sender{},
			directory: identity.NewDirectory(), registry: prometheus.NewRegistry()}
		r.pages("111", "222")
		o := notify.DispatcherOptions{Outbox: r.outbox, Templates: r.outbox, Sender: r.sender, Directory: r.directory,
			Now: time.Now, Registerer: r.registry, Jitter: func() float64 { return 0 },
			NeedTemplates: func(p identity.PageID, kind notify.Kind, locale string) {
				r.missing = append(r.missing, p)
			}}
		if change != nil {
			change(&o)
		}
		var err error
		if r.d, err = notify.NewDispatcher(o); err != nil {
			t.Fatal(err)
		}
		if err := r.d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(r)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.d.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}

func (r *rig) pages(ids ...identity.PageID) {
	var pages []identity.Page
	for _, id := range ids {
		pages = append(pages, identity.Page{Tenant: "acme", ID: id, AccessToken: identity.NewToken("EAAB")})
	}
	r.directory.Load(identity.Records{Pages: pages})
}

// put adds a delivery of an event that happened now; its id is also its vehicle.
func (r *rig) put(id string, page identity.PageID, psid identity.PSID) {
	r.outbox.Put(notify.Delivery{
		Alert: notify.Alert{ID: id, Kind: notify.Enter, At: time.Now(), Received: time.Now(), VehicleName: id,
			Vehicle: identity.VehicleID(id), FenceName: "Depot", MaxAge: 24 * time.Hour},
		Page: page, PSID: psid, State: notify.Pending, NextAt: time.Now(), Created: time.Now()})
	r.d.Wake(page)
}

func (r *rig) open(page identity.PageID, psid identity.PSID) {
	r.outbox.Act(page, psid, time.Now())
}

func (r *rig) approve(page identity.PageID) {
	if err := r.outbox.PutTemplate(r.t.Context(), notify.Template{Page: page, Name: "outrider_enter_v2",
		Language: "en", Status: notify.TemplateApproved, Params: 3, Buttons: 3, Checked: time.Now()}); err != nil {
		r.t.Fatal(err)
	}
}

// want compares "state route reason" of a delivery.
func (r *rig) want(id, want string) {
	r.t.Helper()
	d := r.outbox.Delivery(id)
	if got := strings.TrimSpace(fmt.Sprintf("%s %s %s", d.State, d.Route, d.Reason)); got != want {
		r.t.Errorf("%s: %q, want %q (detail %q)", id, got, want, d.Detail)
	}
}

func (r *rig) requests(want int) {
	r.t.Helper()
	if got := len(r.sender.Requests()); got != want {
		r.t.Errorf("%d requests, want %d", got, want)
	}
}

// script answers the first requests with the given errors, then lets everything pass.
func script(answers ...error) func(context.Context, notify.Message) error {
	var mu sync.Mutex
	return func(context.Context, notify.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if len(answers) == 0 {
			return nil
		}
		err := answers[0]
		answers = answers[1:]
		return err
	}
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestDispatchInsideWindow(t *testing.T) {
	t.Parallel()
	var sent []notify.Delivery
	run(t, func(o *notify.DispatcherOptions) {
		o.OnSent = func(d notify.Delivery, started time.Time) {
			if started.IsZero() {
				t.Error("no start")
			}
			sent = append(sent, d)
		}
	}, func(r *rig) {
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		synctest.Wait()
		r.want("van-1", "sent window")
		m := r.sender.Requests()[0]
		if m.Delivery != "van-1" || m.PSID != "7001" || !strings.HasPrefix(m.Text, "van-1 entered Depot at ") ||
			len(m.Buttons) != 3 || m.Buttons[0].Payload != "WHERE:van-1" || m.Buttons[1].Payload != "MUTE:van-1:3600" ||
			m.Buttons[2].Payload != "OFF:van-1:" {
			t.Errorf("message %+v", m)
		}
		if d := r.outbox.Delivery("van-1"); d.MessageID == "" || d.SentAt.IsZero() || d.Attempts != 1 {
			t.Errorf("row %+v", d)
		}
		if len(sent) != 1 || sent[0].MessageID == "" || sent[0].State != notify.Sent {
			t.Errorf("told of %+v", sent)
		}
		text := `# HELP outrider_deliveries_sent_total Messages that Graph accepted, by route.
# TYPE outrider_deliveries_sent_total counter
outrider_deliveries_sent_total{route="fallback"} 0
outrider_deliveries_sent_total{route="hold"} 0
outrider_deliveries_sent_total{route="human"} 0
outrider_deliveries_sent_total{route="tag"} 0
outrider_deliveries_sent_total{route="utility"} 0
outrider_deliveries_sent_total{route="window"} 1
`
		if err := testutil.GatherAndCompare(r.registry, strings.NewReader(text), "outrider_deliveries_sent_total"); err != nil {
			t.Error(err)
		}
	})
}

func TestDispatchOutsideWindow(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.put("van-1", "111", "7001")
		synctest.Wait()
		r.want("van-1", "held hold template_missing")
		if !slices.Equal(r.missing, []identity.PageID{"111"}) {
			t.Errorf("templates needed on %v", r.missing)
		}
		r.approve("111")
		r.outbox.Release(r.t.Context(), "111", notify.ReasonTemplateMissing)
		r.d.Wake("111")
		synctest.Wait()
		r.want("van-1", "sent utility")
		m := r.sender.Requests()[0]
		if m.Template != "outrider_enter_v2" || m.Language != "en" || len(m.Params) != 3 || m.Text != "" ||
			m.Buttons[0].Payload != "van-1" {
			t.Errorf("message %+v", m)
		}
	})
}

func TestHeldGoesOutWhenThePersonWrites(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.put("van-1", "111", "7001")
		pass(3 * time.Hour)
		r.want("van-1", "held hold template_missing")
		r.open("111", "7001")
		r.d.Wake("111")
		synctest.Wait()
		r.want("van-1", "sent window")
	})
}

func TestHeldExpiresVisibly(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.put("van-1", "111", "7001")
		r.put("lost", "", "")
		pass(24*time.Hour + 2*time.Second)
		r.want("van-1", "expired hold stale")
		r.want("lost", "expired hold stale")
		r.requests(0)
	})
}

// Each refusal and where it leads. The window is open and a template approved unless said otherwise.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what     string
		err      *notify.Error
		at       time.Duration // when to look
		want     string
		requests int
		later    time.Duration // and look again
		then     string
		in       int
	}{
		{"temporary is tried again after a second", &notify.Error{Reason: notify.ReasonTemporary, Retry: true, Code: 2},
			0, "pending window temporary", 1, 3 * time.Second, "sent window", 2},
		{"temporary by name, but Graph said that it is not", &notify.Error{Reason: notify.ReasonTemporary, Code: 2},
			0, "failed window temporary", 1, time.Hour, "failed window temporary", 1},
		{"a wait that was asked for", &notify.Error{Reason: notify.ReasonTemporary, Retry: true, After: time.Minute, Code: 2},
			58 * time.Second, "pending window temporary", 1, 4 * time.Second, "sent window", 2},
		{"no connection stops the page for a moment", &notify.Error{Reason: notify.ReasonNetwork, Retry: true, Page: true},
			0, "pending window network", 1, 3 * time.Second, "sent window", 2},
		{"throttled page waits as long as told", &notify.Error{Reason: notify.ReasonThrottled, Retry: true, Page: true, After: 10 * time.Minute, Code: 4},
			9 * time.Minute, "held window throttled", 1, 2 * time.Minute, "sent window", 2},
		{"throttled page waits a moment by itself", &notify.Error{Reason: notify.ReasonThrottled, Retry: true, Page: true, Code: 613},
			time.Second, "pending window throttled", 1, 3 * time.Second, "sent window", 2},
		{"no wait goes beyond the expiry", &notify.Error{Reason: notify.ReasonTemporary, Retry: true, After: 30 * time.Hour, Code: 2},
			23 * time.Hour, "pending window temporary", 1, 61 * time.Minute, "expired hold stale", 1},
		{"throttled thread", &notify.Error{Reason: notify.ReasonThrottled, After: 6 * time.Hour, Code: 613},
			5 * time.Hour, "held window throttled", 1, 2 * time.Hour, "sent window", 2},
		{"window closed after all: utility once, at once", &notify.Error{Reason: notify.ReasonWindowClosed, Code: 10},
			0, "sent utility", 2, time.Hour, "sent utility", 2},
		{"the page's token died", &notify.Error{Reason: notify.ReasonTokenInvalid, Page: true, Code: 190},
			29 * time.Minute, "held window token_invalid", 1, 2 * time.Minute, "sent window", 2},
		{"person cannot be reached", &notify.Error{Reason: notify.ReasonUnreachable, Code: 551},
			59 * time.Minute, "held window unreachable", 1, 2 * time.Minute, "sent window", 2},
		{"nobody there", &notify.Error{Reason: notify.ReasonNoSuchPerson, Code: 100},
			0, "held window no_such_person", 1, 59 * time.Minute, "held window no_such_person", 1},
		{"a picture that Graph cannot use: text at once", &notify.Error{Reason: notify.ReasonAttachment, Code: 100},
			time.Second, "sent window", 2, time.Hour, "sent window", 2},
		{"our mistake", &notify.Error{Reason: notify.ReasonBadRequest, Code: 100},
			0, "failed window bad_request", 1, 5 * time.Hour, "failed window bad_request", 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			run(t, nil, func(r *rig) {
				r.sender.Answer = script(c.err)
				r.open("111", "7001")
				r.approve("111")
				r.put("van-1", "111", "7001")
				pass(c.at)
				r.want("van-1", c.want)
				r.requests(c.requests)
				pass(c.later)
				r.want("van-1", c.then)
				r.requests(c.in)
			})
		})
	}
}

// Three tries within seconds, then rests of half an hour, an hour and two, then no more.
func TestGivesUpAfterMaxAttempts(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.MaxAttempts = 3 }, func(r *rig) {
		r.sender.Answer = func(context.Context, notify.Message) error {
			return &notify.Error{Reason: notify.ReasonTemporary, Retry: true, Code: 2, Text: "try later"}
		}
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		pass(20 * time.Minute)
		r.want("van-1", "held window attempts")
		r.requests(3)
		pass(90 * time.Minute)
		r.want("van-1", "held window attempts")
		r.requests(5)
		pass(3 * time.Hour)
		r.want("van-1", "failed window attempts")
		r.requests(6)
		if d := r.outbox.Delivery("van-1"); d.Detail != "graph code 2/0: try later" {
			t.Errorf("detail %q", d.Detail)
		}
	})
}

// A page whose token died must not burn the attempts of its deliveries, however long it takes.
func TestDeadTokenHoldsTheWholePage(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.MaxAttempts = 2 }, func(r *rig) {
		dead := true
		r.sender.Answer = func(context.Context, notify.Message) error {
			if dead {
				return &notify.Error{Reason: notify.ReasonTokenInvalid, Page: true, Code: 190, Subcode: 460}
			}
			return nil
		}
		for i := range 5 {
			psid := identity.PSID(fmt.Sprint(7000 + i))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
			synctest.Wait()
		}
		r.requests(1) // the others are held without asking
		for i := range 5 {
			if d := r.outbox.Delivery(fmt.Sprint("van-", i)); d.State != notify.Held || d.Reason != notify.ReasonTokenInvalid {
				t.Errorf("%s %s %s", d.Alert.ID, d.State, d.Reason)
			}
		}
		pass(12 * time.Hour)
		if n := len(r.sender.Requests()); n < 4 || n > 7 {
			t.Errorf("%d requests in 12 hours; want a single probe after 30 min, 1 h, 2 h, 4 h …", n)
		}
		dead = false
		r.d.PageChanged("111")
		synctest.Wait()
		for i := range 5 {
			r.want(fmt.Sprint("van-", i), "sent window")
		}
	})
}

// Throttled: every request under way is told so, which counts once; then a single probe asks whether it is over.
func TestOneProbeAfterAPause(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		var mu sync.Mutex
		throttled, flying, most := true, 0, 0
		r.sender.Answer = func(context.Context, notify.Message) error {
			mu.Lock()
			flying++
			most = max(most, flying)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			flying--
			if throttled {
				return &notify.Error{Reason: notify.ReasonThrottled, Retry: true, Page: true, Code: 613}
			}
			return nil
		}
		for i := range 20 {
			psid := identity.PSID(fmt.Sprint(i))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
		}
		pass(time.Second)
		first := len(r.sender.Requests())
		if first < 20 {
			t.Errorf("%d requests at first", first)
		}
		mu.Lock()
		most = 0
		mu.Unlock()
		pass(20 * time.Second) // pauses of 2, 4 and 8 s have ended
		if n := len(r.sender.Requests()) - first; n != 3 || most != 1 {
			t.Errorf("%d probes, %d at a time; want 3 alone", n, most)
		}
		mu.Lock()
		throttled = false
		mu.Unlock()
		pass(20 * time.Second)
		if n := len(r.sender.Sent()); n != 20 {
			t.Errorf("%d sent in the end", n)
		}
	})
}

// The probe meets a person who is away, as do some others: Graph serves the page again, so nobody else waits.
func TestAnyAnswerToAProbeEndsThePause(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		away := &notify.Error{Reason: notify.ReasonUnreachable, Code: 551}
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonPolicy, Page: true, Code: 368}, away, away, away, away)
		r.open("111", "0")
		r.put("first", "111", "0")
		pass(time.Second)
		for i := 1; i < 10; i++ {
			psid := identity.PSID(fmt.Sprint(i))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
		}
		r.sender.Answer = slowly(r.sender.Answer)
		pass(29 * time.Minute)
		r.requests(1)
		pass(time.Minute + 3*time.Second) // the probe takes one second, the others one together
		if n := len(r.sender.Sent()); n != 6 {
			t.Errorf("%d sent, want all but the four who are away", n)
		}
	})
}

// slowly makes each answer take a second.
func slowly(answer func(context.Context, notify.Message) error) func(context.Context, notify.Message) error {
	return func(ctx context.Context, m notify.Message) error {
		time.Sleep(time.Second)
		return answer(ctx, m)
	}
}

// A success that was under way when the page was stopped says nothing about the page now.
func TestOldSuccessEndsNoPause(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(_ context.Context, m notify.Message) error {
			if m.Delivery == "slow" {
				time.Sleep(5 * time.Second)
				return nil
			}
			return &notify.Error{Reason: notify.ReasonPolicy, Page: true, Code: 368}
		}
		for i, id := range []string{"slow", "stopped", "later"} {
			psid := identity.PSID(fmt.Sprint(i))
			r.open("111", psid)
			r.put(id, "111", psid)
			pass(3 * time.Second)
		}
		pass(10 * time.Second)
		r.want("slow", "sent window")
		r.want("stopped", "held window policy")
		r.want("later", "held hold policy")
		r.requests(2)
	})
}

// Who cannot be reached is left alone, longer each time, until they act or a message gets through.
func TestUnreachablePerson(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		away := true
		r.sender.Answer = func(context.Context, notify.Message) error {
			if away {
				return &notify.Error{Reason: notify.ReasonUnreachable, Code: 551}
			}
			return nil
		}
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		synctest.Wait()
		r.put("van-2", "111", "7001")
		synctest.Wait()
		r.want("van-2", "held hold unreachable")
		r.requests(1)
		pass(3*time.Hour + 10*time.Second) // asked again after 1 h, and 2 h later
		r.requests(3)

		pass(time.Minute)
		away = false
		r.open("111", "7001")
		r.d.Wake("111")
		synctest.Wait()
		r.want("van-1", "sent window")
		r.want("van-2", "sent window")

		away = true
		asked := len(r.sender.Requests())
		r.put("van-3", "111", "7001")
		pass(time.Hour + 10*time.Second) // the first hour again, not the third
		r.requests(asked + 2)
	})
}

// More is claimed than the rate lets out within the lease: what remains goes back, and nothing is sent that may
// be another's by then.
func TestNothingIsSentAfterTheLease(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.Rate, o.Lease = 1, 10*time.Second }, func(r *rig) {
		for i := range 30 {
			psid := identity.PSID(fmt.Sprint(i))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
		}
		pass(2 * time.Minute)
		for i := range 30 {
			r.want(fmt.Sprint("van-", i), "sent window")
		}
		r.requests(30)
	})
}

// lateOutbox calls after once when a claim finds nothing, before the lane knows.
type lateOutbox struct {
	*notifytest.Outbox
	after func()
}

func (o *lateOutbox) Claim(ctx context.Context, page identity.PageID, room notify.Room, now time.Time, lease time.Duration) ([]notify.Claim, error) {
	claims, err := o.Outbox.Claim(ctx, page, room, now, lease)
	if after := o.after; after != nil && len(claims) == 0 {
		o.after = nil
		after()
	}
	return claims, err
}

func TestWakeWhileTheLaneRetires(t *testing.T) {
	t.Parallel()
	late := &lateOutbox{}
	run(t, func(o *notify.DispatcherOptions) {
		late.Outbox = o.Outbox.(*notifytest.Outbox)
		o.Outbox, o.Tick = late, time.Hour
	}, func(r *rig) {
		synctest.Wait()
		r.open("111", "7001")
		late.after = func() { r.put("van-1", "111", "7001") }
		r.d.Wake("111")
		synctest.Wait()
		r.want("van-1", "sent window")
	})
}

func TestUnknownPageAndMissingToken(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.directory.Load(identity.Records{Pages: []identity.Page{{Tenant: "acme", ID: "222"}}})
		r.open("111", "7001")
		r.open("222", "8001")
		r.put("van-1", "111", "7001")
		r.put("van-2", "222", "8001")
		synctest.Wait()
		r.want("van-1", "held hold unknown_page")
		r.want("van-2", "held hold no_token")
		r.pages("111", "222")
		r.d.PageChanged("111")
		r.d.PageChanged("222")
		synctest.Wait()
		r.want("van-1", "sent window")
		r.want("van-2", "sent window")
	})
}

// The request under way when a page gets its new token still has the old one: its refusal says nothing of the new.
func TestARefusalOfTheOldTokenStopsNothing(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		dead := &notify.Error{Reason: notify.ReasonTokenInvalid, Page: true, Code: 190}
		r.sender.Answer = slowly(script(dead))
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		pass(time.Millisecond)
		r.want("van-1", "sending")
		r.d.PageChanged("111")
		pass(5 * time.Second)
		r.want("van-1", "sent window")
		r.requests(2)
	})
}

// A release that a crash or a failing outbox prevented is made up for: the page was registered all the same.
func TestAPageRegisteredUnnoticed(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.directory.Load(identity.Records{Pages: []identity.Page{{Tenant: "acme", ID: "222"}}})
		r.open("111", "7001")
		r.open("222", "8001")
		r.put("van-1", "111", "7001")
		r.put("van-2", "222", "8001")
		synctest.Wait()
		r.pages("111", "222")
		pass(time.Hour + time.Second)
		r.want("van-1", "sent window")
		r.want("van-2", "sent window")
	})
}

func TestDeadTagDisablesItself(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.directory.Load(identity.Records{Pages: []identity.Page{{Tenant: "acme", ID: "111",
			AccessToken: identity.NewToken("EAAB"), Tag: "ACCOUNT_UPDATE"}}})
		r.sender.Answer = func(_ context.Context, m notify.Message) error {
			if m.Route == notify.RouteTag {
				return &notify.Error{Reason: notify.ReasonTagDead, Code: 100}
			}
			return nil
		}
		r.put("van-1", "111", "7001")
		r.put("van-2", "111", "7002")
		synctest.Wait()
		r.want("van-1", "held hold template_missing")
		r.put("van-3", "111", "7003")
		synctest.Wait()
		r.want("van-3", "held hold template_missing")
		if n := len(r.sender.Requests()); n > 2 {
			t.Errorf("%d requests with a dead tag", n)
		}
		if m := r.sender.Requests()[0]; m.Tag != "ACCOUNT_UPDATE" || m.Text == "" {
			t.Errorf("tagged message %+v", m)
		}
	})
}

func TestRefusedTemplateIsCheckedAgain(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonTemplateShape, Code: 100})
		r.approve("111")
		r.put("van-1", "111", "7001")
		synctest.Wait()
		r.want("van-1", "held hold template_shape")
		r.put("van-2", "111", "7002")
		synctest.Wait()
		r.want("van-2", "held hold template_shape")
		r.requests(1)
		if len(r.missing) == 0 {
			t.Error("nobody was asked to look after the template")
		}
		pass(time.Second)
		r.approve("111") // looked at since
		r.outbox.Release(r.t.Context(), "111", notify.ReasonTemplateShape)
		r.d.Wake("111")
		synctest.Wait()
		r.want("van-1", "sent utility")
		r.want("van-2", "sent utility")
	})
}

// The answer is lost. The echo says that the message went out: it is not sent again.
func TestLostAnswerSettledByEcho(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonAmbiguous})
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		r.put("van-2", "111", "7001")
		synctest.Wait()
		r.want("van-1", "settling window ambiguous")
		r.want("van-2", "pending") // the same person's next waits
		r.outbox.Receive(r.t.Context(), []notify.ThreadEvent{{Key: "e", Page: "111", PSID: "7001", Time: time.Now(),
			Kind: notify.ThreadEcho, MessageID: "m_x", Delivery: "van-1"}})
		r.d.Wake("111")
		pass(time.Hour)
		r.want("van-1", "sent window")
		r.want("van-2", "sent window")
		r.requests(2)
	})
}

// The answer is lost and no echo comes although the page's later echo did: it never went out, so it is sent
// again.
func TestLostRequestIsSentAgain(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonAmbiguous})
		r.open("111", "7001")
		r.open("111", "7002")
		r.put("van-1", "111", "7001")
		pass(10 * time.Second)
		r.put("van-2", "111", "7002")
		synctest.Wait()
		r.outbox.Receive(r.t.Context(), []notify.ThreadEvent{{Key: "e", Page: "111", PSID: "7002", Time: time.Now(),
			Kind: notify.ThreadEcho, Delivery: "van-2"}})
		pass(49 * time.Second)
		r.want("van-1", "settling window ambiguous")
		pass(3 * time.Second)
		r.want("van-1", "sent window")
		r.requests(3)
	})
}

// Without any echo nobody can know: it is said so, and nothing is sent twice.
func TestLostAnswerWithoutEchoIsUnknown(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonAmbiguous})
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		pass(time.Hour)
		r.want("van-1", "unknown window ambiguous")
		r.requests(1)
	})
}

func TestSlowSendTimesOut(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(ctx context.Context, _ notify.Message) error {
			<-ctx.Done()
			return &notify.Error{Reason: notify.ReasonAmbiguous, Text: context.Cause(ctx).Error()}
		}
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		pass(19 * time.Second)
		r.want("van-1", "sending")
		pass(time.Second)
		r.want("van-1", "settling window ambiguous")
	})
}

// A hanging page, or one person who cannot be reached, delays nobody else.
func TestPagesAreIndependent(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(ctx context.Context, m notify.Message) error {
			if m.Page == "111" {
				<-ctx.Done()
				return &notify.Error{Reason: notify.ReasonAmbiguous}
			}
			return nil
		}
		for i := range 100 {
			psid := identity.PSID(fmt.Sprint(i))
			r.open("111", psid)
			r.open("222", psid)
			r.put(fmt.Sprint("slow-", i), "111", psid)
			r.put(fmt.Sprint("fast-", i), "222", psid)
		}
		pass(time.Second)
		if n := len(r.sender.Sent()); n != 100 {
			t.Errorf("%d of the good page's 100 messages out", n)
		}
		if n := len(r.sender.Requests()); n != 196 {
			t.Errorf("%d requests: want 100 and the 96 that hang", n)
		}
	})
}

func TestOnePersonsMessagesLeaveInOrder(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(_ context.Context, m notify.Message) error {
			time.Sleep(time.Duration(len(m.Delivery)%3) * 10 * time.Millisecond)
			return nil
		}
		r.open("111", "7001")
		var want []string
		for i := range 20 {
			id := fmt.Sprintf("van-%02d", i) + strings.Repeat("x", i%3)
			want = append(want, id)
			r.put(id, "111", "7001")
			time.Sleep(time.Millisecond)
		}
		pass(time.Minute)
		var got []string
		for _, m := range r.sender.Sent() {
			got = append(got, m.Delivery)
		}
		if !slices.Equal(got, want) {
			t.Errorf("order %v", got)
		}
	})
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var times []time.Time
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(context.Context, notify.Message) error {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
			return nil
		}
		for i := range 1500 {
			psid := identity.PSID(fmt.Sprint(i))
			r.open("111", psid)
		}
		for i := range 1500 {
			r.put(fmt.Sprint("van-", i), "111", identity.PSID(fmt.Sprint(i)))
		}
		pass(12 * time.Second)
	})
	if len(times) != 1500 {
		t.Fatalf("%d sent", len(times))
	}
	for i := 300; i < len(times); i++ {
		if d := times[i].Sub(times[i-300]); d < time.Second {
			t.Fatalf("301 messages within %s", d)
		}
	}
	if took := times[1499].Sub(times[0]); took > 6*time.Second {
		t.Errorf("1500 messages took %s: the limit is not used", took)
	}
}

// A page that sends alerts as fast as it may still answers at once, and keeps to its rate with both.
func TestAnswersWaitForNoAlert(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var times []time.Time
	var waits []time.Duration
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(_ context.Context, m notify.Message) error {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
			if d := r.outbox.Delivery(m.Delivery); d.Urgent {
				waits = append(waits, time.Since(d.Created))
			}
			return nil
		}
		for i := range 1200 {
			psid := identity.PSID(fmt.Sprint(i))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
		}
		for i := range 100 {
			pass(20 * time.Millisecond)
			r.outbox.Put(notify.NewReply(fmt.Sprint("answer-", i), "acme", "111", identity.PSID(fmt.Sprint(i)), notify.Say{Text: "here"}, time.Now()))
			r.d.Wake("111")
		}
		pass(10 * time.Second)
	})
	if len(times) != 1300 || len(waits) != 100 {
		t.Fatalf("%d sent, %d of them answers", len(times), len(waits))
	}
	for i := 300; i < len(times); i++ {
		if d := times[i].Sub(times[i-300]); d < time.Second {
			t.Fatalf("301 messages within %s", d)
		}
	}
	// A token comes every 1/270 s, and one may just have gone to an alert.
	if slowest := slices.Max(waits); slowest > 8*time.Millisecond {
		t.Errorf("an answer waited %s", slowest)
	}
}

func TestOutboxFailureLosesNothing(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(context.Context, notify.Message) error {
			time.Sleep(time.Second)
			return nil
		}
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		synctest.Wait()
		r.outbox.Fail(errors.New("disk full"))
		pass(10 * time.Second)
		r.want("van-1", "sending")
		r.outbox.Fail(nil)
		pass(3 * time.Second)
		r.want("van-1", "sent window")
		r.requests(1)
	})
}

func TestAbandonedClaimWaitsForItsEcho(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.open("111", "7001")
		r.outbox.Put(notify.Delivery{Alert: notify.Alert{ID: "van-1", Kind: notify.Enter, At: time.Now()}, Page: "111",
			PSID: "7001", State: notify.Sending, Lease: 99, NextAt: time.Now().Add(30 * time.Second), Claimed: time.Now()})
		pass(29 * time.Second)
		r.want("van-1", "sending")
		pass(2 * time.Second)
		r.want("van-1", "settling  ambiguous")
		pass(time.Minute)
		r.want("van-1", "unknown  ambiguous")
		r.requests(0)
	})
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.InFlight = 1 }, func(r *rig) {
		r.sender.Answer = func(context.Context, notify.Message) error {
			time.Sleep(5 * time.Second)
			return nil
		}
		r.open("111", "7001")
		r.open("111", "7002")
		r.put("van-1", "111", "7001")
		time.Sleep(time.Millisecond)
		r.put("van-2", "111", "7002")
		synctest.Wait()
		if err := r.d.Stop(r.t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
		r.want("van-1", "sent window")
		r.want("van-2", "pending") // nothing new was claimed
		r.d.Wake("111")            // and nothing is any more
		synctest.Wait()
		r.requests(1)
		if err := r.d.Start(r.t.Context()); !errors.Is(err, notify.ErrStopped) {
			t.Errorf("start after stop: %v", err)
		}
	})
}

func TestStopWithoutPatience(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.sender.Answer = func(ctx context.Context, _ notify.Message) error {
			<-ctx.Done()
			return &notify.Error{Reason: notify.ReasonAmbiguous, Text: context.Cause(ctx).Error()}
		}
		r.open("111", "7001")
		r.put("van-1", "111", "7001")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := r.d.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop: %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("stop took %s", took)
		}
		r.want("van-1", "settling window ambiguous")
		if d := r.outbox.Delivery("van-1"); d.Detail != "notify: stopped while sending" {
			t.Errorf("detail %q", d.Detail)
		}
	})
}

func TestStartAndStopInAnyOrder(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		if err := r.d.Start(r.t.Context()); err != nil {
			t.Errorf("second start: %v", err)
		}
		for range 2 {
			if err := r.d.Stop(r.t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	o := notifytest.NewOutbox(time.Now)
	d, err := notify.NewDispatcher(notify.DispatcherOptions{Outbox: o, Templates: o, Sender: &notifytest.Sender{},
		Directory: identity.NewDirectory(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Errorf("stop before start: %v", err)
	}
	if _, err := notify.NewDispatcher(notify.DispatcherOptions{}); err == nil {
		t.Error("a dispatcher without an outbox")
	}
}

// Under random refusals, lost answers and restarts nothing is sent twice that arrived, and nothing is left.
func TestNeverTwoNeverNone(t *testing.T) {
	t.Parallel()
	const n = 400
	arrived := map[string]int{}
	run(t, nil, func(r *rig) {
		var mu sync.Mutex
		asked := 0
		r.sender.Answer = func(_ context.Context, m notify.Message) error {
			time.Sleep(20 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			asked++
			arrive := func() {
				arrived[m.Delivery]++
				id, key := m.Delivery, fmt.Sprint("echo-", asked)
				time.AfterFunc(time.Second, func() {
					r.outbox.Receive(context.Background(), []notify.ThreadEvent{{Key: key,
						Page: m.Page, PSID: m.PSID, Time: time.Now(), Kind: notify.ThreadEcho, Delivery: id}})
					r.d.Wake(m.Page)
				})
			}
			switch asked % 7 {
			case 1:
				return &notify.Error{Reason: notify.ReasonTemporary, Retry: true, Code: 2}
			case 2: // the answer is lost
				arrive()
				return &notify.Error{Reason: notify.ReasonAmbiguous}
			case 3: // the request is lost
				return &notify.Error{Reason: notify.ReasonAmbiguous}
			}
			arrive()
			return nil
		}
		for i := range n {
			psid := identity.PSID(fmt.Sprint(i % 50))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
		}
		pass(3 * time.Hour)
		for _, d := range r.outbox.Deliveries() {
			switch {
			case d.State == notify.Sent && arrived[d.Alert.ID] == 1:
			case d.State == notify.Unknown && arrived[d.Alert.ID] == 0:
				// said so: the page's last requests of all, which no later echo can judge
			case d.State == notify.Failed && d.Reason == notify.ReasonAttempts && arrived[d.Alert.ID] == 0:
			default:
				t.Errorf("%s: %s %s, arrived %d times", d.Alert.ID, d.State, d.Reason, arrived[d.Alert.ID])
			}
		}
	})
	if len(arrived) < n*9/10 {
		t.Errorf("%d of %d arrived", len(arrived), n)
	}
}

func ExampleDispatcher() {
	now := func() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) }
	outbox, sender, directory := notifytest.NewOutbox(now), &notifytest.Sender{}, identity.NewDirectory()
	directory.Load(identity.Records{Pages: []identity.Page{{ID: "111", AccessToken: identity.NewToken("EAAB…")}}})
	sent := make(chan notify.Delivery)
	d, err := notify.NewDispatcher(notify.DispatcherOptions{Outbox: outbox, Templates: outbox, Sender: sender,
		Directory: directory, Now: now, OnSent: func(d notify.Delivery, _ time.Time) { sent <- d }})
	if err != nil {
		fmt.Println(err)
		return
	}
	d.Start(context.Background())
	defer d.Stop(context.Background())

	outbox.Act("111", "7001", now()) // she wrote to the page
	outbox.Put(notify.Delivery{Page: "111", PSID: "7001", State: notify.Pending, Alert: notify.Alert{ID: "a1",
		Kind: notify.Exit, VehicleName: "Van 12", FenceName: "Depot North", At: now()}})
	d.Wake("111")
	fmt.Println((<-sent).State, sender.Requests()[0].Text)
	// Output: sent Van 12 left Depot North at 08:00 UTC.
}
