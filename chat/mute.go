package chat

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"outrider/identity"
)

// usualMute is for how long alerts are muted when nobody says for how long.
const usualMute = time.Hour

// change does what changes the silences of an owner. Doing it twice, as after a crash, changes nothing more.
func (t *turn) change(intent Intent, argument string) (Reply, error) {
	mutes := slices.DeleteFunc(slices.Clone(t.o.Mutes), func(m identity.Mute) bool {
		return !m.Until.IsZero() && !m.Until.After(t.now) // over
	})
	var r Reply
	switch intent {
	case Stop:
		if !stopped(t.o) {
			mutes = append(mutes, identity.Mute{})
		}
		r = Reply{Text: t.l.say("stopped"), Taps: []Tap{t.tap("b_start", Start, "")}}
	case Start:
		mutes = nil
		r = t.with(t.l.say("started"))
	case Unmute:
		mutes = nil
		r = t.with(t.l.say("unmuted"))
	default:
		m, said, ask, err := t.silence(intent, argument)
		if ask != nil || err != nil {
			return t.unless(ask, err)
		}
		mutes = append(slices.DeleteFunc(mutes, func(o identity.Mute) bool { return o.Vehicle == m.Vehicle && o.Fence == m.Fence }), m)
		r = Reply{Text: said, Taps: []Tap{t.tap("b_unmute", Unmute, ""), t.tap("b_where", Where, url.QueryEscape(string(m.Vehicle))), t.tap("b_help", Help, "")}}
	}
	return r, t.fleet.SetMutes(t.ctx, t.o, mutes)
}

// silence reads what is to be silent: from a button "vehicle:seconds" or "vehicle:fence", else from what was typed, which may name a geofence.
func (t *turn) silence(intent Intent, argument string) (identity.Mute, string, *Reply, error) {
	vehicle, more, _ := strings.Cut(argument, ":")
	if intent == Mute && t.m.Payload == "" {
		fence, err := t.fenceSaid()
		if fence != "" || err != nil {
			m := identity.Mute{Vehicle: identity.VehicleID(vehicle), Fence: fence, Until: t.until("")}
			return m, t.l.say("muted", "vehicle", t.silent(m), "time", t.clock(m.Until)), nil, err
		}
	}
	if intent == Mute && vehicle == "" && len(t.vehicles) != 1 {
		until := t.until(more)
		return identity.Mute{Until: until}, t.l.say("muted_all", "time", t.clock(until)), nil, nil
	}
	v, ask, err := t.which(intent, vehicle, ":"+more)
	if ask != nil || err != nil {
		return identity.Mute{}, "", ask, err
	}
	if intent == Off {
		fence, err := url.QueryUnescape(more)
		if err != nil || fence == "" {
			r := t.with(t.l.say("not_understood"))
			return identity.Mute{}, "", &r, nil
		}
		m := identity.Mute{Vehicle: identity.VehicleID(v.ID), Fence: fence}
		return m, t.l.say("turned_off", "fence", t.fenceName(fence), "vehicle", v.Name), nil, nil
	}
	until := t.until(more)
	return identity.Mute{Vehicle: identity.VehicleID(v.ID), Until: until}, t.l.say("muted", "vehicle", v.Name, "time", t.clock(until)), nil, nil
}

// until is the end of a silence, to the minute.
func (t *turn) until(seconds string) time.Time {
	d := t.meant.For
	if n, err := strconv.Atoi(seconds); err == nil && n > 0 {
		d = min(time.Duration(n)*time.Second, longest)
	}
	if t.meant.Tomorrow {
		local := t.now.In(t.o.Location())
		return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, local.Location()).UTC()
	}
	if d <= 0 {
		d = usualMute
	}
	return t.now.Add(d).Truncate(time.Minute).UTC()
}

// clock writes a time for the owner, with the date unless it is today.
func (t *turn) clock(at time.Time) string {
	local, today := at.In(t.o.Location()), t.now.In(t.o.Location())
	if local.Year() == today.Year() && local.YearDay() == today.YearDay() {
		return local.Format("15:04")
	}
	return local.Format("02.01. 15:04")
}

// fenceName is what the fence is called; its id when it is not known any more.
func (t *turn) fenceName(id string) string {
	all, err := t.fleet.Fences(t.ctx, t.o)
	if err != nil {
		return id // the name is a courtesy
	}
	for _, f := range all {
		if f.ID == id {
			return f.Name
		}
	}
	return id
}

// alerts says what the owner is told of, and what is silent.
func (t *turn) alerts() Reply {
	if len(t.vehicles) == 0 {
		return t.with(t.l.say("none"))
	}
	var names []string
	for _, v := range t.vehicles {
		names = append(names, v.Name)
	}
	lines := []string{t.l.say("alerts", "vehicles", t.join(names))}
	taps := []Tap{t.tap("b_mute", Mute, ""), t.tap("b_quiet", Quiet, ""), t.tap("b_arrive", Arrive, ""), t.tap("b_leave", Leave, ""), t.tap("b_where", Where, ""), t.tap("b_help", Help, "")}
	for _, m := range t.o.Mutes {
		if !m.Until.IsZero() && !m.Until.After(t.now) {
			continue
		}
		taps[0] = t.tap("b_unmute", Unmute, "")
		if m.Until.IsZero() {
			lines = append(lines, t.l.say("off_line", "what", t.silent(m)))
		} else {
			lines = append(lines, t.l.say("muted_line", "what", t.silent(m), "time", t.clock(m.Until)))
		}
	}
	if t.o.Quiet.Set() {
		lines = append(lines, t.l.say("quiet_now", "from", hour(t.o.Quiet.From), "to", hour(t.o.Quiet.To)))
	}
	for _, o := range t.o.Once {
		if o.Until.After(t.now) {
			lines = append(lines, t.onceLine(o))
		}
	}
	return Reply{Text: strings.Join(lines, "\n"), Taps: taps}
}

// silent names what a silence covers.
func (t *turn) silent(m identity.Mute) string {
	name := string(m.Vehicle)
	for _, v := range t.vehicles {
		if v.ID == name {
			name = v.Name
		}
	}
	switch {
	case m.Vehicle == "" && m.Fence == "":
		return t.l.say("everything")
	case m.Fence == "":
		return name
	case m.Vehicle == "":
		return t.fenceName(m.Fence)
	}
	return name + ", " + t.fenceName(m.Fence)
}
