package notify

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"outrider/identity"
)

// lane delivers the messages of one page; the page "" stands for the owners that have another channel only. Its
// goroutine runs while the page has work.
type lane struct {
	d       *Dispatcher
	page    identity.PageID
	mind    *mind         // what was learned from Graph's answers
	bucket  *pressure     // of Meta's limit for the page
	renewed atomic.Bool   // the page changed: release what it held back
	signal  chan struct{} // sent by Dispatcher.wake, capacity 1; never closed
	results chan result   // sent by attempts, with room for all of them, so that none blocks; never closed

	running, again bool // guarded by Dispatcher.mu

	alerts   int       // owned by run: attempts under way that are not urgent
	urgent   int       // owned by run: the others
	detached int       // owned by run: attempts that wait for another channel, and hold no place
	unsaved  []Outcome // owned by run: outcomes that are not recorded yet
	ended    []result  // owned by run: the attempts they belong to
	idle     *time.Timer
	pruned   time.Time // owned by run: when the lane last forgot people of whom nothing is left to remember
}

// pruneEvery is how often a lane that never rests forgets people.
const pruneEvery = time.Minute

// result is what an attempt tells its lane: that it needs no place any more, or how it ended.
type result struct {
	outcomes []Outcome // nil: it goes on detached
	urgent   bool
	detached bool
}

func newLane(d *Dispatcher, page identity.PageID) *lane {
	return &lane{
		d: d, page: page, mind: newMind(d.o), bucket: newPressure(d.o.Rate), signal: make(chan struct{}, 1),
		results: make(chan result, 2*(d.o.InFlight+d.o.Answers+d.o.Channels)),
	}
}

// run claims and settles until there is nothing to do.
func (l *lane) run() {
	l.idle = time.NewTimer(0)
	defer l.idle.Stop()
	for {
		l.save()
		claimed, again := 0, time.Duration(0)
		if !l.stopping() {
			claimed, again = l.claim()
		}
		if claimed > 0 && l.alerts < l.d.o.InFlight {
			continue // more may have come while this was claimed
		}
		if l.busy() == 0 && again == 0 && l.retire() {
			return
		}
		l.wait(again)
	}
}

// busy is how many attempts are under way.
func (l *lane) busy() int { return l.alerts + l.urgent + l.detached }

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

// wait blocks until an attempt ends or there may be something to claim; again, if it is not zero, is when to look
// in any case.
func (l *lane) wait(again time.Duration) {
	if l.busy() == 0 && again == 0 {
		return // woken while deciding to retire
	}
	var timer <-chan time.Time
	if again > 0 {
		l.idle.Reset(again)
		timer = l.idle.C
	}
	select {
	case r := <-l.results:
		l.take(r)
	case <-l.signal:
	case <-timer:
	case <-l.d.stopping:
		if l.busy() > 0 {
			l.take(<-l.results)
		}
	}
}

// take notes a result. The place of an attempt that ended is free only when its outcome is recorded.
func (l *lane) take(r result) {
	if r.outcomes == nil {
		l.free(r.urgent)
		l.detached++
		return
	}
	l.unsaved, l.ended = append(l.unsaved, r.outcomes...), append(l.ended, r)
}

func (l *lane) free(urgent bool) {
	if urgent {
		l.urgent--
	} else {
		l.alerts--
	}
}

// save records the outcomes at hand in one group. When the outbox fails it tries again until it is stopped
// for good: the rows then stay claimed, and their echoes settle them.
func (l *lane) save() {
	l.gather()
	if len(l.ended) == 0 {
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
	for _, r := range l.ended {
		if r.detached {
			l.detached--
		} else {
			l.free(r.urgent)
		}
	}
	l.d.metrics.inFlight.Sub(float64(len(l.ended)))
	for _, o := range l.unsaved {
		l.d.metrics.settled(o)
	}
	clear(l.unsaved) // their traces are large
	l.unsaved, l.ended = l.unsaved[:0], l.ended[:0]
}

// gather takes the results that are there.
func (l *lane) gather() {
	for {
		select {
		case r := <-l.results:
			l.take(r)
		default:
			return
		}
	}
}

// claim starts an attempt for each delivery it gets, and returns how many those were, and when to ask again when
// the page's limit allows none just now.
func (l *lane) claim() (claimed int, again time.Duration) {
	l.d.mu.Lock()
	l.again = false
	l.d.mu.Unlock()
	if !l.d.o.Mine(l.page) {
		return 0, 0
	}
	l.release()
	now := l.d.o.Now()
	if now.Sub(l.pruned) >= pruneEvery {
		l.pruned = now
		l.mind.prune(now)
	}
	room, again := l.room(now)
	if room.All <= 0 {
		return 0, again
	}
	claims, err := l.d.o.Outbox.Claim(l.d.recording, l.page, room, now, l.d.o.Lease)
	if !l.d.noted(opClaim, err) {
		return 0, 0
	}
	templates := sync.OnceValues(func() ([]Template, error) {
		return l.d.o.Templates.Templates(l.d.recording, l.page)
	})
	l.d.metrics.inFlight.Add(float64(len(claims)))
	for _, c := range claims {
		a := &attempt{d: l.d, lane: l, claim: c, templates: templates, ends: now.Add(l.d.o.Lease)}
		if c.Urgent {
			l.urgent++
		} else {
			l.alerts++
		}
		l.d.wg.Go(func() { l.results <- result{outcomes: a.run(), urgent: c.Urgent, detached: a.detached} })
	}
	if len(claims) > 0 {
		again = 0
	}
	return len(claims), again
}

// room is how many deliveries may be claimed now. Places are kept for answers, so that alerts that hang make no
// answer wait.
func (l *lane) room(now time.Time) (room Room, again time.Duration) {
	most := l.mind.room(now, l.alerts+l.urgent)
	room.Alerts = min(l.d.o.InFlight-l.alerts, most)
	if n, later := l.bucket.room(now); n < room.Alerts {
		room.Alerts, again = n, later
	}
	room.Alerts = max(0, room.Alerts)
	room.All = max(0, min(room.Alerts+l.d.o.Answers-l.urgent, most))
	return room, again
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
