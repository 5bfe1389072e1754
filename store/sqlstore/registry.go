package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

const (
	putVehicle = `INSERT INTO vehicles (tenant, id, name, owners, tags, device, updated) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, owners = excluded.owners, tags = excluded.tags,
		device = excluded.device, updated = excluded.updated`
	putOwner = `INSERT INTO owners (tenant, id, name, locale, time_zone, contacts, fallback, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, locale = excluded.locale, time_zone = excluded.time_zone,
		contacts = excluded.contacts, fallback = excluded.fallback, updated = excluded.updated`
	putPage = `INSERT INTO pages (id, tenant, name, access_token, tag, templates, routes, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, access_token = excluded.access_token, tag = excluded.tag,
		templates = excluded.templates, routes = excluded.routes, updated = excluded.updated WHERE pages.tenant = excluded.tenant`
	registryRevision = `SELECT value FROM counters WHERE name = 'identities'`
	someVehicles     = `SELECT tenant, id, name, owners, tags, device, updated FROM vehicles `
	someOwners       = `SELECT tenant, id, name, locale, time_zone, contacts, fallback, updated, mutes, quiet, once FROM owners `
	somePages        = `SELECT id, tenant, name, access_token, tag, templates, routes, updated, blocked, block_reason FROM pages `
	someTexts        = `SELECT tenant, language, texts FROM texts `
	allVehicles      = someVehicles + `ORDER BY tenant, id`
	oneVehicle       = someVehicles + `WHERE tenant = ? AND id = ?`
	allOwners        = someOwners + `ORDER BY tenant, id`
	oneOwner         = someOwners + `WHERE tenant = ? AND id = ?`
	allPages         = somePages + `ORDER BY id`
	onePage          = somePages + `WHERE id = ?`
	allTexts         = someTexts + `ORDER BY tenant, language`
	tenantTexts      = someTexts + `WHERE tenant = ? ORDER BY language`
	setMutes         = `UPDATE owners SET mutes = ?, updated = ? WHERE tenant = ? AND id = ?`
	setQuiet         = `UPDATE owners SET quiet = ?, updated = ? WHERE tenant = ? AND id = ?`
	setOnce          = `UPDATE owners SET once = ?, updated = ? WHERE tenant = ? AND id = ?`
	setLocale        = `UPDATE owners SET locale = ?, updated = ? WHERE tenant = ? AND id = ?`
	putTexts         = `INSERT INTO texts (tenant, language, texts, updated) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, language) DO UPDATE SET texts = excluded.texts, updated = excluded.updated`
	lastFixes = `SELECT tenant, vehicle, time, received, lon, lat, accuracy, speed, heading, altitude, hdop, ignition, battery
		FROM last_fixes WHERE tenant = ? AND vehicle > ? ORDER BY vehicle LIMIT ?`
	lastFix = `SELECT tenant, vehicle, time, received, lon, lat, accuracy, speed, heading, altitude, hdop, ignition, battery
		FROM last_fixes WHERE tenant = ? AND vehicle = ?`
)

// PutVehicle implements store.Registry.
func (s *Store) PutVehicle(ctx context.Context, v identity.Vehicle) error {
	owners, tags := text(v.Owners), text(v.Tags)
	return s.put(ctx, "vehicle", string(v.ID), func(tx Tx) error {
		return tx.Exec(putVehicle, v.Tenant, v.ID, v.Name, owners, tags, v.Device, micros(s.now()))
	})
}

// PutOwner implements store.Registry.
func (s *Store) PutOwner(ctx context.Context, o identity.Owner) error {
	fallback, err := s.sealer.Seal(o.Fallback.Reveal(), ownerPlace(o))
	if err != nil {
		return fmt.Errorf("store: seal owner %q: %w", o.ID, err)
	}
	contacts := text(o.Contacts)
	return s.put(ctx, "owner", string(o.ID), func(tx Tx) error {
		err := tx.Exec(putOwner, o.Tenant, o.ID, o.Name, o.Locale, o.TimeZone, contacts, fallback, micros(s.now()))
		if err != nil || len(o.Contacts) == 0 {
			return err
		}
		return s.address(tx, o.Tenant, o.ID, o.Contacts[0], false)
	})
}

// PutPage implements store.Registry.
func (s *Store) PutPage(ctx context.Context, p identity.Page) error {
	token, err := s.sealer.Seal(p.AccessToken.Reveal(), pagePlace(p))
	if err != nil {
		return fmt.Errorf("store: seal page %q: %w", p.ID, err)
	}
	templates, routes := text(p.Templates), text(p.Routes)
	return s.put(ctx, "page", string(p.ID), func(tx Tx) error {
		n, err := tx.Change(putPage, p.ID, p.Tenant, p.Name, token, p.Tag, templates, routes, micros(s.now()))
		if err == nil && n == 0 {
			return fmt.Errorf("it belongs to another tenant: %w", store.ErrConflict)
		}
		return err
	})
}

