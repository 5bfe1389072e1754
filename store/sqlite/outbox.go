package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"outrider/identity"
	"outrider/notify"
)

const deliveryColumns = `alert, page, psid, state, route, reason, detail, attempts, next_at, lease, created, claimed,
	sent_at, delivered, read, message_id`

// Nobody's delivery is claimed while another of theirs is under way, or an older one is pending: so messages
// to one person keep the order of their events.
const (
	notBusy = ` AND NOT EXISTS (SELECT 1 FROM deliveries o
		WHERE o.page = d.page AND o.psid = d.psid AND o.state IN ('sending', 'settling'))
		AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.page = d.page AND o.psid = d.psid AND o.state = 'pending'
		AND (o.event_at, o.seq) < (d.event_at, d.seq))`
	duePending = `SELECT seq, psid, event_at FROM deliveries d INDEXED BY deliveries_pending
		WHERE page = ? AND state = 'pending' AND next_at <= ?` + notBusy + ` ORDER BY event_at, seq`
	dueHeld = `SELECT seq, psid, event_at FROM deliveries d INDEXED BY deliveries_held_order
		WHERE page = ? AND state = 'held' AND next_at > 0 AND next_at <= ?` + notBusy + ` ORDER BY event_at, seq`
	anyHeldDue = `SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_held
		WHERE page = ? AND state = 'held' AND next_at > 0 AND next_at <= ?)`
	nextLease = `UPDATE counters SET value = value + 1 WHERE name = 'lease' RETURNING value`
	take      = `UPDATE deliveries SET state = 'sending', attempts = attempts + 1, lease = ?, claimed = ?, next_at = ?
		WHERE seq = ? RETURNING ` + deliveryColumns
	lastAction = `SELECT last FROM windows WHERE page = ? AND psid = ?`
	settle     = `UPDATE deliveries SET state = ?, route = ?, reason = ?, detail = ?, next_at = ?, sent_at = ?, message_id = ?
		WHERE id = ? AND lease = ? AND state IN ('sending', 'settling')`
	// What was judged without its echo, and not claimed since, went out all the same.
	settleSent = `UPDATE deliveries SET state = 'sent', route = ?, reason = '', detail = '', next_at = 0, sent_at = ?, message_id = ?
		WHERE id = ? AND lease = ? AND state IN ('pending', 'unknown')`
	settleRoute = `UPDATE deliveries SET route = ? WHERE id = ? AND lease = ? AND state = 'sent'`
	// PERF: a walk from page to page by index, so that the cost grows with the pages and not with the deliveries
	// that wait: it runs every second.
	duePages = `WITH RECURSIVE
		p (page) AS (
			SELECT MIN(page) FROM deliveries WHERE state = 'pending' UNION ALL
			SELECT (SELECT MIN(d.page) FROM deliveries d WHERE d.state = 'pending' AND d.page > p.page) FROM p WHERE page NOTNULL),
		h (page) AS (
			SELECT MIN(page) FROM deliveries WHERE state = 'held' AND next_at > 0 UNION ALL
			SELECT (SELECT MIN(d.page) FROM deliveries d WHERE d.state = 'held' AND d.next_at > 0 AND d.page > h.page)
			FROM h WHERE page NOTNULL)
		SELECT page, MIN(due) FROM (
			SELECT page, (SELECT MIN(next_at) FROM deliveries d WHERE d.state = 'pending' AND d.page = p.page) AS due
			FROM p WHERE page NOTNULL UNION ALL
			SELECT page, (SELECT MIN(next_at) FROM deliveries d WHERE d.state = 'held' AND d.next_at > 0 AND d.page = h.page)
			FROM h WHERE page NOTNULL)
		GROUP BY page ORDER BY page`
	abandon = `UPDATE deliveries SET state = 'settling', reason = 'ambiguous', next_at = ?
		WHERE state = 'sending' AND next_at <= ?`
	abandonAll = `UPDATE deliveries SET state = 'settling', reason = 'ambiguous', next_at = ? WHERE state = 'sending'`
	judgeAgain = `UPDATE deliveries SET state = 'pending', next_at = ?1 WHERE state = 'settling' AND next_at <= ?1
		AND claimed < (SELECT e.claimed FROM echoes e WHERE e.page = deliveries.page)`
	judgeUnknown = `UPDATE deliveries SET state = 'unknown', next_at = 0 WHERE state = 'settling' AND next_at <= ?`
	release      = `UPDATE deliveries SET state = 'pending', next_at = ? WHERE page = ? AND state = 'held' AND reason = ?`

	listTemplates = `SELECT page, name, language, id, status, detail, checked FROM templates WHERE page = ? ORDER BY name, language`
	putTemplate   = `INSERT INTO templates (page, name, language, id, status, detail, checked) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET id = excluded.id, status = excluded.status, detail = excluded.detail, checked = excluded.checked`
)

