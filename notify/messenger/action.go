package messenger

import (
	"time"

	"outrider/internal/graph"
	"outrider/notify"
)

// action is what to do about an answer of Graph's.
type action struct {
	reason notify.Reason
	retry  bool          // the same message may go out later
	page   bool          // the whole page is concerned
	after  time.Duration // how long to wait at least; 0: the dispatcher's own back-off
}

// row is one row of the action table: what Graph answers, and what to do about it.
type row struct {
	code    int          // anyCode: whatever the code
	subcode int          // anySubcode: whatever the subcode; 0: none
	route   notify.Route // empty: any
	kind    string       // Graph's type; empty: any
	action
}

const (
	anyCode    = -1 << 31
	anySubcode = -1 << 31
)

// actionTable holds what Meta documents of its codes, and what production taught others. The first row that
// fits decides. is_transient, when Graph says it, overrides retry: see actionFor.
func actionTable() []row {
	const (
		temporary   = notify.ReasonTemporary
		throttled   = notify.ReasonThrottled
		permission  = notify.ReasonPermission
		policy      = notify.ReasonPolicy
		token       = notify.ReasonTokenInvalid
		unreachable = notify.ReasonUnreachable
		closed      = notify.ReasonWindowClosed
		shape       = notify.ReasonTemplateShape
		bad         = notify.ReasonBadRequest
		attachment  = notify.ReasonAttachment
	)
	var (
		later      = action{reason: temporary, retry: true}
		pageWaits  = action{reason: throttled, retry: true, page: true}
		pageStops  = action{reason: permission, page: true}
		pagePolicy = action{reason: policy, page: true}
		longPolicy = action{reason: policy, page: true, after: 2 * time.Hour}
		textOnly   = action{reason: attachment}
		deadToken  = action{reason: token, page: true}
		leaveAlone = action{reason: unreachable}
		otherOwner = action{reason: unreachable, after: 15 * time.Minute}
		drop       = action{reason: bad}
		outside    = action{reason: closed}
		badShape   = action{reason: shape}
	)
	return []row{
		// Another app, or Meta's automation, has the conversation: the codes come as subcodes, too.
		{code: anyCode, subcode: 2018300, action: otherOwner},
		{code: anyCode, subcode: 2018321, action: otherOwner},
		{code: 2018300, subcode: anySubcode, action: otherOwner},
		{code: 2018321, subcode: anySubcode, action: otherOwner},
		{code: 100, subcode: 2534037, action: otherOwner},

		// Meta's own trouble. After 1/1357046 messages have gone out with a broken answer.
		{code: 1, subcode: 1357046, action: action{reason: notify.ReasonAmbiguous}},
		{code: -1, subcode: anySubcode, action: later},
		{code: 1, subcode: anySubcode, action: later},
		{code: 2, subcode: anySubcode, action: later},
		{code: 1200, subcode: anySubcode, action: later},

		// Limits.
		{code: 613, subcode: 2018338, action: action{reason: throttled, after: 6 * time.Hour}}, // bothers this person
		{code: 613, subcode: 1893016, action: drop},
		{code: 9, subcode: 2018352, action: drop},
		{code: 4, subcode: 2018354, action: drop},
		{code: 4, subcode: 2018022, action: drop},
		{code: 4, subcode: anySubcode, action: pageWaits},
		{code: 17, subcode: anySubcode, action: pageWaits},
		{code: 32, subcode: anySubcode, action: pageWaits},
		{code: 341, subcode: anySubcode, action: pageWaits},
		{code: 613, subcode: anySubcode, action: pageWaits},
		{code: 80006, subcode: anySubcode, action: pageWaits},

		// The 24 hour window.
		{code: 10, subcode: 2018278, action: outside},
		{code: 10, subcode: 2534022, action: outside},
		{code: 10, subcode: 2018065, action: outside},

		// This person.
		{code: 10, subcode: 2018108, action: leaveAlone},
		{code: 10, subcode: 1893015, action: leaveAlone},
		{code: 200, subcode: 1545041, action: leaveAlone},
		{code: 551, subcode: anySubcode, action: leaveAlone},
		{code: 230, subcode: anySubcode, action: action{reason: unreachable, after: 7 * 24 * time.Hour}}, // does not want any
		{code: 100, subcode: 2018001, action: action{reason: notify.ReasonNoSuchPerson}},

		// The page, the app or its set-up. Probing now and then finds out when somebody has mended it.
		{code: 10, subcode: 1893063, action: pagePolicy}, // temporarily restricted
		{code: 368, subcode: anySubcode, action: longPolicy},
		{code: 2022, subcode: anySubcode, action: longPolicy},
		{code: 3, subcode: anySubcode, action: pageStops},
		{code: 10, subcode: anySubcode, action: pageStops},
		{code: 200, subcode: anySubcode, action: pageStops},
		{code: anyCode, subcode: 2018027, action: pageStops},
		{code: anyCode, subcode: 2018028, action: pageStops},
		{code: 100, subcode: 33, action: pageStops},
		{code: 100, subcode: 0, kind: "GraphMethodException", action: pageStops}, // appsecret_proof missing or wrong
		{code: 101, subcode: anySubcode, action: pageStops},                      // no such app
		{code: 12, subcode: anySubcode, action: pageStops},                       // version or call is gone
		{code: 2500, subcode: anySubcode, action: pageStops},                     // the same, by path
		{code: 2635, subcode: anySubcode, action: pageStops},                     // the same, by number
		{code: 190, subcode: anySubcode, action: deadToken},
		{code: 102, subcode: anySubcode, action: deadToken},
		{code: 104, subcode: anySubcode, action: deadToken},

		// This message.
		{code: 100, subcode: 1893029, action: badShape},
		{code: 100, subcode: 0, route: notify.RouteUtility, action: badShape},
		{code: 100, subcode: 2018047, action: textOnly}, // attachments
		{code: 100, subcode: 2018008, action: textOnly},
		{code: 100, subcode: 2018074, action: textOnly},
		{code: 100, subcode: 2018109, action: textOnly},
		{code: 100, subcode: 2018294, action: textOnly},
		{code: 100, subcode: anySubcode, route: notify.RouteTag, action: action{reason: notify.ReasonTagDead}},
		{code: 100, subcode: anySubcode, action: drop},
		{code: 506, subcode: anySubcode, action: drop},   // a duplicate
		{code: 10900, subcode: anySubcode, action: drop}, // not repliable
		{code: 10903, subcode: anySubcode, action: drop},
		{code: 10303, subcode: anySubcode, action: drop}, // account linking
		{code: 9000001, subcode: anySubcode, action: drop},
	}
}

