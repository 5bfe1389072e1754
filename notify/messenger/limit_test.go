package messenger_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"sync"
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

// minutes is how long the page is kept at its limit; make bench takes ten.
var minutes = flag.Float64("minutes", 0.25, "simulated minutes of TestPageAtItsLimit")

// endless is an outbox that never runs dry: each person's next alert is due when the last one is settled.
type endless struct {
	notifytest.Outbox
	people int

	mu    sync.Mutex // guards the rest
	next  int
	flies map[int]bool
	sent  int
}

func (o *endless) Claim(_ context.Context, page identity.PageID, room notify.Room, now time.Time, lease time.Duration) ([]notify.Claim, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var claims []notify.Claim
	for range o.people {
		if len(claims) >= room.Alerts {
			break
		}
		who := o.next % o.people
		if o.flies[who] {
			break // everybody after it is under way, too
		}
		o.flies[who] = true
		o.next++
		claims = append(claims, notify.Claim{LastAction: now, Delivery: notify.Delivery{Page: page, PSID: identity.PSID(fmt.Sprint(7000 + who)), State: notify.Sending,
			Lease: uint64(o.next), Alert: notify.Alert{ID: fmt.Sprint(o.next, "/", who), Kind: notify.Enter, At: now, VehicleName: "Van", FenceName: "Depot"}}})
	}
	return claims, nil
}

func (o *endless) Settle(_ context.Context, outcomes []notify.Outcome) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range outcomes {
		var n, who int
		if _, err := fmt.Sscanf(x.ID, "%d/%d", &n, &who); err != nil {
			return err
		}
		delete(o.flies, who)
		if x.State == notify.Sent {
			o.sent++
		}
	}
	return nil
}

// A page that always has more to send than Meta lets it: it sends as fast as it may, and is never refused.
func TestPageAtItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &endless{Outbox: *notifytest.NewOutbox(time.Now), people: 1500, flies: map[int]bool{}}
		meta := newSandbox(t, sandbox.Options{Unsubscribed: true}) // Meta's 300 calls a second, without webhooks
		for i := range o.people {
			psid := fmt.Sprint(7000 + i)
			if err := meta.AddPerson("111", psid, "x"); err != nil {
				t.Fatal(err)
			}
			if _, err := meta.Say("111", psid, "hello"); err != nil {
				t.Fatal(err)
			}
		}
		meta.SetFaults(sandbox.Faults{Latency: 40 * time.Millisecond})
		g, err := graph.New(graph.Options{URL: "http://graph.test", Version: "v26.0", AppSecret: identity.NewToken(appSecret),
			HTTP: &http.Client{Transport: meta.Transport()}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		directory := pages()
		d, err := notify.NewDispatcher(notify.DispatcherOptions{Outbox: o, Templates: o, Directory: directory,
			Sender: messenger.NewClient(g, directory), Now: time.Now, Pace: notify.Pace{Burst: 1000, Each: time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.Wake("111")
		span := time.Duration(*minutes * float64(time.Minute))
		time.Sleep(span)
		if err := d.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		rate := float64(o.sent) / span.Seconds()
		t.Logf("%d messages in %s of simulated time: %.1f a second; %d refusals", o.sent, span, rate, len(meta.Refusals()))
		if n := len(meta.Refusals()); n > 0 {
			t.Errorf("%d refusals, the first is %v", n, meta.Refusals()[0].Error)
		}
		if rate < 260 || rate > 300 {
			t.Errorf("%.1f messages a second, want nearly Meta's 300", rate)
		}
		// In no second, wherever it begins, more than 300.
		all := meta.Messages()
		for i, from := 0, 0; i < len(all); i++ {
			for all[i].Time.Sub(all[from].Time) >= time.Second {
				from++
			}
			if i-from+1 > 300 {
				t.Fatalf("%d messages within a second", i-from+1)
			}
		}
	})
}
