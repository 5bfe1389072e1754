package chat

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"outrider/identity"
	"outrider/telemetry"
)

// fresh is how old a position may be for a vehicle to be said to be there now.
const fresh = 10 * time.Minute

// standing is the speed in m/s below which a vehicle is said to stand.
const standing = 0.8

func (t *turn) where(v Named) (Reply, error) {
	f, ok, err := t.fleet.LastFix(t.ctx, t.o.Tenant, identity.VehicleID(v.ID))
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		return t.about(v, t.l.say("never", "vehicle", v.Name)), nil
	}
	old := t.now.Sub(f.Time) > fresh
	key := "where"
	if old {
		key = "where_old"
	}
	lines := []string{t.l.say(key, "vehicle", v.Name, "place", t.place(f), "age", t.age(f.Time))}
	if !old {
		lines[0] = strings.TrimSpace(lines[0] + " " + t.motion(f))
		lines = append(lines, t.l.say("heard", "age", t.age(f.Time)))
	}
	r := t.about(v, "")
	if image := t.fleet.Picture(t.o, identity.VehicleID(v.ID)); image != "" {
		r.Card = &Card{Title: short(lines[0], cardLetter), Subtitle: short(strings.Join(lines[1:], " "), cardLetter), Image: image, Link: mapLink(f), LinkTitle: short(t.l.say("b_map"), tapLetter)}
	}
	r.Text = strings.Join(append(lines, t.l.say("map", "link", mapLink(f))), "\n")
	return r, nil
}

// mapLink is a map with a mark at the position, which opens on every phone.
func mapLink(f telemetry.Fix) string {
	lat, lon := strconv.FormatFloat(f.Point.Lat(), 'f', 5, 64), strconv.FormatFloat(f.Point.Lon(), 'f', 5, 64)
	return fmt.Sprintf("https://www.openstreetmap.org/?mlat=%s&mlon=%s#map=16/%s/%s", lat, lon, lat, lon)
}

// place says where a position is: in which fences, else how far from the nearest, else its coordinates.
func (t *turn) place(f telemetry.Fix) string {
	var inside []string
	near := ""
	for _, p := range t.fleet.Places(t.o, f) {
		switch {
		case p.Inside:
			inside = append(inside, p.Fence)
		case near == "":
			near = t.l.say("near", "fence", p.Fence, "distance", distance(p.Distance), "direction", t.l.say(direction(p.Bearing)))
		}
	}
	switch {
	case len(inside) > 0:
		return t.l.say("in", "fence", t.join(inside))
	case near != "":
		return near
	}
	return t.l.say("at", "lat", strconv.FormatFloat(f.Point.Lat(), 'f', 4, 64), "lon", strconv.FormatFloat(f.Point.Lon(), 'f', 4, 64))
}

// join writes "a, b and c", up to three.
func (t *turn) join(names []string) string {
	names = names[:min(len(names), 3)]
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return t.l.say("and", "a", strings.Join(names[:last], ", "), "b", names[last])
}

func distance(m float64) string {
	if m < 950 {
		return strconv.Itoa(int(math.Round(m/10))*10) + " m"
	}
	return strconv.FormatFloat(m/1000, 'f', 1, 64) + " km"
}

// direction returns the key of the nearest of eight directions.
func direction(bearing float64) string {
	all := []string{"n", "ne", "e", "se", "s", "sw", "w", "nw"}
	return all[int(math.Round(math.Mod(bearing+360, 360)/45))%len(all)]
}

// motion says whether it stands or drives; nothing when the tracker does not say.
func (t *turn) motion(f telemetry.Fix) string {
	switch {
	case math.IsNaN(f.Speed):
		return ""
	case f.Speed < standing:
		return t.l.say("standing")
	}
	return t.l.say("driving", "speed", strconv.Itoa(int(math.Round(f.Speed*3.6))))
}

