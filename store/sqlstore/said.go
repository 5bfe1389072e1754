package sqlstore

import (
	"context"

	"outrider/notify"
)

const (
	putSaid = `INSERT INTO said (page, psid, kind, mid, body, payload, at, received) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	unheard = `SELECT seq, page, psid, kind, mid, body, payload, at, received FROM said WHERE seq > ? ORDER BY seq LIMIT ?`
	heard   = `DELETE FROM said WHERE seq = ?`
)

func (s *Store) keepSaid(tx Tx, w notify.Said) error {
	return tx.Exec(putSaid, w.Page, w.PSID, w.Kind, w.MessageID, w.Text, w.Payload, micros(w.At), micros(s.now()))
}

// Unheard implements notify.Talk.
func (s *Store) Unheard(ctx context.Context, after uint64, limit int) ([]notify.Said, error) {
	rows, err := s.db.Query(ctx, unheard, after, limit)
	return named(collect(rows, err, func(row Row) (notify.Said, error) {
		var (
			w            notify.Said
			at, received int64
		)
		err := row.Scan(&w.Seq, &w.Page, &w.PSID, &w.Kind, &w.MessageID, &w.Text, &w.Payload, &at, &received)
		w.At, w.Received = moment(at), moment(received)
		return w, err
	}))("what people said")
}

// Heard implements notify.Talk.
func (s *Store) Heard(ctx context.Context, seqs ...uint64) error {
	err := s.write(ctx, func(tx Tx) error {
		for _, seq := range seqs {
			if err := tx.Exec(heard, seq); err != nil {
				return err
			}
		}
		return nil
	})
	_, err = named(struct{}{}, err)("heard")
	return err
}
