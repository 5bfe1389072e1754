package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"outrider/journal"
)

// How a reader pulls.
const (
	pullMessages = 256
	pullBytes    = 2 << 20 // more than the largest batch
	pullWithin   = 11 * time.Second
	pullBeat     = 2 * time.Second // two that are missing are a server that is gone
	aheadEntries = 32 << 10        // decoded and not taken yet, about
	idleReader   = time.Minute     // that nobody takes from ends
)

// reader follows a stream from a position on, with a consumer that is thrown away at the first trouble: nothing is
// acknowledged to it, so nothing is in it that the next one would need.
type reader struct {
	p      *partition
	ctx    context.Context // ends with the journal, or when nobody wants the reader
	end    context.CancelFunc
	seq    uint64 // of the next message to come; owned by run
	strict bool   // the last consumer began with a message too far; owned by run

	mu      sync.Mutex // guards what follows
	next    journal.Position
	batches []batch
	ahead   int           // fixes in batches
	changed chan struct{} // closed when something came, then made anew
	room    chan struct{} // capacity 1: something was taken
	taken   time.Time     // when somebody asked last
	err     error         // why it ended
	trouble error         // why it does not know whether there is more, nil when it does
}

func newReader(p *partition, from journal.Position) *reader {
	r := &reader{
		p: p, seq: sequence(from), next: from, changed: make(chan struct{}), room: make(chan struct{}, 1),
		taken:   time.Now(), //nolint:forbidigo // how long something lasts is a wall-clock figure
		trouble: errors.New("journal: the reader has not begun"),
	}
	r.ctx, r.end = context.WithCancel(p.j.closing)
	return r
}

// errMoved says that a reader is of no more use to whoever reads at a position: somebody else has read on with it, or it ended
// to make room. Another one is.
var errMoved = errors.New("journal: the reader has gone on")

// at reports whether the reader goes on at a position.
func (r *reader) at(from journal.Position) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next == from && r.ctx.Err() == nil
}

// take appends entries from a position on, as many as fit. Without any it says why, or what to wait for.
func (r *reader) take(from journal.Position, dst []journal.Entry) ([]journal.Entry, <-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = time.Now() //nolint:forbidigo // how long something lasts is a wall-clock figure
	if r.next != from {
		return dst, nil, errMoved
	}
	all := dst
	for len(r.batches) > 0 && len(all) < cap(all) {
		b := r.batches[0]
		all = b.take(r.next, all)
		if len(all) > len(dst) {
			r.next = max(r.next, all[len(all)-1].Position+1)
		}
		if r.next < b.end() && b.end() > from {
			break // there was no more room
		}
		r.ahead -= len(b.fixes)
		r.batches = r.batches[1:]
	}
	if len(all) > len(dst) {
		select {
		case r.room <- struct{}{}:
		default:
		}
		return all, nil, nil
	}
	return dst, r.changed, r.err
}

func (r *reader) troubled() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

func (r *reader) troubles(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = err
}

func (r *reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	r.wake()
}

func (r *reader) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// put adds a batch.
func (r *reader) put(b batch) {
	r.mu.Lock()
	r.batches = append(r.batches, b)
	r.ahead += len(b.fixes)
	r.wake()
	r.mu.Unlock()
}

// full reports whether what is there is enough for now, and forgotten whether nobody has asked for long.
func (r *reader) full() (full, forgotten bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ahead >= aheadEntries, time.Since(r.taken) > idleReader
}

// run follows the stream until nobody wants it to, or something cannot be repaired.
func (r *reader) run() {
	defer r.p.forget(r)
	var wait backoff
	for r.ctx.Err() == nil {
		began := r.seq
		err := r.follow()
		switch {
		case r.ctx.Err() != nil:
		case hopeless(err), errors.Is(err, errMoved):
			r.fail(err)
			return
		default:
			if r.seq > began {
				wait = backoff{}
			}
			r.troubles(err)
			r.p.j.metrics.resets.Inc()
			r.p.j.o.Logger.Debug("a reader is made anew", "stream", r.p.name, "at", r.seq, "cause", err)
			sleep(r.ctx, wait.next())
		}
	}
	if r.p.j.closing.Err() != nil {
		r.fail(journal.ErrClosed)
		return
	}
	r.fail(errMoved)
}

// follow reads with one consumer until something goes wrong with it.
func (r *reader) follow() error {
	consumer, err := r.consumer()
	if err != nil {
		if _, looked := r.p.look(r.ctx); hopeless(looked) {
			return looked
		}
		return err
	}
	defer r.discard(consumer)
	if err := r.place(); err != nil { // the stream that the consumer is of: they go together
		return err
	}
	for delivered := uint64(0); ; {
		if err := r.p.j.usable(); err != nil {
			return err
		}
		if err := r.rest(); err != nil {
			return err
		}
		n, err := r.pull(consumer, &delivered)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		state, err := r.p.look(r.ctx)
		if err != nil {
			return err
		}
		if state.LastSeq >= r.seq {
			return fmt.Errorf("journal: stream %s has message %d, and the consumer is silent", r.p.name, r.seq)
		}
	}
}

