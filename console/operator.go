package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/notify"
)

// Messages is the way of what an operator types to an owner.
type Messages interface {
	Enqueue(ctx context.Context, deliveries []notify.Delivery) error
	// LastAction returns when the person last opened the window, zero if never.
	LastAction(ctx context.Context, page identity.PageID, psid identity.PSID) (time.Time, error)
}

// operatorWithin is how long after a person's last action Meta lets people answer by hand (tag HUMAN_AGENT).
const operatorWithin = 7 * 24 * time.Hour

// operatorMessage is what an operator typed.
type operatorMessage struct {
	Text     string          `json:"text" minLength:"1" maxLength:"1900" doc:"What the owner reads. It must have been written by a person: Meta forbids programs to use this way."`
	Operator string          `json:"operator" minLength:"1" maxLength:"100" doc:"Who typed it, for the record."`
	Page     identity.PageID `json:"page,omitempty" doc:"The page to answer through. Absent: that of the contact who wrote last."`
}

// operatorReceipt says that a message is on its way.
type operatorReceipt struct {
	Delivery string          `json:"delivery" doc:"Its id in /api/v1/deliveries."`
	Page     identity.PageID `json:"page"`
	Until    time.Time       `json:"answer_until" doc:"Until when the person may be answered by hand."`
}

func (g *registry) registerMessages(r *router) {
	if g.messages == nil {
		return
	}
	handle(r, huma.Operation{
		OperationID: "message-owner", Method: http.MethodPost, Path: ownersPath + "/{id}/messages", Tags: []string{tagRegistry},
		DefaultStatus: http.StatusAccepted, Summary: "Send an owner what an operator typed",
		Description: "Within 24 hours of the owner's last action as an answer, and within 7 days with Meta's tag HUMAN_AGENT, for which the app needs the " +
			"feature Human Agent. It goes out ahead of alerts.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, g.messageOwner)
}

func (g *registry) messageOwner(ctx context.Context, in *struct {
	IDPath
	Body operatorMessage
}) (*recordAnswer[operatorReceipt], error) {
	o, ok := g.directory.Owner(tenantOf(ctx), identity.OwnerID(in.ID))
	if !ok {
		return nil, problem(http.StatusNotFound, fmt.Sprintf("there is no owner %q in this tenant", in.ID))
	}
	if slices.ContainsFunc(o.Mutes, identity.Mute.Everything) {
		return nil, problem(http.StatusConflict, "the owner wrote STOP and wants no messages")
	}
	contact, last, err := g.lastContact(ctx, o, in.Body.Page)
	if err != nil {
		return nil, err
	}
	now := g.now()
	if contact.PSID == "" || !now.Before(last.Add(operatorWithin)) {
		return nil, problem(http.StatusConflict, "the owner wrote nothing through this page in the last 7 days: Meta lets nobody write to them by hand now")
	}
	d := notify.NewReply(rand.Text(), o.Tenant, contact.Page, contact.PSID, notify.Say{Text: in.Body.Text, Operator: in.Body.Operator}, now)
	d.Alert.Owner = o.ID
	if err := g.messages.Enqueue(ctx, []notify.Delivery{d}); err != nil {
		return nil, err
	}
	g.wake(contact.Page)
	return &recordAnswer[operatorReceipt]{http.StatusAccepted, operatorReceipt{d.Alert.ID, contact.Page, last.Add(operatorWithin).UTC()}}, nil
}

// lastContact is the owner's contact that wrote last, among those of a page if one is named, and when.
func (g *registry) lastContact(ctx context.Context, o identity.Owner, page identity.PageID) (newest identity.Contact, last time.Time, err error) {
	for _, c := range o.Contacts {
		if page != "" && c.Page != page {
			continue
		}
		at, err := g.messages.LastAction(ctx, c.Page, c.PSID)
		if err != nil {
			return newest, last, err
		}
		if at.After(last) {
			newest, last = c, at
		}
	}
	return newest, last, nil
}

// Resolve implements huma.Resolver.
func (m *operatorMessage) Resolve(huma.Context) []error {
	var f faults
	if strings.TrimSpace(m.Text) == "" {
		f.add("body.text", nil, "expected words")
	}
	f.check("body.operator", m.Operator, textFault(m.Operator))
	return f
}
