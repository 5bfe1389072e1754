package notify

import (
	"time"

	"outrider/identity"
)

// Say is what a message says that tells of no event: an answer of the chat, or what an operator typed. It goes
// out inside the 24 hour window only, ahead of alerts; an operator's also by the tag HUMAN_AGENT.
type Say struct {
	Text         string   `json:"text"`
	Buttons      []Button `json:"buttons,omitempty"` // at most three
	QuickReplies []Button `json:"quick_replies,omitempty"`
	Card         *Card    `json:"card,omitempty"`
	Operator     string   `json:"operator,omitempty"` // who typed it; empty: a program
}

// Card is a message with a picture.
type Card struct {
	Title    string `json:"title"`
	Subtitle string `json:"subtitle,omitempty"`
	Image    string `json:"image"`          // https URL
	Link     string `json:"link,omitempty"` // https URL that a tap on the picture opens
	// LinkTitle is the title of a button that opens Link as well; empty: there is none.
	LinkTitle string `json:"link_title,omitempty"`
}

// replyLife is how long an answer is worth sending: later the question is forgotten.
const replyLife = 10 * time.Minute

// NewReply makes a pending delivery that says something to a person, ahead of all alerts. The id is unique among
// all deliveries; the same id again is ignored by the outbox.
func NewReply(id string, tenant identity.TenantID, page identity.PageID, psid identity.PSID, say Say, now time.Time) Delivery {
	life := replyLife
	if say.Operator != "" {
		life = 24 * time.Hour
	}
	return Delivery{
		Alert: Alert{ID: id, Event: id, Tenant: tenant, Kind: Reply, At: now, Received: now, MaxAge: life, Say: &say},
		Page:  page, PSID: psid, State: Pending, NextAt: now, Created: now, Urgent: true,
	}
}
