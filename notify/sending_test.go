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

	"outrider/identity"
	"outrider/notify"
)

// hold puts n alerts of one person, none of which has a way out.
func (r *rig) hold(n int, psid identity.PSID) {
	for i := range n {
		r.put(fmt.Sprintf("%s-%d", psid, i+1), "111", psid)
		pass(time.Minute)
	}
}

func TestDigestWhenThePersonWrites(t *testing.T) {
	t.Parallel()
	var told []string
	run(t, func(o *notify.DispatcherOptions) {
		o.OnSent = func(d notify.Delivery, _ time.Time) { told = append(told, d.Alert.ID) }
	}, func(r *rig) {
		r.hold(3, "7001")
		r.open("111", "7001")
		r.d.Wake("111")
		synctest.Wait()
		r.requests(1)
		m := r.sender.Requests()[0]
		want := "While you were away, 3 things happened:\n• 7001-1 entered Depot at 00:00 UTC.\n• 7001-2 entered Depot at 00:01 UTC.\n• 7001-3 entered Depot at 00:02 UTC."
		if m.Text != want || m.Delivery != "7001-1" || m.Route != notify.RouteWindow {
			t.Errorf("message %+v", m)
		}
		for i := range 3 {
			id := fmt.Sprint("7001-", i+1)
			r.want(id, "sent window")
			if d := r.outbox.Delivery(id); d.MessageID == "" || (i > 0) != (d.Leader == "7001-1") {
				t.Errorf("row %+v", d)
			}
		}
		if trace := r.outbox.Trace("7001-2"); len(trace) == 0 || trace[len(trace)-1].Detail != "in the digest of 7001-1" {
			t.Errorf("trace %+v", trace)
		}
		r.put("next", "111", "7001")
		synctest.Wait()
		if m := r.sender.Requests()[1]; !strings.HasPrefix(m.Text, "next entered") {
			t.Errorf("the next alert: %+v", m)
		}
	})
	if !slices.Equal(told, []string{"7001-1", "7001-2", "7001-3", "next"}) {
		t.Errorf("told of %v", told)
	}
}

// What Graph refuses as a digest is tried again one by one; what grew stale meanwhile expires visibly.
func TestARefusedDigestComesApart(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.hold(2, "7001")
		pass(23*time.Hour + 56*time.Minute + 30*time.Second) // the first is a day old when the third and fourth are there
		r.hold(2, "7002")
		r.sender.Answer = func(_ context.Context, m notify.Message) error {
			if strings.Contains(m.Text, "•") {
				return &notify.Error{Reason: notify.ReasonBadRequest, Code: 100}
			}
			return nil
		}
		r.open("111", "7001")
		r.open("111", "7002")
		r.d.Wake("111")
		pass(2 * time.Second)
		r.want("7001-1", "expired hold stale")
		r.want("7001-2", "sent window")
		r.want("7002-1", "failed window bad_request")
		r.want("7002-2", "sent window")
	})
}

// The answer to a digest is lost: its echo settles everything in it.
func TestALostDigestIsSettledByItsEcho(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.hold(3, "7001")
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonAmbiguous})
		r.open("111", "7001")
		r.d.Wake("111")
		synctest.Wait()
		r.want("7001-3", "settling window ambiguous")
		_, err := r.outbox.Receive(t.Context(), []notify.ThreadEvent{{Key: "e", Page: "111", PSID: "7001", Kind: notify.ThreadEcho,
			Time: time.Now(), Delivery: "7001-1", MessageID: "m_x"}})
		if err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Minute)
		r.requests(1)
		for i := range 3 {
			r.want(fmt.Sprint("7001-", i+1), "sent window")
		}
	})
}

// All places for alerts hang; an answer goes out at once, before alerts that came first.
func TestAnswersPassAlerts(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.InFlight = 4 }, func(r *rig) {
		r.sender.Answer = func(ctx context.Context, m notify.Message) error {
			if !m.Answer {
				<-ctx.Done()
				return &notify.Error{Reason: notify.ReasonAmbiguous}
			}
			return nil
		}
		for i := range 8 {
			psid := identity.PSID(fmt.Sprint(7000 + i))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
		}
		synctest.Wait()
		started := time.Now()
		reply := notify.NewReply("answer", "acme", "111", "7000", notify.Say{Text: "Here it is.", QuickReplies: []notify.Button{{Title: "Again", Payload: "WHERE:van"}}}, started)
		if err := r.outbox.Enqueue(t.Context(), []notify.Delivery{reply}); err != nil {
			t.Fatal(err)
		}
		r.d.Wake("111")
		synctest.Wait()
		r.want("answer", "sent window")
		sent := r.sender.Sent()
		if len(sent) != 1 || sent[0].Text != "Here it is." || len(sent[0].Replies) != 1 || !time.Now().Equal(started) {
			t.Errorf("sent %+v after %s", sent, time.Since(started))
		}
	})
}

