package chat

import (
	"net/url"
	"strings"

	"outrider/identity"
)

// refSeparator stands before the id of the alert whose button it is.
const refSeparator = "@"

// wish finds out what the person wants: from the button, else from the words and the question they answer. A reply
// says that there is nothing more to find out.
func (t *turn) wish() (Intent, string, *Reply, error) {
	question, err := t.fleet.Asked(t.ctx, t.m.person(), t.now)
	if err != nil {
		return "", "", nil, err
	}
	t.question, t.open = question, question != ""
	if IsPayload(t.m.Payload) || strings.HasPrefix(t.m.Payload, string(Echo)+":") {
		return t.tapped()
	}
	if t.m.Payload == "GET_STARTED" {
		return Help, "", nil, nil
	}
	return t.typed()
}

// tapped is what a button wants. One that was made for somebody else, or changed, wants nothing; one that is old, or
// of a time before buttons were signed, may only ask.
func (t *turn) tapped() (Intent, string, *Reply, error) {
	command, mark := t.signet.Open(t.m.person(), t.m.Payload, t.now)
	t.metrics.taps.WithLabelValues(mark.String()).Inc()
	name, argument, _ := strings.Cut(command, ":")
	argument, alert := cutLast(argument, refSeparator)
	intent := Intent(name)
	switch {
	case mark == identity.Forged:
		t.open = false // what was asked still waits
		r := t.with(t.l.say("button_forged"))
		return "", "", &r, nil
	case mark != identity.Genuine && !intent.harmless():
		t.open = false
		r := t.with(t.l.say("button_old"))
		return "", "", &r, nil
	case intent == Echo:
		t.m.Text, _ = url.QueryUnescape(argument)
		return t.typed()
	}
	if alert != "" && mark == identity.Genuine {
		if err := t.fleet.Acknowledge(t.ctx, t.o, t.m.person(), alert, name); err != nil {
			return "", "", nil, err
		}
	}
	return intent, argument, nil, nil
}

func cutLast(s, sep string) (before, after string) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):]
	}
	return s, ""
}

// typed is what words want. Who wants no more messages, or to have them again, is not asked what they mean.
func (t *turn) typed() (Intent, string, *Reply, error) {
	t.meant = Understand(t.m.Text, t.l.code, t.vehicles)
	if t.meant.Intent == Stop || t.meant.Intent == Start {
		return t.meant.Intent, "", nil, nil
	}
	if intent, argument, ok := t.answered(t.question); ok {
		return intent, argument, nil, nil
	}
	if say := t.recognize(); say != nil {
		return "", "", say, nil
	}
	if t.meant.Vehicle == "" && t.m.Vehicle != "" {
		_, t.meant.Vehicle, _ = named(tokens(t.m.Vehicle), t.vehicles)
	}
	argument, err := t.argument()
	return t.meant.Intent, argument, nil, err
}

// recognize takes over what somebody else has understood, or asks them now.
func (t *turn) recognize() *Reply {
	heard := Recognized{Intent: t.m.Intent, Vehicle: t.m.Vehicle}
	if t.other != nil && heard.Intent == Unknown && t.m.Text != "" {
		var err error
		heard, err = t.other.Recognize(t.ctx, t.m, t.l.code)
		result := askedUnderstood
		switch {
		case err != nil:
			result, heard = askedFailed, Recognized{} // counted and logged by the understander; the grammar answers
		case heard.Say == nil && heard.Intent == Unknown:
			result = askedNothing
		}
		t.metrics.asked.WithLabelValues(result).Inc()
	}
	if heard.Say != nil {
		return heard.Say
	}
	if heard.Intent != Unknown {
		t.meant.Intent, t.m.Vehicle = heard.Intent, heard.Vehicle
		for _, w := range heard.Words {
			if !strings.Contains(strings.ToLower(t.m.Text), strings.ToLower(w)) {
				t.m.Text += " " + w
			}
		}
		switch heard.Intent {
		case Mute:
			t.meant.For, t.meant.Tomorrow = span(tokens(t.m.Text))
		case Language:
			t.meant.Language = languageIn(tokens(t.m.Text))
		}
	}
	return nil
}

// argument is what the words say besides the intent, as a button would say it.
func (t *turn) argument() (string, error) {
	vehicle := url.QueryEscape(t.meant.Vehicle)
	switch t.meant.Intent {
	case Quiet:
		return quietHours(t.m.Text), nil
	case Here:
		radius, name := circleSaid(t.m.Text)
		return vehicle + ":" + radius + ":" + url.QueryEscape(name), nil
	case Arrive, Leave, Remove:
		fence, err := t.fenceSaid()
		if err != nil || t.meant.Intent == Remove {
			return url.QueryEscape(fence), err
		}
		return vehicle + ":" + url.QueryEscape(fence), nil
	}
	return vehicle, nil
}

// fenceSaid is the id of the geofence whose name stands in the words; empty: none. With Remove it is one's own if
// there is one of that name.
func (t *turn) fenceSaid() (string, error) {
	all, err := t.fleet.Fences(t.ctx, t.o)
	if err != nil {
		return "", err
	}
	var own, any []Named
	for _, f := range all {
		any = append(any, f.Named)
		if f.Own {
			own = append(own, f.Named)
		}
	}
	words, _, _ := named(tokens(t.m.Text), t.vehicles)
	if _, id, _ := named(words, own); id != "" {
		return id, nil
	}
	_, id, _ := named(words, any)
	return id, nil
}
