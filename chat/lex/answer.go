package lex

import (
	"encoding/json"

	"outrider/chat"
)

// Limits of a response card.
const (
	mostButtons  = 5
	buttonLetter = 50 // characters of a button's text, and of its value
	cardTitle    = 250
)

// answerV2 is the answer to an event of V2.
type answerV2 struct {
	SessionState      stateV2           `json:"sessionState"`
	Messages          []messageV2       `json:"messages"`
	RequestAttributes map[string]string `json:"requestAttributes,omitempty"`
}

type stateV2 struct {
	SessionAttributes map[string]string `json:"sessionAttributes,omitempty"`
	DialogAction      actionV2          `json:"dialogAction"`
	Intent            *intentV2         `json:"intent,omitempty"`
}

type actionV2 struct {
	Type string `json:"type"`
}

type messageV2 struct {
	ContentType string  `json:"contentType"`
	Content     string  `json:"content,omitempty"`
	Card        *cardV2 `json:"imageResponseCard,omitempty"`
}

type cardV2 struct {
	Title   string   `json:"title"`
	Buttons []button `json:"buttons"`
}

type button struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// answerV1 is the answer to an event of V1.
type answerV1 struct {
	SessionAttributes map[string]string `json:"sessionAttributes"`
	DialogAction      actionV1          `json:"dialogAction"`
}

type actionV1 struct {
	Type             string    `json:"type"`
	FulfillmentState string    `json:"fulfillmentState"`
	Message          messageV1 `json:"message"`
	ResponseCard     *cardV1   `json:"responseCard,omitempty"`
}

type messageV1 struct {
	ContentType string `json:"contentType"`
	Content     string `json:"content"`
}

type cardV1 struct {
	Version            string         `json:"version"`
	ContentType        string         `json:"contentType"`
	GenericAttachments []attachmentV1 `json:"genericAttachments"`
}

type attachmentV1 struct {
	Title   string   `json:"title"`
	Buttons []button `json:"buttons"`
}

// answer says a reply in the words of the event's version. Every answer is complete: a question is asked with
// buttons, whose values come back as words, so that Lex need not keep anything open.
func (e *event) answer(r chat.Reply) ([]byte, error) {
	if r.Text == "" {
		r.Text = "…" // Lex wants a message; the person writes too fast to be answered
	}
	buttons := buttonsOf(r)
	title := short(r.Text, cardTitle)
	if e.old() {
		a := answerV1{SessionAttributes: e.SessionAttributes, DialogAction: actionV1{
			Type: "Close", FulfillmentState: "Fulfilled", Message: messageV1{"PlainText", r.Text},
		}}
		if len(buttons) > 0 {
			a.DialogAction.ResponseCard = &cardV1{"1", "application/vnd.amazonaws.card.generic", []attachmentV1{{title, buttons}}}
		}
		return json.Marshal(a)
	}
	intent := e.intent()
	intent.State = "Fulfilled"
	a := answerV2{
		SessionState: stateV2{DialogAction: actionV2{"Close"}, Intent: &intent},
		Messages:     []messageV2{{ContentType: "PlainText", Content: r.Text}},
	}
	if e.SessionState != nil {
		a.SessionState.SessionAttributes = e.SessionState.SessionAttributes
	}
	if len(buttons) > 0 {
		a.Messages = append(a.Messages, messageV2{ContentType: "ImageResponseCard", Card: &cardV2{title, buttons}})
	}
	return json.Marshal(a)
}

// buttonsOf leaves out what Lex would refuse: a value must not be cut.
func buttonsOf(r chat.Reply) []button {
	var all []button
	for _, tap := range r.Taps {
		if len(all) == mostButtons {
			break
		}
		value := tap.Payload
		if len([]rune(value)) > buttonLetter {
			value = tap.Title // read as if it was typed
		}
		all = append(all, button{short(tap.Title, buttonLetter), value})
	}
	return all
}

func short(text string, limit int) string {
	if r := []rune(text); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return text
}

// Apology answers an event that could not be answered now, in a sentence. Anything that is no event gets the answer
// of V2.
func Apology(body []byte) []byte {
	e, err := parse(body)
	if err != nil {
		e = &event{}
	}
	text, err := e.answer(chat.Reply{Text: "Sorry, I cannot reach your fleet just now. Please try again in a minute."})
	if err != nil {
		return nil // plain values always marshal
	}
	return text
}
