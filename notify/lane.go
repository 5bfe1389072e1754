package notify

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"outrider/identity"
)

// lane delivers the messages of one page. Its goroutine runs while the page has work.
type lane struct {
	d       *Dispatcher
	page    identity.PageID
	mind    *mind         // what was learned from Graph's answers
	limiter *rate.Limiter // of Meta's limit for the page
	renewed atomic.Bool   // the page changed: release what it held back
	signal  chan struct{} // sent by Dispatcher.wake, capacity 1; never closed
	results chan Outcome  // sent by each attempt once, capacity InFlight, so that none blocks; never closed

	running, again bool // guarded by Dispatcher.mu

	inFlight int       // owned by run
	unsaved  []Outcome // owned by run: outcomes that are not recorded yet
}

func newLane(d *Dispatcher, page identity.PageID) *lane {
	// A bucket of a tenth, refilled by the other nine, never lets more than Rate out in any one second.
	burst := max(1, d.o.Rate/10)
	return &lane{
		d:       d,
		page:    page,
		mind:    newMind(d.o),
		limiter: rate.NewLimiter(rate.Limit(max(1, d.o.Rate-burst)), burst),
		signal:  make(chan struct{}, 1),
		results: make(chan Outcome, d.o.InFlight),
	}
}

// run claims and settles until there is nothing to do.
func (l *lane) run() {
	for {
		l.save()
		claimed := 0
		if !l.stopping() {
			claimed = l.claim()
		}
		if claimed > 0 && l.inFlight < l.d.o.InFlight {
			continue // more may have come while this was claimed
		}
		if l.inFlight == 0 && len(l.unsaved) == 0 && l.retire() {
			return
		}
		l.wait()
	}
}

func (l *lane) stopping() bool {
	select {
	case <-l.d.stopping:
		return true
	default:
		return false
	}
}

// retire ends the goroutine unless there was a wake since the last claim.
func (l *lane) retire() bool {
	l.mind.prune(l.d.o.Now())
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	if l.again && l.d.phase == phaseStarted {
		return false
	}
	l.running = false
	return true
}

// wait blocks until an attempt ends or there may be something to claim.
func (l *lane) wait() {
	if l.inFlight == 0 {
		return // woken while deciding to retire
	}
	select {
	case o := <-l.results:
		l.unsaved = append(l.unsaved, o)
	case <-l.signal:
	}
}

// save records the outcomes at hand in one group. When the outbox fails it tries again until it is stopped
// for good: the rows then stay claimed, and their echoes settle them.
func (l *lane) save() {
	l.gather()
	if len(l.unsaved) == 0 {
		return
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		if l.d.noted(opSettle, l.d.o.Outbox.Settle(l.d.recording, l.unsaved)) {
			break
		}
		if !sleep(l.d.recording, pause) {
			break
		}
		l.gather()
	}
	l.inFlight -= len(l.unsaved)
	l.d.metrics.inFlight.Sub(float64(len(l.unsaved)))
	for _, o := range l.unsaved {
		l.d.metrics.settled(o)
	}
	l.unsaved = l.unsaved[:0]
}

// gather takes the results that are there.
func (l *lane) gather() {
	for {
		select {
		case o := <-l.results:
			l.unsaved = append(l.unsaved, o)
		default:
			return
		}
	}
}

// claim starts an attempt for each delivery it gets, and returns how many those were.
func (l *lane) claim() int {
	l.d.mu.Lock()
	l.again = false
	l.d.mu.Unlock()
	l.release()
	now := l.d.o.Now()
	room := min(l.d.o.InFlight-l.inFlight, l.mind.room(now, l.inFlight))
	if room <= 0 {
		return 0
	}
	claims, err := l.d.o.Outbox.Claim(l.d.recording, l.page, room, now, l.d.o.Lease)
	if !l.d.noted(opClaim, err) {
		return 0
	}
	templates := sync.OnceValues(func() ([]Template, error) {
		return l.d.o.Templates.Templates(l.d.recording, l.page)
	})
	l.inFlight += len(claims)
	l.d.metrics.inFlight.Add(float64(len(claims)))
	for _, c := range claims {
		a := &attempt{d: l.d, lane: l, claim: c, templates: templates, ends: now.Add(l.d.o.Lease)}
		l.d.wg.Go(func() { l.results <- a.run() })
	}
	return len(claims)
}

// release frees what the page's earlier state held back.
func (l *lane) release() {
	if !l.renewed.CompareAndSwap(true, false) {
		return
	}
	_, err := l.d.o.Outbox.Release(l.d.recording, l.page, pageReasons()...)
	if !l.d.noted(opRelease, err) {
		l.renewed.Store(true) // the next wake tries again; held rows also come back by their own time
	}
}

// pageReasons are the reasons that a change of the page may do away with.
func pageReasons() []Reason {
	return []Reason{
		ReasonUnknownPage, ReasonNoToken, ReasonTokenInvalid, ReasonPermission, ReasonPolicy, ReasonPageBlocked,
		ReasonTemplateMissing, ReasonTemplatePending, ReasonTemplateRejected, ReasonTemplateShape,
		ReasonWindowClosed,
	}
}

// sleep waits for d; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