func TestAnAnswerWithoutWindowExpires(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.approve("111")
		operator := notify.NewReply("typed", "acme", "111", "7002", notify.Say{Text: "We are on our way", Operator: "olga"}, time.Now())
		r.open("111", "7002")
		pass(25 * time.Hour)
		operator.Alert.At, operator.NextAt = time.Now(), time.Now()
		late := notify.NewReply("late", "acme", "111", "7001", notify.Say{Text: "too late"}, time.Now())
		r.outbox.Put(late, operator)
		r.d.Wake("111")
		synctest.Wait()
		r.want("late", "held hold window_closed")
		r.want("typed", "sent human")
		pass(11 * time.Minute)
		r.want("late", "expired hold stale")
	})
}

func fallbackRig(r *rig, tag string) {
	r.directory.Load(identity.Records{
		Pages:  []identity.Page{{Tenant: "acme", ID: "111", AccessToken: identity.NewToken("EAAB"), Tag: tag}},
		Owners: []identity.Owner{{Tenant: "acme", ID: "ann", Fallback: identity.NewToken("ntfy://x")}},
	})
}

func (r *rig) putOf(id string, page identity.PageID, psid identity.PSID, owner identity.OwnerID) {
	r.outbox.Put(notify.Delivery{Page: page, PSID: psid, State: notify.Pending, NextAt: time.Now(), Created: time.Now(),
		Alert: notify.Alert{ID: id, Tenant: "acme", Owner: owner, Kind: notify.Exit, At: time.Now(), VehicleName: id, FenceName: "Depot", MaxAge: 24 * time.Hour}})
	r.d.Wake(page)
}

func TestFallback(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		fallbackRig(r, "")
		r.putOf("no template", "111", "7001", "ann")
		r.putOf("no page", "", "owner:acme/ann", "ann")
		synctest.Wait()
		r.want("no template", "sent fallback")
		r.want("no page", "sent fallback")
		r.sender.Answer = func(_ context.Context, m notify.Message) error {
			if m.Route == notify.RouteWindow {
				return &notify.Error{Reason: notify.ReasonUnreachable, Code: 551}
			}
			return nil
		}
		r.open("111", "7001")
		r.putOf("blocked", "111", "7001", "ann")
		synctest.Wait()
		r.want("blocked", "sent fallback")
		trace := r.outbox.Trace("blocked")
		if len(trace) != 2 || trace[0].Code != 551 || trace[0].Route != notify.RouteWindow || trace[1].State != notify.Sent {
			t.Errorf("trace %+v", trace)
		}
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonChannel, Retry: true}, &notify.Error{Reason: notify.ReasonAmbiguous})
		r.putOf("channel", "", "owner:acme/ann", "ann")
		synctest.Wait()
		r.want("channel", "pending fallback channel")
		pass(2 * time.Second)
		r.want("channel", "unknown fallback ambiguous") // no echo can tell
	})
}

// Other channels that hang take no place of a page.
func TestHangingChannelsBlockNobody(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.InFlight, o.Channels = 2, 8 }, func(r *rig) {
		fallbackRig(r, "")
		r.sender.Answer = func(ctx context.Context, m notify.Message) error {
			if m.Route == notify.RouteFallback {
				<-ctx.Done()
				return &notify.Error{Reason: notify.ReasonAmbiguous}
			}
			return nil
		}
		for i := range 12 {
			r.putOf(fmt.Sprint("slow-", i), "111", identity.PSID(fmt.Sprint(7000+i)), "ann")
		}
		synctest.Wait()
		r.requests(8)
		r.open("111", "8000")
		r.put("van", "111", "8000")
		synctest.Wait()
		r.want("van", "sent window")
		pass(2 * time.Minute)
		for i := range 12 {
			r.want(fmt.Sprint("slow-", i), "unknown fallback ambiguous")
		}
	})
}

