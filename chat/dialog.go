package chat

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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
	Card *Card // instead of the text, where a picture can be shown; nil: none
	Taps []Tap // quick replies, at most [MostTaps]
	// Closes says that an open question is answered: [Dialog.Close] it when the answer is safe. Done before, a crash in
	// between would have the same words heard again without the question they answer.
	Closes bool
}

// Card is an answer with a picture.
type Card struct {
	Title, Subtitle string // at most 80 characters
	Image           string // URL
	Link, LinkTitle string // URL that a tap opens, and what stands on its button
}

// Tap is something to tap.
type Tap struct{ Title, Payload string }

// Limits of Messenger for quick replies.
const (
	MostTaps   = 13
	tapLetter  = 20 // characters of a title
	cardLetter = 80
)

// Dialog answers people. It is safe for many goroutines.
type Dialog struct {
	fleet   Fleet
	now     func() time.Time
	signet  identity.Signet
	other   Understander
	calm    *calm
	metrics *metrics
}

// Options is what a dialog is made of. Fleet and Now are required.
type Options struct {
	Fleet  Fleet
	Now    func() time.Time // the clock of the answers
	Signet identity.Signet  // signs what buttons send back
	// Understander is asked what people mean before the built-in grammar is; nil: nobody is.
	Understander Understander
	Registerer   prometheus.Registerer // nil: nothing is counted
}

// New returns a dialog about a fleet.
func New(o Options) *Dialog {
	return &Dialog{fleet: o.Fleet, now: o.Now, signet: o.Signet, other: o.Understander, calm: newCalm(o.Now), metrics: newMetrics(o.Registerer)}
}

// Answer answers a message; an empty text means that there is nothing to say. An error means that the answer could not
// be found out now; the same message may be tried again.
func (d *Dialog) Answer(ctx context.Context, m Message) (Reply, error) {
	r, err := d.reply(ctx, m)
	for i, tap := range r.Taps {
		r.Taps[i].Payload = d.signet.Sign(m.person(), tap.Payload, d.now())
	}
	return r, err
}

// Close closes the open question of a person.
func (d *Dialog) Close(ctx context.Context, page identity.PageID, psid identity.PSID) error {
	return d.fleet.Ask(ctx, identity.Contact{Page: page, PSID: psid}, "", time.Time{})
}

func (m Message) person() identity.Contact { return identity.Contact{Page: m.Page, PSID: m.PSID} }

func (d *Dialog) reply(ctx context.Context, m Message) (Reply, error) {
	o, known := d.fleet.Owner(m.Page, m.PSID)
	t := &turn{Dialog: d, ctx: ctx, m: m, o: o, l: localeFor(o.Locale), now: d.now()}
	switch pace := d.calm.heard(m.Page, m.PSID); {
	case pace == tooFast:
		d.metrics.answer("flood")
		return Reply{}, nil
	case pace == fast:
		d.metrics.answer("flood")
		return Reply{Text: t.l.say("slow")}, nil
	case !known:
		d.metrics.answer("stranger")
		return Reply{Text: t.l.say("stranger")}, nil
	}
	t.vehicles = d.fleet.Vehicles(o)
	intent, argument, r, err := t.wish()
	if r != nil || err != nil {
		return t.finish(r, err)
	}
	d.metrics.answer(intent)
	t.open = t.open && intent != Unknown // what was not understood is no answer, and nothing else either
	if stopped(o) && intent != Start && intent != Stop {
		// Who asked to be left alone is answered when they ask, and told nothing else.
		r, err := t.answer(intent, argument)
		r.Taps = append([]Tap{t.tap("b_start", Start, "")}, r.Taps[:min(len(r.Taps), MostTaps-1)]...)
		return t.finish(&r, err)
	}
	said, err := t.answer(intent, argument)
	return t.finish(&said, err)
}

// finish says whether the answer closes the question that was open before.
func (t *turn) finish(r *Reply, err error) (Reply, error) {
	if r == nil || err != nil {
		return Reply{}, err
	}
	r.Closes = t.open && !t.asks
	return *r, nil
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
	question string // what the person was asked before; empty: nothing
	open     bool   // the person was asked something before, and this is what they say to it
	asks     bool   // the answer asks something itself
}

// IsPayload reports whether a text is the payload of one of the dialog's buttons.
func IsPayload(text string) bool {
	name, _, ok := strings.Cut(text, ":")
	return ok && (slices.Contains(Intents(), Intent(name)) || slices.Contains(Buttons(), Intent(name)))
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
		return t.list()
	case Fences:
		return t.fences()
	case Alerts:
		return t.alerts(), nil
	case Mute, Off, Unmute, Stop, Start:
		return t.change(intent, argument)
	case Quiet:
		return t.quiet(argument)
	case Arrive, Leave:
		return t.once(intent, argument)
	case Here:
		return t.here(argument)
	case Remove:
		return t.remove(argument)
	case Ack:
		return t.with(t.l.say("acknowledged")), nil
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

// Short cuts a title to what fits on something to tap.
func Short(title string) string { return short(title, tapLetter) }

// aboutOne answers about the vehicle that is meant: the one named, the only one, or it asks which.
func (t *turn) aboutOne(intent Intent, argument string, answer func(Named) (Reply, error)) (Reply, error) {
	v, ask, err := t.which(intent, argument, "")
	if ask != nil || err != nil {
		return t.unless(ask, err)
	}
	return answer(v)
}

// unless is what is said instead.
func (t *turn) unless(r *Reply, err error) (Reply, error) {
	if r == nil {
		return Reply{}, err
	}
	return *r, err
}

// which finds the vehicle, or says what to answer instead. A vehicle of somebody else is as unknown as one that does
// not exist. more is what stands behind the vehicle in the argument of a button that names one.
func (t *turn) which(intent Intent, argument, more string) (Named, *Reply, error) {
	id, err := url.QueryUnescape(argument)
	if err != nil {
		id = argument
	}
	if id != "" {
		if i := slices.IndexFunc(t.vehicles, func(v Named) bool { return v.ID == id }); i >= 0 {
			return t.vehicles[i], nil, nil
		}
		r := t.with(t.l.say("not_yours"))
		return Named{}, &r, nil
	}
	switch len(t.vehicles) {
	case 0:
		r := t.with(t.l.say("none"))
		return Named{}, &r, nil
	case 1:
		return t.vehicles[0], nil, nil
	}
	r := Reply{Text: t.l.say("which")}
	for _, v := range t.vehicles[:min(len(t.vehicles), MostTaps)] {
		r.Taps = append(r.Taps, Tap{short(v.Name, tapLetter), string(intent) + ":" + url.QueryEscape(v.ID) + more})
	}
	return Named{}, &r, t.ask(wantsVehicle, intent, more)
}
