package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"outrider/store"
)

const (
	joinWork   = `INSERT INTO processes (work, id, beat) VALUES (?, ?, 1) ON CONFLICT (work, id) DO NOTHING`
	beat       = `UPDATE processes SET beat = beat + 1 WHERE work = ? AND id = ?`
	processes  = `SELECT id, beat FROM processes WHERE work = ? ORDER BY id`
	owners     = `SELECT part, owner FROM shares WHERE work = ?`
	lives      = `SELECT COUNT(*) FROM processes WHERE work = ? AND id = ?`
	takeShare  = `INSERT INTO shares (work, part, owner) VALUES (?, ?, ?) ON CONFLICT (work, part) DO NOTHING`
	shareOwner = `SELECT owner FROM shares WHERE work = ? AND part = ?`
	giveShare  = `DELETE FROM shares WHERE work = ? AND part = ? AND owner = ?`
	giveShares = `DELETE FROM shares WHERE work = ? AND owner = ?`
	bury       = `DELETE FROM processes WHERE work = ? AND id = ? AND beat = ?`
	leaveWork  = `DELETE FROM processes WHERE work = ? AND id = ?`
)

// Join implements store.Shares.
func (s *Store) Join(ctx context.Context, work store.Work, id store.ProcessID) error {
	n, err := s.changed(ctx, "join", joinWork, work, id)
	if err == nil && n == 0 {
		err = fmt.Errorf("store: process %q: %w", id, store.ErrConflict)
	}
	return err
}

// Beat implements store.Shares.
func (s *Store) Beat(ctx context.Context, work store.Work, id store.ProcessID) (store.Roster, error) {
	var r store.Roster
	err := s.write(ctx, func(tx Tx) error {
		r = store.Roster{Owners: map[int]store.ProcessID{}}
		if n, err := tx.Change(beat, work, id); err != nil || n == 0 {
			return cmp.Or(err, store.ErrFenced)
		}
		rows, err := tx.Rows(processes, work)
		r.Processes, err = collect(rows, err, func(row Row) (p store.Process, err error) {
			return p, row.Scan(&p.ID, &p.Beat)
		})
		if err != nil {
			return err
		}
		rows, err = tx.Rows(owners, work)
		_, err = collect(rows, err, func(row Row) (part int, err error) {
			var owner store.ProcessID
			err = row.Scan(&part, &owner)
			r.Owners[part] = owner
			return part, err
		})
		return err
	})
	return named(r, err)("heartbeat")
}

// Take implements store.Shares.
func (s *Store) Take(ctx context.Context, work store.Work, part int, id store.ProcessID) error {
	err := s.write(ctx, func(tx Tx) error {
		n := 0
		if err := tx.One([]any{&n}, lives, work, id); err != nil || n == 0 {
			return cmp.Or(err, store.ErrFenced)
		}
		if n, err := tx.Change(takeShare, work, part, id); err != nil || n > 0 {
			return err
		}
		var owner store.ProcessID
		if err := tx.One([]any{&owner}, shareOwner, work, part); err != nil || owner == id {
			return err
		}
		return store.ErrConflict
	})
	if err != nil {
		return fmt.Errorf("store: take %s %d: %w", work, part, err)
	}
	return nil
}

// Give implements store.Shares.
func (s *Store) Give(ctx context.Context, work store.Work, part int, id store.ProcessID) error {
	_, err := s.changed(ctx, "share", giveShare, work, part, id)
	return err
}

// Bury implements store.Shares.
func (s *Store) Bury(ctx context.Context, work store.Work, p store.Process) (bool, error) {
	return s.forgetProcess(ctx, work, p.ID, bury, work, p.ID, p.Beat)
}

// Leave implements store.Shares.
func (s *Store) Leave(ctx context.Context, work store.Work, id store.ProcessID) error {
	_, err := s.forgetProcess(ctx, work, id, leaveWork, work, id)
	return err
}

func (s *Store) forgetProcess(ctx context.Context, work store.Work, id store.ProcessID, statement string, args ...any) (bool, error) {
	gone := false
	err := s.write(ctx, func(tx Tx) error {
		n, err := tx.Change(statement, args...)
		if gone = n > 0; err != nil || !gone {
			return err
		}
		return tx.Exec(giveShares, work, id)
	})
	return named(gone, err)("process")
}

// ownsLane is nil when the process owns the partition.
func ownsLane(tx Tx, partition int, id store.ProcessID) error {
	var owner store.ProcessID
	err := tx.One([]any{&owner}, shareOwner, store.LaneWork, partition)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if owner != id {
		return store.ErrFenced
	}
	return nil
}
