package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"outrider/journal"
)

// partition is one stream, with what this process knows of it.
type partition struct {
	j       *Journal
	p       int
	name    string
	subject string
	stream  jetstream.Stream
	created time.Time

	sent  uint64 // batches, for their ids; owned by the writer
	acked uint64 // newest sequence that was confirmed; owned by the writer

	wake chan struct{} // capacity 1: something waits

	mu      sync.Mutex // guards what follows; no I/O under it
	waiting []*piece
	ailing  error            // why the last batch or look failed, nil when it did not
	closed  bool             // nothing is answered any more
	last    uint64           // newest sequence that was confirmed or seen
	count   int              // fixes of that batch; 0: not known
	suspect time.Time        // since when the stream has looked lost; zero: it does not
	trimmed journal.Position // what is before it is processed
	readers []*reader        // the one used last is at the end
	warm    journal.Position // where a reader who read one batch would go on
}

func newPartition(j *Journal, p int, stream jetstream.Stream) *partition {
	info := stream.CachedInfo()
	return &partition{
		j: j, p: p, name: info.Config.Name, subject: j.o.subject(p), stream: stream, created: info.Created,
		acked: info.State.LastSeq, last: info.State.LastSeq, wake: make(chan struct{}, 1),
	}
}

// ailment says why the partition cannot append, nil when it can.
func (p *partition) ailment() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ailing
}

// ails notes how the last batch or look ended.
func (p *partition) ails(err error) {
	p.mu.Lock()
	was := p.ailing
	p.ailing = err
	p.mu.Unlock()
	switch {
	case err != nil && was == nil:
		p.j.o.Logger.Error("journal cannot append", "stream", p.name, "cause", err)
	case err == nil && was != nil:
		p.j.o.Logger.Info("journal appends again", "stream", p.name)
	}
}

// saw notes a sequence that is in the stream, with the fixes of its batch; 0: unknown.
func (p *partition) saw(seq uint64, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if seq > p.last || seq == p.last && count > 0 {
		p.last, p.count = seq, count
	}
}

// look asks for the state of the stream, and makes sure that it is the one that was opened.
func (p *partition) look(ctx context.Context) (jetstream.StreamState, error) {
	p.mu.Lock()
	last := p.last
	p.mu.Unlock()
	ctx, cancel := p.j.link.over(ctx, requestWithin)
	defer cancel()
	info, err := p.stream.Info(ctx)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return jetstream.StreamState{}, p.looksLost(p.j.gone(p.name, p.created))
	case err != nil:
		return jetstream.StreamState{}, fmt.Errorf("journal: look at stream %s: %w", p.name, err)
	case !info.Created.Equal(p.created):
		return jetstream.StreamState{}, p.j.die(p.j.check(info, p.created))
	case info.State.LastSeq < last:
		return jetstream.StreamState{}, p.looksLost(fmt.Errorf("%w: stream %s ends at message %d, and %d was confirmed. %s",
			journal.ErrLost, p.name, info.State.LastSeq, last, whatToDo))
	}
	p.mu.Lock()
	p.suspect = time.Time{}
	p.mu.Unlock()
	return info.State, nil
}

// looksLost makes the journal refuse everything when a stream has looked lost for long enough: a leader that was just elected, and
// a server that has just begun, may know less than was confirmed for a while.
func (p *partition) looksLost(err error) error {
	now := time.Now() //nolint:forbidigo // how long something lasts is a wall-clock figure
	p.mu.Lock()
	if p.suspect.IsZero() {
		p.suspect = now
	}
	sure := now.Sub(p.suspect) >= p.j.o.SureAfter
	p.mu.Unlock()
	if sure {
		return p.j.die(err)
	}
	return fmt.Errorf("journal: not sure yet: %v", err) //nolint:errorlint // it is not journal.ErrLost yet
}

// state asks for the state of the stream until somebody answers.
func (p *partition) state(ctx context.Context) (state jetstream.StreamState, err error) {
	err = p.persist(ctx, func(ctx context.Context) (err error) {
		state, err = p.look(ctx)
		return err
	})
	return state, err
}

// bounds implements journal.Journal's Bounds.
func (p *partition) bounds(ctx context.Context) (first, next journal.Position, err error) {
	state, err := p.state(ctx)
	if err != nil {
		return 0, 0, err
	}
	first = position(max(state.FirstSeq, 1), 0)
	if state.Msgs == 0 { // nobody but an administrator's purge leaves nothing
		next = position(state.LastSeq+1, 0)
		return next, next, nil
	}
	p.mu.Lock()
	count, known := p.count, p.last == state.LastSeq && p.count > 0
	p.mu.Unlock()
	if !known {
		b, err := p.get(ctx, state.LastSeq)
		if err != nil {
			return 0, 0, err
		}
		count = len(b.fixes)
		p.saw(b.seq, count)
	}
	return first, position(state.LastSeq, count), nil
}

// Rewind implements journal.Rewinder: it counts messages, and takes the usual number of fixes in one from their size.
func (j *Journal) Rewind(ctx context.Context, p, n int) (journal.Position, error) {
	state, err := j.parts[p].state(ctx)
	if err != nil || state.Msgs == 0 {
		return 0, err
	}
	each := max(1, state.Bytes/state.Msgs/fixBytes)
	back := max(1, uint64(n)/each)
	return position(max(state.FirstSeq, state.LastSeq+1-min(state.LastSeq, back)), 0), nil
}

// fixBytes is about what a fix takes in a batch.
const fixBytes = 96

// persist tries something again until it succeeds, it is hopeless, or ctx ends: then the error is also the cause of ctx.
func (p *partition) persist(ctx context.Context, try func(context.Context) error) error {
	var wait backoff
	for {
		if err := p.j.usable(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := try(ctx)
		if err == nil || hopeless(err) {
			return err
		}
		p.j.o.Logger.Debug("the journal is asked again", "stream", p.name, "cause", err)
		if !sleep(ctx, wait.next()) {
			return fmt.Errorf("%w: %w: %w", journal.ErrUnreachable, context.Cause(ctx), err)
		}
	}
}

// hopeless errors do not go away by trying again.
func hopeless(err error) bool {
	for _, h := range []error{journal.ErrLost, journal.ErrTrimmed, journal.ErrClosed, journal.ErrBatch, jetstream.ErrMsgNotFound} {
		if errors.Is(err, h) {
			return true
		}
	}
	return false
}

// drop takes a piece back that nobody waits for any more, unless it is under way.
func (p *partition) drop(a *piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(other *piece) bool { return other == a })
}