// age says how long ago something was.
func (t *turn) age(at time.Time) string {
	d := t.now.Sub(at)
	switch {
	case d < 10*time.Second:
		return t.l.count("just_now", 0)
	case d < 2*time.Minute:
		return t.l.count("seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return t.l.count("minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return t.l.count("hours", int(d.Hours()))
	}
	return t.l.count("days", int(d.Hours()/24))
}

func (t *turn) status(v Named) (Reply, error) {
	f, ok, err := t.fleet.LastFix(t.ctx, t.o.Tenant, identity.VehicleID(v.ID))
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		return t.about(v, t.l.say("never", "vehicle", v.Name)), nil
	}
	ignition := "unknown_state"
	switch f.Ignition {
	case telemetry.Yes:
		ignition = "on"
	case telemetry.No:
		ignition = "off"
	}
	battery := "" // many trackers never say
	if !math.IsNaN(f.Battery) {
		battery = t.l.say("battery", "percent", strconv.Itoa(int(math.Round(f.Battery))))
	}
	text := t.l.say("status", "vehicle", v.Name, "motion", t.motion(f), "ignition", t.l.say(ignition), "battery", battery, "age", t.age(f.Time))
	return t.about(v, strings.Join(strings.Fields(text), " ")), nil
}

// historyLines is how much of a day is told.
const historyLines = 12

func (t *turn) history(v Named) (Reply, error) {
	local := t.now.In(t.o.Location())
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
	all, err := t.fleet.Events(t.ctx, t.o, identity.VehicleID(v.ID), midnight)
	if err != nil {
		return Reply{}, err
	}
	if len(all) == 0 {
		return t.about(v, t.l.say("history_none", "vehicle", v.Name)), nil
	}
	lines := []string{t.l.say("history", "vehicle", v.Name)}
	for _, e := range all[max(0, len(all)-historyLines):] {
		key := "other"
		if e.Kind == "enter" || e.Kind == "exit" {
			key = e.Kind
		}
		lines = append(lines, t.l.say(key, "time", e.At.In(t.o.Location()).Format("15:04"), "fence", e.Fence))
	}
	if more := len(all) - historyLines; more > 0 {
		lines = append(lines, t.l.count("more", more))
	}
	return t.about(v, strings.Join(lines, "\n")), nil
}

// listLines is how many names a list shows.
const listLines = 25

func (t *turn) list() (Reply, error) {
	if len(t.vehicles) == 0 {
		return t.with(t.l.say("none")), nil
	}
	r := t.with(t.lines("list", t.vehicles))
	if len(t.vehicles) > 1 {
		_, ask, err := t.which(Where, "", "")
		if err != nil {
			return r, err
		}
		r.Taps = ask.Taps
	}
	return r, nil
}

func (t *turn) lines(head string, names []Named) string {
	lines := []string{t.l.say(head)}
	for _, n := range names[:min(len(names), listLines)] {
		lines = append(lines, "• "+n.Name)
	}
	if more := len(names) - listLines; more > 0 {
		lines = append(lines, t.l.count("more", more))
	}
	return strings.Join(lines, "\n")
}

func (t *turn) fences() (Reply, error) {
	all, err := t.fleet.Fences(t.ctx, t.o)
	if err != nil {
		return Reply{}, err
	}
	if len(all) == 0 {
		return t.with(t.l.say("fences_none")), nil
	}
	var names []Named
	own := false
	for _, f := range all {
		if f.Own {
			f.Name, own = t.l.say("yours", "fence", f.Name), true
		}
		names = append(names, f.Named)
	}
	r := t.with(t.lines("fences", names))
	r.Taps = append([]Tap{t.tap("b_here", Here, "")}, r.Taps...)
	if own {
		r.Taps = append([]Tap{t.tap("b_remove", Remove, "")}, r.Taps...)
	}
	return r, nil
}

func (t *turn) language(argument string) (Reply, error) {
	code := argument
	if code == "" {
		code = t.meant.Language
	}
	l, ok := locales()[code]
	if !ok {
		r := Reply{Text: t.l.say("language_ask")}
		for _, c := range Languages() {
			r.Taps = append(r.Taps, Tap{locales()[c].Name, string(Language) + ":" + c})
		}
		return r, nil
	}
	if err := t.fleet.SetLocale(t.ctx, t.o, code); err != nil {
		return Reply{}, err
	}
	t.l = l
	return t.with(l.say("language")), nil
}