func (s *Store) put(ctx context.Context, what, id string, do func(Tx) error) error {
	if err := s.write(ctx, do); err != nil {
		return fmt.Errorf("store: put %s %q: %w", what, id, err)
	}
	return nil
}

// ownerPlace and pagePlace bind a sealed text to its row: copied into another, it cannot be opened.
func ownerPlace(o identity.Owner) string { return "owner/" + string(o.Tenant) + "/" + string(o.ID) }
func pagePlace(p identity.Page) string   { return "page/" + string(p.ID) }

// IdentitiesRevision implements store.Registry.
func (s *Store) IdentitiesRevision(ctx context.Context) (uint64, error) {
	var revision uint64
	err := s.db.QueryRow(ctx, registryRevision).Scan(&revision)
	return named(revision, err)("revision of identities")
}

// Identities implements store.Registry; all records are of one moment.
func (s *Store) Identities(ctx context.Context) (identity.Records, error) {
	var r identity.Records
	err := s.db.View(ctx, func(rd Reader) error {
		return errorsOf(
			gather(ctx, rd, &r.Vehicles, scanVehicle, allVehicles), gather(ctx, rd, &r.Owners, s.scanOwner, allOwners),
			gather(ctx, rd, &r.Pages, s.scanPage, allPages), gatherTexts(ctx, rd, &r.Texts, allTexts),
		)
	})
	return named(r, err)("identities")
}

// IdentitiesOf implements store.Registry.
func (s *Store) IdentitiesOf(ctx context.Context, refs ...identity.Ref) (identity.Records, error) {
	var r identity.Records
	for _, ref := range refs {
		var err error
		switch ref.Kind {
		case identity.KindVehicle:
			err = gather(ctx, s.db, &r.Vehicles, scanVehicle, oneVehicle, ref.Tenant, ref.ID)
		case identity.KindOwner:
			err = gather(ctx, s.db, &r.Owners, s.scanOwner, oneOwner, ref.Tenant, ref.ID)
		case identity.KindPage:
			err = gather(ctx, s.db, &r.Pages, s.scanPage, onePage, ref.ID)
		case identity.KindTexts:
			err = gatherTexts(ctx, s.db, &r.Texts, tenantTexts, ref.Tenant)
		}
		if err != nil {
			return r, fmt.Errorf("store: identity %q: %w", ref.ID, err)
		}
	}
	return r, nil
}

// gather appends what a query finds.
func gather[T any](ctx context.Context, rd Reader, dst *[]T, scan func(Row) (T, error), query string, args ...any) error {
	rows, err := rd.Query(ctx, query, args...)
	found, err := collect(rows, err, scan)
	*dst = append(*dst, found...)
	return err
}

func scanVehicle(row Row) (identity.Vehicle, error) {
	var (
		v            identity.Vehicle
		owners, tags string
		updated      int64
	)
	if err := row.Scan(&v.Tenant, &v.ID, &v.Name, &owners, &tags, &v.Device, &updated); err != nil {
		return v, err
	}
	v.Updated = moment(updated)
	return v, errorsOf(json.Unmarshal([]byte(owners), &v.Owners), json.Unmarshal([]byte(tags), &v.Tags))
}

func (s *Store) scanOwner(row Row) (identity.Owner, error) {
	var (
		o                  identity.Owner
		contacts, fallback string
		mutes, quiet, once string
		updated            int64
	)
	if err := row.Scan(&o.Tenant, &o.ID, &o.Name, &o.Locale, &o.TimeZone, &contacts, &fallback, &updated, &mutes, &quiet, &once); err != nil {
		return o, err
	}
	o.Updated = moment(updated)
	plain, err := s.sealer.Open(fallback, ownerPlace(o))
	if err != nil {
		return o, fmt.Errorf("open owner %q: %w", o.ID, err)
	}
	o.Fallback = identity.NewToken(plain)
	return o, errorsOf(json.Unmarshal([]byte(contacts), &o.Contacts), json.Unmarshal([]byte(mutes), &o.Mutes),
		json.Unmarshal([]byte(quiet), &o.Quiet), json.Unmarshal([]byte(once), &o.Once))
}

// SetMutes implements store.Registry.
func (s *Store) SetMutes(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, mutes []identity.Mute) error {
	return s.setOwner(ctx, setMutes, tenant, owner, text(mutes))
}

// SetQuiet implements store.Registry.
func (s *Store) SetQuiet(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, quiet identity.Quiet) error {
	return s.setOwner(ctx, setQuiet, tenant, owner, text(quiet))
}

