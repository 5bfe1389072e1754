package facebook

import (
	"encoding/json"
	"time"

	"outrider/identity"
)

// ticket is what the gateway gives a browser to carry: whom the way is for, and until when. It is sealed, so nobody
// else can make or read one.
type ticket struct {
	Tenant  identity.TenantID  `json:"t"`
	Owner   identity.OwnerID   `json:"o,omitempty"` // empty: the way connects a page
	Vehicle identity.VehicleID `json:"v,omitempty"`
	Page    identity.PageID    `json:"p"`
	Expires int64              `json:"x"` // unix seconds

	Browser identity.CodeHash `json:"b,omitempty"` // of a state: hash of the browser's cookie
	Offer   identity.CodeHash `json:"f,omitempty"` // the code that was handed out with the ticket: once it is used, so is the ticket
	Code    identity.CodeHash `json:"c,omitempty"` // of a receipt: the link code that was handed out
}

// purpose keeps a ticket for one thing from being used for another.
type purpose string

const (
	forStart  purpose = "start"  // a link that an API client got
	forState  purpose = "state"  // state of the dialog
	forStatus purpose = "status" // what became of a link code
)

// ticketLife is how long a person has for the whole way, once begun.
const ticketLife = 15 * time.Minute

// Sealer seals small texts against reading and forging. An [identity.Sealer] is one.
type Sealer interface {
	Seal(plain, context string) (string, error)
	Open(sealed, context string) (string, error)
}

func (f *Flow) seal(p purpose, t ticket) (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return f.o.Sealer.Seal(string(text), "facebook/"+string(p))
}

// open reads a ticket that came from outside.
func (f *Flow) open(p purpose, text string) (ticket, *Error) {
	var t ticket
	plain, err := f.o.Sealer.Open(text, "facebook/"+string(p))
	if err != nil || json.Unmarshal([]byte(plain), &t) != nil {
		return t, &Error{StepTicket, ReasonForged, nil}
	}
	if !f.o.Now().Before(time.Unix(t.Expires, 0)) {
		return t, &Error{StepTicket, ReasonExpired, nil}
	}
	return t, nil
}

// link is what the ticket promises about a person.
func (t ticket) link(psid identity.PSID, asid identity.ASID, at time.Time) identity.Link {
	return identity.Link{
		Tenant: t.Tenant, Owner: t.Owner, Page: t.Page, PSID: psid, Vehicle: t.Vehicle, ASID: asid, Via: identity.ViaMatching, At: at,
		Code: t.Offer,
	}
}
