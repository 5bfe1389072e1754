package jetstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"outrider/journal"
)

// positionLine is how long the line with the position is that a snapshot begins with.
const positionLine = 21

func stateName(p int) string { return "lane-" + strconv.Itoa(p) }

// SaveSnapshot implements journal.Snapshots. The pieces of an object are there before the message that names it, and that
// message replaces the old one, so a crash leaves the old snapshot or the new one.
func (j *Journal) SaveSnapshot(ctx context.Context, p int, at journal.Position, write func(io.Writer) error) error {
	if err := j.usable(); err != nil {
		return err
	}
	r, w := io.Pipe()
	var writing sync.WaitGroup
	writing.Go(func() {
		b := bufio.NewWriterSize(w, 128<<10)
		_, err := fmt.Fprintf(b, "%020d\n", uint64(at))
		if err == nil {
			err = write(b)
		}
		if err == nil {
			err = b.Flush()
		}
		_ = w.CloseWithError(err) // nil: the end
	})
	_, err := j.states.Put(ctx, jetstream.ObjectMeta{Name: stateName(p)}, r)
	_ = r.Close() // ends the writer, if it has not
	writing.Wait()
	if err != nil {
		return fmt.Errorf("journal: save snapshot: %w", err)
	}
	return nil
}

// LoadSnapshot implements journal.Snapshots. All of it is read before it is returned, so that it is known to be whole.
func (j *Journal) LoadSnapshot(ctx context.Context, p int) (journal.Position, io.ReadCloser, error) {
	var raw []byte
	var absent bool
	err := j.parts[p].persist(ctx, func(ctx context.Context) (err error) {
		raw, err = j.states.GetBytes(ctx, stateName(p))
		if absent = errors.Is(err, jetstream.ErrObjectNotFound); absent {
			return nil
		}
		return err
	})
	switch {
	case absent:
		return 0, nil, journal.ErrNoSnapshot
	case err != nil:
		return 0, nil, fmt.Errorf("journal: load snapshot: %w", err)
	case len(raw) < positionLine:
		return 0, nil, fmt.Errorf("%w: %s is cut", journal.ErrNoSnapshot, stateName(p))
	}
	at, err := strconv.ParseUint(string(raw[:positionLine-1]), 10, 64)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %s begins with no position", journal.ErrNoSnapshot, stateName(p))
	}
	return journal.Position(at), io.NopCloser(bytes.NewReader(raw[positionLine:])), nil
}
