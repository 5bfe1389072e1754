package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"outrider/journal"
	"outrider/telemetry"
)

// mostReaders of a partition are kept: its lane's, and those of people who look back.
const mostReaders = 4

// batch is a message of a stream.
type batch struct {
	seq   uint64
	fixes []telemetry.Fix
}

// take appends to dst the entries of the batch from a position on, as many as fit.
func (b batch) take(from journal.Position, dst []journal.Entry) []journal.Entry {
	for i := range b.fixes {
		at := position(b.seq, i)
		if at < from {
			continue
		}
		if len(dst) == cap(dst) {
			break
		}
		dst = append(dst, journal.Entry{Position: at, Fix: b.fixes[i]})
	}
	return dst
}

// end is the position behind the batch.
func (b batch) end() journal.Position { return position(b.seq, len(b.fixes)) }

// Read implements journal.Journal.
func (j *Journal) Read(ctx context.Context, p int, from journal.Position, dst []journal.Entry) ([]journal.Entry, error) {
	if cap(dst) == len(dst) {
		return dst, errors.New("journal: read without a place to read into")
	}
	if err := j.usable(); err != nil {
		return dst, err
	}
	if ctx.Err() != nil {
		return dst, context.Cause(ctx)
	}
	part := j.parts[p]
	from = max(from, position(1, 0))
	if r := part.readerAt(from); r != nil {
		return part.follow(ctx, r, from, dst)
	}
	all, err := part.readOne(ctx, from, dst)
	if err != nil || len(all) > len(dst) {
		return all, err
	}
	return part.follow(ctx, part.begin(from), from, dst)
}

// readOne reads from one batch, without a reader: whoever looks for a place does not need one. It appends nothing if there is
// nothing yet, or if a reader would do better, since somebody reads on.
func (p *partition) readOne(ctx context.Context, from journal.Position, dst []journal.Entry) ([]journal.Entry, error) {
	p.mu.Lock()
	on := p.warm == from
	p.mu.Unlock()
	if on {
		return dst, nil
	}
	for seq := sequence(from); ; {
		var b batch
		err := p.persist(ctx, func(ctx context.Context) (err error) {
			if b, err = p.get(ctx, seq); err == nil {
				_, err = p.look(ctx) // it is of the stream that was opened
			}
			return err
		})
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return dst, nil // the reader finds out whether it is yet to come
		case err != nil:
			return dst, err
		}
		all := b.take(from, dst)
		if len(all) == len(dst) { // from is the end of that batch
			seq++
			continue
		}
		p.mu.Lock()
		p.warm = all[len(all)-1].Position + 1
		p.mu.Unlock()
		return all, nil
	}
}

// get reads one batch.
func (p *partition) get(ctx context.Context, seq uint64) (batch, error) {
	ctx, cancel := p.j.link.over(ctx, requestWithin)
	defer cancel()
	m, err := p.stream.GetMsg(ctx, seq)
	if err != nil {
		return batch{}, fmt.Errorf("journal: message %d of stream %s: %w", seq, p.name, err)
	}
	return p.decode(m.Sequence, m.Data)
}

// decode reads a message. One of an unknown version ends whoever reads: what is behind it may mean anything.
func (p *partition) decode(seq uint64, data []byte) (batch, error) {
	fixes, err := journal.DecodeBatch(nil, data)
	if err != nil {
		return batch{}, fmt.Errorf("journal: message %d of stream %s: %w", seq, p.name, err)
	}
	if len(fixes) == 0 || len(fixes) > mostFixes {
		return batch{}, fmt.Errorf("journal: message %d of stream %s: %w: %d fixes", seq, p.name, journal.ErrBatch, len(fixes))
	}
	return batch{seq, fixes}, nil
}

// readerAt is the reader that has come to a position; nil: none has.
func (p *partition) readerAt(from journal.Position) *reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.readers, func(r *reader) bool { return r.at(from) })
	if i < 0 {
		return nil
	}
	r := p.readers[i]
	p.readers = append(slices.Delete(p.readers, i, i+1), r)
	return r
}

// begin begins a reader, and ends the one that was not used for longest if there are too many.
func (p *partition) begin(from journal.Position) *reader {
	r := newReader(p, from)
	p.mu.Lock()
	p.readers = append(p.readers, r)
	if len(p.readers) > mostReaders {
		p.readers[0].end()
		p.readers = slices.Delete(p.readers, 0, 1)
	}
	p.mu.Unlock()
	p.j.begin(r.run)
	return r
}

// forget ends a reader.
func (p *partition) forget(r *reader) {
	r.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readers = slices.DeleteFunc(p.readers, func(other *reader) bool { return other == r })
}

// follow waits until a reader has something.
func (p *partition) follow(ctx context.Context, r *reader, from journal.Position, dst []journal.Entry) ([]journal.Entry, error) {
	for {
		all, changed, err := r.take(from, dst)
		switch {
		case len(all) > len(dst):
			return all, nil
		case errors.Is(err, errMoved):
			r = p.begin(from)
			continue
		case err != nil:
			p.forget(r)
			return dst, err
		}
		select {
		case <-changed:
		case <-p.j.closing.Done():
			return dst, journal.ErrClosed
		case <-ctx.Done():
			if trouble := r.troubled(); trouble != nil {
				return dst, fmt.Errorf("%w: %w: %w", journal.ErrUnreachable, context.Cause(ctx), trouble)
			}
			return dst, context.Cause(ctx)
		}
	}
}
