package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/internal/config"
	"outrider/journal"
	"outrider/journal/jetstream"
	"outrider/journal/local"
	"outrider/store"
)

// keeper is a journal that says whether it can append.
type keeper interface {
	journal.Journal
	Health() error
}

// surely is how long a journal in NATS is asked for what it seems to have lost, until it is taken for lost: servers that have just
// begun, or elected another leader, may know less for a while.
const surely = 15 * time.Second

// openJournal opens the journal that the settings name, unless it is another one than the store was written with.
//
// ORDER: a journal in files comes before the store, and its lock keeps a second gateway from the store. One in NATS comes
// after it, since the store knows which streams it is made of.
func (a *App) openJournal(ctx context.Context) error {
	c := a.o.Config
	if err := a.sameJournal(ctx); err != nil {
		return err
	}
	if c.NATS.URL.Empty() {
		return nil
	}
	o, err := streamOptions(c)
	if err != nil {
		return err
	}
	o.Ledger, o.Logger, o.Registerer = a.store, a.logger.With("part", "journal"), a.registry
	j, err := jetstream.Open(ctx, o)
	if err != nil {
		return err
	}
	a.journal = j
	a.onStop("journal", func(context.Context) error { return j.Close() })
	return nil
}

func openFiles(c config.Config, logger *slog.Logger, r prometheus.Registerer) (*local.Journal, error) {
	return local.Open(local.Options{
		Dir: filepath.Join(c.Data.Dir, journalDir), Partitions: c.Journal.Partitions, Retention: c.Journal.Retention,
		RetentionBytes: c.Journal.MaxBytes, Logger: logger, Registerer: r,
	})
}

// streamOptions is what the settings say of a journal in NATS.
func streamOptions(c config.Config) (jetstream.Options, error) {
	secure, err := clientTLS("nats", c.NATS.CA, c.NATS.Cert, c.NATS.Key)
	return jetstream.Options{
		URL: c.NATS.URL.Reveal, TLS: secure, Credentials: c.NATS.Credentials, Prefix: c.NATS.Prefix, Replicas: c.NATS.Replicas,
		Partitions: c.Journal.Partitions, Retention: c.Journal.Retention, RetentionBytes: c.Journal.MaxBytes, SureAfter: surely,
	}, err
}

// sameJournal refuses to go on in another kind of journal: the positions in the store are not its own.
func (a *App) sameJournal(ctx context.Context) error {
	known, err := a.store.JournalStreams(ctx)
	if err != nil {
		return err
	}
	positions, err := a.store.LanePositions(ctx)
	if err != nil {
		return err
	}
	files := a.o.Config.NATS.URL.Empty()
	began := false
	for _, next := range positions {
		began = began || next > 0
	}
	const accept = "set it back, or say with `gateway journal accept` that the gateway goes on in another journal: what was not evaluated in the old one is then lost"
	switch {
	case files && len(known) > 0:
		return fmt.Errorf("app: nats.url is empty, and the store was written with a journal in NATS: %s", accept)
	case !files && len(known) == 0 && began:
		return fmt.Errorf("app: nats.url is set, and the store was written with a journal in files of data.dir: %s", accept)
	}
	return nil
}

// Acceptance is where a partition goes on in the journal that was accepted.
type Acceptance struct {
	Partition int
	Before    journal.Position // how far it was evaluated
	From      journal.Position // where it goes on
}

// AcceptJournal makes the gateway of these settings go on in the journal that they name, though it is not the one that the store was
// written with. Restored: it holds the same fixes at the same positions, as far as it goes. Else everything that is in it is
// evaluated. A gateway that runs meanwhile is fenced, and ends.
func AcceptJournal(ctx context.Context, c config.Config, restored bool) (all []Acceptance, err error) {
	s, err := OpenStore(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	j, err := anyJournal(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return accept(ctx, s, j, restored)
}

// anyJournal opens the journal of these settings, whatever the store says.
func anyJournal(ctx context.Context, c config.Config) (keeper, error) {
	if c.NATS.URL.Empty() {
		return openFiles(c, nil, nil)
	}
	o, err := streamOptions(c)
	if err != nil {
		return nil, err
	}
	return jetstream.Open(ctx, o)
}

func accept(ctx context.Context, s store.Journals, j journal.Journal, restored bool) ([]Acceptance, error) {
	positions, err := s.LanePositions(ctx)
	if err != nil {
		return nil, err
	}
	var all []Acceptance
	from := map[int]journal.Position{}
	for p := range j.Partitions() {
		first, next, err := j.Bounds(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("app: bounds of partition %d: %w", p, err)
		}
		from[p] = first
		if restored {
			from[p] = max(first, min(positions[p], next))
		}
		all = append(all, Acceptance{p, positions[p], from[p]})
	}
	var streams map[string]time.Time
	if nats, ok := j.(*jetstream.Journal); ok {
		streams = nats.Streams()
	}
	return all, s.AcceptJournal(ctx, streams, from)
}
