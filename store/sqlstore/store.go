package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"outrider/store"
)

// Sealer protects secrets at rest; context binds a sealed text to its place.
type Sealer interface {
	Seal(plain, context string) (string, error)
	Open(sealed, context string) (string, error)
}

// Store keeps everything in a [DB]. It is safe for many goroutines.
type Store struct {
	db     DB
	sealer Sealer
	now    func() time.Time
}

var _ store.Store = (*Store)(nil)

// New returns a store over db, whose schema is in place. The store owns db. sealer and now are required; now is the
// clock of Updated, Recorded and released deliveries.
func New(db DB, sealer Sealer, now func() time.Time) (*Store, error) {
	if db == nil || sealer == nil || now == nil {
		return nil, errors.New("store: a store needs a database, a Sealer and a clock")
	}
	return &Store{db: db, sealer: sealer, now: now}, nil
}

// Ping implements store.Store: it reads and writes.
func (s *Store) Ping(ctx context.Context) error {
	const touch = `UPDATE counters SET value = value WHERE name = 'lease'`
	if err := s.write(ctx, func(tx Tx) error { return tx.Exec(touch) }); err != nil {
		return fmt.Errorf("store: ping: %w", err)
	}
	return nil
}

// Close ends after what was taken is written. It may come twice.
func (s *Store) Close() error { return s.db.Close() }

// write runs do in a transaction and returns when it is durable, or was undone.
func (s *Store) write(ctx context.Context, do func(Tx) error) error {
	return s.db.Write(ctx, do, false)
}

// writeSure is write for what fails only when the database does.
func (s *Store) writeSure(ctx context.Context, do func(Tx) error) error {
	return s.db.Write(ctx, do, true)
}

// micros is how a time is kept.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the reverse of micros.
func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
