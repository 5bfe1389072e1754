package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"
)

// ASID is the id under which one app knows a person who logged in to it. It is never a [PSID]: messages to it are
// refused with code 100/2018001.
type ASID string

// LoginID is the id under which a page may write to a person who agreed to that while logging in (Login Connect),
// until the person answers and is known by a [PSID].
type LoginID string

// LinkCode is a promise: whoever brings the code to the page within the time is the owner. The code itself travels
// as ref of an m.me link; only its hash is kept.
type LinkCode struct {
	Hash    CodeHash
	Tenant  TenantID
	Owner   OwnerID
	Page    PageID
	Vehicle VehicleID // becomes the owner's, too; empty: none does
	ASID    ASID      // who logged in before; empty: nobody did
	Parent  CodeHash  // of the code it was made from: using one of a family uses all; empty: none
	Created time.Time
	Expires time.Time
	Used    time.Time // zero: not yet
	PSID    PSID      // who used it
}

// State says what the code is worth at a time.
func (c LinkCode) State(now time.Time) CodeState {
	switch {
	case !c.Used.IsZero():
		return CodeUsed
	case !now.Before(c.Expires):
		return CodeExpired
	}
	return CodeOpen
}

// CodeState is what a link code is worth.
type CodeState string

// The states of a code.
const (
	CodeOpen    CodeState = "open"
	CodeUsed    CodeState = "used"
	CodeExpired CodeState = "expired"
)

// Verdict is what became of a code that somebody brought.
type Verdict string

// The verdicts. Refs that are no codes of ours, such as those of advertisements, are unknown.
const (
	CodeLinked    Verdict = "linked"
	CodeAgain     Verdict = "again" // the person who had used it brought it once more
	CodeUnknown   Verdict = "unknown"
	CodeElsewhere Verdict = "other_page"
	CodeTooLate   Verdict = "expired"
	CodeTaken     Verdict = "used" // by somebody else
	CodeOwnerGone Verdict = "owner_gone"
)

// Verdicts returns every verdict in a fixed order, so that metrics can be initialised.
func Verdicts() []Verdict {
	return []Verdict{CodeLinked, CodeAgain, CodeUnknown, CodeElsewhere, CodeTooLate, CodeTaken, CodeOwnerGone}
}

// Judge says what a code is worth that a person of a page brought at a time. CodeLinked: it is good.
func (c LinkCode) Judge(page PageID, psid PSID, at time.Time) Verdict {
	switch {
	case c.Page != page || psid == "":
		return CodeElsewhere
	case !c.Used.IsZero() && c.PSID == psid:
		return CodeAgain
	case !c.Used.IsZero():
		return CodeTaken
	case !at.Before(c.Expires):
		return CodeTooLate
	}
	return CodeLinked
}

// CodeHash is what is kept of a code: hexadecimal SHA-256. Codes are random, so it needs no salt.
type CodeHash string

// NewCode returns a fresh one-time code of at least 128 random bits, in letters and digits that an m.me link's ref
// may hold ([A-Za-z0-9_=-]).
func NewCode() Token { return NewToken(rand.Text()) }

// HashCode returns what is kept of a code; empty for an empty code.
func HashCode(code string) CodeHash {
	if code == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(code))
	return CodeHash(hex.EncodeToString(sum[:]))
}

// Link says that an owner is reached as PSID through a page, and how that became known.
type Link struct {
	Tenant  TenantID
	Owner   OwnerID
	Page    PageID
	PSID    PSID
	Vehicle VehicleID // becomes the owner's, too; empty: none does
	ASID    ASID      // who logged in; empty: nobody did
	Via     Via
	At      time.Time
	// Code is used up by the link when that is made without bringing it; empty: none is. It is not remembered.
	Code CodeHash
}

// Via is how a link became known.
type Via string

// The ways.
const (
	ViaCode     Via = "code"     // the person brought a link code
	ViaMatching Via = "matching" // Graph's ids_for_pages knew the person
)

// Account is a Facebook account that logged in.
type Account struct {
	ASID    ASID
	Token   Token     // long-lived user token; empty: gone
	Expires time.Time // of the token; zero: Graph did not say
	// Pages are those that the account manages and that are registered here: its token can renew theirs.
	Pages []PageID
	// LoginID is the person's Login Connect id; empty: they did not agree, or it has not come yet.
	LoginID LoginID
	Updated time.Time
}

// OptIn is a person's consent, given while logging in, to be written to by a page (Login Connect).
type OptIn struct {
	Page  PageID
	Login LoginID
	At    time.Time
}

// Erasure is what became of somebody's wish to be forgotten. It holds nothing about them.
type Erasure struct {
	Hash       CodeHash // of the confirmation code
	Requested  time.Time
	Done       time.Time
	Contacts   int // ways to reach the person that were removed
	Deliveries int // messages from which the person's id was removed
	Known      bool
}

// PageHealth is what the daily and hourly checks last found out about a page.
type PageHealth struct {
	Page    PageID
	Checked time.Time // of the token; zero: never
	Valid   bool      // the token works
	Expires time.Time // of the token; zero: never
	// DataExpires is when Graph stops answering about the person behind the token; zero: never.
	DataExpires time.Time
	Missing     []string // permissions the token lacks
	Problem     string   // in words; empty: none

	Subscribed   time.Time // when the page was last seen subscribed to every field; zero: never
	Subscription string    // what is wrong with the subscription; empty: nothing
}

// Equal reports whether both say the same.
func (h PageHealth) Equal(o PageHealth) bool {
	return h.Page == o.Page && h.Checked.Equal(o.Checked) && h.Valid == o.Valid && h.Expires.Equal(o.Expires) &&
		h.DataExpires.Equal(o.DataExpires) && slices.Equal(h.Missing, o.Missing) && h.Problem == o.Problem &&
		h.Subscribed.Equal(o.Subscribed) && h.Subscription == o.Subscription
}

// ErrNoLogin says that nobody can log in at Facebook: app id, app secret or public address are missing.
var ErrNoLogin = errors.New("identity: no login: facebook.app_id, facebook.app_secret and http.public_url must be set")

// LinkWish asks for a link through which an owner becomes reachable.
type LinkWish struct {
	Tenant   TenantID
	Owner    OwnerID
	Page     PageID
	Vehicle  VehicleID     // becomes the owner's, too; empty: none does
	ValidFor time.Duration // 0: ten minutes
}

// LinkOffer is such a link. Whoever has it can become the owner, once, until it expires.
type LinkOffer struct {
	Page     PageID
	URL      string // opens the conversation in Messenger and brings the code
	Code     Token
	Expires  time.Time
	LoginURL string // begins with a page that explains, and offers to log in; empty: not set up
}
