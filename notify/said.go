package notify

import (
	"time"

	"outrider/identity"
)

// Said is what a person said to a page: words, or the tap on a button.
type Said struct {
	Seq       uint64 // assigned by the store, grows
	Page      identity.PageID
	PSID      identity.PSID
	Kind      SaidKind
	MessageID string // Meta's id of the message; may be empty
	// Text is what the person typed, or the title of the button; at most [MaxSaid] bytes.
	Text string
	// Payload is the button's, or the quick reply's; empty when the person typed.
	Payload  string
	At       time.Time // the event's own time
	Received time.Time
}

// MaxSaid is how many bytes of a text or a payload are kept.
const MaxSaid = 4096

// SaidKind is how a person said something.
type SaidKind string

// The kinds.
const (
	SaidText       SaidKind = "text"
	SaidQuickReply SaidKind = "quick_reply"
	SaidPostback   SaidKind = "postback" // a button of a message, Get Started or the menu
	SaidAttachment SaidKind = "attachment"
)
