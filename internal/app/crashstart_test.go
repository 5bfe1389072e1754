package app_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/notify"
	"outrider/store"
)

// TestNothingIsSentBeforeEchoesCanCome: what goes out while the webhook is closed could not be settled, and echoes of
// the last process, which are on their way again, would be judged as missing.
func TestNothingIsSentBeforeEchoesCanCome(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.stop(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	flags := map[string]string{}
	for name, value := range r.flags {
		flags[name] = value
	}
	flags["http.listen"] = taken.Addr().String()
	c, err := config.Load(config.Source{Flags: flags})
	must(t, err)
	r.fillOutbox(t, c)

	a, err := app.New(app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	if err := a.Start(t.Context()); err == nil {
		t.Fatal("started at an address that is taken")
	}
	if got := r.sandbox.Messages(); len(got) != 0 {
		t.Errorf("%d messages went out before the webhook was open", len(got))
	}
	s, err := app.OpenStore(t.Context(), c)
	must(t, err)
	counts, err := s.DeliveryCounts(t.Context())
	must(t, err)
	must(t, s.Close())
	if counts[notify.Sending] != 1 || counts[notify.Pending] != 1 {
		t.Errorf("after a start that failed the outbox holds %v", counts)
	}

	r.start(t)
	eventually(t, "the other one is sent", func() bool { return len(r.sandbox.Messages()) == 1 })
}

// fillOutbox leaves what a crash may leave: a delivery that was being sent, and one that waits.
func (r *rig) fillOutbox(t *testing.T, c config.Config) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	s, err := app.OpenStore(ctx, c)
	must(t, err)
	defer s.Close()
	if _, err := r.sandbox.Say(page, "70001", "hello"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Receive(ctx, []notify.ThreadEvent{{Key: "hello", Kind: notify.ThreadAction, Page: page, PSID: "70001", Time: now}})
	must(t, err)
	own, err := s.OwnLane(ctx, 99, "")
	must(t, err)
	commit := store.Commit{Partition: 99, Epoch: own.Epoch}
	for _, d := range [][2]string{{"cut", "70002"}, {"waiting", "70001"}} {
		id, psid := d[0], identity.PSID(d[1])
		commit.Deliveries = append(commit.Deliveries, notify.Delivery{
			Alert: notify.Alert{ID: id, Tenant: "default", Kind: notify.Enter, VehicleName: "Van", FenceName: "Yard", At: now, Received: now},
			Page:  page, PSID: psid, State: notify.Pending, NextAt: now, Created: now,
		})
		must(t, s.Commit(ctx, commit))
		commit.Deliveries = nil
		if id == "cut" {
			_, err := s.Claim(ctx, page, notify.AnyRoom(1), now, time.Minute)
			must(t, err)
		}
	}
}
