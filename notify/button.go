package notify

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"outrider/identity"
)

// Button is a postback button or quick reply.
type Button struct {
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// Action is what a button of an alert asks for. A payload reads action, colon, argument.
type Action string

// The actions, in the order of the buttons.
const (
	ActionWhere Action = "WHERE" // argument: vehicle
	ActionMute  Action = "MUTE"  // argument: vehicle:seconds
	ActionOff   Action = "OFF"   // argument: vehicle:fence
)

// Actions returns every action in the order of the buttons.
func Actions() []Action { return []Action{ActionWhere, ActionMute, ActionOff} }

// muteFor is how long the mute button silences a vehicle.
const muteFor = time.Hour

// ActionAck says that the person saw the alert; argument: nothing. It is a quick reply and no button: of those Messenger
// allows three.
const ActionAck Action = "ACK"

// refSeparator stands before the id of the delivery whose button it is. No escaped id holds it.
const refSeparator = "@"

// ArgumentFunc makes the argument of a button of a delivery. It is the one place where payloads are made, inside the
// window and in templates alike.
type ArgumentFunc func(Action, Delivery) string

// SignedArgument is the ArgumentFunc of buttons that only the person they were made for can use, see
// [identity.Signet]. The payload names the delivery, so that a tap says that it was seen.
func SignedArgument(s identity.Signet, now func() time.Time) ArgumentFunc {
	return func(action Action, d Delivery) string {
		argument := PlainArgument(action, d) + refSeparator + d.Alert.ID
		signed := s.Sign(identity.Contact{Page: d.Page, PSID: d.PSID}, payload(action, argument), now())
		return strings.TrimPrefix(signed, payload(action, ""))
	}
}

// PlainArgument is the ArgumentFunc of buttons that are not signed. Ids are escaped as in a URL's query, so that
// a colon always separates.
func PlainArgument(action Action, d Delivery) string {
	a := d.Alert
	vehicle := url.QueryEscape(string(a.Vehicle))
	switch action {
	case ActionAck:
		return ""
	case ActionMute:
		return vehicle + ":" + strconv.Itoa(int(muteFor.Seconds()))
	case ActionOff:
		return vehicle + ":" + url.QueryEscape(a.Fence)
	}
	return vehicle
}

// payload is what a tap sends back.
func payload(action Action, argument string) string { return string(action) + ":" + argument }

// SplitPayload takes a payload apart; ok is false for what is no alert button's.
func SplitPayload(text string) (action Action, argument string, ok bool) {
	name, argument, ok := strings.Cut(text, ":")
	for _, a := range Actions() {
		if ok && name == string(a) {
			return a, argument, true
		}
	}
	return "", "", false
}