func (r row) fits(route notify.Route, e *graph.Error) bool {
	return (r.code == anyCode || r.code == e.Code) && (r.subcode == anySubcode || r.subcode == e.Subcode) &&
		(r.route == "" || r.route == route) && (r.kind == "" || r.kind == e.Type)
}

// actionFor decides what an error means for a message that went by the route.
func actionFor(route notify.Route, e *graph.Error) action {
	a := lookUp(route, e)
	if e.Transient == nil || a.reason == notify.ReasonAmbiguous {
		return a
	}
	switch waits := a.reason == notify.ReasonThrottled; {
	case *e.Transient && !waits && !a.retry:
		return action{reason: notify.ReasonTemporary, retry: true}
	case !*e.Transient && !waits:
		// Graph says "not transient" of limits, too, where waiting is all that helps; those stay as they are.
		a.retry = false
	}
	return a
}

func lookUp(route notify.Route, e *graph.Error) action {
	switch {
	case e.NotSent:
		return action{reason: notify.ReasonNetwork, retry: true, page: true}
	case e.Ambiguous:
		return action{reason: notify.ReasonAmbiguous}
	}
	if e.Code != 0 {
		for _, r := range actionTable() {
			if r.fits(route, e) {
				return r.action
			}
		}
	}
	switch {
	case e.Status == 429:
		return action{reason: notify.ReasonThrottled, retry: true, page: true}
	case e.Status >= 500:
		return action{reason: notify.ReasonTemporary, retry: true}
	}
	return action{reason: notify.ReasonBadRequest}
}
