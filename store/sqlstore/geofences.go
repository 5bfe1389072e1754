package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/identity"
	"outrider/store"
)

const geofenceColumns = `tenant, id, revision, name, feature, west, south, east, north, deleted, updated`

const (
	currentRevision = `SELECT revision FROM geofences WHERE tenant = ? AND id = ? AND superseded IS NULL AND deleted = 0`
	nextRevision    = `UPDATE counters SET value = value + 1 WHERE name = 'fence_revision' RETURNING value`
	supersede       = `UPDATE geofences SET superseded = ? WHERE tenant = ? AND id = ? AND superseded IS NULL`
	insertGeofence  = `INSERT INTO geofences (tenant, id, revision, name, feature, west, south, east, north, deleted, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	selectGeofence = `SELECT ` + geofenceColumns + ` FROM geofences
		WHERE tenant = ? AND id = ? AND superseded IS NULL AND deleted = 0`
	listGeofences = `SELECT ` + geofenceColumns + ` FROM geofences
		WHERE tenant = ? AND id > ? AND superseded IS NULL AND deleted = 0 ORDER BY id LIMIT ?`
	geofencesAt = `SELECT ` + geofenceColumns + ` FROM geofences
		WHERE revision <= ? AND (superseded IS NULL OR superseded > ?) AND deleted = 0 ORDER BY revision`
	geofenceChanges = `SELECT ` + geofenceColumns + ` FROM geofences WHERE revision > ? ORDER BY revision`
	latestRevision  = `SELECT value FROM counters WHERE name = 'fence_revision'`
	forgetGeofences = `DELETE FROM geofences WHERE superseded IS NOT NULL AND superseded <= ?`
	forgetDeleted   = `DELETE FROM geofences WHERE superseded IS NULL AND deleted = 1 AND revision <= ?`
)

// PutGeofence implements store.Geofences.
func (s *Store) PutGeofence(ctx context.Context, g store.Geofence, expect uint64) (store.Geofence, error) {
	g.Deleted = false
	err := s.write(ctx, func(tx Tx) error { return s.putVersion(tx, &g, expect) })
	if err != nil {
		return store.Geofence{}, fmt.Errorf("store: put geofence %q: %w", g.ID, err)
	}
	return g, nil
}

const nextRevisions = `UPDATE counters SET value = value + ? WHERE name = 'fence_revision' RETURNING value`

// PutGeofences implements store.Geofences.
//
// PERF: revisions are taken at once, and nothing is asked about each fence, so that a database over a network sends all
// of them in a few journeys.
func (s *Store) PutGeofences(ctx context.Context, all []store.Geofence) (int, error) {
	if len(all) == 0 {
		return 0, nil
	}
	updated := micros(s.now())
	err := s.write(ctx, func(tx Tx) error {
		var last uint64
		if err := tx.One([]any{&last}, nextRevisions, len(all)); err != nil {
			return err
		}
		first := last - uint64(len(all)) + 1
		for i := range all {
			g, revision := &all[i], first+uint64(i)
			if err := tx.Exec(supersede, revision, g.Tenant, g.ID); err != nil {
				return err
			}
			b := g.Bound
			err := tx.Exec(insertGeofence, g.Tenant, g.ID, revision, g.Name, g.Feature,
				b.Min.Lon(), b.Min.Lat(), b.Max.Lon(), b.Max.Lat(), false, updated)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store: put %d geofences: %w", len(all), err)
	}
	return len(all), nil
}

// DeleteGeofence implements store.Geofences.
func (s *Store) DeleteGeofence(ctx context.Context, tenant identity.TenantID, id geofence.FenceID, expect uint64) (store.Geofence, error) {
	g := store.Geofence{Tenant: tenant, ID: id, Deleted: true}
	err := s.write(ctx, func(tx Tx) error {
		if _, err := revisionOf(tx, tenant, id); err != nil {
			return err
		}
		return s.putVersion(tx, &g, expect)
	})
	if err != nil {
		return store.Geofence{}, fmt.Errorf("store: delete geofence %q: %w", id, err)
	}
	return g, nil
}

// revisionOf returns the current revision, store.ErrNotFound if there is none.
func revisionOf(tx Tx, tenant identity.TenantID, id geofence.FenceID) (uint64, error) {
	var revision uint64
	err := tx.One([]any{&revision}, currentRevision, tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, store.ErrNotFound
	}
	return revision, err
}

// putVersion adds a version and supersedes the one before it.
func (s *Store) putVersion(tx Tx, g *store.Geofence, expect uint64) error {
	current, err := revisionOf(tx, g.Tenant, g.ID)
	exists := err == nil
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case expect == store.ExpectAbsent && exists,
		expect != store.ExpectAbsent && expect != 0 && (!exists || current != expect):
		return store.ErrConflict
	}
	if err := tx.One([]any{&g.Revision}, nextRevision); err != nil {
		return err
	}
	if err := tx.Exec(supersede, g.Revision, g.Tenant, g.ID); err != nil {
		return err
	}
	g.Updated = s.now().UTC()
	b := g.Bound
	return tx.Exec(insertGeofence, g.Tenant, g.ID, g.Revision, g.Name, g.Feature,
		b.Min.Lon(), b.Min.Lat(), b.Max.Lon(), b.Max.Lat(), g.Deleted, micros(g.Updated))
}

// Geofence implements store.Geofences.
func (s *Store) Geofence(ctx context.Context, tenant identity.TenantID, id geofence.FenceID) (store.Geofence, error) {
	g, err := scanGeofence(s.db.QueryRow(ctx, selectGeofence, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return g, fmt.Errorf("store: geofence %q: %w", id, err)
	}
	return g, nil
}

// Geofences implements store.Geofences.
func (s *Store) Geofences(ctx context.Context, tenant identity.TenantID, after geofence.FenceID, limit int) ([]store.Geofence, error) {
	rows, err := s.db.Query(ctx, listGeofences, tenant, after, limit)
	return named(collect(rows, err, scanGeofence))("geofences")
}

// GeofencesAt implements store.Geofences. Fences and revision are of one moment.
func (s *Store) GeofencesAt(ctx context.Context, revision uint64) (all []store.Geofence, at uint64, err error) {
	err = s.db.View(ctx, func(rd Reader) error {
		if at = revision; revision == store.Latest {
			if err := rd.QueryRow(ctx, latestRevision).Scan(&at); err != nil {
				return err
			}
		}
		rows, err := rd.Query(ctx, geofencesAt, at, at)
		all, err = collect(rows, err, scanGeofence)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store: geofences at revision %d: %w", revision, err)
	}
	return all, at, nil
}

// GeofenceChanges implements store.Geofences.
func (s *Store) GeofenceChanges(ctx context.Context, since uint64) ([]store.Geofence, error) {
	rows, err := s.db.Query(ctx, geofenceChanges, since)
	return named(collect(rows, err, scanGeofence))("geofence changes")
}

// Revision implements store.Geofences.
func (s *Store) Revision(ctx context.Context) (uint64, error) {
	var revision uint64
	err := s.db.QueryRow(ctx, latestRevision).Scan(&revision)
	return named(revision, err)("newest revision")
}

// ForgetGeofences implements store.Geofences. Of a fence that is gone for good, nothing is left.
func (s *Store) ForgetGeofences(ctx context.Context, keep uint64) error {
	err := s.write(ctx, func(tx Tx) error {
		if err := tx.Exec(forgetGeofences, keep); err != nil {
			return err
		}
		if err := tx.Exec(forgetDeleted, keep); err != nil {
			return err
		}
		if err := tx.Exec(forgetRules, keep); err != nil {
			return err
		}
		return tx.Exec(forgetDeletedRules, keep)
	})
	if err != nil {
		return fmt.Errorf("store: forget geofences before revision %d: %w", keep, err)
	}
	return nil
}

func scanGeofence(row Row) (store.Geofence, error) {
	var (
		g                        store.Geofence
		west, south, east, north float64
		updated                  int64
	)
	err := row.Scan(&g.Tenant, &g.ID, &g.Revision, &g.Name, &g.Feature, &west, &south, &east, &north, &g.Deleted, &updated)
	g.Bound = orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{east, north}}
	g.Updated = moment(updated)
	return g, err
}

// named gives an error the name of what was read.
func named[T any](v T, err error) func(what string) (T, error) {
	return func(what string) (T, error) {
		if err != nil {
			return v, fmt.Errorf("store: read %s: %w", what, err)
		}
		return v, nil
	}
}
