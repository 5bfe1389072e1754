package simulator

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// link publishes some of a fleet's vehicles over one MQTT connection at a time. Everything but what mu guards
// is owned by the goroutine in run.
type link struct {
	publisher *Publisher
	client    string // MQTT client id
	order     []int  // its vehicles, in the order in which they report within an interval
	ends      []time.Time

	senders sync.WaitGroup
	next    cursor
	held    heldFixes // taken and to be sent later, because of a fault
	again   []message // published on an earlier connection and not acknowledged, oldest first
	pending []*flight // published on this connection and not acknowledged, oldest first

	mu      sync.Mutex // guards what follows
	stats   Stats
	records map[int]*record // by vehicle
}

// cursor is the next fix to be made: the nth of the vehicle at a place of the order.
type cursor struct{ n, place int }

// message is a fix on its way.
type message struct {
	vehicle int
	fix     time.Time
	topic   string
	payload []byte
}

// flight is a message that waits for its acknowledgement. Paho gives its token when it has taken it over.
type flight struct {
	message
	taken chan mqtt.Token // buffered, one token
	token mqtt.Token      // nil until it was received from taken
}

// record is what is known of one vehicle's publications.
type record struct {
	published    time.Time // fix time of the newest published fix
	acknowledged time.Time // fix time of the newest acknowledged fix
	moments      []moment  // oldest first
}

// moment is when a fix was first published.
type moment struct{ fix, wall time.Time }

func newLink(p *Publisher, number int) *link {
	l := &link{publisher: p, client: fmt.Sprintf("%s-%d", p.options.ClientID, number), records: map[int]*record{}}
	start := p.fleet.Start().Add(-time.Nanosecond)
	for v := number; v < p.fleet.Len(); v += p.options.Connections {
		l.order = append(l.order, v)
		l.records[v] = &record{published: start, acknowledged: start}
	}
	slices.SortStableFunc(l.order, func(a, b int) int { return p.fleet.FixTime(a, 0).Compare(p.fleet.FixTime(b, 0)) })
	if d := p.options.Duration; d > 0 {
		around := p.options.Settle + p.fleet.Interval() // the last fix comes up to an interval before the end
		for _, v := range l.order {
			l.ends = append(l.ends, p.fleet.Settled(v, p.fleet.Start().Add(d), around))
		}
	}
	return l
}

// run publishes until its vehicles have driven to their ends and everything is acknowledged, or until ctx ends.
func (l *link) run(ctx context.Context, pace pace) {
	defer l.senders.Wait()
	wait := 20 * time.Millisecond
	for ctx.Err() == nil && !l.finished() {
		conn, err := l.dial(ctx)
		if err == nil {
			wait = 20 * time.Millisecond
			err = l.session(ctx, conn, pace)
			l.hangUp(conn)
		}
		if err == nil {
			continue
		}
		l.publisher.options.Logger.Debug("publisher lost its connection", slog.String("client", l.client), slog.Any("err", err))
		pause(ctx, wait)
		wait = min(2*wait, l.publisher.options.RetryMax)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// connection is one MQTT connection; lost is closed when it is gone. What is put into out is handed to paho by
// a goroutine of its own, since paho blocks for writeTimeout when it loses a connection in that moment. The
// link sends to out and closes it.
type connection struct {
	client mqtt.Client
	lost   chan struct{}
	out    chan *flight
}

// send hands messages to paho until out is closed.
func (c *connection) send() {
	for f := range c.out {
		f.taken <- c.client.Publish(f.topic, 1, false, f.payload)
	}
}

// Time limits of one connection.
const (
	connectTimeout = 5 * time.Second
	writeTimeout   = 3 * time.Second
)

// dial connects. Paho neither keeps nor repeats anything here: the link does, so that the order is its own.
func (l *link) dial(ctx context.Context) (*connection, error) {
	o := l.publisher.options
	c := &connection{lost: make(chan struct{}), out: make(chan *flight, o.InFlight)}
	gone := sync.OnceFunc(func() { close(c.lost) })
	options := mqtt.NewClientOptions().AddBroker(o.URL).SetClientID(l.client).
		SetUsername(o.Username).SetPassword(o.Password).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).
		SetConnectionLostHandler(func(mqtt.Client, error) { gone() })
	c.client = mqtt.NewClient(options)
	token := c.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		c.client.Disconnect(0)
		return nil, context.Cause(ctx)
	}
	if err := token.Error(); err != nil {
		return nil, fmt.Errorf("simulator: connect: %w", err)
	}
	l.senders.Go(c.send)
	l.count(func(s *Stats) { s.Connects++; s.Connected++ })
	return c, nil
}

