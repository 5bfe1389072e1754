package notify

import (
	"sync"
	"time"

	"outrider/identity"
)

// mind is what a lane remembers of Graph's answers, so that it does not ask what it was just refused. It is lost
// on restart, which costs one refused request for each thing it knew. It is safe for many goroutines.
type mind struct {
	jitter func() float64

	mu      sync.Mutex // guards everything below
	changed time.Time  // when the page changed last
	pause   pause
	people  map[identity.PSID]*person
	deadTag string
	refused map[templateKey]time.Time // when Graph refused the template's shape
	asked   map[templateKey]time.Time // when a template was asked for
	strikes map[string]int            // failed sends by delivery, counted towards MaxAttempts
	streak  int                       // sends without a proper answer in a row, of whichever deliveries
	pace    Pace
}

// pause is a time in which the page sends nothing.
type pause struct {
	reason Reason
	since  time.Time
	until  time.Time
	times  int // in a row
}

// person is what is known of one person's thread.
type person struct {
	closed time.Time // when Graph last said that the window is closed
	reason Reason    // why they are left alone
	since  time.Time
	until  time.Time
	times  int
	purse  purse
}

type templateKey struct{ name, language string }

func newMind(o DispatcherOptions) *mind {
	m := &mind{jitter: o.Jitter, pace: o.Pace.withDefaults()}
	m.forget(time.Time{})
	return m
}

// forget drops what may be different now that the page has changed. Strikes and closed windows stay.
func (m *mind) forget(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = now
	m.pause, m.deadTag, m.streak = pause{}, "", 0
	m.refused, m.asked = map[templateKey]time.Time{}, map[templateKey]time.Time{}
	if m.people == nil {
		m.people, m.strikes = map[identity.PSID]*person{}, map[string]int{}
	}
}

// room returns how many deliveries may be claimed at a time now: none while Graph or the network ask for
// patience, one at a time to probe after any pause, no limit of its own otherwise. During a pause that somebody
// must end, deliveries are claimed nevertheless, for the plan to hold each with the reason that people see.
func (m *mind) room(now time.Time, inFlight int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.pause.reason == ReasonNone:
		return int(^uint(0) >> 1)
	case now.Before(m.pause.until) && m.pause.silent():
		return 0
	case now.Before(m.pause.until):
		return int(^uint(0) >> 1)
	}
	return 1 - inFlight
}

// silent reports whether deliveries just stay pending during the pause: it is short and nobody need act.
func (p pause) silent() bool {
	quiet := p.reason == ReasonNetwork || p.reason == ReasonThrottled || p.reason == ReasonTemporary
	return quiet && p.until.Sub(p.since) <= silentPause
}

// silentPause is how long a pause may be before people are told of it, delivery by delivery.
const silentPause = 5 * time.Minute

// stop makes the page send nothing for a while, longer each time in a row; it returns the pause, and whether
// its reason is new.
func (m *mind) stop(reason Reason, after time.Duration, now time.Time) (p pause, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pause.reason != ReasonNone && now.Before(m.pause.until) {
		if asked := now.Add(after); after > 0 && asked.After(m.pause.until) {
			m.pause.until = asked
		}
		return m.pause, false // one of several requests that were under way together
	}
	fresh = m.pause.reason != reason
	if fresh {
		m.pause = pause{reason: reason}
	}
	m.pause.times++
	if after <= 0 {
		after = pauseFor(reason, m.pause.times, m.jitter())
	}
	m.pause.since, m.pause.until = now, now.Add(after)
	return m.pause, fresh
}

// outdated reports whether the page changed after a request had started: what Graph says of the page then, it says
// of the old token.
func (m *mind) outdated(started time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return started.Before(m.changed)
}

// worked records that Graph served a request that started then; it reports whether that ended a pause.
func (m *mind) worked(started time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.streak = 0
	if m.pause.reason == ReasonNone || started.Before(m.pause.since) {
		return false
	}
	m.pause = pause{}
	return true
}

// breakAfter is how many sends in a row without a proper answer make a page pause.
const breakAfter = 8

// stumbled counts a send without a proper answer, and reports whether there were too many in a row.
func (m *mind) stumbled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.streak++
	return m.streak >= breakAfter
}

// paced uses one message of a person's pace; it returns how long to wait when there is none left.
func (m *mind) paced(psid identity.PSID, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.person(psid).purse.take(m.pace, now)
}

// bothered lowers what may go to a person, since Meta said that it is too much.
func (m *mind) bothered(psid identity.PSID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.person(psid).purse.meagre = true
}

// askAgain is how long a template that was asked for is not asked for again.
const askAgain = 10 * time.Minute

// ask reports whether a template should be asked for now.
func (m *mind) ask(name, language string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := templateKey{name, language}
	if at, ok := m.asked[key]; ok && now.Sub(at) < askAgain {
		return false
	}
	m.asked[key] = now
	return true
}

// fill adds to the plan's situation what is remembered.
func (m *mind) fill(s *Situation, c Claim, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Before(m.pause.until) && !m.pause.silent() {
		s.Blocked, s.BlockedUntil = m.pause.reason, m.pause.until
	}
	s.TagDead = s.Tag != "" && s.Tag == m.deadTag
	p := m.people[c.PSID]
	if p == nil {
		return
	}
	s.WindowClosed = p.closed
	if now.Before(p.until) && !c.LastAction.After(p.since) {
		s.Quiet, s.QuietUntil = p.reason, p.until
	}
}

// shapeRefused reports whether Graph refused the template since it was last checked.
func (m *mind) shapeRefused(t Template) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.refused[templateKey{t.Name, t.Language}]
	return ok && !t.Checked.After(at)
}

func (m *mind) refuseShape(name, language string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused[templateKey{name, language}] = now
}

func (m *mind) killTag(tag string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deadTag = tag
}

func (m *mind) closeWindow(psid identity.PSID, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.person(psid).closed = now
}

// quiet leaves a person alone for a while, longer each time in a row, and returns until when.
func (m *mind) quiet(psid identity.PSID, reason Reason, after time.Duration, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.person(psid)
	p.times++
	if after <= 0 {
		after = quietFor(p.times)
	}
	p.reason, p.since, p.until = reason, now, now.Add(after)
	return p.until
}

// person returns the entry of psid; m.mu is held.
func (m *mind) person(psid identity.PSID) *person {
	p := m.people[psid]
	if p == nil {
		p = &person{}
		m.people[psid] = p
	}
	return p
}

// reached forgets what kept a person from being written to.
func (m *mind) reached(psid identity.PSID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.people[psid]; p != nil {
		p.reason, p.until, p.times = ReasonNone, time.Time{}, 0
	}
}

// strike counts a failed send of a delivery and returns how many those are.
func (m *mind) strike(delivery string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.strikes[delivery]++
	return m.strikes[delivery]
}

// absolve forgets a delivery's strikes.
func (m *mind) absolve(delivery string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.strikes, delivery)
}

// prune forgets people of whom nothing is left to remember.
func (m *mind) prune(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for psid, p := range m.people {
		if now.After(p.until.Add(Window)) && now.After(p.closed.Add(Window)) && p.purse.full(m.pace, now) {
			delete(m.people, psid)
		}
	}
}