func TestPaceOfOnePerson(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.Pace = notify.Pace{Burst: 4, Each: 10 * time.Second} }, func(r *rig) {
		r.open("111", "7001")
		for i := range 8 {
			r.put(fmt.Sprint("van-", i), "111", "7001")
		}
		pass(time.Second)
		r.requests(4)
		r.want("van-4", "pending  pace")
		pass(10 * time.Second)
		r.requests(5)
		pass(time.Minute)
		r.requests(8)
		// Meta says that it is too much: a quarter is left.
		r.sender.Answer = script(&notify.Error{Reason: notify.ReasonThrottled, Code: 613, Subcode: 2018338, After: time.Hour})
		for i := range 4 {
			r.put(fmt.Sprint("more-", i), "111", "7001")
		}
		pass(time.Hour + time.Second)
		r.requests(10)
		pass(30 * time.Second)
		r.requests(10)
		pass(3 * time.Minute)
		r.requests(13)
	})
}

// The rate shrinks with what Meta's headers say, and grows again when they say nothing.
func TestUsageShrinksTheRate(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.Rate = 100 }, func(r *rig) {
		rate := func(percent float64, regain time.Duration, n int) time.Duration {
			r.d.Usage("111", percent, regain)
			began := time.Now()
			before := len(r.sender.Requests())
			for i := range n {
				psid := identity.PSID(fmt.Sprint(before, "-", i))
				r.open("111", psid)
				r.put(fmt.Sprint("van-", psid), "111", psid)
			}
			for step := 50 * time.Millisecond; len(r.sender.Requests()) < before+n; {
				pass(step)
				if time.Since(began) > 20*time.Second {
					step = 5 * time.Second
				}
			}
			return time.Since(began)
		}
		rate(0, 0, 1) // the page's lane begins
		if took := rate(74, 0, 100); took > 1100*time.Millisecond {
			t.Errorf("100 messages took %s below the soft limit", took)
		}
		if took := rate(85, 0, 100); took < 1800*time.Millisecond || took > 2500*time.Millisecond {
			t.Errorf("100 messages took %s at 85 %%, want about two seconds", took)
		}
		if took := rate(99, 0, 20); took < 8*time.Second || took > 12*time.Second {
			t.Errorf("20 messages took %s beyond the hard limit, want about 10 s", took)
		}
		if took := rate(100, 7*time.Minute, 1); took < 7*time.Minute || took > 8*time.Minute {
			t.Errorf("one message took %s when Meta accepts none for 7 minutes", took)
		}
		pass(time.Hour)
		r.open("111", "after")
		for range 7 { // each look after a minute without news dares twice as much
			r.put(fmt.Sprint("easy", time.Now()), "111", "after")
			pass(time.Minute)
		}
		if took := rate(0, 0, 100); took > 1100*time.Millisecond {
			t.Errorf("100 messages took %s when all is well again", took)
		}
	})
}

// Request after request times out: the page pauses and probes with one at a time; others go on.
func TestBreaker(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) { o.Grace = time.Second }, func(r *rig) {
		var mu sync.Mutex
		flying, most := 0, 0
		broken := true
		r.sender.Answer = func(ctx context.Context, m notify.Message) error {
			mu.Lock()
			down := broken && m.Page == "111"
			mu.Unlock()
			if !down {
				return nil
			}
			mu.Lock()
			flying++
			most = max(most, flying)
			mu.Unlock()
			time.Sleep(2 * time.Second)
			mu.Lock()
			flying--
			mu.Unlock()
			return &notify.Error{Reason: notify.ReasonTemporary, Retry: true, Code: 2}
		}
		for i := range 40 {
			psid := identity.PSID(fmt.Sprint(7000 + i))
			r.open("111", psid)
			r.put(fmt.Sprint("van-", i), "111", psid)
		}
		pass(5 * time.Second)
		mu.Lock()
		most = 0
		mu.Unlock()
		before := len(r.sender.Requests())
		pass(3 * time.Minute)
		if n := len(r.sender.Requests()) - before; n > 12 || n < 3 {
			t.Errorf("%d requests in three minutes of a pause, want a few probes", n)
		}
		if most > 1 {
			t.Errorf("%d probes at a time", most)
		}
		r.open("222", "8001")
		r.put("other", "222", "8001")
		synctest.Wait()
		r.want("other", "sent window")
		mu.Lock()
		broken = false
		mu.Unlock()
		pass(2 * time.Hour) // those that probed rest for a while
		for i := range 40 {
			r.want(fmt.Sprint("van-", i), "sent window")
		}
	})
}

