package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"outrider/journal"
	"outrider/telemetry"
)

// How large a batch may become, and how much of it one caller may bring at once. Half of that if the servers take no more than
// their default of 1 MiB would allow.
const (
	batchBytes = 512 << 10
	pieceBytes = batchBytes / 2
)

// piece is what one call of Append has for one partition, or a part of it.
type piece struct {
	to    *partition
	fixes int
	body  []byte
	done  chan error // capacity 1, sent once by the writer
}

// pieces divides fixes among the partitions, in order.
func (j *Journal) pieces(fixes []telemetry.Fix) []*piece {
	var all []*piece
	open := make([]*piece, len(j.parts))
	most := j.fit(pieceBytes)
	for i := range fixes {
		f := &fixes[i]
		p := journal.PartitionOf(f.Tenant, f.Vehicle, len(j.parts))
		a := open[p]
		if a == nil || len(a.body) >= most || a.fixes == mostFixes {
			a = &piece{to: j.parts[p], done: make(chan error, 1)}
			open[p] = a
			all = append(all, a)
		}
		a.body = journal.AppendFix(a.body, f)
		a.fixes++
	}
	return all
}

// fit is a size, less if the servers take only small messages.
func (j *Journal) fit(size int) int {
	return min(size, size*int(j.nc.MaxPayload()/2)/batchBytes)
}

func (p *partition) add(a *piece) {
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.waiting = append(p.waiting, a)
	}
	p.mu.Unlock()
	if closed {
		a.done <- journal.ErrClosed
		return
	}
	p.awake()
}

func (p *partition) awake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// write is the writer of a partition: one batch is under way at a time.
func (p *partition) write() {
	for {
		select {
		case <-p.wake:
			for batch := p.gather(); len(batch) > 0; batch = p.gather() {
				p.answer(batch, p.publish(batch))
			}
		case <-p.j.closing.Done():
			p.mu.Lock()
			p.closed = true
			p.mu.Unlock()
			p.answer(nil, journal.ErrClosed)
			return
		}
	}
}

// gather takes what waits, as much as one batch holds.
func (p *partition) gather() []*piece {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, fixes, size, most := 0, 0, 0, p.j.fit(batchBytes)
	for _, a := range p.waiting {
		if n > 0 && (fixes+a.fixes > mostFixes || size+len(a.body) > most) {
			break
		}
		n, fixes, size = n+1, fixes+a.fixes, size+len(a.body)
	}
	batch := append([]*piece(nil), p.waiting[:n]...)
	p.waiting = append(p.waiting[:0], p.waiting[n:]...)
	return batch
}

// all takes everything that waits.
func (p *partition) all() []*piece {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.waiting
	p.waiting = nil
	return all
}

// answer tells the callers. When a batch was given up, what waits behind it is too: it may hold newer fixes of the same
// vehicles, whose senders repeat all of it in order.
func (p *partition) answer(batch []*piece, err error) {
	if err != nil {
		batch = append(batch, p.all()...)
	}
	for _, a := range batch {
		a.done <- err
	}
}

// publish makes a batch durable. It is sent under the same id until a server confirms it, so a batch whose confirmation was
// lost is not stored twice.
func (p *partition) publish(batch []*piece) error {
	m, fixes := p.message(batch)
	began := time.Now() //nolint:forbidigo // how long something takes is a wall-clock figure
	ctx, cancel := context.WithTimeout(context.Background(), p.j.o.AppendWithin)
	defer cancel()
	var wait backoff
	for {
		ack, err := p.send(ctx, m)
		if err == nil {
			err = p.confirmed(ack, fixes)
		}
		if err == nil {
			p.ails(nil)
			p.j.metrics.appended(fixes, len(m.Data), time.Since(began).Seconds())
			return nil
		}
		p.ails(err)
		if errors.Is(err, nats.ErrMaxPayload) || p.j.usable() != nil || p.j.hurried.Load() || !sleep(ctx, wait.next()) {
			p.j.metrics.failures.Inc()
			return errors.Join(p.j.usable(), err)
		}
		p.j.metrics.retries.Inc()
		_, _ = p.look(ctx) // a stream that was made anew ends this
	}
}

// message is the batch as it is sent.
func (p *partition) message(batch []*piece) (m *nats.Msg, fixes int) {
	size := 16
	for _, a := range batch {
		fixes, size = fixes+a.fixes, size+len(a.body)
	}
	m = nats.NewMsg(p.subject)
	m.Data = journal.AppendBatchHead(make([]byte, 0, size), fixes)
	for _, a := range batch {
		m.Data = append(m.Data, a.body...)
	}
	p.sent++
	m.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s-%d", p.j.run, p.sent))
	m.Header.Set(jetstream.ExpectedStreamHeader, p.name)
	return m, fixes
}

// send sends a batch once.
func (p *partition) send(ctx context.Context, m *nats.Msg) (*jetstream.PubAck, error) {
	ctx, cancel := p.j.link.over(ctx, requestWithin)
	defer cancel()
	ack, err := p.j.js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
	if err != nil {
		return nil, fmt.Errorf("journal: append to stream %s: %w", p.name, err)
	}
	return ack, nil
}

// confirmed looks whether the servers' answer fits what they said before: a stream that was made anew begins with 1.
func (p *partition) confirmed(ack *jetstream.PubAck, fixes int) error {
	if ack.Sequence <= p.acked && !ack.Duplicate {
		return p.j.die(fmt.Errorf("%w: stream %s stored a batch as message %d, and %d was confirmed before. %s",
			journal.ErrLost, p.name, ack.Sequence, p.acked, whatToDo))
	}
	p.acked = max(p.acked, ack.Sequence)
	p.saw(ack.Sequence, fixes)
	return nil
}
