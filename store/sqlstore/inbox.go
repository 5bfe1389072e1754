package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"outrider/identity"
	"outrider/notify"
)

// seenFor is how long a webhook event is remembered: Meta repeats events for an hour at most.
const seenFor = 7 * 24 * time.Hour

const (
	remember   = `INSERT INTO webhook_seen (key, at) VALUES (?, ?) ON CONFLICT DO NOTHING`
	forgetOld  = `DELETE FROM webhook_seen WHERE key IN (SELECT key FROM webhook_seen WHERE at < ? LIMIT 100)`
	openWindow = `INSERT INTO windows (page, psid, last) VALUES (?, ?, ?)
		ON CONFLICT (page, psid) DO UPDATE SET last = excluded.last WHERE excluded.last > windows.last`
	wakePerson = `UPDATE deliveries SET state = 'pending', away = 1, next_at = ? WHERE page = ? AND psid = ? AND state = 'held'`
	echoed     = `INSERT INTO echoes (page, claimed) SELECT page, claimed FROM deliveries WHERE id = ? AND page = ?
		ON CONFLICT (page) DO UPDATE SET claimed = excluded.claimed WHERE excluded.claimed > echoes.claimed`
	settleByEcho = `UPDATE deliveries SET state = 'sent', reason = '', detail = '', next_at = 0, sent_at = ?1, message_id = ?2,
		trace = trace || ?3 WHERE id = ?4 AND page = ?5 AND state <> 'sent'`
	settleDigest = `UPDATE deliveries SET state = 'sent', reason = '', detail = '', next_at = 0, sent_at = ?1, message_id = ?2,
		trace = trace || ?3 WHERE leader = ?4 AND leader <> '' AND page = ?5 AND state <> 'sent'`
	// The receipt came after Meta had the message; marks speak of Meta's time, so the echo's is kept.
	correctByEcho = `UPDATE deliveries SET sent_at = ?1 WHERE id = ?2 AND page = ?3 AND state = 'sent' AND sent_at > ?1`
	newerTemplate = `SELECT EXISTS (SELECT 1 FROM templates WHERE page = ? AND name = ? AND language = ? AND checked > ?)`
	blockPage     = `UPDATE pages SET blocked = ?, block_reason = ?, policy_at = ? WHERE id = ? AND policy_at <= ?`
	markWatermark = `UPDATE deliveries SET delivered = CASE delivered WHEN 0 THEN ?1 ELSE delivered END,
		read = CASE WHEN ?2 AND read = 0 THEN ?1 ELSE read END
		WHERE page = ?3 AND psid = ?4 AND state = 'sent' AND read = 0 AND sent_at <= ?5`
	markMessage = `UPDATE deliveries SET delivered = CASE delivered WHEN 0 THEN ?1 ELSE delivered END,
		read = CASE WHEN ?2 AND read = 0 THEN ?1 ELSE read END
		WHERE page = ?3 AND psid = ?4 AND state = 'sent' AND read = 0 AND message_id = ?5`
)

// Receive implements notify.Inbox.
func (s *Store) Receive(ctx context.Context, events []notify.ThreadEvent) (notify.Received, error) {
	var r notify.Received
	err := s.write(ctx, func(tx Tx) error {
		r = notify.Received{}
		for _, e := range events {
			n, err := tx.Change(remember, e.Key, micros(s.now()))
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			r.Fresh++
			if err := s.apply(tx, e, &r); err != nil {
				return err
			}
		}
		return tx.Exec(forgetOld, micros(s.now().Add(-seenFor)))
	})
	return named(r, err)("webhook events")
}

