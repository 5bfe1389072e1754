package sqlstore

import (
	"context"
	"fmt"
	"time"

	"outrider/journal"
)

const (
	journalStreams   = `SELECT name, made FROM journal_streams ORDER BY name`
	putJournalStream = `INSERT INTO journal_streams (name, made) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`
	dropJournals     = `DELETE FROM journal_streams`

	lanePositions = `SELECT partition, next FROM lanes ORDER BY partition`
	resetLane     = `UPDATE lanes SET next = ?, epoch = epoch + 1 WHERE partition = ?`
)

// JournalStreams implements store.Journals.
func (s *Store) JournalStreams(ctx context.Context) (map[string]time.Time, error) {
	type stream struct {
		name string
		made time.Time
	}
	rows, err := s.db.Query(ctx, journalStreams)
	all, err := collect(rows, err, func(row Row) (stream, error) {
		var name, made string
		if err := row.Scan(&name, &made); err != nil {
			return stream{}, err
		}
		at, err := time.Parse(time.RFC3339Nano, made)
		return stream{name, at}, err
	})
	known := map[string]time.Time{}
	for _, one := range all {
		known[one.name] = one.made
	}
	return named(known, err)("journal streams")
}

// PutJournalStreams implements store.Journals.
func (s *Store) PutJournalStreams(ctx context.Context, made map[string]time.Time) error {
	err := s.write(ctx, func(tx Tx) error { return putStreams(tx, made) })
	if err != nil {
		return fmt.Errorf("store: put journal streams: %w", err)
	}
	return nil
}

func putStreams(tx Tx, made map[string]time.Time) error {
	for name, at := range made {
		if err := tx.Exec(putJournalStream, name, at.UTC().Format(time.RFC3339Nano)); err != nil {
			return err
		}
	}
	return nil
}

// LanePositions implements store.Journals.
func (s *Store) LanePositions(ctx context.Context) (map[int]journal.Position, error) {
	type lane struct {
		partition int
		next      journal.Position
	}
	rows, err := s.db.Query(ctx, lanePositions)
	all, err := collect(rows, err, func(row Row) (l lane, err error) { return l, row.Scan(&l.partition, &l.next) })
	positions := map[int]journal.Position{}
	for _, l := range all {
		positions[l.partition] = l.next
	}
	return named(positions, err)("lane positions")
}

// AcceptJournal implements store.Journals.
func (s *Store) AcceptJournal(ctx context.Context, streams map[string]time.Time, next map[int]journal.Position) error {
	err := s.write(ctx, func(tx Tx) error {
		for partition, at := range next {
			if err := tx.Exec(resetLane, at, partition); err != nil {
				return err
			}
			if err := tx.Exec(goBack, partition, at); err != nil {
				return err
			}
		}
		if err := tx.Exec(dropJournals); err != nil {
			return err
		}
		return putStreams(tx, streams)
	})
	if err != nil {
		return fmt.Errorf("store: accept journal: %w", err)
	}
	return nil
}
