package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"outrider/identity"
	"outrider/store"
)

const (
	acknowledge = `UPDATE deliveries SET acked = CASE acked WHEN 0 THEN ? ELSE acked END, acked_by = CASE acked WHEN 0 THEN ? ELSE acked_by END
		WHERE id = ? AND tenant = ? AND page = ? AND psid = ?`
	acknowledged = `SELECT id, json_extract(alert, '$.event'), json_extract(alert, '$.owner'), acked, acked_by FROM deliveries
		WHERE tenant = ? AND json_extract(alert, '$.event') = ? AND acked > 0`
	putQuestion = `INSERT INTO questions (page, psid, body, until) VALUES (?, ?, ?, ?)
		ON CONFLICT (page, psid) DO UPDATE SET body = excluded.body, until = excluded.until`
	dropQuestion  = `DELETE FROM questions WHERE page = ? AND psid = ?`
	dropEndedAsks = `DELETE FROM questions WHERE until <= ?`
	getQuestion   = `SELECT body, until FROM questions WHERE page = ? AND psid = ? AND until > ?`
	onceOf        = `SELECT once FROM owners WHERE tenant = ? AND id = ?`
	endOnce       = `UPDATE owners SET once = ? WHERE tenant = ? AND id = ?`
)

// Acknowledge implements store.Acknowledgements.
func (s *Store) Acknowledge(ctx context.Context, tenant identity.TenantID, delivery string, who identity.Contact, by string, at time.Time) (bool, error) {
	n := 0
	err := s.write(ctx, func(tx Tx) error {
		var err error
		n, err = tx.Change(acknowledge, micros(at), by, delivery, tenant, who.Page, who.PSID)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: acknowledge %q: %w", delivery, err)
	}
	return n > 0, nil
}

// Acknowledged implements store.Acknowledgements.
func (s *Store) Acknowledged(ctx context.Context, tenant identity.TenantID, events []string) ([]store.Acknowledgement, error) {
	var all []store.Acknowledgement
	for _, event := range events { // at most a page of a list, each by index
		rows, err := s.db.Query(ctx, acknowledged, tenant, event)
		found, err := collect(rows, err, func(row Row) (store.Acknowledgement, error) {
			var (
				a  store.Acknowledgement
				at int64
			)
			err := row.Scan(&a.Delivery, &a.Event, &a.Owner, &at, &a.By)
			a.At = moment(at)
			return a, err
		})
		if err != nil {
			return nil, fmt.Errorf("store: read acknowledgements: %w", err)
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b store.Acknowledgement) int { return a.At.Compare(b.At) })
	return all, nil
}

// Ask implements store.Questions. What has ended goes with it.
func (s *Store) Ask(ctx context.Context, q store.Question) error {
	err := s.write(ctx, func(tx Tx) error {
		if err := tx.Exec(dropEndedAsks, micros(s.now())); err != nil {
			return err
		}
		if q.Text == "" {
			return tx.Exec(dropQuestion, q.Person.Page, q.Person.PSID)
		}
		return tx.Exec(putQuestion, q.Person.Page, q.Person.PSID, q.Text, micros(q.Until))
	})
	if err != nil {
		return fmt.Errorf("store: ask: %w", err)
	}
	return nil
}

// Asked implements store.Questions.
func (s *Store) Asked(ctx context.Context, person identity.Contact, now time.Time) (store.Question, bool, error) {
	q := store.Question{Person: person}
	var until int64
	err := s.db.QueryRow(ctx, getQuestion, person.Page, person.PSID, micros(now)).Scan(&q.Text, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Question{}, false, nil
	}
	q.Until = moment(until)
	_, err = named(q, err)("question")
	return q, err == nil, err
}

// tell ends an owner's wish to be told one time, now that it is.
func tell(tx Tx, tenant identity.TenantID, owner identity.OwnerID, wish string) error {
	rows, err := tx.Rows(onceOf, tenant, owner)
	raw, err := collect(rows, err, func(row Row) (string, error) {
		var text string
		err := row.Scan(&text)
		return text, err
	})
	if err != nil || len(raw) == 0 {
		return err // the owner may have gone meanwhile
	}
	var once []identity.Once
	if err := json.Unmarshal([]byte(raw[0]), &once); err != nil {
		return fmt.Errorf("wishes of owner %q: %w", owner, err)
	}
	once = slices.DeleteFunc(once, func(o identity.Once) bool { return o.ID == wish })
	return tx.Exec(endOnce, text(once), tenant, owner)
}
