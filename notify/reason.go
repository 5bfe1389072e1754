package notify

import (
	"fmt"
	"log/slog"
	"time"
)

// Reason says why a delivery was held, refused, retried or given up. The list is closed: it decides retry,
// log level, metric label and the words an operator reads.
type Reason string

// The reasons.
const (
	ReasonNone Reason = ""

	// Nobody to send to, or no route that is allowed now.
	ReasonNoOwner          Reason = "no_owner"          // the vehicle has no owner (counted, no delivery)
	ReasonNoContact        Reason = "no_contact"        // the owner is linked to no page
	ReasonUnknownPage      Reason = "unknown_page"      // the contact names a page that is not registered
	ReasonNoToken          Reason = "no_token"          // the page has no access token
	ReasonTemplateMissing  Reason = "template_missing"  // window closed, template not on the page yet
	ReasonTemplatePending  Reason = "template_pending"  // window closed, template waits for Meta's approval
	ReasonTemplateRejected Reason = "template_rejected" // window closed, Meta rejected the template
	ReasonPageBlocked      Reason = "page_blocked"      // policy enforcement blocks the page
	ReasonStale            Reason = "stale"             // older than the rule's max age
	ReasonMuted            Reason = "muted"             // the owner does not want to hear of it
	ReasonCooldown         Reason = "cooldown"          // the rule told the same just before
	ReasonQuietHours       Reason = "quiet_hours"       // the owner, or the rule, wants quiet at this time of day

	// What Meta or the network answered.
	ReasonNetwork       Reason = "network"        // nothing was sent: connection refused, DNS
	ReasonAmbiguous     Reason = "ambiguous"      // it may have been sent: time-out, cut answer, crash
	ReasonTemporary     Reason = "temporary"      // Graph asks to try again
	ReasonThrottled     Reason = "throttled"      // a rate limit of app, page or thread
	ReasonWindowClosed  Reason = "window_closed"  // outside the 24 hour window after all
	ReasonTokenInvalid  Reason = "token_invalid"  // the page token died: the owner of the page must reconnect
	ReasonPermission    Reason = "permission"     // the app lacks a permission or the page is restricted
	ReasonPolicy        Reason = "policy"         // Meta blocks this page or app for a while
	ReasonUnreachable   Reason = "unreachable"    // the person blocked the page or turned messages off
	ReasonNoSuchPerson  Reason = "no_such_person" // the PSID is not one of this page
	ReasonTagDead       Reason = "tag_dead"       // Graph no longer accepts the page's message tag
	ReasonTemplateShape Reason = "template_shape" // Graph refuses the template's name, language or parameters
	ReasonAttachment    Reason = "attachment"     // Graph could not use the picture
	ReasonChannel       Reason = "channel"        // the owner's other channel failed
	ReasonPace          Reason = "pace"           // too many messages to one person in a row
	ReasonBadRequest    Reason = "bad_request"    // our request is wrong: a bug or an unknown rule
	ReasonAttempts      Reason = "attempts"       // gave up after the last attempt
)

// Reasons returns every reason but ReasonNone, in a fixed order, so that metrics can be initialised.
func Reasons() []Reason {
	return []Reason{
		ReasonNoOwner, ReasonNoContact, ReasonUnknownPage, ReasonNoToken, ReasonTemplateMissing,
		ReasonTemplatePending, ReasonTemplateRejected, ReasonPageBlocked, ReasonStale, ReasonMuted, ReasonCooldown, ReasonQuietHours, ReasonNetwork,
		ReasonAmbiguous, ReasonTemporary, ReasonThrottled, ReasonWindowClosed, ReasonTokenInvalid,
		ReasonPermission, ReasonPolicy, ReasonUnreachable, ReasonNoSuchPerson, ReasonTagDead,
		ReasonTemplateShape, ReasonAttachment, ReasonChannel, ReasonPace, ReasonBadRequest, ReasonAttempts,
	}
}

// Error is what a Sender returns when a message did not go out, or may not have. Text holds no secret.
type Error struct {
	Reason  Reason
	Retry   bool          // the same message may be sent again after After
	After   time.Duration // how long to wait before; 0: the dispatcher's own back-off
	Page    bool          // the whole page is concerned, not this person alone
	Code    int           // Graph's error code, 0 if there was none
	Subcode int
	Text    string // what was answered, for the operator

	Exchange Exchange // what went over the wire
}

// Error implements error.
func (e *Error) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("notify: %s: graph code %d/%d: %s", e.Reason, e.Code, e.Subcode, e.Text)
	}
	return fmt.Sprintf("notify: %s: %s", e.Reason, e.Text)
}

// level is how loudly the error is logged: an operator should know of a person who is bothered.
func (e *Error) level() slog.Level {
	if e.Reason == ReasonThrottled && !e.Page && !e.Retry {
		return slog.LevelWarn
	}
	return e.Reason.level()
}

// level is how loudly a refusal is logged. A page that stops is reported once, apart from its single refusals.
func (r Reason) level() slog.Level {
	switch r {
	case ReasonBadRequest, ReasonTemplateShape, ReasonAttachment, ReasonChannel, ReasonNoSuchPerson, ReasonTagDead, ReasonAmbiguous, ReasonAttempts:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