// Claim implements notify.Outbox.
func (s *Store) Claim(ctx context.Context, page identity.PageID, n int, now time.Time, lease time.Duration) ([]notify.Claim, error) {
	var claims []notify.Claim
	err := s.write(ctx, func(tx *tx) error {
		claims = nil
		due, err := dueRows(tx, page, n, now)
		if err != nil {
			return err
		}
		for _, row := range due {
			c, err := takeRow(tx, row.seq, page, now, lease)
			if err != nil {
				return err
			}
			claims = append(claims, c)
		}
		return nil
	})
	return named(claims, err)("claims")
}

// dueRow is a delivery that may be claimed.
type dueRow struct {
	seq, eventAt int64
	psid         identity.PSID
}

// dueRows returns up to n deliveries that may be claimed, one of each person, oldest event first.
func dueRows(tx *tx, page identity.PageID, n int, now time.Time) ([]dueRow, error) {
	due, err := firstOfEach(tx, duePending, page, n, now)
	if err != nil {
		return nil, err
	}
	// PERF: dueHeld walks the page's held deliveries in the order of their events, thousands when a page is
	// stopped, and mostly none is due: so look first.
	var some bool
	if err := tx.one([]any{&some}, anyHeldDue, page, micros(now)); err != nil || !some {
		return due, err
	}
	held, err := firstOfEach(tx, dueHeld, page, n, now)
	if err != nil {
		return nil, err
	}
	due = append(due, held...)
	slices.SortFunc(due, func(a, b dueRow) int {
		return cmp.Or(cmp.Compare(a.eventAt, b.eventAt), cmp.Compare(a.seq, b.seq))
	})
	people := map[identity.PSID]bool{}
	due = slices.DeleteFunc(due, func(r dueRow) bool {
		known := people[r.psid]
		people[r.psid] = true
		return known
	})
	return due[:min(n, len(due))], nil
}

// firstOfEach reads rows until it has the first one of each of n people.
func firstOfEach(tx *tx, query string, page identity.PageID, n int, now time.Time) ([]dueRow, error) {
	if n <= 0 {
		return nil, nil
	}
	rows, err := tx.rows(query, page, micros(now))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var first []dueRow
	people := map[identity.PSID]bool{}
	for len(first) < n && rows.Next() {
		var r dueRow
		if err := rows.Scan(&r.seq, &r.psid, &r.eventAt); err != nil {
			return nil, err
		}
		if !people[r.psid] {
			people[r.psid] = true
			first = append(first, r)
		}
	}
	return first, rows.Err()
}

// takeRow moves one delivery to sending under a fresh lease.
func takeRow(tx *tx, seq int64, page identity.PageID, now time.Time, lease time.Duration) (notify.Claim, error) {
	var (
		c      notify.Claim
		fresh  uint64
		action int64
		row    deliveryRow
	)
	if err := tx.one([]any{&fresh}, nextLease); err != nil {
		return c, err
	}
	if err := tx.one(row.into(), take, fresh, micros(now), micros(now.Add(lease)), seq); err != nil {
		return c, err
	}
	err := tx.one([]any{&action}, lastAction, page, row.d.PSID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return c, err
	}
	c.LastAction = moment(action)
	c.Delivery, err = row.delivery()
	return c, err
}

