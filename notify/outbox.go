package notify

import (
	"context"
	"time"

	"outrider/identity"
)

// Outbox is the second of the program's two queues: durable deliveries. Rows are put into it by the lane's
// commit, never here. All methods are safe for many goroutines.
type Outbox interface {
	// Claim moves due deliveries of the page, as many as there is room for, from pending (or held with NextAt
	// reached) to sending, durably, urgent ones first and then the oldest event first, at most one per person at a
	// time: none is claimed while another of the same page and PSID is sending or settling, or while an older one of
	// theirs is pending; of an urgent one only other urgent ones count. Attempts grows by one, Lease is one that the
	// delivery never had, NextAt becomes now + lease, Leader is empty.
	//
	// With a delivery that is Away, the others of the person that are Away, pending and due are claimed, too, up to
	// DigestMost of them, whatever the room: as its Also, each under a lease of its own and with it as Leader.
	Claim(ctx context.Context, page identity.PageID, room Room, now time.Time, lease time.Duration) ([]Claim, error)

	// Settle records outcomes, durably, each fenced by its lease. A row that was abandoned meanwhile takes its
	// outcome; one that was even judged, and not claimed since, takes a sent outcome. Otherwise an outcome whose
	// row has moved on is ignored: an echo may settle a row first. Only the route of a row that an echo settled
	// as sent is still taken from a sent outcome of the same lease, since the echo cannot know it. Tries are added
	// to the row's trace whenever the lease is the row's.
	Settle(ctx context.Context, outcomes []Outcome) error

	// Pages returns for every page with unfinished deliveries when the next one is due.
	Pages(ctx context.Context) ([]PageDue, error)

	// Abandon moves deliveries that are sending with NextAt <= now (their claimer died or lost the answer) to
	// settling, with NextAt = now + grace, reason ambiguous.
	Abandon(ctx context.Context, now time.Time, grace time.Duration) (int, error)

	// Judge decides settling deliveries with NextAt <= now whose echo never came. If the page has echoed a
	// message that was claimed after them, the echo channel works and theirs was never sent: back to pending. Otherwise
	// unknown. It returns how many went each way.
	Judge(ctx context.Context, now time.Time) (again, unknown int, err error)

	// Release makes held deliveries of the page with one of the reasons pending again.
	Release(ctx context.Context, page identity.PageID, reasons ...Reason) (int, error)
}

// Enqueuer puts deliveries into the outbox that no lane's commit brings: answers. It is safe for many goroutines.
type Enqueuer interface {
	// Enqueue adds deliveries in one durable transaction; known ids are ignored.
	Enqueue(ctx context.Context, deliveries []Delivery) error
}

// DigestMost is how many deliveries a digest may hold besides its leader.
const DigestMost = 500

// PageDue is a page and the time of its next due delivery.
type PageDue struct {
	Page identity.PageID
	Due  time.Time
}

// Templates keeps what is known of the pages' templates.
type Templates interface {
	Templates(ctx context.Context, page identity.PageID) ([]Template, error)
	PutTemplate(ctx context.Context, t Template) error
}

// Message is what a Sender sends: a planned delivery with its words.
type Message struct {
	Delivery string // id, for message.metadata
	Alert    Alert  // what it tells of
	Page     identity.PageID
	PSID     identity.PSID
	Route    Route
	Answer   bool   // with RouteWindow: it answers the person
	Tag      string // with RouteTag
	Text     string // with every route but RouteUtility
	Card     *Card  // with RouteWindow and RouteTag: shown instead of Text; nil: none
	Buttons  []Button
	Replies  []Button // quick replies
	Template string   // name, with RouteUtility
	Language string   // with RouteUtility
	Params   []string // with RouteUtility: the body's parameters in order
}

// Receipt is Meta's answer to a message that went out.
type Receipt struct {
	MessageID string
	Exchange  Exchange
}

// Sender sends one message and waits for the answer. It is safe for many goroutines. An error is a *Error.
type Sender interface {
	Send(ctx context.Context, m Message) (Receipt, error)
}
