package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"outrider/chat"
	"outrider/chat/lex"
	"outrider/chat/lex/lexruntime"
	"outrider/identity"
	"outrider/internal/config"
	"outrider/notify"
	"outrider/store"
)

// talker lets people talk with their vehicles: it hears what they say, asks the dialog, and puts the answer into the
// outbox, ahead of alerts.
type talker struct {
	dialog *chat.Dialog
	store  store.Store
	wake   func(identity.PageID)
	tenant func(identity.PageID) (identity.TenantID, bool)
	now    func() time.Time
}

var _ notify.Listener = (*talker)(nil)

// chatOff is the chat.mode in which nobody answers.
const chatOff = "off"

// prepareTalk decides who hears and answers people.
func (a *App) prepareTalk() {
	if a.listener = a.o.Listener; a.listener != nil || a.o.Config.Chat.Mode == chatOff {
		return
	}
	a.listener = &talker{
		dialog: a.dialog, store: a.store, wake: a.wake, now: a.o.Now,
		tenant: func(page identity.PageID) (identity.TenantID, bool) {
			p, ok := a.directory.Page(page)
			return p.Tenant, ok
		},
	}
}

// prepareDialog makes the gateway's own dialog: one for everybody who asks it, so that a person has one allowance.
func (a *App) prepareDialog(ctx context.Context) error {
	understander, err := a.understander(ctx)
	if err != nil {
		return err
	}
	a.dialog = chat.New(chat.Options{
		Fleet: &fleet{
			store: a.store, directory: a.directory, reload: a.identitiesHere, fences: a.pipeline.Fences, changed: a.fencesHere,
			picture: a.cards.position, now: a.o.Now,
		},
		Now: a.o.Now, Signet: a.signet, Understander: understander, Registerer: a.registry,
	})
	return nil
}

// understander is the bot of Amazon Lex that is asked what people mean; nil when no region is set.
func (a *App) understander(ctx context.Context) (chat.Understander, error) {
	c := a.o.Config.Lex
	if c.Region == "" {
		return nil, nil
	}
	bot, err := lexClient(ctx, c, a.o.Now, a.logger.With("part", "lex"))
	if err != nil {
		return nil, err // and no nil client in an interface
	}
	return bot, nil
}

func lexClient(ctx context.Context, c config.Lex, now func() time.Time, logger *slog.Logger) (*lexruntime.Client, error) {
	key, err := lexruntime.Credentials(ctx, c.Region, c.KeyID, c.Secret)
	if err != nil {
		return nil, err
	}
	bot, err := lexruntime.NewClient(lexruntime.Options{
		Region: c.Region, Bot: c.Bot, Alias: c.Alias, Locale: c.Locale, URL: c.URL, Timeout: c.Timeout, Credentials: key,
		HTTP: &http.Client{Timeout: c.Timeout}, Now: now, Logger: logger,
	})
	if err != nil {
		return nil, fmt.Errorf("app: lex.region, lex.bot, lex.alias: %w", err)
	}
	return bot, nil
}

// fulfilment answers Amazon Lex; nil when nobody gave it a key.
func (a *App) fulfilment() (http.Handler, error) {
	c := a.o.Config.Lex
	if c.Key.Empty() {
		return nil, nil
	}
	return lex.NewHandler(lex.Options{
		Dialog: a.dialog, Key: c.Key, Wrote: a.wrote, Logger: a.logger.With("part", "lex"),
		Page: func() identity.PageID {
			if c.Page != "" {
				return identity.PageID(c.Page)
			}
			if pages := a.directory.AllPages(); len(pages) == 1 {
				return pages[0].ID
			}
			return ""
		},
	})
}

// wrote opens a person's window: where Lex has the webhook, Meta tells nobody else.
func (a *App) wrote(ctx context.Context, page identity.PageID, psid identity.PSID) error {
	now := a.o.Now()
	_, err := a.store.Receive(ctx, []notify.ThreadEvent{{
		Key: fmt.Sprintf("lex/%s/%s/%d", page, psid, now.UnixMilli()), Page: page, PSID: psid, Time: now, Kind: notify.ThreadAction,
	}})
	if err != nil {
		return fmt.Errorf("app: a person wrote by lex: %w", err)
	}
	a.heard(page)
	return nil
}

// Hear implements notify.Listener. The answer's id follows from what was said, so that what is heard again after a
// crash is answered once.
func (t *talker) Hear(ctx context.Context, w notify.Said) error {
	tenant, ok := t.tenant(w.Page)
	if !ok {
		return nil // the page is no longer registered: nothing could be sent through it
	}
	reply, err := t.dialog.Answer(ctx, chat.Message{
		Page: w.Page, PSID: w.PSID, Text: w.Text, Payload: w.Payload, Blind: w.Kind == notify.SaidAttachment,
	})
	if err != nil || reply.Text == "" {
		return err
	}
	say := notify.Say{Text: reply.Text}
	if c := reply.Card; c != nil {
		say.Card = &notify.Card{Title: c.Title, Subtitle: c.Subtitle, Image: c.Image, Link: c.Link, LinkTitle: c.LinkTitle}
	}
	for _, tap := range reply.Taps {
		say.QuickReplies = append(say.QuickReplies, notify.Button{Title: tap.Title, Payload: tap.Payload})
	}
	sum := sha256.Sum256([]byte("answer\x00" + string(w.Page) + "\x00" + string(w.PSID) + "\x00" + strconv.FormatUint(w.Seq, 10) + "\x00" + w.MessageID))
	d := notify.NewReply(hex.EncodeToString(sum[:16]), tenant, w.Page, w.PSID, say, t.now())
	if err := t.store.Enqueue(ctx, []notify.Delivery{d}); err != nil {
		return fmt.Errorf("app: answer: %w", err)
	}
	t.wake(w.Page)
	if !reply.Closes {
		return nil
	}
	return t.dialog.Close(ctx, w.Page, w.PSID)
}