// apply does what an event says. The link comes first: what it addresses to the person is woken by the action.
func (s *Store) apply(tx Tx, e notify.ThreadEvent, r *notify.Received) error {
	if e.Code != "" {
		if err := s.redeem(tx, e, r); err != nil {
			return err
		}
	}
	if e.Said != nil {
		if err := s.keepSaid(tx, *e.Said); err != nil {
			return err
		}
		r.Said++
	}
	switch e.Kind {
	case notify.ThreadAction:
		if err := tx.Exec(openWindow, e.Page, e.PSID, micros(e.Time)); err != nil {
			return err
		}
		return tx.Exec(wakePerson, micros(s.now()), e.Page, e.PSID)
	case notify.ThreadEcho:
		if e.Delivery == "" {
			return nil // a message of someone else on the page
		}
		if err := tx.Exec(echoed, e.Delivery, e.Page); err != nil {
			return err
		}
		trace := traceOf([]notify.Try{{At: e.Time, State: notify.Sent, Detail: "Meta's echo came"}})
		if err := tx.Exec(settleDigest, micros(e.Time), e.MessageID, trace, e.Delivery, e.Page); err != nil {
			return err
		}
		n, err := tx.Change(settleByEcho, micros(e.Time), e.MessageID, trace, e.Delivery, e.Page)
		if err != nil || n > 0 {
			return err
		}
		return tx.Exec(correctByEcho, micros(e.Time), e.Delivery, e.Page)
	case notify.ThreadDelivered, notify.ThreadRead:
		return mark(tx, e)
	case notify.ThreadTemplate:
		return s.applyTemplate(tx, e)
	case notify.ThreadLogin:
		r.Logins = append(r.Logins, identity.OptIn{Page: e.Page, Login: e.Login, At: e.Time})
		return tx.Exec(putOptIn, e.Page, e.Login, micros(e.Time))
	case notify.ThreadPolicy:
		return s.applyPolicy(tx, e, r)
	}
	return nil
}

// mark notes what the person's phone showed.
func mark(tx Tx, e notify.ThreadEvent) error {
	read := e.Kind == notify.ThreadRead
	if !e.Watermark.IsZero() {
		if err := tx.Exec(markWatermark, micros(e.Time), read, e.Page, e.PSID, micros(e.Watermark)); err != nil {
			return err
		}
	}
	for _, mid := range e.Mids {
		if err := tx.Exec(markMessage, micros(e.Time), read, e.Page, e.PSID, mid); err != nil {
			return err
		}
	}
	return nil
}

// applyTemplate stores a status unless a newer look at the template is known: events may come out of order.
func (s *Store) applyTemplate(tx Tx, e notify.ThreadEvent) error {
	var newer bool
	if err := tx.One([]any{&newer}, newerTemplate, e.Template.Page, e.Template.Name, e.Template.Language, micros(e.Time)); err != nil || newer {
		return err
	}
	// The webhook tells no shape: a known template keeps its own.
	t := e.Template
	n, err := tx.Change(templateStatus, t.ID, t.Status, t.Detail, micros(t.Checked), t.Page, t.Name, t.Language)
	if err == nil && n == 0 {
		t.Params, t.Buttons = notify.ShapeOf(t.Name)
		err = storeTemplate(tx, t)
	}
	if err != nil {
		return err
	}
	if e.Template.Status != notify.TemplateApproved {
		return nil
	}
	_, err = s.releaseHeld(tx, e.Template.Page, notify.ReasonTemplateMissing, notify.ReasonTemplatePending,
		notify.ReasonTemplateRejected, notify.ReasonTemplateShape)
	return err
}

// applyPolicy blocks or unblocks a page, if this is the newest word on it. A page that is not registered has nothing
// to stop.
func (s *Store) applyPolicy(tx Tx, e notify.ThreadEvent, r *notify.Received) error {
	var (
		n   int
		err error
	)
	switch e.Policy.Action {
	case notify.PolicyBlock:
		n, err = tx.Change(blockPage, micros(e.Time), e.Policy.Reason, micros(e.Time), e.Page, micros(e.Time))
	case notify.PolicyUnblock:
		n, err = tx.Change(blockPage, 0, "", micros(e.Time), e.Page, micros(e.Time))
	}
	if err != nil || n == 0 {
		return err
	}
	r.Pages = append(r.Pages, e.Page)
	if e.Policy.Action == notify.PolicyUnblock {
		_, err = s.releaseHeld(tx, e.Page, notify.ReasonPageBlocked)
	}
	return err
}

// LastAction implements notify.Inbox.
func (s *Store) LastAction(ctx context.Context, page identity.PageID, psid identity.PSID) (time.Time, error) {
	var last int64
	err := s.db.QueryRow(ctx, lastAction, page, psid).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return named(moment(last), err)("window")
}
