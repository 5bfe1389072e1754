package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite" // the driver

	"outrider/store"
)

// Sealer protects secrets at rest; context binds a sealed text to its place.
type Sealer interface {
	Seal(plain, context string) (string, error)
	Open(sealed, context string) (string, error)
}

// Options is what a store is made of.
type Options struct {
	Path       string                // of the file, required; its directory must exist
	Sealer     Sealer                // required
	Now        func() time.Time      // required: the clock of Updated, Recorded and released deliveries
	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// Store is the embedded store. It is safe for many goroutines, and several processes may have one file open.
type Store struct {
	sealer Sealer
	now    func() time.Time
	logger *slog.Logger
	read   *sql.DB
	writer *writer
}

var _ store.Store = (*Store)(nil)

const (
	readers     = 4
	busyTimeout = 10 * time.Second // how long to wait for another process
)

// Open opens or creates the file and brings it to this version. A file that a newer version has migrated is
// refused: it may mean things that this version does not know.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Path == "" || o.Sealer == nil || o.Now == nil {
		return nil, errors.New("sqlite: a store needs Path, Sealer and Now")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	write, err := open(o.Path, 1)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s: %w", o.Path, err), write.Close())
	}
	read, err := open(o.Path, readers)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	w, err := newWriter(ctx, write, newMetrics(o.Registerer))
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	return &Store{sealer: o.Sealer, now: o.Now, logger: o.Logger, read: read, writer: w}, nil
}

func open(path string, connections int) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)", "cache_size(-32768)",
	}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Ping implements store.Store: it reads and writes.
func (s *Store) Ping(ctx context.Context) error {
	const touch = `UPDATE counters SET value = value WHERE name = 'lease'`
	err := s.write(ctx, func(tx *tx) error { return tx.exec(touch) })
	if err != nil {
		return fmt.Errorf("sqlite: ping: %w", err)
	}
	return nil
}

// Close ends the writer after what it has taken, and closes the file. It may come twice.
func (s *Store) Close() error {
	return errors.Join(s.writer.close(), s.read.Close())
}

// write runs do in a transaction and returns when it is on disk, or was undone.
func (s *Store) write(ctx context.Context, do func(*tx) error) error {
	return s.writer.run(ctx, do, false)
}

// writeSure is write for what fails only when the database does.
func (s *Store) writeSure(ctx context.Context, do func(*tx) error) error {
	return s.writer.run(ctx, do, true)
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
