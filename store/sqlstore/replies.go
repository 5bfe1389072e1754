package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"outrider/store"
)

const (
	getReply       = `SELECT request, at, status, answer FROM replies WHERE id = ?`
	claimReply     = `INSERT INTO replies (id, request, at, status, answer) VALUES (?, ?, ?, 0, '')`
	settleReply    = `UPDATE replies SET status = ?, answer = ? WHERE id = ?`
	dropReply      = `DELETE FROM replies WHERE id = ?`
	dropOldReplies = `DELETE FROM replies WHERE at < ?`
	// replyPlace stands before the key: a sealed answer belongs to its row.
	replyPlace = "reply/"
)

// answered is the sealed part of a reply.
type answered struct {
	Header map[string][]string
	Body   []byte
}

// ClaimReply implements store.Replies.
func (s *Store) ClaimReply(ctx context.Context, r store.Reply, since time.Time) (store.Reply, bool, error) {
	var (
		kept    store.Reply
		sealed  string
		claimed bool
	)
	err := s.put(ctx, "reply", r.Key, func(tx Tx) error {
		kept, sealed, claimed = store.Reply{Key: r.Key}, "", false
		if err := tx.Exec(dropOldReplies, micros(since)); err != nil {
			return err
		}
		var at int64
		err := tx.One([]any{&kept.Request, &at, &kept.Status, &sealed}, getReply, r.Key)
		if kept.At = moment(at); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		claimed = true
		return tx.Exec(claimReply, r.Key, r.Request, micros(r.At))
	})
	if err != nil || claimed || sealed == "" {
		return kept, claimed, err
	}
	plain, err := s.sealer.Open(sealed, replyPlace+r.Key)
	if err != nil {
		return kept, false, fmt.Errorf("store: open reply: %w", err)
	}
	var a answered
	if err := json.Unmarshal([]byte(plain), &a); err != nil {
		return kept, false, fmt.Errorf("store: open reply: %w", err)
	}
	kept.Header, kept.Body = a.Header, a.Body
	return kept, false, nil
}

// SettleReply implements store.Replies.
func (s *Store) SettleReply(ctx context.Context, r store.Reply) error {
	sealed, err := s.sealer.Seal(text(answered{r.Header, r.Body}), replyPlace+r.Key)
	if err != nil {
		return fmt.Errorf("store: seal reply: %w", err)
	}
	_, err = s.changed(ctx, "reply", settleReply, r.Status, sealed, r.Key)
	return err
}

// DropReply implements store.Replies.
func (s *Store) DropReply(ctx context.Context, key string) error {
	_, err := s.changed(ctx, "reply", dropReply, key)
	return err
}
