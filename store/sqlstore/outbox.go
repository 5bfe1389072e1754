package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

const deliveryColumns = `alert, page, psid, state, route, reason, detail, attempts, next_at, lease, created, claimed,
	sent_at, delivered, read, message_id, rank, away, leader, acked, acked_by`

// Nobody's delivery is claimed while another of theirs is under way, or an older one is pending: so messages
// to one person keep the order of their events. Answers wait for answers only.
const (
	notBusy = ` AND NOT EXISTS (SELECT 1 FROM deliveries o
		WHERE o.page = d.page AND o.psid = d.psid AND o.rank <= d.rank AND o.state IN ('sending', 'settling'))
		AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.page = d.page AND o.psid = d.psid AND o.state = 'pending'
		AND (o.rank, o.event_at, o.seq) < (d.rank, d.event_at, d.seq))`
	// PERF: what the plan needs of the thread comes with the row, and the leases of a claim are taken at once: each
	// statement costs as much as the reading of the row.
	opened     = `, COALESCE((SELECT w.last FROM windows w WHERE w.page = d.page AND w.psid = d.psid), 0)`
	duePending = `SELECT seq, psid, event_at, rank, away` + opened + ` FROM deliveries d INDEXED BY deliveries_pending
		WHERE page = ? AND state = 'pending' AND next_at <= ?` + notBusy + ` ORDER BY rank, event_at, seq`
	dueHeld = `SELECT seq, psid, event_at, rank, away` + opened + ` FROM deliveries d INDEXED BY deliveries_held_order
		WHERE page = ? AND state = 'held' AND next_at > 0 AND next_at <= ?` + notBusy + ` ORDER BY event_at, seq`
	dueAway = `SELECT seq FROM deliveries INDEXED BY deliveries_away WHERE page = ? AND psid = ? AND state = 'pending'
		AND away = 1 AND rank = 1 AND next_at <= ? AND seq <> ? ORDER BY event_at, seq LIMIT ?`
	anyHeldDue = `SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_held
		WHERE page = ? AND state = 'held' AND next_at > 0 AND next_at <= ?)`
	nextLeases = `UPDATE counters SET value = value + ? WHERE name = 'lease' RETURNING value`
	take       = `UPDATE deliveries SET state = 'sending', attempts = attempts + 1, lease = ?, claimed = ?, next_at = ?,
		leader = ? WHERE seq = ? RETURNING ` + deliveryColumns
	lastAction = `SELECT last FROM windows WHERE page = ? AND psid = ?`
	settle     = `UPDATE deliveries SET state = ?, route = ?, reason = ?, detail = ?, next_at = ?, sent_at = ?, message_id = ?,
		away = away AND NOT ?, trace = trace || ? WHERE id = ? AND lease = ? AND state IN ('sending', 'settling')`
	// What was judged without its echo, and not claimed since, went out all the same.
	settleSent = `UPDATE deliveries SET state = 'sent', route = ?, reason = '', detail = '', next_at = 0, sent_at = ?, message_id = ?,
		trace = trace || ? WHERE id = ? AND lease = ? AND state IN ('pending', 'unknown')`
	settleRoute = `UPDATE deliveries SET route = ?, trace = trace || ? WHERE id = ? AND lease = ? AND state = 'sent'`
	settleTrace = `UPDATE deliveries SET trace = trace || ? WHERE id = ? AND lease = ?`
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
			FROM h WHERE page NOTNULL) AS due_pages
		GROUP BY page ORDER BY page`
	// underWay makes the index of the deliveries that are under way usable.
	underWay = `state IN ('sending', 'settling')`
	abandon  = `UPDATE deliveries SET state = 'settling', reason = 'ambiguous', next_at = ?
		WHERE ` + underWay + ` AND state = 'sending' AND next_at <= ?`
	abandonAll = `UPDATE deliveries SET state = 'settling', reason = 'ambiguous', next_at = ? WHERE ` + underWay
	judgeAgain = `UPDATE deliveries SET state = 'pending', next_at = ?1 WHERE ` + underWay + ` AND state = 'settling' AND next_at <= ?1
		AND claimed < (SELECT e.claimed FROM echoes e WHERE e.page = deliveries.page)`
	judgeUnknown = `UPDATE deliveries SET state = 'unknown', next_at = 0 WHERE ` + underWay + ` AND state = 'settling' AND next_at <= ?`
	release      = `UPDATE deliveries SET state = 'pending', next_at = ? WHERE page = ? AND state = 'held' AND reason = ?`

	listTemplates = `SELECT page, name, language, id, status, detail, params, buttons, checked FROM templates WHERE page = ?
		ORDER BY name, language`
	putTemplate = `INSERT INTO templates (page, name, language, id, status, detail, params, buttons, checked)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (page, name, language) DO UPDATE SET id = excluded.id, status = excluded.status, detail = excluded.detail,
		params = excluded.params, buttons = excluded.buttons, checked = excluded.checked`
	templateStatus = `UPDATE templates SET id = CASE ?1 WHEN '' THEN id ELSE ?1 END, status = ?2, detail = ?3, checked = ?4
		WHERE page = ?5 AND name = ?6 AND language = ?7`
)

// Claim implements notify.Outbox.
//
// PERF: rows are decoded, and traces encoded, outside the transaction: everybody waits for the one that writes.
func (s *Store) Claim(ctx context.Context, page identity.PageID, room notify.Room, now time.Time, lease time.Duration) ([]notify.Claim, error) {
	var taken []takenRow
	err := s.writeSure(ctx, func(tx Tx) error {
		taken = nil
		due, err := dueRows(tx, page, room, now)
		if err != nil {
			return err
		}
		leases, err := newLeases(tx, len(due))
		if err != nil {
			return err
		}
		for i, row := range due {
			t, err := takeRow(tx, row, leases+uint64(i), page, now, lease)
			if err != nil {
				return err
			}
			taken = append(taken, t)
		}
		return nil
	})
	var claims []notify.Claim
	for i := range taken {
		if err != nil {
			break
		}
		var c notify.Claim
		c, err = taken[i].claim()
		claims = append(claims, c)
	}
	return named(claims, err)("claims")
}

// takenRow is a claimed row, and those that go out in its digest.
type takenRow struct {
	deliveryRow
	opened int64
	also   []deliveryRow
}

func (t *takenRow) claim() (notify.Claim, error) {
	d, err := t.delivery()
	c := notify.Claim{Delivery: d, LastAction: moment(t.opened)}
	for i := range t.also {
		if err != nil {
			break
		}
		d, err = t.also[i].delivery()
		c.Also = append(c.Also, d)
	}
	return c, err
}

// dueRow is a delivery that may be claimed.
type dueRow struct {
	seq, eventAt int64
	psid         identity.PSID
	rank         int
	away         bool
	opened       int64 // when the person last opened the window
}

// dueRows returns the deliveries that may be claimed and that there is room for, one of each person: urgent ones
// first, then the oldest event first.
func dueRows(tx Tx, page identity.PageID, room notify.Room, now time.Time) ([]dueRow, error) {
	if room.All <= 0 {
		return nil, nil
	}
	due, err := firstOfEach(tx, duePending, page, room, now)
	if err != nil {
		return nil, err
	}
	// PERF: dueHeld walks the page's held deliveries in the order of their events, thousands when a page is
	// stopped, and mostly none is due: so look first.
	var some bool
	if err := tx.One([]any{&some}, anyHeldDue, page, micros(now)); err != nil || !some {
		return due, err
	}
	held, err := firstOfEach(tx, dueHeld, page, notify.AnyRoom(room.All), now)
	if err != nil {
		return nil, err
	}
	due = append(due, held...)
	slices.SortFunc(due, func(a, b dueRow) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.eventAt, b.eventAt), cmp.Compare(a.seq, b.seq))
	})
	people := map[identity.PSID]bool{}
	due = slices.DeleteFunc(due, func(r dueRow) bool {
		drop := people[r.psid] || r.rank > 0 && room.Alerts <= 0
		people[r.psid] = true
		if !drop && r.rank > 0 {
			room.Alerts--
		}
		return drop
	})
	return due[:min(room.All, len(due))], nil
}

// firstOfEach reads rows until it has the first one of each of so many people as there is room for.
func firstOfEach(tx Tx, query string, page identity.PageID, room notify.Room, now time.Time) ([]dueRow, error) {
	rows, err := tx.Rows(query, page, micros(now))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var first []dueRow
	people := map[identity.PSID]bool{}
	for len(first) < room.All && rows.Next() {
		var r dueRow
		if err := rows.Scan(&r.seq, &r.psid, &r.eventAt, &r.rank, &r.away, &r.opened); err != nil {
			return nil, err
		}
		if people[r.psid] {
			continue
		}
		if r.rank > 0 {
			if room.Alerts <= 0 {
				break // the query's order is by rank, or the room is one for all
			}
			room.Alerts--
		}
		people[r.psid] = true
		first = append(first, r)
	}
	return first, rows.Err()
}

// newLeases returns the first of n fresh leases.
func newLeases(tx Tx, n int) (first uint64, err error) {
	if n == 0 {
		return 0, nil
	}
	var last uint64
	err = tx.One([]any{&last}, nextLeases, n)
	return last - uint64(n) + 1, err
}

// takeRow moves one delivery, and what goes out in its digest, to sending under fresh leases.
func takeRow(tx Tx, row dueRow, fresh uint64, page identity.PageID, now time.Time, lease time.Duration) (takenRow, error) {
	t := takenRow{opened: row.opened}
	err := takeOne(tx, &t.deliveryRow, row.seq, fresh, "", now, lease)
	if err != nil || !row.away || row.rank == 0 {
		return t, err
	}
	leader, err := t.delivery()
	if err != nil {
		return t, err
	}
	others, err := tx.Rows(dueAway, page, row.psid, micros(now), row.seq, notify.DigestMost)
	seqs, err := collect(others, err, func(row Row) (int64, error) {
		var seq int64
		err := row.Scan(&seq)
		return seq, err
	})
	if err != nil {
		return t, err
	}
	first, err := newLeases(tx, len(seqs))
	if err != nil {
		return t, err
	}
	t.also = make([]deliveryRow, len(seqs))
	for i, seq := range seqs {
		if err := takeOne(tx, &t.also[i], seq, first+uint64(i), leader.Alert.ID, now, lease); err != nil {
			return t, err
		}
	}
	return t, nil
}

func takeOne(tx Tx, row *deliveryRow, seq int64, fresh uint64, leader string, now time.Time, lease time.Duration) error {
	return tx.One(row.into(), take, fresh, micros(now), micros(now.Add(lease)), leader, seq)
}

// Enqueue implements notify.Enqueuer.
func (s *Store) Enqueue(ctx context.Context, deliveries []notify.Delivery) error {
	err := s.write(ctx, func(tx Tx) error { return s.keepDeliveries(tx, store.Commit{Deliveries: deliveries}) })
	if err != nil {
		return fmt.Errorf("store: enqueue %d deliveries: %w", len(deliveries), err)
	}
	return nil
}

// Settle implements notify.Outbox.
func (s *Store) Settle(ctx context.Context, outcomes []notify.Outcome) error {
	traces := make([]string, len(outcomes))
	for i, o := range outcomes {
		traces[i] = traceOf(o.Tries)
	}
	err := s.writeSure(ctx, func(tx Tx) error {
		for i, o := range outcomes {
			trace := traces[i]
			n, err := tx.Change(settle, o.State, o.Route, o.Reason, o.Detail, micros(o.NextAt), micros(o.SentAt), o.MessageID,
				o.Apart, trace, o.ID, o.Lease)
			if err == nil && n == 0 {
				err = settleLate(tx, o, trace)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: settle %d outcomes: %w", len(outcomes), err)
	}
	return nil
}

// settleLate records an outcome that an echo or a judgement overtook: a message that went out, or the trace alone.
func settleLate(tx Tx, o notify.Outcome, trace string) error {
	if o.State != notify.Sent {
		return tx.Exec(settleTrace, trace, o.ID, o.Lease)
	}
	n, err := tx.Change(settleSent, o.Route, micros(o.SentAt), o.MessageID, trace, o.ID, o.Lease)
	if err != nil || n > 0 {
		return err
	}
	if n, err = tx.Change(settleRoute, o.Route, trace, o.ID, o.Lease); err != nil || n > 0 {
		return err
	}
	return tx.Exec(settleTrace, trace, o.ID, o.Lease)
}

// traceOf is how tries are kept: one JSON object a line.
func traceOf(tries []notify.Try) string {
	var b strings.Builder
	for _, t := range tries {
		b.WriteString(text(t))
		b.WriteByte('\n')
	}
	return b.String()
}

// Pages implements notify.Outbox.
func (s *Store) Pages(ctx context.Context) ([]notify.PageDue, error) {
	rows, err := s.db.Query(ctx, duePages)
	return named(collect(rows, err, func(row Row) (notify.PageDue, error) {
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
// process that sends, all of them belong to the one that ended. Those that were settling already wait for their
// echoes anew: none could come while the webhook was closed, and a judgement at once would send twice.
func (s *Store) AbandonAll(ctx context.Context, now time.Time, grace time.Duration) (int, error) {
	return s.changed(ctx, "abandon all", abandonAll, micros(now.Add(grace)))
}

// Judge implements notify.Outbox.
func (s *Store) Judge(ctx context.Context, now time.Time) (again, unknown int, err error) {
	if due, err := s.anyDue(ctx, dueSettling, now); err != nil || !due {
		return 0, 0, err
	}
	err = s.write(ctx, func(tx Tx) error {
		var err error
		if again, err = tx.Change(judgeAgain, micros(now)); err != nil {
			return err
		}
		unknown, err = tx.Change(judgeUnknown, micros(now))
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("store: judge: %w", err)
	}
	return again, unknown, nil
}

const (
	dueSending  = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE ` + underWay + ` AND state = 'sending' AND next_at <= ?)`
	dueSettling = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE ` + underWay + ` AND state = 'settling' AND next_at <= ?)`
)

// anyDue looks before anything is written: the dispatcher asks every second and the answer is mostly no.
func (s *Store) anyDue(ctx context.Context, query string, now time.Time) (bool, error) {
	var some bool
	err := s.db.QueryRow(ctx, query, micros(now)).Scan(&some)
	return named(some, err)("due deliveries")
}

// Release implements notify.Outbox.
func (s *Store) Release(ctx context.Context, page identity.PageID, reasons ...notify.Reason) (int, error) {
	n := 0
	err := s.write(ctx, func(tx Tx) error {
		var err error
		n, err = s.releaseHeld(tx, page, reasons...)
		return err
	})
	return named(n, err)("held deliveries")
}

func (s *Store) releaseHeld(tx Tx, page identity.PageID, reasons ...notify.Reason) (int, error) {
	n := 0
	for _, r := range reasons {
		changed, err := tx.Change(release, micros(s.now()), page, r)
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
	err := s.write(ctx, func(tx Tx) error {
		var err error
		n, err = tx.Change(query, args...)
		return err
	})
	return named(n, err)(what)
}

// Templates implements notify.Templates.
func (s *Store) Templates(ctx context.Context, page identity.PageID) ([]notify.Template, error) {
	rows, err := s.db.Query(ctx, listTemplates, page)
	return named(collect(rows, err, func(row Row) (notify.Template, error) {
		var (
			t       notify.Template
			checked int64
		)
		err := row.Scan(&t.Page, &t.Name, &t.Language, &t.ID, &t.Status, &t.Detail, &t.Params, &t.Buttons, &checked)
		t.Checked = moment(checked)
		return t, err
	}))("templates")
}

// PutTemplate implements notify.Templates.
func (s *Store) PutTemplate(ctx context.Context, t notify.Template) error {
	return s.put(ctx, "template", t.Name, func(tx Tx) error { return storeTemplate(tx, t) })
}

func storeTemplate(tx Tx, t notify.Template) error {
	return tx.Exec(putTemplate, t.Page, t.Name, t.Language, t.ID, t.Status, t.Detail, t.Params, t.Buttons, micros(t.Checked))
}

// deliveryRow is a delivery as it is kept.
type deliveryRow struct {
	d                                                            notify.Delivery
	alert                                                        string
	nextAt, created, claimed, sentAt, delivered, readMark, acked int64
	rank                                                         int
}

// into lists where the deliveryColumns go.
func (r *deliveryRow) into() []any {
	d := &r.d
	return []any{
		&r.alert, &d.Page, &d.PSID, &d.State, &d.Route, &d.Reason, &d.Detail, &d.Attempts, &r.nextAt, &d.Lease,
		&r.created, &r.claimed, &r.sentAt, &r.delivered, &r.readMark, &d.MessageID, &r.rank, &d.Away, &d.Leader,
		&r.acked, &d.AcknowledgedBy,
	}
}

func (r *deliveryRow) delivery() (notify.Delivery, error) {
	d := r.d
	d.Urgent = r.rank == 0
	d.NextAt, d.Created, d.Claimed = moment(r.nextAt), moment(r.created), moment(r.claimed)
	d.SentAt, d.Delivered, d.Read = moment(r.sentAt), moment(r.delivered), moment(r.readMark)
	d.Acknowledged = moment(r.acked)
	return d, json.Unmarshal([]byte(r.alert), &d.Alert)
}
