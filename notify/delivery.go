package notify

import (
	"time"

	"outrider/identity"
)

// State is where a delivery stands.
//
//	pending ──claim──▶ sending ──receipt──▶ sent
//	   ▲                  ├──retry────────▶ pending
//	   │                  ├──no route─────▶ held ──template approved, window opened──▶ pending
//	   │                  ├──refused──────▶ failed
//	   │                  └──outcome lost─▶ settling ──echo──▶ sent
//	   └────── the page's later echoes came, its own did not ──┤
//	                                                           └─ nothing to judge by ─▶ unknown
//	pending, held ──older than max age──▶ expired
type State string

// The states.
const (
	Pending  State = "pending"
	Sending  State = "sending"
	Settling State = "settling"
	Sent     State = "sent"
	Held     State = "held"
	Failed   State = "failed"
	Expired  State = "expired"
	Unknown  State = "unknown"
)

// States returns every state in a fixed order.
func States() []State {
	return []State{Pending, Sending, Settling, Sent, Held, Failed, Expired, Unknown}
}

// Route is the way a message goes out.
type Route string

// The routes, in the order in which the policy tries them.
const (
	RouteWindow   Route = "window"   // UPDATE or RESPONSE inside the 24 hour window
	RouteUtility  Route = "utility"  // approved utility template
	RouteTag      Route = "tag"      // MESSAGE_TAG with the page's tag
	RouteHuman    Route = "human"    // HUMAN_AGENT, only what an operator typed
	RouteFallback Route = "fallback" // the owner's other channel
	RouteHold     Route = "hold"     // kept until a route opens
)

// Delivery is one alert on its way to one person: a row of the outbox.
type Delivery struct {
	Alert Alert // Alert.ID is the delivery's id
	Page  identity.PageID
	PSID  identity.PSID

	Urgent bool   // an answer: goes out before alerts
	Away   bool   // was held until the person wrote: goes out in a digest with what else was
	Leader string // id of the delivery in whose digest this one goes out; empty: it goes out by itself

	State    State
	Route    Route  // of the last attempt
	Reason   Reason // why held, failed, expired, or of the last failed attempt
	Detail   string // the same in words, for an operator; no secrets
	Attempts int
	NextAt   time.Time // pending: not before; held: when to plan again; settling: when to judge
	Lease    uint64    // fencing token of the claim, among those of this delivery

	Created   time.Time
	Claimed   time.Time // when the last attempt began
	SentAt    time.Time
	Delivered time.Time // Messenger's mark
	Read      time.Time // Messenger's mark
	MessageID string    // Meta's id of the sent message

	Acknowledged   time.Time // when the person said that they saw it; zero: not yet
	AcknowledgedBy string    // what they tapped
}

// Room is how many deliveries a claim may take: All of any kind, of which Alerts at most that are not urgent.
type Room struct{ All, Alerts int }

// AnyRoom is room for n deliveries of any kind.
func AnyRoom(n int) Room { return Room{n, n} }

// Claim is a delivery claimed for sending, with what the plan needs to know of its thread.
type Claim struct {
	Delivery
	// LastAction is when the person last did something that opens the 24 hour window; zero: never.
	LastAction time.Time
	// Also are the others that were held while the person was away, claimed together with this one to go out in
	// one message; oldest event first.
	Also []Delivery
}

// Outcome is what became of a claimed delivery.
type Outcome struct {
	ID        string
	Lease     uint64 // must equal the row's, else the outcome is ignored: another claim owns the row
	State     State
	Route     Route
	Reason    Reason
	Detail    string
	NextAt    time.Time
	SentAt    time.Time
	MessageID string
	Apart     bool  // Pending: not in a digest any more
	Tries     []Try // what was tried since the claim
}

// Try is one entry of a delivery's trace: what was planned or sent, and what came of it. It holds no secret.
type Try struct {
	At       time.Time `json:"at"`
	Route    Route     `json:"route,omitempty"`
	State    State     `json:"state,omitempty"`  // what the plan or the answer led to
	Reason   Reason    `json:"reason,omitempty"` // why it was not sent
	Detail   string    `json:"detail,omitempty"` // the same in words
	Took     float64   `json:"took_ms,omitempty"`
	Status   int       `json:"status,omitempty"` // of HTTP
	Code     int       `json:"code,omitempty"`   // Graph's
	Subcode  int       `json:"subcode,omitempty"`
	Request  string    `json:"request,omitempty"`
	Response string    `json:"response,omitempty"`
}

// Exchange is what went over the wire for one message, with secrets cut out.
type Exchange struct {
	Status            int // of HTTP; 0: no answer
	Request, Response string
}
