package graph

import (
	"fmt"
	"net/http"
)

// Error is a refusal as the Graph API words it.
type Error struct {
	Status    int    // of the HTTP answer
	Message   string // begins with "(#code)" where Meta's does
	Type      string // OAuthException, GraphMethodException
	Code      int
	Subcode   int // 0: none
	Transient bool
	UserTitle string
	UserText  string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("graph: %d/%d: %s", e.Code, e.Subcode, e.Message)
}

// body is the error as it goes over the wire.
func (e *Error) body(trace string) map[string]any {
	m := map[string]any{"message": e.Message, "type": e.Type, "code": e.Code, "fbtrace_id": trace}
	if e.Subcode != 0 {
		m["error_subcode"] = e.Subcode
	}
	if e.Transient || e.Code == 551 || e.Code == 2 || e.UserTitle != "" {
		m["is_transient"] = e.Transient
	}
	if e.UserTitle != "" {
		m["error_user_title"], m["error_user_msg"] = e.UserTitle, e.UserText
	}
	return map[string]any{"error": m}
}

// refuse is the ordinary refusal: HTTP 400, OAuthException.
func refuse(code, subcode int, format string, args ...any) *Error {
	text := fmt.Sprintf("(#%d) ", code) + fmt.Sprintf(format, args...)
	return &Error{Status: http.StatusBadRequest, Message: text, Type: "OAuthException", Code: code, Subcode: subcode}
}

// badParam is code 100.
func badParam(format string, args ...any) *Error { return refuse(100, 0, format, args...) }

// badKeys is what Graph says of keys it does not know inside a parameter.
func badKeys(param, key string) *Error {
	return badParam("Invalid keys %q were found in param %q.", key, param)
}

// badTemplate is a refusal of a template's creation, with words for the person who made it.
func badTemplate(subcode int, title, text string) *Error {
	return &Error{
		Status: http.StatusBadRequest, Message: "Invalid parameter", Type: "OAuthException",
		Code: 100, Subcode: subcode, UserTitle: title, UserText: text,
	}
}

func noSuchObject(method, id string) *Error {
	verb := map[string]string{http.MethodGet: "get", http.MethodDelete: "delete"}[method]
	return &Error{
		Status: http.StatusBadRequest, Type: "GraphMethodException", Code: 100, Subcode: 33,
		Message: fmt.Sprintf("Unsupported %s request. Object with ID '%s' does not exist, cannot be loaded due to "+
			"missing permissions, or does not support this operation", or(verb, "post"), id),
	}
}

func unknownPath(path string) *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: "OAuthException", Code: 2500,
		Message: "Unknown path components: " + path,
	}
}

func tokenMissing() *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: "OAuthException", Code: 104,
		Message: "An access token is required to request this resource.",
	}
}

// tokenInvalid is code 190, its words by subcode.
func tokenInvalid(subcode int) *Error {
	text, ok := map[int]string{
		458: "Error validating access token: The user has not authorized application.",
		459: "Error validating access token: The user is enrolled in a blocking, logged-in checkpoint.",
		460: "Error validating access token: The session has been invalidated because the user changed their password " +
			"or Facebook has changed the session for security reasons.",
		463: "Error validating access token: Session has expired.",
		467: "Error validating access token: The session is invalid because the user logged out.",
	}[subcode]
	if !ok {
		text = "Invalid OAuth access token - Cannot parse access token"
	}
	return &Error{Status: http.StatusBadRequest, Type: "OAuthException", Code: 190, Subcode: subcode, Message: text}
}

func proofMissing() *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: "GraphMethodException", Code: 100,
		Message: "API calls from the server require an appsecret_proof argument",
	}
}

func proofInvalid() *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: "GraphMethodException", Code: 100,
		Message: "Invalid appsecret_proof provided in the API argument",
	}
}

func outsideWindow() *Error {
	e := refuse(10, 2018278, "This message is sent outside of allowed window. Learn more about the new policy here: "+
		"https://developers.facebook.com/docs/messenger-platform/policy-overview")
	e.Status = http.StatusForbidden
	return e
}

// Unavailable is code 551: the person blocked the page, left, or turned messages off.
func Unavailable() *Error { return refuse(551, 1893047, "This person isn't available right now.") }

// Throttled is code 613: too many calls to this page.
func Throttled() *Error { return refuse(613, 0, "Calls to this api have exceeded the rate limit.") }

func usedUp() *Error {
	return refuse(80006, 0, "There have been too many calls to this page account. Wait a bit and try again.")
}

// Transient is code 2: Meta's own trouble, worth another try.
func Transient() *Error {
	return &Error{
		Status: http.StatusInternalServerError, Type: "OAuthException", Code: 2, Transient: true,
		Message: "(#2) Service temporarily unavailable",
	}
}
