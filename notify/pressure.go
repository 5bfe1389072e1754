package notify

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"outrider/identity"
)

// pressure is the token bucket of a page, which shrinks when Meta's usage headers say that a limit is near. It is
// safe for many goroutines.
type pressure struct {
	limiter *rate.Limiter
	rate    int           // without pressure
	front   chan struct{} // one element while an alert waits for a token, the others behind it; never closed
	queued  atomic.Int64  // alerts that wait, that one included

	mu     sync.Mutex // guards the rest
	factor float64    // of the rate; 1: all of it
	at     time.Time  // of the last news
}

// Usage from which Meta's limits count: soft from 75 %, hard at 95 % of a limit.
const (
	usageSoft, usageHard = 75, 95
	leastFactor          = 0.02
	easeAfter            = time.Minute // without news, twice as much is dared
)

func newPressure(perSecond int) *pressure {
	limit, burst := bucketOf(float64(perSecond))
	return &pressure{limiter: rate.NewLimiter(limit, burst), rate: perSecond, front: make(chan struct{}, 1), factor: 1}
}

// bucketOf is a bucket of a tenth of a rate, refilled by the other nine: it never lets more than the rate out in any
// one second.
func bucketOf(perSecond float64) (rate.Limit, int) {
	perSecond = max(1, perSecond)
	if perSecond < 20 {
		return rate.Limit(perSecond), 1
	}
	burst := int(perSecond / 10)
	return rate.Limit(perSecond - float64(burst)), burst
}

// set gives the limiter what the factor leaves; p.mu is held.
func (p *pressure) set(now time.Time) {
	limit, burst := bucketOf(float64(p.rate) * p.factor)
	p.limiter.SetLimitAt(now, limit)
	p.limiter.SetBurstAt(now, burst)
}

// news takes over how much of a limit is used, in percent.
func (p *pressure) news(percent float64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	factor := 1.0
	if percent > usageSoft {
		factor = max(leastFactor, (usageHard-percent)/(usageHard-usageSoft))
	}
	p.at = now
	if factor != p.factor {
		p.factor = factor
		p.set(now)
	}
}

// ease dares more when there was no news for a while: no message, no header.
func (p *pressure) ease(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.factor < 1 && now.Sub(p.at) >= easeAfter {
		p.factor, p.at = min(1, 2*p.factor), now
		p.set(now)
	}
}

// turn waits until the page's rate allows a message, or ctx ends. Answers reserve their token; alerts take one only
// when there is one, one alert at a time in the order in which they came. So no answer ever waits for an alert, and
// both together keep to the rate.
func (p *pressure) turn(ctx context.Context, urgent bool) error {
	if urgent {
		return p.limiter.Wait(ctx)
	}
	p.queued.Add(1)
	defer p.queued.Add(-1)
	select {
	case p.front <- struct{}{}:
		defer func() { <-p.front }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for !p.limiter.Allow() {
		missing := (1 - p.limiter.Tokens()) / float64(p.limiter.Limit())
		if !sleep(ctx, time.Duration(missing*float64(time.Second))+time.Microsecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// queueAhead is how long the alerts that are claimed may have to wait for the bucket: what is claimed beyond it
// would only stand in the way of its own lease.
const queueAhead = 100 * time.Millisecond

// claimFor is how much of the bucket is claimed at once, so that a full page does not claim one by one.
const claimFor = 20 * time.Millisecond

// room is how many alerts the bucket lets go within queueAhead, and when to ask again if there are too few.
func (p *pressure) room(now time.Time) (n int, again time.Duration) {
	p.ease(now)
	limit := float64(p.limiter.Limit())
	least := max(1, limit*claimFor.Seconds())
	free := p.limiter.TokensAt(now) + limit*queueAhead.Seconds() - float64(p.queued.Load())
	if free >= least {
		return int(free), 0
	}
	return 0, time.Duration((least-free)/limit*float64(time.Second)) + time.Millisecond
}

// Usage tells how much of Meta's limits a page has used, in percent of the fullest, and for how long Meta accepts
// nothing any more; 0: it does. The page sends slower the nearer a limit is. It never blocks.
func (d *Dispatcher) Usage(page identity.PageID, percent float64, regain time.Duration) {
	d.mu.Lock()
	l := d.lanes[page]
	d.mu.Unlock()
	if l == nil {
		return // nothing was sent through it
	}
	now := d.o.Now()
	l.bucket.news(percent, now)
	d.metrics.usage(percent)
	if regain > 0 {
		l.mind.stop(ReasonThrottled, regain, now)
	}
}