// SetOnce implements store.Registry.
func (s *Store) SetOnce(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, once []identity.Once) error {
	return s.setOwner(ctx, setOnce, tenant, owner, text(once))
}

// SetLocale implements store.Registry.
func (s *Store) SetLocale(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, locale string) error {
	return s.setOwner(ctx, setLocale, tenant, owner, locale)
}

// setOwner changes one thing of an owner.
func (s *Store) setOwner(ctx context.Context, query string, tenant identity.TenantID, owner identity.OwnerID, value string) error {
	return s.put(ctx, "owner", string(owner), func(tx Tx) error {
		n, err := tx.Change(query, value, micros(s.now()), tenant, owner)
		if err == nil && n == 0 {
			return store.ErrNotFound
		}
		return err
	})
}

func (s *Store) scanPage(row Row) (identity.Page, error) {
	var (
		p                        identity.Page
		token, templates, routes string
		updated, blocked         int64
	)
	err := row.Scan(&p.ID, &p.Tenant, &p.Name, &token, &p.Tag, &templates, &routes, &updated, &blocked, &p.BlockReason)
	if err != nil {
		return p, err
	}
	p.Updated, p.Blocked = moment(updated), moment(blocked)
	plain, err := s.sealer.Open(token, pagePlace(p))
	if err != nil {
		return p, fmt.Errorf("open page %q: %w", p.ID, err)
	}
	p.AccessToken = identity.NewToken(plain)
	return p, errorsOf(json.Unmarshal([]byte(templates), &p.Templates), json.Unmarshal([]byte(routes), &p.Routes))
}

// PutTexts implements store.Registry.
func (s *Store) PutTexts(ctx context.Context, tenant identity.TenantID, language string, texts map[string]string) error {
	return s.put(ctx, "texts", language, func(tx Tx) error {
		return tx.Exec(putTexts, tenant, language, text(texts), micros(s.now()))
	})
}

// gatherTexts adds the texts that a query finds.
func gatherTexts(ctx context.Context, rd Reader, all *map[identity.TenantID]identity.Texts, query string, args ...any) error {
	type row struct {
		tenant   identity.TenantID
		language string
		texts    map[string]string
	}
	var list []row
	err := gather(ctx, rd, &list, func(s Row) (row, error) {
		var (
			r    row
			text string
		)
		err := s.Scan(&r.tenant, &r.language, &text)
		return r, errorsOf(err, json.Unmarshal([]byte(text), &r.texts))
	}, query, args...)
	for _, r := range list {
		if *all == nil {
			*all = map[identity.TenantID]identity.Texts{}
		}
		if (*all)[r.tenant] == nil {
			(*all)[r.tenant] = identity.Texts{}
		}
		(*all)[r.tenant][r.language] = r.texts
	}
	return err
}

// LastFixes implements store.Registry.
func (s *Store) LastFixes(ctx context.Context, tenant identity.TenantID, after identity.VehicleID, limit int) ([]telemetry.Fix, error) {
	rows, err := s.db.Query(ctx, lastFixes, tenant, after, limit)
	return named(collect(rows, err, scanFix))("last fixes")
}

// LastFix implements store.Registry.
func (s *Store) LastFix(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (telemetry.Fix, error) {
	f, err := scanFix(s.db.QueryRow(ctx, lastFix, tenant, vehicle))
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	return named(f, err)("last fix")
}

func scanFix(row Row) (telemetry.Fix, error) {
	var (
		f                                        telemetry.Fix
		at, received                             int64
		accuracy, speed, heading, altitude, hdop sql.NullFloat64
		battery                                  sql.NullFloat64
	)
	err := row.Scan(&f.Tenant, &f.Vehicle, &at, &received, &f.Point[0], &f.Point[1],
		&accuracy, &speed, &heading, &altitude, &hdop, &f.Ignition, &battery)
	f.Time, f.Received = moment(at), moment(received)
	f.Accuracy, f.Speed, f.Heading = known(accuracy), known(speed), known(heading)
	f.Altitude, f.HDOP, f.Battery = known(altitude), known(hdop), known(battery)
	return f, err
}

func known(v sql.NullFloat64) float64 {
	if !v.Valid {
		return telemetry.Unknown()
	}
	return v.Float64
}

// maybe is NULL for an unknown number.
func maybe(v float64) sql.NullFloat64 { return sql.NullFloat64{Float64: v, Valid: !math.IsNaN(v)} }

// text is how lists and maps are kept.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("store: a plain value did not marshal: " + err.Error()) // a programmer's mistake
	}
	return string(b)
}

// errorsOf returns the first error.
func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
