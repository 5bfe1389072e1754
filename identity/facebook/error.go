package facebook

import (
	"errors"
	"fmt"
	"net/http"

	"outrider/internal/graph"
)

// Step is a part of the way from a link to a person who can be reached.
type Step string

// The steps, in their order.
const (
	StepTicket    Step = "ticket"
	StepDialog    Step = "dialog"
	StepCode      Step = "code"
	StepLongLived Step = "long_lived_token"
	StepPerson    Step = "person"
	StepPageToken Step = "page_token"
	StepMatching  Step = "ids_for_pages"
	StepLink      Step = "link"
)

// Steps returns every step in order.
func Steps() []Step {
	return []Step{StepTicket, StepDialog, StepCode, StepLongLived, StepPerson, StepPageToken, StepMatching, StepLink}
}

// Reason says why a step ended the way. The list is closed: it decides the answer's status and what people read.
type Reason string

// The reasons.
const (
	ReasonExpired     Reason = "expired"     // the link or the login took too long
	ReasonUsed        Reason = "used"        // somebody became the owner with this link before
	ReasonForged      Reason = "forged"      // not made by this gateway, or cut
	ReasonBrowser     Reason = "browser"     // the answer came to another browser than the one that asked
	ReasonDenied      Reason = "denied"      // the person said no
	ReasonRefused     Reason = "refused"     // Graph said no
	ReasonUnavailable Reason = "unavailable" // Graph did not answer, or asks to try again
	ReasonNotManager  Reason = "not_manager" // the person does not manage the page
	ReasonTask        Reason = "task"        // or may not send messages for it
	ReasonPermission  Reason = "permission"  // the person did not grant what the page needs
	ReasonOwnerGone   Reason = "owner_gone"  // nobody knows the owner, or the page, any more
	ReasonNotSetUp    Reason = "not_set_up"  // app id, secret or public address are missing
	ReasonStore       Reason = "store"       // what was learned could not be kept
)

// reasons returns every reason with the status of its answer.
func reasons() map[Reason]int {
	return map[Reason]int{
		ReasonExpired: http.StatusGone, ReasonUsed: http.StatusGone, ReasonForged: http.StatusBadRequest, ReasonBrowser: http.StatusBadRequest,
		ReasonDenied: http.StatusForbidden, ReasonRefused: http.StatusBadGateway, ReasonUnavailable: http.StatusServiceUnavailable,
		ReasonNotManager: http.StatusForbidden, ReasonTask: http.StatusForbidden, ReasonPermission: http.StatusForbidden,
		ReasonOwnerGone: http.StatusNotFound, ReasonNotSetUp: http.StatusNotImplemented, ReasonStore: http.StatusInternalServerError,
	}
}

// Error is why a step failed. It holds no secret.
type Error struct {
	Step   Step
	Reason Reason
	Err    error // the cause, for the log; nil: the reason says it all
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("facebook: %s: %s", e.Step, e.Reason)
	}
	return fmt.Sprintf("facebook: %s: %s: %v", e.Step, e.Reason, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// refused is the error of a step at which a call failed.
func refused(step Step, err error) *Error {
	reason := ReasonRefused
	if e, ok := errors.AsType[*graph.Error](err); ok && passing(e) {
		reason = ReasonUnavailable
	}
	return &Error{step, reason, err}
}

// passing reports whether the same call may work in a while: no answer, Graph's own trouble, or too many calls.
func passing(e *graph.Error) bool {
	if e.Transient != nil {
		return *e.Transient
	}
	switch e.Code {
	case 0:
		return true
	case 1, 2, 4, 17, 32, 341, 613:
		return true
	}
	return false
}
