package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"outrider/journal"
	"outrider/notify"
	"outrider/store"
)

const (
	ownLane = `INSERT INTO lanes (partition, next, clock, revision, epoch) VALUES (?, 0, 0, 0, 1)
		ON CONFLICT (partition) DO UPDATE SET epoch = lanes.epoch + 1 RETURNING next, clock, revision, epoch`
	laneState = `SELECT epoch, next, (SELECT a.revision FROM adoptions a WHERE a.partition = l.partition AND a.at <= ?
		ORDER BY a.at DESC LIMIT 1) FROM lanes l WHERE l.partition = ?`
	goBack   = `DELETE FROM adoptions WHERE partition = ? AND at > ?`
	moveLane = `UPDATE lanes SET next = ?, clock = ?, revision = ? WHERE partition = ?`
	adopt    = `INSERT INTO adoptions (partition, at, revision) VALUES (?, ?, ?)
		ON CONFLICT (partition, at) DO UPDATE SET revision = excluded.revision`
	adoptions = `SELECT at, revision FROM adoptions WHERE partition = ?1 AND at >= (
		SELECT COALESCE(MAX(at), 0) FROM adoptions WHERE partition = ?1 AND at <= ?2) ORDER BY at`
	forgetAdoptions = `DELETE FROM adoptions WHERE partition = ?1 AND at < (
		SELECT MAX(at) FROM adoptions WHERE partition = ?1 AND at <= ?2)`
	oldestRevision = `SELECT COALESCE(MIN(revision), 0) FROM adoptions`

	memberships = `SELECT tenant, vehicle, fence, since FROM memberships WHERE partition = ? ORDER BY tenant, vehicle, fence`
	putMember   = `INSERT INTO memberships (tenant, vehicle, fence, partition, since) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, vehicle, fence) DO UPDATE SET partition = excluded.partition, since = excluded.since`
	dropMember = `DELETE FROM memberships WHERE tenant = ? AND vehicle = ? AND fence = ?`

	insertCrossing = `INSERT INTO crossings (id, tenant, vehicle, fence, fence_rev, fence_name, kind, at, lon, lat,
		confidence, why, late, received, recorded, reading) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`
	insertDelivery = `INSERT INTO deliveries (id, tenant, vehicle, fence, page, psid, alert, event_at, state, route, reason,
		detail, attempts, next_at, lease, created, claimed, sent_at, delivered, read, message_id, rank)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, 0, 0, 0, '', ?) ON CONFLICT (id) DO NOTHING`
	putLastFix = `INSERT INTO last_fixes (tenant, vehicle, time, received, lon, lat, accuracy, speed, heading, altitude, hdop, ignition, battery)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, vehicle) DO UPDATE SET time = excluded.time, received = excluded.received, lon = excluded.lon, lat = excluded.lat,
		accuracy = excluded.accuracy, speed = excluded.speed, heading = excluded.heading, altitude = excluded.altitude,
		hdop = excluded.hdop, ignition = excluded.ignition, battery = excluded.battery WHERE excluded.time > last_fixes.time`
)

// OwnLane implements store.Lanes.
func (s *Store) OwnLane(ctx context.Context, partition int, owner store.ProcessID) (store.Lane, error) {
	var (
		l     store.Lane
		clock int64
	)
	err := s.write(ctx, func(tx Tx) error {
		if owner != "" {
			if err := ownsLane(tx, partition, owner); err != nil {
				return err
			}
		}
		return tx.One([]any{&l.Next, &clock, &l.Revision, &l.Epoch}, ownLane, partition)
	})
	l.Clock = moment(clock)
	return named(l, err)("lane")
}

