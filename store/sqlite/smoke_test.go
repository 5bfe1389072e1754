package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

type plain struct{}

func (plain) Seal(p, _ string) (string, error) { return "sealed:" + p, nil }
func (plain) Open(s, _ string) (string, error) { return s[len("sealed:"):], nil }

func TestSmoke(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s, err := Open(ctx, Options{Path: filepath.Join(t.TempDir(), "x.db"), Sealer: plain{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	g, err := s.PutGeofence(ctx, store.Geofence{Tenant: "default", ID: "home", Name: "Home", Feature: []byte("{}")}, 0)
	if err != nil || g.Revision != 1 {
		t.Fatal(g, err)
	}
	g, err = s.PutGeofence(ctx, g, 1)
	if err != nil || g.Revision != 2 {
		t.Fatal(g, err)
	}
	all, at, err := s.GeofencesAt(ctx, store.Latest)
	if err != nil || at != 2 || len(all) != 1 {
		t.Fatal(all, at, err)
	}
	all, at, err = s.GeofencesAt(ctx, 1)
	if err != nil || at != 1 || len(all) != 1 || all[0].Revision != 1 {
		t.Fatal(all, at, err)
	}
	if err := s.PutPage(ctx, identity.Page{Tenant: "default", ID: "p", AccessToken: identity.NewToken("t")}); err != nil {
		t.Fatal(err)
	}
	r, err := s.Identities(ctx)
	if err != nil || len(r.Pages) != 1 || r.Pages[0].AccessToken.Reveal() != "t" {
		t.Fatal(r, err)
	}
	l, err := s.OwnLane(ctx, 0)
	if err != nil || l.Epoch != 1 {
		t.Fatal(l, err)
	}
	d := notify.Delivery{Alert: notify.Alert{ID: "a", Tenant: "default", At: now}, Page: "p", PSID: "u", State: notify.Pending, NextAt: now, Created: now}
	err = s.Commit(ctx, store.Commit{Epoch: 1, Next: 10, Revision: 2, Deliveries: []notify.Delivery{d, d},
		Crossings: []store.Crossing{{ID: "c", Tenant: "default", Vehicle: "v", Kind: "enter", At: now}}})
	if err != nil {
		t.Fatal(err)
	}
	ad, err := s.Adoptions(ctx, 0, 20)
	if err != nil || len(ad) != 1 {
		t.Fatal(ad, err)
	}
	cl, err := s.Claim(ctx, "p", 5, now, time.Minute)
	if err != nil || len(cl) != 1 || cl[0].Lease != 1 || cl[0].PSID != "u" || cl[0].Alert.ID != "a" {
		t.Fatal(cl, err)
	}
	n, err := s.Receive(ctx, []notify.ThreadEvent{{Key: "k", Page: "p", PSID: "u", Time: now, Kind: notify.ThreadEcho, Delivery: "a", MessageID: "m"}})
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	rec, err := s.Delivery(ctx, "default", "a")
	if err != nil || rec.State != notify.Sent {
		t.Fatal(rec, err)
	}
	if _, err := s.Crossings(ctx, store.Query{Tenant: "default"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Deliveries(ctx, store.Query{Tenant: "default", State: notify.Sent, Vehicle: "x", Fence: "y", Before: 7}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutDeadLetters(ctx, []store.DeadLetter{{Tenant: "default", Reason: "malformed"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pages(ctx); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Judge(ctx, now); err != nil {
		t.Fatal(err)
	}
	if err := s.ForgetAdoptions(ctx, 0, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Abandon(ctx, now, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Release(ctx, "p", notify.ReasonNoToken); err != nil {
		t.Fatal(err)
	}
}
