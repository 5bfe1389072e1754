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

	// Code is the hash of the link code that the event brought; empty: none.
	Code identity.CodeHash
	// Said is what the person said; nil: nothing, or nobody wants to hear it.
	Said *Said
	// Login is who agreed to be written to while logging in, with ThreadLogin.
	Login identity.LoginID
	// Policy is Meta's word on the page, with ThreadPolicy.
	Policy Policy
}

// Policy is what Meta's policy enforcement says of a page.
type Policy struct {
	Action PolicyAction
	Reason string // in Meta's words, may be empty
}

// PolicyAction is what Meta does to a page.
type PolicyAction string

// The actions.
const (
	PolicyWarning PolicyAction = "warning"
	PolicyBlock   PolicyAction = "block"
	PolicyUnblock PolicyAction = "unblock"
)

// ThreadKind is what a webhook event does here.
type ThreadKind string

// The kinds. Everything else that Meta sends is counted and ignored.
const (
	ThreadAction    ThreadKind = "action"    // the person did something that opens the 24 hour window
	ThreadEcho      ThreadKind = "echo"      // a message of the page, perhaps ours
	ThreadDelivered ThreadKind = "delivered" // a mark
	ThreadRead      ThreadKind = "read"      // a mark
	ThreadTemplate  ThreadKind = "template"  // the status of a template
	ThreadLink      ThreadKind = "link"      // brings a link code and opens no window
	ThreadLogin     ThreadKind = "login"     // somebody agreed to be written to while logging in (Login Connect)
	ThreadPolicy    ThreadKind = "policy"    // Meta warns of, blocks or unblocks the page
)

// Inbox applies what webhooks tell. It is safe for many goroutines.
type Inbox interface {
	// Receive applies events in one durable transaction; those whose key is known are skipped. An action
	// advances the thread's window (never back) and makes its held deliveries pending; an echo settles its
	// delivery as sent, whatever its lease, and records that the page's echoes work; marks go to
	// deliveries; a template's status is stored and, when it is approved, releases what waited for it.
	//
	// A code that is open at the event's time and was made for its page links the owner to the person, as
	// identity.Link says; any other code changes nothing. A block stops the page and an unblock releases what waited
	// for it, unless a newer word on the page is known. A login is remembered. What a person said waits until it is heard.
	Receive(ctx context.Context, events []ThreadEvent) (Received, error)
	// LastAction returns when the person last opened the window, zero if never.
	LastAction(ctx context.Context, page identity.PageID, psid identity.PSID) (time.Time, error)
}

// Received is what events changed.
type Received struct {
	Fresh  int                // events that were new
	Linked []identity.Link    // owners that can be reached now
	Codes  []identity.Verdict // on each code that was brought
	Pages  []identity.PageID  // pages that were blocked or unblocked
	Logins []identity.OptIn   // people who agreed to be written to while logging in
	Said   int                // things said that wait to be heard
}

// Changed reports whether somebody should look.
func (r Received) Changed() bool {
	return len(r.Linked)+len(r.Pages)+len(r.Logins)+r.Said > 0
}