// Commit implements store.Lanes.
func (s *Store) Commit(ctx context.Context, c store.Commit) error {
	err := s.write(ctx, func(t Tx) error {
		for _, part := range []func(Tx, store.Commit) error{
			s.moveLane, s.keepCrossings, keepMembers, s.keepDeliveries, keepFixes, keepCommitLetters,
		} {
			if err := part(t, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: commit of partition %d at %d: %w", c.Partition, c.Next, err)
	}
	return nil
}

// moveLane checks the fence of the epoch, moves the position and records a newly adopted revision.
func (s *Store) moveLane(tx Tx, c store.Commit) error {
	var (
		epoch   uint64
		next    journal.Position
		adopted sql.NullInt64
	)
	if err := tx.One([]any{&epoch, &next, &adopted}, laneState, c.Next, c.Partition); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrFenced // never owned
		}
		return err
	}
	if epoch != c.Epoch {
		return store.ErrFenced
	}
	if c.Next < next {
		if err := tx.Exec(goBack, c.Partition, c.Next); err != nil {
			return err
		}
	}
	if !adopted.Valid || uint64(adopted.Int64) != c.Revision {
		if err := tx.Exec(adopt, c.Partition, c.Next, c.Revision); err != nil {
			return err
		}
	}
	return tx.Exec(moveLane, c.Next, micros(c.Clock), c.Revision, c.Partition)
}

func (s *Store) keepCrossings(tx Tx, c store.Commit) error {
	for i := range c.Crossings {
		x := &c.Crossings[i]
		recorded := x.Recorded
		if recorded.IsZero() {
			recorded = s.now()
		}
		err := tx.Exec(insertCrossing, x.ID, x.Tenant, x.Vehicle, x.Fence, x.FenceRev, x.FenceName, x.Kind, micros(x.At),
			x.Point.Lon(), x.Point.Lat(), x.Confidence, x.Why, x.Late, micros(x.Received), micros(recorded), x.Reading)
		if err != nil {
			return err
		}
	}
	return nil
}

func keepMembers(tx Tx, c store.Commit) error {
	for _, m := range c.Memberships {
		var err error
		if m.Inside {
			err = tx.Exec(putMember, m.Tenant, m.Vehicle, m.Fence, c.Partition, micros(m.Since))
		} else {
			err = tx.Exec(dropMember, m.Tenant, m.Vehicle, m.Fence)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) keepDeliveries(tx Tx, c store.Commit) error {
	for i := range c.Deliveries {
		d := &c.Deliveries[i]
		a := &d.Alert
		rank := 1
		if d.Urgent {
			rank = 0
		}
		err := tx.Exec(insertDelivery, a.ID, a.Tenant, a.Vehicle, a.Fence, d.Page, d.PSID, text(a), micros(a.At), d.State,
			d.Route, d.Reason, d.Detail, d.Attempts, micros(d.NextAt), micros(d.Created), rank)
		if err == nil && d.Reason == notify.ReasonNoContact {
			err = s.addressOwner(tx, a.Tenant, a.Owner) // the lane may not have heard of a link made just now
		}
		if err == nil && a.Once != "" {
			err = tell(tx, a.Tenant, a.Owner, a.Once)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func keepFixes(tx Tx, c store.Commit) error {
	for i := range c.LastFixes {
		f := &c.LastFixes[i]
		err := tx.Exec(putLastFix, f.Tenant, f.Vehicle, micros(f.Time), micros(f.Received), f.Point.Lon(), f.Point.Lat(),
			maybe(f.Accuracy), maybe(f.Speed), maybe(f.Heading), maybe(f.Altitude), maybe(f.HDOP), f.Ignition, maybe(f.Battery))
		if err != nil {
			return err
		}
	}
	return nil
}

func keepCommitLetters(tx Tx, c store.Commit) error { return keepLetters(tx, c.DeadLetters) }

// Memberships implements store.Lanes.
func (s *Store) Memberships(ctx context.Context, partition int) ([]store.Membership, error) {
	rows, err := s.db.Query(ctx, memberships, partition)
	return named(collect(rows, err, func(row Row) (store.Membership, error) {
		m := store.Membership{Inside: true}
		var since int64
		err := row.Scan(&m.Tenant, &m.Vehicle, &m.Fence, &since)
		m.Since = moment(since)
		return m, err
	}))("memberships")
}

// Adoptions implements store.Lanes.
func (s *Store) Adoptions(ctx context.Context, partition int, from journal.Position) ([]store.Adoption, error) {
	rows, err := s.db.Query(ctx, adoptions, partition, from)
	return named(collect(rows, err, func(row Row) (store.Adoption, error) {
		var a store.Adoption
		err := row.Scan(&a.At, &a.Revision)
		return a, err
	}))("adoptions")
}

// ForgetAdoptions implements store.Lanes.
func (s *Store) ForgetAdoptions(ctx context.Context, partition int, from journal.Position) error {
	return s.write(ctx, func(tx Tx) error { return tx.Exec(forgetAdoptions, partition, from) })
}

// OldestRevision implements store.Lanes.
func (s *Store) OldestRevision(ctx context.Context) (uint64, error) {
	var revision uint64
	err := s.db.QueryRow(ctx, oldestRevision).Scan(&revision)
	return named(revision, err)("oldest revision")
}
