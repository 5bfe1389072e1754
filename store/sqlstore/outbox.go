package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
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
//
// PERF: of those that are pending the first one is looked up, which is one step in an index whatever a database
// believes of its tables.
const (
	notBusy = ` AND NOT EXISTS (SELECT 1 FROM deliveries o
		WHERE o.page = d.page AND o.psid = d.psid AND o.rank <= d.rank AND o.state IN ('sending', 'settling'))`
	isFirst = ` AND d.seq = (SELECT o.seq FROM deliveries o WHERE o.page = d.page AND o.psid = d.psid AND o.state = 'pending'
		ORDER BY o.rank, o.event_at, o.seq LIMIT 1)`
	noneBefore = ` AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.page = d.page AND o.psid = d.psid AND o.state = 'pending'
		AND (o.rank, o.event_at, o.seq) < (d.rank, d.event_at, d.seq))`
	// PERF: what the plan needs of the thread, and whether a held delivery is due, too, comes with the row: each
	// statement costs as much as the reading of the row, and a journey to the server.
	opened     = `, COALESCE((SELECT w.last FROM windows w WHERE w.page = d.page AND w.psid = d.psid), 0)`
	heldDue    = `EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_held WHERE page = ?1 AND state = 'held' AND next_at > 0 AND next_at <= ?2)`
	duePending = `SELECT seq, id, psid, event_at, rank, away` + opened + `, ` + heldDue + ` FROM deliveries d INDEXED BY deliveries_pending
		WHERE page = ?1 AND state = 'pending' AND next_at <= ?2` + notBusy + isFirst + ` ORDER BY rank, event_at, seq LIMIT ?3`
	dueHeld = `SELECT seq, id, psid, event_at, rank, away` + opened + `, 1 = 1 FROM deliveries d INDEXED BY deliveries_held_order
		WHERE page = ?1 AND state = 'held' AND next_at > 0 AND next_at <= ?2` + notBusy + noneBefore + ` ORDER BY event_at, seq LIMIT ?3`
	dueAway = `SELECT seq FROM deliveries INDEXED BY deliveries_away WHERE page = ? AND psid = ? AND state = 'pending'
		AND away = 1 AND rank = 1 AND next_at <= ? AND seq <> ? ORDER BY event_at, seq LIMIT ?`
	anyHeldDue = `SELECT ` + heldDue
	// PERF: a claim takes all its rows, and a settlement settles all its outcomes, in one statement: each costs a journey
	// to the server, and as much again as the row.
	take = `UPDATE deliveries SET state = 'sending', attempts = attempts + 1, lease = lease + 1, claimed = ?,
		next_at = ?, leader = o.value ->> 'leader' FROM json_each(?) AS o WHERE deliveries.seq = CAST(o.value ->> 'seq' AS BIGINT)
		RETURNING seq, ` + deliveryColumns
	lastAction = `SELECT last FROM windows WHERE page = ? AND psid = ?`
	settle     = `UPDATE deliveries SET state = o.value ->> 'state', route = o.value ->> 'route', reason = o.value ->> 'reason',
		detail = o.value ->> 'detail', next_at = CAST(o.value ->> 'next' AS BIGINT), sent_at = CAST(o.value ->> 'sent' AS BIGINT),
		message_id = o.value ->> 'mid', away = CASE o.value ->> 'apart' WHEN 'yes' THEN FALSE ELSE away END,
		trace = trace || (o.value ->> 'trace')
		FROM json_each(?) AS o WHERE deliveries.id = o.value ->> 'id' AND lease = CAST(o.value ->> 'lease' AS BIGINT)
		AND COALESCE(state, '') IN ('sending', 'settling') RETURNING deliveries.id` // by id, and not by the index of what is under way
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
		if err != nil || len(due) == 0 {
			return err
		}
		taken, err = takeRows(tx, due, page, now, lease)
		return err
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
	id           string
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
	due, some, err := firstOfEach(tx, duePending, page, room, now, room.All) // a person has no second row that may go
	if err != nil {
		return nil, err
	}
	// PERF: dueHeld walks the page's held deliveries in the order of their events, thousands when a page is
	// stopped, and mostly none is due: so look first, where no row that is due told it.
	if len(due) == 0 {
		err = tx.One([]any{&some}, anyHeldDue, page, micros(now))
	}
	if err != nil || !some {
		return due, err
	}
	// Who has many held ones has a pending one after the next claim, and stands in nobody's way.
	held, _, err := firstOfEach(tx, dueHeld, page, notify.AnyRoom(room.All), now, 4*room.All)
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

// firstOfEach reads up to most rows, until it has the first one of each of so many people as there is room for. It
// tells whether a held delivery is due, if there was a row to tell it.
func firstOfEach(tx Tx, query string, page identity.PageID, room notify.Room, now time.Time, most int) (first []dueRow, held bool, err error) {
	rows, err := tx.Rows(query, page, micros(now), most)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	people := map[identity.PSID]bool{}
	for len(first) < room.All && rows.Next() {
		var r dueRow
		if err := rows.Scan(&r.seq, &r.id, &r.psid, &r.eventAt, &r.rank, &r.away, &r.opened, &held); err != nil {
			return nil, false, err
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
	return first, held, rows.Err()
}

// taking is a row on its way to sending.
type taking struct {
	Seq    int64  `json:"seq"`
	Leader string `json:"leader"` // id of the delivery in whose digest it goes out
}

// takeRows moves deliveries, and what goes out in their digests, to sending under fresh leases.
func takeRows(tx Tx, due []dueRow, page identity.PageID, now time.Time, lease time.Duration) ([]takenRow, error) {
	var all []taking
	ends := make([]int, len(due)) // where the rows of each end in all
	for i, row := range due {
		all = append(all, taking{Seq: row.seq})
		if row.away && row.rank > 0 {
			others, err := companions(tx, row, page, now)
			if err != nil {
				return nil, err
			}
			for _, seq := range others {
				all = append(all, taking{Seq: seq, Leader: row.id})
			}
		}
		ends[i] = len(all)
	}
	rows, err := tx.Rows(take, micros(now), micros(now.Add(lease)), text(all))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	bySeq := make(map[int64]*deliveryRow, len(all))
	for rows.Next() {
		var seq int64
		row := &deliveryRow{}
		if err := rows.Scan(append([]any{&seq}, row.into()...)...); err != nil {
			return nil, err
		}
		bySeq[seq] = row
	}
	if err := rows.Err(); err != nil || len(bySeq) != len(all) {
		return nil, cmp.Or(err, errNotTaken)
	}
	taken, from := make([]takenRow, len(due)), 0
	for i := range due {
		taken[i] = takenRow{deliveryRow: *bySeq[all[from].Seq], opened: due[i].opened}
		for _, t := range all[from+1 : ends[i]] {
			taken[i].also = append(taken[i].also, *bySeq[t.Seq])
		}
		from = ends[i]
	}
	return taken, nil
}

// errNotTaken says that rows that were read in a transaction were not there to be changed in it.
var errNotTaken = errors.New("store: due deliveries vanished in their own transaction")

// companions lists what goes out in the digest that row leads.
func companions(tx Tx, row dueRow, page identity.PageID, now time.Time) ([]int64, error) {
	others, err := tx.Rows(dueAway, page, row.psid, micros(now), row.seq, notify.DigestMost)
	return collect(others, err, func(row Row) (int64, error) {
		var seq int64
		err := row.Scan(&seq)
		return seq, err
	})
}

// Enqueue implements notify.Enqueuer.
func (s *Store) Enqueue(ctx context.Context, deliveries []notify.Delivery) error {
	err := s.write(ctx, func(tx Tx) error { return s.keepDeliveries(tx, store.Commit{Deliveries: deliveries}) })
	if err != nil {
		return fmt.Errorf("store: enqueue %d deliveries: %w", len(deliveries), err)
	}
	return nil
}

// settlement is an outcome on its way to its row.
type settlement struct {
	ID     string        `json:"id"`
	Lease  uint64        `json:"lease"`
	State  notify.State  `json:"state"`
	Route  notify.Route  `json:"route"`
	Reason notify.Reason `json:"reason"`
	Detail string        `json:"detail"`
	Next   int64         `json:"next"`
	Sent   int64         `json:"sent"`
	MID    string        `json:"mid"`
	Apart  string        `json:"apart"` // "yes": it goes out alone from now on
	Trace  string        `json:"trace"`
}

func settlementOf(o notify.Outcome) settlement {
	s := settlement{ID: o.ID, Lease: o.Lease, State: o.State, Route: o.Route, Reason: o.Reason, Detail: noNUL(o.Detail),
		Next: micros(o.NextAt), Sent: micros(o.SentAt), MID: noNUL(o.MessageID), Trace: traceOf(o.Tries)}
	if o.Apart {
		s.Apart = "yes"
	}
	return s
}

// noNUL makes a text that JSON in a database may hold.
func noNUL(s string) string { return strings.ReplaceAll(s, "\x00", "\uFFFD") }

// Settle implements notify.Outbox.
func (s *Store) Settle(ctx context.Context, outcomes []notify.Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	all := make([]settlement, len(outcomes))
	for i, o := range outcomes {
		all[i] = settlementOf(o)
	}
	set := text(all)
	err := s.writeSure(ctx, func(tx Tx) error {
		rows, err := tx.Rows(settle, set)
		settled, err := collect(rows, err, func(row Row) (string, error) {
			var id string
			err := row.Scan(&id)
			return id, err
		})
		if err != nil || len(settled) == len(outcomes) {
			return err
		}
		for i, o := range outcomes {
			if !slices.Contains(settled, o.ID) {
				if err := settleLate(tx, o, all[i].Trace); err != nil {
					return err
				}
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
