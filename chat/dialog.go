package chat

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"outrider/identity"
)

// Message is what a person said.
type Message struct {
	Page    identity.PageID
	PSID    identity.PSID
	Text    string
	Payload string // of the button that was tapped; empty: typed
	Blind   bool   // a sticker, a picture or the like: nothing that can be read

	// Intent and Vehicle are what somebody else has understood, such as Amazon Lex; empty: nothing. Vehicle is a name.
	Intent  Intent
	Vehicle string
}

// Reply is an answer: a text, and what can be tapped below it.
type Reply struct {
	Text string
	Taps []Tap // quick replies, at most [MostTaps]
}

// Tap is something to tap.
type Tap struct{ Title, Payload string }

// Limits of Messenger for quick replies.
const (
	MostTaps  = 13
	tapLetter = 20 // characters of a title
)

// Dialog answers people. It is safe for many goroutines.
type Dialog struct {
	fleet Fleet
	now   func() time.Time
	calm  *calm
}

// New returns a dialog about a fleet. now is the clock of the answers.
func New(fleet Fleet, now func() time.Time) *Dialog {
	return &Dialog{fleet: fleet, now: now, calm: newCalm(now)}
}

// Answer answers a message; an empty text means that there is nothing to say. An error means that the answer could not
// be found out now; the same message may be tried again.
func (d *Dialog) Answer(ctx context.Context, m Message) (Reply, error) {
	o, known := d.fleet.Owner(m.Page, m.PSID)
	t := &turn{Dialog: d, ctx: ctx, m: m, o: o, l: localeFor(o.Locale), now: d.now()}
	switch pace := d.calm.heard(m.Page, m.PSID); {
	case pace == tooFast:
		return Reply{}, nil
	case pace == fast:
		return Reply{Text: t.l.say("slow")}, nil
	case !known:
		return Reply{Text: t.l.say("stranger")}, nil
	}
	t.vehicles = d.fleet.Vehicles(o)
	intent, argument := t.wish()
	if stopped(o) && intent != Start && intent != Stop {
		// Who asked to be left alone is answered when they ask, and told nothing else.
		r, err := t.answer(intent, argument)
		r.Taps = append([]Tap{t.tap("b_start", Start, "")}, r.Taps[:min(len(r.Taps), MostTaps-1)]...)
		return r, err
	}
	return t.answer(intent, argument)
}

// stopped reports whether the owner wrote STOP.
func stopped(o identity.Owner) bool { return slices.ContainsFunc(o.Mutes, identity.Mute.Everything) }

// turn is one message and everything that is known to answer it.
type turn struct {
	*Dialog
	ctx      context.Context
	m        Message
	o        identity.Owner
	l        *locale
	now      time.Time
	vehicles []Named
	meant    Understanding
}

// wish finds out what the person wants: from the button, else from the words.
func (t *turn) wish() (Intent, string) {
	if IsPayload(t.m.Payload) {
		name, argument, _ := strings.Cut(t.m.Payload, ":")
		return Intent(name), argument
	}
	if t.m.Payload == "GET_STARTED" {
		return Help, ""
	}
	t.meant = Understand(t.m.Text, t.l.code, t.vehicles)
	if t.m.Intent != Unknown {
		t.meant.Intent = t.m.Intent
		if t.m.Intent == Mute {
			t.meant.For, t.meant.Tomorrow = span(tokens(t.m.Text))
		}
	}
	if t.meant.Vehicle == "" && t.m.Vehicle != "" {
		_, t.meant.Vehicle, _ = named(tokens(t.m.Vehicle), t.vehicles)
	}
	return t.meant.Intent, url.QueryEscape(t.meant.Vehicle)
}

// IsPayload reports whether a text is the payload of one of the dialog's buttons.
func IsPayload(text string) bool {
	name, _, ok := strings.Cut(text, ":")
	return ok && (slices.Contains(Intents(), Intent(name)) || Intent(name) == Off)
}

func (t *turn) answer(intent Intent, argument string) (Reply, error) {
	switch intent {
	case Where:
		return t.aboutOne(intent, argument, t.where)
	case Status:
		return t.aboutOne(intent, argument, t.status)
	case History:
		return t.aboutOne(intent, argument, t.history)
	case List:
		return t.list(), nil
	case Fences:
		return t.fences()
	case Alerts:
		return t.alerts(), nil
	case Mute, Off, Unmute, Stop, Start:
		return t.change(intent, argument)
	case Language:
		return t.language(argument)
	case Who:
		return t.with(t.l.say("who", "page", t.fleet.PageName(t.m.Page))), nil
	case Help:
		return t.with(t.l.say("help")), nil
	case Thanks:
		return Reply{Text: t.l.say("thanks")}, nil
	}
	if t.m.Blind {
		return t.with(t.l.say("attachment")), nil
	}
	return t.with(t.l.say("not_understood")), nil
}

// with adds what can be tapped most of the time.
func (t *turn) with(text string) Reply {
	return Reply{Text: text, Taps: []Tap{
		t.tap("b_where", Where, ""), t.tap("b_history", History, ""), t.tap("b_list", List, ""),
		t.tap("b_alerts", Alerts, ""), t.tap("b_help", Help, ""),
	}}
}

// about adds what can be tapped after an answer about a vehicle.
func (t *turn) about(v Named, text string) Reply {
	id := url.QueryEscape(v.ID)
	return Reply{Text: text, Taps: []Tap{
		t.tap("b_where", Where, id), t.tap("b_history", History, id), t.tap("b_status", Status, id),
		t.tap("b_mute", Mute, id+":"+strconv.Itoa(int(time.Hour.Seconds()))), t.tap("b_help", Help, ""),
	}}
}

func (t *turn) tap(title string, intent Intent, argument string) Tap {
	return Tap{Title: short(t.l.say(title), tapLetter), Payload: string(intent) + ":" + argument}
}

// short cuts a text to so many characters.
func short(text string, limit int) string {
	if r := []rune(text); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return text
}

// aboutOne answers about the vehicle that is meant: the one named, the only one, or it asks which.
func (t *turn) aboutOne(intent Intent, argument string, answer func(Named) (Reply, error)) (Reply, error) {
	v, ask := t.which(intent, argument)
	if ask != nil {
		return *ask, nil
	}
	return answer(v)
}

// which finds the vehicle, or says what to answer instead. A vehicle of somebody else is as unknown as one that does
// not exist.
func (t *turn) which(intent Intent, argument string) (Named, *Reply) {
	id, err := url.QueryUnescape(argument)
	if err != nil {
		id = argument
	}
	if id != "" {
		if i := slices.IndexFunc(t.vehicles, func(v Named) bool { return v.ID == id }); i >= 0 {
			return t.vehicles[i], nil
		}
		r := t.with(t.l.say("not_yours"))
		return Named{}, &r
	}
	switch len(t.vehicles) {
	case 0:
		r := t.with(t.l.say("none"))
		return Named{}, &r
	case 1:
		return t.vehicles[0], nil
	}
	r := Reply{Text: t.l.say("which")}
	for _, v := range t.vehicles[:min(len(t.vehicles), MostTaps)] {
		r.Taps = append(r.Taps, Tap{short(v.Name, tapLetter), string(intent) + ":" + url.QueryEscape(v.ID)})
	}
	return Named{}, &r
}
