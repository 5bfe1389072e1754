package notify

import (
	"context"
	"time"

	"outrider/identity"
)

// ThreadEvent is one thing that a page's webhook told about a thread, already verified and decoded.
type ThreadEvent struct {
	// Key is for deduplication: the mid with its kind, or a hash of page, psid, type, time and payload.
	Key  string
	Page identity.PageID
	PSID identity.PSID
	Time time.Time // the event's own
	Kind ThreadKind

	MessageID string    // echo: Meta's id of the message
	Delivery  string    // echo: our id from message.metadata; empty when the message was not ours
	Mids      []string  // marks: the messages meant, may be empty
	Watermark time.Time // marks: everything sent until then counts
	Template  Template  // with ThreadTemplate
}

// ThreadKind is what a webhook event does here.
type ThreadKind string

// The kinds. Everything else that Meta sends is counted and ignored.
const (
	ThreadAction    ThreadKind = "action"    // the person did something that opens the 24 hour window
	ThreadEcho      ThreadKind = "echo"      // a message of the page, perhaps ours
	ThreadDelivered ThreadKind = "delivered" // a mark
	ThreadRead      ThreadKind = "read"      // a mark
	ThreadTemplate  ThreadKind = "template"  // the status of a template
)

// Inbox applies what webhooks tell. It is safe for many goroutines.
type Inbox interface {
	// Receive applies events in one durable transaction; those whose key is known are skipped. An action
	// advances the thread's window (never back) and makes its held deliveries pending; an echo settles its
	// delivery as sent, whatever its lease, and records that the page's echoes work; marks go to
	// deliveries; a template's status is stored and, when it is approved, releases what waited for it.
	// It returns how many were new.
	Receive(ctx context.Context, events []ThreadEvent) (fresh int, err error)
	// LastAction returns when the person last opened the window, zero if never.
	LastAction(ctx context.Context, page identity.PageID, psid identity.PSID) (time.Time, error)
}