// hangUp ends a connection; what it left unacknowledged goes out first on the next.
func (l *link) hangUp(c *connection) {
	close(c.out)
	c.client.Disconnect(0)
	var left []message
	for _, f := range l.pending {
		left = append(left, f.message)
	}
	l.again, l.pending = append(left, l.again...), nil
	l.count(func(s *Stats) { s.Connected-- })
}

// session publishes on one connection until everything is done (nil) or the connection is lost.
func (l *link) session(ctx context.Context, c *connection, pace pace) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, more := l.fill(c, pace)
		if !more && len(l.pending) == 0 {
			return nil
		}
		var ring <-chan time.Time
		halted := l.publisher.halted
		if more && len(l.pending) < l.publisher.options.InFlight {
			timer.Reset(due.Sub(l.publisher.options.Now()))
			ring = timer.C
		} else {
			halted = nil // nothing new would be made anyway
		}
		if err := l.wait(ctx, c, ring, halted); err != nil {
			return err
		}
	}
}

// wait waits for the oldest acknowledgement, for the next fix to be due, or for the end.
func (l *link) wait(ctx context.Context, c *connection, ring <-chan time.Time, halted <-chan struct{}) error {
	var taken <-chan mqtt.Token
	var acknowledged <-chan struct{}
	if len(l.pending) > 0 {
		if f := l.pending[0]; f.token == nil {
			taken = f.taken
		} else {
			acknowledged = f.token.Done()
		}
	}
	select {
	case token := <-taken:
		l.pending[0].token = token
	case <-acknowledged:
		return l.settle()
	case <-ring:
	case <-halted:
	case <-c.lost:
		return errLost
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// fill publishes what is due while the window has room, first what an earlier connection left. It returns when
// the next fix is due, and false when there is none.
func (l *link) fill(c *connection, pace pace) (due time.Time, more bool) {
	for len(l.pending) < l.publisher.options.InFlight {
		if len(l.again) > 0 {
			m := l.again[0]
			l.again = l.again[1:]
			l.publish(c, m, true)
			continue
		}
		next, again, ok := l.upcoming()
		if !ok {
			return time.Time{}, false
		}
		if due := pace.due(next.at); due.After(l.publisher.options.Now()) && !l.isHalted() {
			return due, true
		}
		l.take(next, again)
		if again {
			l.publish(c, l.make(next.vehicle, next.n), next.again)
		}
	}
	return time.Time{}, true
}

// upcoming is what happens next by the fleet's time: a held fix is sent (held is true), or a fix is taken.
func (l *link) upcoming() (next heldFix, held, ok bool) {
	vehicle, n, more := l.peek()
	taken := l.publisher.fleet.FixTime(vehicle, n)
	if len(l.held) > 0 && (!more || !l.held[0].at.After(taken)) {
		return l.held[0], true, true
	}
	return heldFix{at: taken, vehicle: vehicle, n: n}, false, more
}

// take moves on behind what upcoming returned. A fix that is taken is held until it is to be sent, which mostly is at
// once.
func (l *link) take(next heldFix, held bool) {
	if held {
		heap.Pop(&l.held)
		return
	}
	l.step()
	p := l.publisher
	start := p.fleet.Start()
	for i, d := range p.options.Faults.deliveries(p.fleet.options.Seed, next.vehicle, next.n, next.at.Sub(start)) {
		heap.Push(&l.held, heldFix{start.Add(d.at), d.order, next.vehicle, next.n, i > 0})
	}
}

func (l *link) isHalted() bool {
	select {
	case <-l.publisher.halted:
		return true
	default:
		return false
	}
}

// finished reports whether nothing is left to make or to acknowledge.
func (l *link) finished() bool {
	_, _, more := l.peek()
	return !more && len(l.held) == 0 && len(l.again) == 0 && len(l.pending) == 0
}

// peek returns the next fix to be made, and false when there is none.
func (l *link) peek() (vehicle, n int, ok bool) {
	if l.isHalted() {
		return 0, 0, false
	}
	for skipped := 0; skipped < len(l.order); skipped++ {
		vehicle = l.order[l.next.place]
		if l.ends == nil || !l.publisher.fleet.FixTime(vehicle, l.next.n).After(l.ends[l.next.place]) {
			return vehicle, l.next.n, true
		}
		l.step()
	}
	return 0, 0, false
}

// step moves the cursor to the next vehicle, after the last to the next interval.
func (l *link) step() {
	if l.next.place++; l.next.place == len(l.order) {
		l.next = cursor{n: l.next.n + 1}
	}
}

// make builds a message.
func (l *link) make(vehicle, n int) message {
	p := l.publisher
	fix := p.fleet.Fix(vehicle, n)
	taken := fix.Time
	fix.Time = taken.Add(p.options.Faults.skew(p.fleet.options.Seed, vehicle))
	return message{
		vehicle: vehicle, fix: taken, topic: p.options.Format.topic(fix.Tenant, fix.Vehicle),
		payload: p.options.Format.encode(nil, fix),
	}
}

// publish hands a message to the connection.
func (l *link) publish(c *connection, m message, repeated bool) {
	l.note(m, l.publisher.options.Now(), repeated)
	f := &flight{message: m, taken: make(chan mqtt.Token, 1)}
	l.pending = append(l.pending, f)
	c.out <- f // never blocks: there is room for every pending message
}

// settle takes the oldest acknowledgement.
func (l *link) settle() error {
	f := l.pending[0]
	if err := f.token.Error(); err != nil {
		return fmt.Errorf("simulator: publish: %w", err)
	}
	l.pending = l.pending[1:]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Acknowledged++
	if r := l.records[f.vehicle]; f.fix.After(r.acknowledged) {
		r.acknowledged = f.fix
	}
	return nil
}

// note records a publication.
func (l *link) note(m message, now time.Time, repeated bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if repeated {
		l.stats.Repeated++
		return
	}
	l.stats.Published++
	if m.fix.After(l.stats.Newest) {
		l.stats.Newest = m.fix
	}
	r := l.records[m.vehicle]
	if !m.fix.After(r.published) {
		return // an old one that comes late: of these nobody asks for the moment
	}
	r.published = m.fix
	r.moments = append(r.moments, moment{m.fix, now})
	if limit := l.publisher.options.Remember; len(r.moments) >= 2*limit {
		r.moments = append(r.moments[:0], r.moments[len(r.moments)-limit:]...)
	}
}

func (l *link) count(change func(*Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.stats)
}

func (l *link) counts() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// record returns a copy of a vehicle's record, without its moments.
func (l *link) record(vehicle int) record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := *l.records[vehicle]
	r.moments = nil
	return r
}

func (l *link) published(vehicle int, fix time.Time) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.records[vehicle].moments
	i := sort.Search(len(m), func(i int) bool { return !m[i].fix.Before(fix) })
	if i == len(m) || !m[i].fix.Equal(fix) {
		return time.Time{}, false
	}
	return m[i].wall, true
}

func (l *link) lastPublished(vehicle int, by time.Time) (fix, wall time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.records[vehicle].moments
	i := sort.Search(len(m), func(i int) bool { return m[i].wall.After(by) })
	if i == 0 {
		return fix, wall, false
	}
	return m[i-1].fix, m[i-1].wall, true
}
