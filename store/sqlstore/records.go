package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// lettersMost is how many dead letters a tenant keeps.
const lettersMost = 10_000

const (
	selectCrossings = `SELECT seq, id, tenant, vehicle, fence, fence_rev, fence_name, kind, at, lon, lat, confidence, why,
		late, received, recorded, reading FROM crossings`
	selectDeliveries = `SELECT seq, ` + deliveryColumns + ` FROM deliveries`
	selectDelivery   = `SELECT seq, ` + deliveryColumns + `, trace FROM deliveries WHERE id = ? AND tenant = ?`
	countDone        = `SELECT state, n FROM delivery_counts WHERE n > 0`
	countWaiting     = `SELECT 'pending', COUNT(*) FROM deliveries WHERE state = 'pending' UNION ALL
		SELECT 'held', COUNT(*) FROM deliveries WHERE state = 'held' UNION ALL
		SELECT 'sending', COUNT(*) FROM deliveries INDEXED BY deliveries_busy WHERE ` + underWay + ` AND state = 'sending' UNION ALL
		SELECT 'settling', COUNT(*) FROM deliveries INDEXED BY deliveries_busy WHERE ` + underWay + ` AND state = 'settling'`
	// PERF: read off an index of those that wait.
	countBacklog = `SELECT page, COUNT(*), MIN(event_at) FROM deliveries INDEXED BY deliveries_pending WHERE state = 'pending'
		GROUP BY page ORDER BY page`
	selectLetters = `SELECT seq, tenant, vehicle, topic, reason, field, detail, payload, size, received FROM dead_letters`
	insertLetter  = `INSERT INTO dead_letters (tenant, vehicle, topic, reason, field, detail, payload, size, received)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	trimLetters = `DELETE FROM dead_letters WHERE tenant = ?1 AND seq <= (
		SELECT seq FROM dead_letters WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`
)

// where turns a query into SQL: newest first, each given field an equality.
func where(q store.Query, withState bool) (clause string, args []any) {
	clause, args = " WHERE tenant = ?", []any{q.Tenant}
	add := func(field string, value any) {
		clause += " AND " + field + " = ?"
		args = append(args, value)
	}
	if q.Vehicle != "" {
		add("vehicle", q.Vehicle)
	}
	if q.Fence != "" {
		add("fence", q.Fence)
	}
	if withState && q.State != "" {
		add("state", q.State)
	}
	if q.Before > 0 {
		clause += " AND seq < ?"
		args = append(args, q.Before)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	return clause + " ORDER BY seq DESC LIMIT ?", append(args, limit)
}

// Crossings implements store.Records.
func (s *Store) Crossings(ctx context.Context, q store.Query) ([]store.Crossing, error) {
	clause, args := where(q, false)
	rows, err := s.db.Query(ctx, selectCrossings+clause, args...)
	return named(collect(rows, err, scanCrossing))("crossings")
}

func scanCrossing(row Row) (store.Crossing, error) {
	var (
		c                      store.Crossing
		at, received, recorded int64
	)
	err := row.Scan(&c.Seq, &c.ID, &c.Tenant, &c.Vehicle, &c.Fence, &c.FenceRev, &c.FenceName, &c.Kind, &at,
		&c.Point[0], &c.Point[1], &c.Confidence, &c.Why, &c.Late, &received, &recorded, &c.Reading)
	c.At, c.Received, c.Recorded = moment(at), moment(received), moment(recorded)
	return c, err
}

// Deliveries implements store.Records.
func (s *Store) Deliveries(ctx context.Context, q store.Query) ([]store.DeliveryRecord, error) {
	clause, args := where(q, true)
	rows, err := s.db.Query(ctx, selectDeliveries+clause, args...)
	return named(collect(rows, err, func(row Row) (store.DeliveryRecord, error) { return scanDelivery(row) }))("deliveries")
}

// Delivery implements store.Records.
func (s *Store) Delivery(ctx context.Context, tenant identity.TenantID, id string) (store.DeliveryRecord, error) {
	var trace string
	row := s.db.QueryRow(ctx, selectDelivery, id, tenant)
	d, err := scanDelivery(row, &trace)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err == nil {
		d.Trace, err = readTrace(trace)
	}
	if err != nil {
		return store.DeliveryRecord{}, fmt.Errorf("store: delivery %q: %w", id, err)
	}
	return d, nil
}

// scanDelivery reads the deliveryColumns after seq, and what the query has besides.
func scanDelivery(row Row, besides ...any) (store.DeliveryRecord, error) {
	var (
		r store.DeliveryRecord
		d deliveryRow
	)
	if err := row.Scan(append(append([]any{&r.Seq}, d.into()...), besides...)...); err != nil {
		return r, err
	}
	var err error
	r.Delivery, err = d.delivery()
	return r, err
}

// readTrace is the reverse of traceOf.
func readTrace(text string) ([]notify.Try, error) {
	var tries []notify.Try
	for line := range strings.Lines(text) {
		var t notify.Try
		if err := json.Unmarshal([]byte(line), &t); err != nil {
			return nil, fmt.Errorf("read trace: %w", err)
		}
		tries = append(tries, t)
	}
	return tries, nil
}

// DeliveryCounts implements store.Records.
func (s *Store) DeliveryCounts(ctx context.Context) (map[notify.State]int, error) {
	type count struct {
		state notify.State
		n     int
	}
	counts := map[notify.State]int{}
	err := s.db.View(ctx, func(rd Reader) error {
		for _, query := range []string{countDone, countWaiting} {
			rows, err := rd.Query(ctx, query)
			all, err := collect(rows, err, func(row Row) (count, error) {
				var c count
				err := row.Scan(&c.state, &c.n)
				return c, err
			})
			if err != nil {
				return err
			}
			for _, c := range all {
				if c.n > 0 {
					counts[c.state] = c.n
				}
			}
		}
		return nil
	})
	return named(counts, err)("delivery counts")
}

// Backlog implements notify.Backlogs.
func (s *Store) Backlog(ctx context.Context) ([]notify.Backlog, error) {
	rows, err := s.db.Query(ctx, countBacklog)
	return named(collect(rows, err, func(row Row) (notify.Backlog, error) {
		var (
			b      notify.Backlog
			oldest int64
		)
		err := row.Scan(&b.Page, &b.Pending, &oldest)
		b.Oldest = moment(oldest)
		return b, err
	}))("backlog")
}

// DeadLetters implements store.Records.
func (s *Store) DeadLetters(ctx context.Context, q store.Query) ([]store.DeadLetter, error) {
	q.Fence = "" // dead letters name no fence
	clause, args := where(q, false)
	rows, err := s.db.Query(ctx, selectLetters+clause, args...)
	return named(collect(rows, err, func(row Row) (store.DeadLetter, error) {
		var (
			l        store.DeadLetter
			received int64
		)
		err := row.Scan(&l.Seq, &l.Tenant, &l.Vehicle, &l.Topic, &l.Reason, &l.Field, &l.Detail, &l.Payload, &l.Size, &received)
		l.Received = moment(received)
		return l, err
	}))("dead letters")
}

// PutDeadLetters implements store.Records.
func (s *Store) PutDeadLetters(ctx context.Context, letters []store.DeadLetter) error {
	return s.put(ctx, "dead letters", "", func(tx Tx) error { return keepLetters(tx, letters) })
}

// keepLetters adds letters and drops each tenant's oldest beyond the limit.
func keepLetters(tx Tx, letters []store.DeadLetter) error {
	tenants := map[identity.TenantID]bool{}
	for i := range letters {
		l := &letters[i]
		payload := l.Payload
		if payload == nil {
			payload = []byte{}
		}
		err := tx.Exec(insertLetter, l.Tenant, l.Vehicle, l.Topic, l.Reason, l.Field, l.Detail, payload, l.Size, micros(l.Received))
		if err != nil {
			return err
		}
		tenants[l.Tenant] = true
	}
	for tenant := range tenants {
		if err := tx.Exec(trimLetters, tenant, lettersMost); err != nil {
			return err
		}
	}
	return nil
}