func TestPicturesAndTheirAbsence(t *testing.T) {
	t.Parallel()
	run(t, func(o *notify.DispatcherOptions) {
		o.Picture = func(d notify.Delivery) string { return "https://x.test/" + d.Alert.ID }
	}, func(r *rig) {
		r.open("111", "7001")
		r.sender.Answer = script(nil, &notify.Error{Reason: notify.ReasonAttachment, Code: 100, Subcode: 2018008})
		r.put("van", "111", "7001")
		synctest.Wait()
		m := r.sender.Requests()[0]
		if m.Card == nil || *m.Card != (notify.Card{Title: "van entered Depot", Subtitle: "00:00 UTC", Image: "https://x.test/van"}) || len(m.Buttons) != 3 {
			t.Errorf("message %+v", m)
		}
		r.put("bus", "111", "7001")
		synctest.Wait()
		r.want("bus", "sent window")
		if all := r.sender.Requests(); len(all) != 3 || all[1].Card == nil || all[2].Card != nil || len(all[2].Buttons) != 3 {
			t.Errorf("requests %+v", all)
		}
	})
}

// What the page's order leaves out is not used, and what comes first is tried first, also while the window is open.
func TestAPagesOwnOrder(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		order := func(routes ...string) {
			r.directory.Load(identity.Records{
				Pages:  []identity.Page{{Tenant: "acme", ID: "111", AccessToken: identity.NewToken("EAAB"), Routes: routes}},
				Owners: []identity.Owner{{Tenant: "acme", ID: "ann", Fallback: identity.NewToken("ntfy://x")}},
			})
			r.d.PageChanged("111")
		}
		if err := r.outbox.PutTemplate(t.Context(), notify.Template{Page: "111", Name: "outrider_exit_v2", Language: "en",
			Status: notify.TemplateApproved, Params: 3, Buttons: 3, Checked: time.Now()}); err != nil {
			t.Fatal(err)
		}
		r.open("111", "7001")
		for i, c := range []struct {
			routes []string
			want   string
		}{
			{nil, "sent window"}, {[]string{"utility", "window"}, "sent utility"}, {[]string{"fallback"}, "sent fallback"},
			{[]string{"tag"}, "held hold window_closed"},
		} {
			order(c.routes...)
			id := fmt.Sprint("van-", i)
			r.putOf(id, "111", "7001", "ann")
			synctest.Wait()
			r.want(id, c.want)
		}
	})
}

// The oldest of what was held is too old by now: it expires, and the others still go out together.
func TestADigestWithoutWhatExpired(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.hold(1, "7001")
		pass(12 * time.Hour)
		for _, id := range []string{"b", "c"} {
			r.put(id, "111", "7001")
		}
		pass(12*time.Hour - 90*time.Second)
		r.want("7001-1", "held hold template_missing")
		pass(20 * time.Second)
		r.outbox.Fail(errors.New("disk full")) // until the first is a day old
		r.open("111", "7001")
		pass(15 * time.Second)
		r.outbox.Fail(nil)
		pass(3 * time.Second)
		r.want("7001-1", "expired hold stale")
		r.requests(1)
		if m := r.sender.Requests()[0]; !strings.HasPrefix(m.Text, "While you were away, 2 things happened:") {
			t.Errorf("message %q", m.Text)
		}
	})
}

// What the owner muted meanwhile is not told in a digest either, wherever in it it stands.
func TestADigestWithoutWhatWasMuted(t *testing.T) {
	t.Parallel()
	for _, muted := range []string{"a", "b", "c"} {
		run(t, nil, func(r *rig) {
			for _, id := range []string{"a", "b", "c"} {
				r.outbox.Put(notify.Delivery{Page: "111", PSID: "7001", State: notify.Pending, NextAt: time.Now(), Created: time.Now(),
					Alert: notify.Alert{ID: id, Tenant: "acme", Owner: "ann", Vehicle: identity.VehicleID(id), Kind: notify.Exit, At: time.Now(),
						VehicleName: id, FenceName: "Depot", MaxAge: 24 * time.Hour}})
				r.d.Wake("111")
				pass(time.Minute)
			}
			r.directory.Load(identity.Records{
				Pages:  []identity.Page{{Tenant: "acme", ID: "111", AccessToken: identity.NewToken("EAAB")}},
				Owners: []identity.Owner{{Tenant: "acme", ID: "ann", Mutes: []identity.Mute{{Vehicle: identity.VehicleID(muted)}}}},
			})
			r.open("111", "7001")
			r.d.Wake("111")
			synctest.Wait()
			r.requests(1)
			r.want(muted, "expired hold muted")
			if m := r.sender.Requests()[0]; !strings.HasPrefix(m.Text, "While you were away, 2 things happened:") || strings.Contains(m.Text, "• "+muted+" ") {
				t.Errorf("without %s: %q", muted, m.Text)
			}
		})
	}
}
