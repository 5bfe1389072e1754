package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// Bench measures a store: what lanes can commit, and what senders can claim and settle. open returns an empty store.
func Bench(b *testing.B, open func(b *testing.B) store.Store) {
	for _, lanes := range []int{1, 4} {
		for _, crossings := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("commit/lanes=%d/crossings=%d", lanes, crossings), func(b *testing.B) {
				benchCommit(b, open(b), lanes, crossings)
			})
		}
	}
	for _, pages := range []int{1, 8} {
		b.Run(fmt.Sprintf("claim-settle/pages=%d", pages), func(b *testing.B) { benchClaims(b, open(b), pages) })
	}
	b.Run("claim/backlog=20000", func(b *testing.B) { benchBacklog(b, open(b)) })
}

// benchCommit commits crossings, each with its delivery, its membership and its vehicle's last fix.
func benchCommit(b *testing.B, s store.Store, lanes, crossings int) {
	work := make(chan int)
	var wg sync.WaitGroup
	for p := range lanes {
		c := own(b, s, p)
		wg.Go(func() {
			for n := range work {
				if err := s.Commit(context.Background(), filled(c, n, crossings)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	n := 0
	for b.Loop() {
		work <- n
		n++
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(n*crossings)/b.Elapsed().Seconds(), "crossings/s")
}

func filled(c store.Commit, n, crossings int) store.Commit {
	c.Next, c.Clock = position(uint64(n+1)), epoch
	for i := range crossings {
		id := fmt.Sprintf("%d/%d/%d", c.Partition, n, i)
		vehicle := identity.VehicleID(fmt.Sprint("van", c.Partition, "-", i))
		x := crossing(id, epoch.Add(time.Duration(n)*time.Second))
		x.Vehicle = vehicle
		f := fixOf(string(vehicle), x.At)
		c.Crossings = append(c.Crossings, x)
		c.Memberships = append(c.Memberships, store.Membership{Tenant: "acme", Vehicle: vehicle, Fence: "depot", Inside: n%2 == 0, Since: x.At})
		c.Deliveries = append(c.Deliveries, delivery(id, "p", string(vehicle), x.At))
		c.LastFixes = append(c.LastFixes, f)
	}
	return c
}

// stock queues deliveries of as many people as there are deliveries, in commits of 500.
func stock(b *testing.B, s store.Store, pages, each int) {
	b.Helper()
	c := own(b, s, 0)
	for p := range pages {
		for i := range each {
			page := fmt.Sprint("page", p)
			id := fmt.Sprintf("%s/%d", page, i)
			c.Deliveries = append(c.Deliveries, delivery(id, page, id, epoch.Add(time.Duration(i)*time.Millisecond)))
			if len(c.Deliveries) == 500 || i == each-1 {
				c.Next++
				ok(b, s.Commit(b.Context(), c))
				c.Deliveries = c.Deliveries[:0]
			}
		}
	}
}

// benchClaims claims and settles up to 32 deliveries at a time, as the dispatcher does.
func benchClaims(b *testing.B, s store.Store, pages int) {
	const perPage = 4000
	stock(b, s, pages, perPage)
	var done atomic.Int64
	for b.Loop() {
		b.StopTimer()
		restock(b, s)
		done.Store(0)
		b.StartTimer()
		var wg sync.WaitGroup
		for p := range pages {
			wg.Go(func() { done.Add(sendAll(b, s, identity.PageID(fmt.Sprint("page", p)))) })
		}
		wg.Wait()
	}
	b.ReportMetric(float64(done.Load())*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// restock makes every delivery pending again.
func restock(b *testing.B, s store.Store) {
	b.Helper()
	for _, p := range must(s.Pages(b.Context()))(b) {
		_, err := s.Release(b.Context(), p.Page, notify.ReasonNoToken)
		ok(b, err)
	}
}

// sendAll sends all that is due on a page; what was sent is held, so that it can be released for the next round.
func sendAll(b *testing.B, s store.Store, page identity.PageID) int64 {
	n := int64(0)
	for {
		claims, err := s.Claim(context.Background(), page, notify.AnyRoom(32), epoch, lease)
		if err != nil {
			b.Error(err)
		}
		if len(claims) == 0 {
			return n
		}
		var outcomes []notify.Outcome
		for _, c := range claims {
			outcomes = append(outcomes, notify.Outcome{
				ID: c.Alert.ID, Lease: c.Lease, State: notify.Held, Reason: notify.ReasonNoToken, NextAt: epoch.Add(time.Hour),
			})
		}
		if err := s.Settle(context.Background(), outcomes); err != nil {
			b.Error(err)
		}
		n += int64(len(claims))
	}
}

// benchBacklog claims from a page that has many deliveries waiting for later, held ones among them.
func benchBacklog(b *testing.B, s store.Store) {
	stock(b, s, 1, 20_000)
	sendAll(b, s, "page0") // all held for an hour
	c := own(b, s, 1)
	c.Deliveries = []notify.Delivery{delivery("due", "page0", "somebody", epoch)}
	ok(b, s.Commit(b.Context(), c))
	for b.Loop() {
		claims := must(s.Claim(b.Context(), "page0", notify.AnyRoom(32), epoch, lease))(b)
		if len(claims) != 1 {
			b.Fatalf("claimed %d", len(claims))
		}
		ok(b, s.Settle(b.Context(), []notify.Outcome{{ID: "due", Lease: claims[0].Lease, State: notify.Pending, NextAt: epoch}}))
	}
}
