package lex

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"outrider/chat"
	"outrider/identity"
)

// event is what Lex sends, of both versions.
type event struct {
	// V2
	SessionID    string `json:"sessionId"`
	SessionState *struct {
		Intent            intentV2          `json:"intent"`
		SessionAttributes map[string]string `json:"sessionAttributes"`
	} `json:"sessionState"`
	Interpretations []struct {
		Intent intentV2 `json:"intent"`
	} `json:"interpretations"`

	// V1
	UserID        string    `json:"userId"`
	CurrentIntent *intentV1 `json:"currentIntent"`

	// Both
	Transcript        string            `json:"inputTranscript"`
	RequestAttributes map[string]string `json:"requestAttributes"`
	SessionAttributes map[string]string `json:"sessionAttributes"` // V1; of V2 they stand in the session's state
}

type intentV2 struct {
	Name  string             `json:"name"`
	Slots map[string]*slotV2 `json:"slots,omitempty"`
	State string             `json:"state,omitempty"`
}

type slotV2 struct {
	Value *struct {
		Original    string `json:"originalValue"`
		Interpreted string `json:"interpretedValue"`
	} `json:"value"`
}

type intentV1 struct {
	Name  string             `json:"name"`
	Slots map[string]*string `json:"slots"`
}

// Request attributes that Lex adds for a channel. V1 named the person and the page; of V2 only the platform is
// documented, and the session is the person's.
const (
	attributePlatform = "x-amz-lex:channels:platform"
	attributeType     = "x-amz-lex:channel-type"
	attributeUser     = "x-amz-lex:user-id"
	attributePage     = "x-amz-lex:facebook-page-id"
)

// SlotVehicle is the slot that holds the vehicle's name.
const SlotVehicle = "Vehicle"

// Fault is an event that cannot be answered. Its text names the field.
type Fault struct{ Field, Expected string }

// Error implements error.
func (f *Fault) Error() string { return fmt.Sprintf("lex: %s: expected %s", f.Field, f.Expected) }

// parse reads an event of either version.
func parse(body []byte) (*event, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, &Fault{"body", "the JSON of a Lex event: " + err.Error()}
	}
	switch {
	case e.SessionState == nil && e.CurrentIntent == nil && len(e.Interpretations) == 0:
		return nil, &Fault{"sessionState", "an event of Lex V2, or of V1 with currentIntent"}
	case e.person() == "":
		return nil, &Fault{"sessionId", "the page-scoped id of the person, here or in " + attributeUser}
	}
	platform := cmp.Or(e.RequestAttributes[attributePlatform], e.RequestAttributes[attributeType])
	if platform != "" && !strings.EqualFold(platform, "Facebook") {
		return nil, &Fault{attributePlatform, "Facebook; people of " + platform + " are not known here"}
	}
	return &e, nil
}

// old reports whether the event is of V1.
func (e *event) old() bool { return e.CurrentIntent != nil && e.SessionState == nil }

func (e *event) person() identity.PSID {
	return identity.PSID(cmp.Or(e.RequestAttributes[attributeUser], e.UserID, e.SessionID))
}

// page is the page that the event names; empty: none.
func (e *event) page() identity.PageID { return identity.PageID(e.RequestAttributes[attributePage]) }

// intent is what Lex understood, in its words.
func (e *event) intent() intentV2 {
	switch {
	case e.old():
		return intentV2{Name: e.CurrentIntent.Name}
	case e.SessionState != nil && e.SessionState.Intent.Name != "":
		return e.SessionState.Intent
	case len(e.Interpretations) > 0:
		return e.Interpretations[0].Intent
	}
	return intentV2{}
}

// vehicle is the vehicle's name that Lex found; empty: none.
func (e *event) vehicle() string {
	if e.old() {
		if v := e.CurrentIntent.Slots[SlotVehicle]; v != nil {
			return *v
		}
		return ""
	}
	if s := e.intent().Slots[SlotVehicle]; s != nil && s.Value != nil {
		return cmp.Or(s.Value.Original, s.Value.Interpreted)
	}
	return ""
}

// message is what the dialog is asked. A button's value comes back as if it had been typed.
func (e *event) message(page identity.PageID) chat.Message {
	m := chat.Message{
		Page: page, PSID: e.person(), Text: e.Transcript, Intent: IntentOf(e.intent().Name), Vehicle: e.vehicle(),
	}
	if chat.IsPayload(e.Transcript) {
		m.Payload = e.Transcript
	}
	return m
}

// names are the intents of the bot.
var names = map[chat.Intent]string{
	chat.Where: "WhereIsMyVehicle", chat.Status: "VehicleStatus", chat.History: "HistoryOfToday", chat.List: "ListMyVehicles",
	chat.Fences: "ListGeofences", chat.Alerts: "MyAlerts", chat.Mute: "MuteAlerts", chat.Unmute: "UnmuteAlerts",
	chat.Quiet: "QuietHours", chat.Arrive: "TellWhenItArrives", chat.Leave: "TellWhenItLeaves", chat.Here: "PutGeofenceHere", chat.Remove: "RemoveGeofence",
	chat.Stop: "StopMessages", chat.Start: "StartMessages", chat.Language: "ChangeLanguage", chat.Help: "Help", chat.Who: "WhoAreYou",
	chat.Thanks: "Thanks",
}

// IntentName is what an intent is called in the bot.
func IntentName(i chat.Intent) string { return names[i] }

// IntentOf is the reverse; the built-in fallback intent and names of other bots are unknown.
func IntentOf(name string) chat.Intent {
	for intent, n := range names {
		if n == name {
			return intent
		}
	}
	return chat.Unknown
}
