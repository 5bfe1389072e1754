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

	State    State
	Route    Route  // of the last attempt
	Reason   Reason // why held, failed, expired, or of the last failed attempt
	Detail   string // the same in words, for an operator; no secrets
	Attempts int
	NextAt   time.Time // pending: not before; held: when to plan again; settling: when to judge
	Lease    uint64    // fencing token of the claim

	Created   time.Time
	Claimed   time.Time // when the last attempt began
	SentAt    time.Time
	Delivered time.Time // Messenger's mark
	Read      time.Time // Messenger's mark
	MessageID string    // Meta's id of the sent message
}

// Claim is a delivery claimed for sending, with what the plan needs to know of its thread.
type Claim struct {
	Delivery
	// LastAction is when the person last did something that opens the 24 hour window; zero: never.
	LastAction time.Time
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
}