// place makes sure that what is to be read is in the stream, or yet to come.
func (r *reader) place() error {
	state, err := r.p.look(r.ctx)
	if err != nil {
		return err
	}
	if r.seq < state.FirstSeq {
		return r.p.gone(r.seq, state.FirstSeq)
	}
	if r.seq > state.LastSeq+1 {
		return fmt.Errorf("journal: stream %s ends at message %d, and %d is to be read", r.p.name, state.LastSeq, r.seq)
	}
	return nil
}

// gone says that a message was purged.
func (p *partition) gone(seq, first uint64) error {
	return fmt.Errorf("%w: partition %d at message %d, the oldest is %d", journal.ErrTrimmed, p.p, seq, first)
}

func (r *reader) consumer() (jetstream.Consumer, error) {
	ctx, cancel := r.p.j.link.over(r.ctx, requestWithin)
	defer cancel()
	c, err := r.p.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.seq, AckPolicy: jetstream.AckNonePolicy,
		MemoryStorage: true, Replicas: 1, InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("journal: read stream %s: %w", r.p.name, err)
	}
	return c, nil
}

// discard removes a consumer if that is quickly done; else the servers do when nobody has pulled for a while.
func (r *reader) discard(c jetstream.Consumer) {
	ctx, cancel := r.p.j.link.over(context.WithoutCancel(r.ctx), time.Second)
	defer cancel()
	_ = r.p.stream.DeleteConsumer(ctx, c.CachedInfo().Name)
}

// rest waits while enough is there.
func (r *reader) rest() error {
	for {
		full, forgotten := r.full()
		switch {
		case forgotten:
			return errMoved // nobody reads any more
		case !full:
			return nil
		}
		select {
		case <-r.room:
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		case <-time.After(idleReader):
		}
	}
}

// pull asks for the next messages and takes them as they come; delivered is how many the consumer has given.
func (r *reader) pull(c jetstream.Consumer, delivered *uint64) (n int, err error) {
	ctx, cancel := r.p.j.link.over(r.ctx, pullWithin)
	defer cancel()
	pulled, err := c.Fetch(pullMessages, jetstream.FetchMaxBytes(pullBytes), jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(pullBeat))
	if err != nil {
		return 0, fmt.Errorf("journal: read stream %s: %w", r.p.name, err)
	}
	r.troubles(nil)
	for m := range pulled.Messages() {
		if err != nil {
			continue
		}
		n++
		if err = r.receive(m, delivered); err != nil {
			cancel() // what else comes is for the next consumer
		}
	}
	if err != nil {
		return n, err
	}
	if err := pulled.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
		return n, fmt.Errorf("journal: read stream %s: %w", r.p.name, err)
	}
	return n, nil
}

// receive takes a message. Sequences have no gaps: one that is missing was lost on its way, and then the next consumer begins
// with it, or it is missing in the stream.
func (r *reader) receive(m jetstream.Msg, delivered *uint64) error {
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("journal: read stream %s: %w", r.p.name, err)
	}
	first := *delivered == 0
	*delivered++
	if meta.Sequence.Stream != r.seq {
		if !first || meta.Sequence.Stream < r.seq || !r.strict {
			r.strict = first
			return fmt.Errorf("journal: stream %s: message %d came instead of %d", r.p.name, meta.Sequence.Stream, r.seq)
		}
		return r.missing(meta.Sequence.Stream)
	}
	b, err := r.p.decode(meta.Sequence.Stream, m.Data())
	if err != nil {
		return err
	}
	r.strict = false
	r.seq++
	r.p.saw(b.seq, len(b.fixes))
	r.put(b)
	return nil
}

// missing says what became of messages that the stream has no more: they were trimmed meanwhile, or lost.
func (r *reader) missing(found uint64) error {
	state, err := r.p.look(r.ctx)
	if err != nil {
		return err
	}
	if r.seq < state.FirstSeq {
		return r.p.gone(r.seq, state.FirstSeq)
	}
	if _, err := r.p.get(r.ctx, r.seq); !errors.Is(err, jetstream.ErrMsgNotFound) {
		return errors.Join(fmt.Errorf("journal: a server of stream %s has no message %d", r.p.name, r.seq), err)
	}
	return r.p.j.die(fmt.Errorf("%w: stream %s has no messages %d to %d. %s", journal.ErrLost, r.p.name, r.seq, found-1, whatToDo))
}
