package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"outrider/journal"
)

// Trim implements journal.Journal. What is before the position goes when its retention is over. What was trimmed is not
// remembered over a new start: batches may then stay until the partition is trimmed again. The newest batch always stays: it
// says where the partition ends.
func (j *Journal) Trim(ctx context.Context, p int, before journal.Position) error {
	if err := j.usable(); err != nil {
		return err
	}
	part := j.parts[p]
	part.mu.Lock()
	part.trimmed = max(part.trimmed, before)
	part.mu.Unlock()
	state, err := part.look(ctx)
	if err != nil {
		return err
	}
	return part.purge(ctx, state)
}

// purge removes batches that nobody needs and whose retention is over.
func (p *partition) purge(ctx context.Context, state jetstream.StreamState) error {
	p.mu.Lock()
	most := min(sequence(p.trimmed), state.LastSeq) // messages before it are processed
	p.mu.Unlock()
	if state.Msgs == 0 || most <= state.FirstSeq {
		return nil
	}
	until := state.FirstSeq
	if limit := uint64(p.j.o.RetentionBytes) / uint64(len(p.j.parts)); p.j.o.RetentionBytes > 0 && state.Bytes > limit {
		each := max(1, state.Bytes/state.Msgs)
		until += (state.Bytes - limit + each - 1) / each
	}
	if old := p.j.o.Now().Add(-p.j.o.Retention); p.j.o.Retention > 0 && state.FirstTime.Before(old) {
		first, err := p.since(ctx, old, until, most)
		if err != nil {
			return err
		}
		until = max(until, first)
	}
	if until = min(until, most); until <= state.FirstSeq {
		return nil
	}
	ctx, cancel := p.j.link.over(ctx, requestWithin)
	defer cancel()
	if err := p.stream.Purge(ctx, jetstream.WithPurgeSequence(until)); err != nil {
		return fmt.Errorf("journal: purge stream %s before message %d: %w", p.name, until, err)
	}
	return nil
}

// since finds the first message from first to last that is not older than a time.
func (p *partition) since(ctx context.Context, t time.Time, first, last uint64) (uint64, error) {
	if first >= last {
		return first, nil
	}
	var problem error
	n := sort.Search(int(last-first), func(i int) bool {
		if problem != nil {
			return true
		}
		ctx, cancel := p.j.link.over(ctx, requestWithin)
		defer cancel()
		m, err := p.stream.GetMsg(ctx, first+uint64(i))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return false // purged meanwhile
		}
		if err != nil {
			problem = fmt.Errorf("journal: message %d of stream %s: %w", first+uint64(i), p.name, err)
			return true
		}
		return !m.Time.Before(t)
	})
	return first + uint64(n), problem
}

// watch looks at the streams now and then: whether they can be appended to while nobody appends, whether they are those that
// were opened, and what has become too old.
func (j *Journal) watch() {
	for {
		var size uint64
		for _, p := range j.parts {
			state, err := p.look(j.closing)
			if j.closing.Err() != nil {
				return
			}
			if err == nil || !errors.Is(err, journal.ErrLost) {
				p.ails(err)
			}
			if err != nil {
				continue
			}
			size += state.Bytes
			if err := p.purge(j.closing, state); err != nil && j.closing.Err() == nil {
				j.o.Logger.Warn("old batches not purged", "stream", p.name, "cause", err)
			}
		}
		j.metrics.bytes.Set(float64(size))
		if !sleep(j.closing, watchEvery) {
			return
		}
	}
}