// Settle implements notify.Outbox.
func (s *Store) Settle(ctx context.Context, outcomes []notify.Outcome) error {
	err := s.write(ctx, func(tx *tx) error {
		for _, o := range outcomes {
			n, err := tx.change(settle, o.State, o.Route, o.Reason, o.Detail, micros(o.NextAt), micros(o.SentAt), o.MessageID, o.ID, o.Lease)
			if err == nil && n == 0 && o.State == notify.Sent {
				err = settleLate(tx, o)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sqlite: settle %d outcomes: %w", len(outcomes), err)
	}
	return nil
}

// settleLate records a message that went out, when an echo or a judgement came before the answer.
func settleLate(tx *tx, o notify.Outcome) error {
	n, err := tx.change(settleSent, o.Route, micros(o.SentAt), o.MessageID, o.ID, o.Lease)
	if err != nil || n > 0 {
		return err
	}
	return tx.exec(settleRoute, o.Route, o.ID, o.Lease)
}

// Pages implements notify.Outbox.
func (s *Store) Pages(ctx context.Context) ([]notify.PageDue, error) {
	rows, err := s.read.QueryContext(ctx, duePages)
	return named(collect(rows, err, func(row scanner) (notify.PageDue, error) {
		var (
			p   notify.PageDue
			due int64
		)
		err := row.Scan(&p.Page, &due)
		p.Due = moment(due)
		return p, err
	}))("due pages")
}

// Abandon implements notify.Outbox.
func (s *Store) Abandon(ctx context.Context, now time.Time, grace time.Duration) (int, error) {
	if due, err := s.anyDue(ctx, dueSending, now); err != nil || !due {
		return 0, err
	}
	return s.changed(ctx, "abandon", abandon, micros(now.Add(grace)), micros(now))
}

// AbandonAll moves every delivery that is sending to settling, whatever its lease: at the start of the only
// process that sends, all of them belong to the one that ended.
func (s *Store) AbandonAll(ctx context.Context, now time.Time, grace time.Duration) (int, error) {
	return s.changed(ctx, "abandon all", abandonAll, micros(now.Add(grace)))
}

// Judge implements notify.Outbox.
func (s *Store) Judge(ctx context.Context, now time.Time) (again, unknown int, err error) {
	if due, err := s.anyDue(ctx, dueSettling, now); err != nil || !due {
		return 0, 0, err
	}
	err = s.write(ctx, func(tx *tx) error {
		var err error
		if again, err = tx.change(judgeAgain, micros(now)); err != nil {
			return err
		}
		unknown, err = tx.change(judgeUnknown, micros(now))
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("sqlite: judge: %w", err)
	}
	return again, unknown, nil
}

const (
	dueSending  = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'sending' AND next_at <= ?)`
	dueSettling = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'settling' AND next_at <= ?)`
)

// anyDue looks before anything is written: the dispatcher asks every second and the answer is mostly no.
func (s *Store) anyDue(ctx context.Context, query string, now time.Time) (bool, error) {
	var some bool
	err := s.read.QueryRowContext(ctx, query, micros(now)).Scan(&some)
	return named(some, err)("due deliveries")
}

// Release implements notify.Outbox.
func (s *Store) Release(ctx context.Context, page identity.PageID, reasons ...notify.Reason) (int, error) {
	n := 0
	err := s.write(ctx, func(tx *tx) error {
		var err error
		n, err = s.releaseHeld(tx, page, reasons...)
		return err
	})
	return named(n, err)("held deliveries")
}

func (s *Store) releaseHeld(tx *tx, page identity.PageID, reasons ...notify.Reason) (int, error) {
	n := 0
	for _, r := range reasons {
		changed, err := tx.change(release, micros(s.now()), page, r)
		if err != nil {
			return n, err
		}
		n += changed
	}
	return n, nil
}

// changed runs one statement and returns how many rows it changed.
func (s *Store) changed(ctx context.Context, what, query string, args ...any) (int, error) {
	n := 0
	err := s.write(ctx, func(tx *tx) error {
		var err error
		n, err = tx.change(query, args...)
		return err
	})
	return named(n, err)(what)
}

// Templates implements notify.Templates.
func (s *Store) Templates(ctx context.Context, page identity.PageID) ([]notify.Template, error) {
	rows, err := s.read.QueryContext(ctx, listTemplates, page)
	return named(collect(rows, err, func(row scanner) (notify.Template, error) {
		var (
			t       notify.Template
			checked int64
		)
		err := row.Scan(&t.Page, &t.Name, &t.Language, &t.ID, &t.Status, &t.Detail, &checked)
		t.Checked = moment(checked)
		return t, err
	}))("templates")
}

// PutTemplate implements notify.Templates.
func (s *Store) PutTemplate(ctx context.Context, t notify.Template) error {
	return s.put(ctx, "template", t.Name, func(tx *tx) error { return storeTemplate(tx, t) })
}

func storeTemplate(tx *tx, t notify.Template) error {
	return tx.exec(putTemplate, t.Page, t.Name, t.Language, t.ID, t.Status, t.Detail, micros(t.Checked))
}

// deliveryRow is a delivery as it is kept.
type deliveryRow struct {
	d                                                     notify.Delivery
	alert                                                 string
	nextAt, created, claimed, sentAt, delivered, readMark int64
}

// into lists where the deliveryColumns go.
func (r *deliveryRow) into() []any {
	d := &r.d
	return []any{
		&r.alert, &d.Page, &d.PSID, &d.State, &d.Route, &d.Reason, &d.Detail, &d.Attempts, &r.nextAt, &d.Lease,
		&r.created, &r.claimed, &r.sentAt, &r.delivered, &r.readMark, &d.MessageID,
	}
}

func (r *deliveryRow) delivery() (notify.Delivery, error) {
	d := r.d
	d.NextAt, d.Created, d.Claimed = moment(r.nextAt), moment(r.created), moment(r.claimed)
	d.SentAt, d.Delivered, d.Read = moment(r.sentAt), moment(r.delivered), moment(r.readMark)
	return d, json.Unmarshal([]byte(r.alert), &d.Alert)
}
