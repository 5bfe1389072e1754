package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"outrider/identity"
)

// Limits of the geofences that people put.
const (
	usualRadius = 200 // metres
	leastRadius = 50
	mostRadius  = 10_000
	mostOwn     = 20 // of one owner
	nameLetters = 60
)

// OwnPrefix begins the id of every geofence that a person puts.
const OwnPrefix = "own-"

var (
	// radiusSaid is "200 m", "1.5 km", "300 metres", "२०० मीटर", "200 mét".
	radiusSaid = regexp.MustCompile(`(\d{1,5}(?:[.,]\d{1,2})?)\s*(km|kilom|quil|किमी|m\b|mtr|met|mét|मीटर)`)
	// nameSaid is what follows "called" in every language, up to the end.
	nameSaid = regexp.MustCompile(`(?i)(?:^|\s)(?:named|called|name|genannt|namens|mit dem namen|heißt|llamada|llamado|nombre|chamada|chamado|nome|tên là|tên|gọi là|नाम|naam)\s*:?\s+(\S.*)$`)
	// quoted is a name in quotation marks.
	quoted = regexp.MustCompile(`["“„«]([^"”“»]+)["”“»]`)
)

// circleSaid reads the radius in metres and the name of a geofence out of a sentence; empty: not said.
func circleSaid(text string) (radius, name string) {
	if m := quoted.FindStringSubmatch(text); m != nil {
		name = fenceName(m[1])
	} else if m := nameSaid.FindStringSubmatch(text); m != nil {
		name = fenceName(m[1])
	}
	m := radiusSaid.FindStringSubmatch(asciiDigits(strings.ToLower(text)))
	if m == nil {
		return "", name
	}
	n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	if err != nil {
		return "", name
	}
	if strings.HasPrefix(m[2], "k") || strings.HasPrefix(m[2], "qu") || strings.HasPrefix(m[2], "कि") {
		n *= 1000
	}
	return strconv.Itoa(int(min(max(n, leastRadius), mostRadius))), name
}

// fenceName is a name as it is kept: one line without quotation marks.
func fenceName(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	return short(strings.Trim(text, ` "“”„«».!?`), nameLetters)
}

// here puts a geofence around where the vehicle is. The same name again moves it.
func (t *turn) here(argument string) (Reply, error) {
	parts := append(strings.SplitN(argument, ":", 3), "", "")
	v, ask, err := t.which(Here, parts[0], ":"+parts[1]+":"+parts[2])
	if ask != nil || err != nil {
		return t.unless(ask, err)
	}
	f, ok, err := t.fleet.LastFix(t.ctx, t.o.Tenant, identity.VehicleID(v.ID))
	if err != nil {
		return Reply{}, err
	}
	if !ok {
		return t.about(v, t.l.say("never", "vehicle", v.Name)), nil
	}
	radius, err := strconv.Atoi(parts[1])
	if err != nil {
		radius = usualRadius
	}
	radius = min(max(radius, leastRadius), mostRadius)
	name, err := url.QueryUnescape(parts[2])
	if name = fenceName(name); err != nil || name == "" {
		known := url.QueryEscape(v.ID) + ":" + strconv.Itoa(radius) + ":"
		return Reply{Text: t.l.say("here_name", "vehicle", v.Name)}, t.ask(wantsName, Here, known)
	}
	circle := Circle{Named: Named{t.ownID(name), name}, Center: f.Point, Radius: float64(radius)}
	all, err := t.fleet.Fences(t.ctx, t.o)
	if err != nil {
		return Reply{}, err
	}
	own := slices.DeleteFunc(all, func(f Fence) bool { return !f.Own || f.ID == circle.ID })
	if len(own) >= mostOwn {
		r := t.with(t.l.say("here_many"))
		r.Taps = append([]Tap{t.tap("b_remove", Remove, "")}, r.Taps...)
		return r, nil
	}
	r := t.about(v, t.l.say("here_done", "fence", name, "radius", distance(circle.Radius), "vehicle", v.Name))
	r.Taps = append([]Tap{t.tap("b_remove", Remove, url.QueryEscape(circle.ID))}, r.Taps...)
	return r, t.fleet.PutFence(t.ctx, t.o, circle)
}

// ownID is the id of an owner's geofence of a name, so that what is heard again after a crash is put once.
func (t *turn) ownID(name string) string {
	sum := sha256.Sum256([]byte(string(t.o.ID) + "\x00" + strings.ToLower(name)))
	return OwnPrefix + hex.EncodeToString(sum[:8])
}

// remove takes away a geofence of the owner's own.
func (t *turn) remove(argument string) (Reply, error) {
	id, err := url.QueryUnescape(argument)
	if err != nil {
		id = argument
	}
	all, err := t.fleet.Fences(t.ctx, t.o)
	if err != nil {
		return Reply{}, err
	}
	own := slices.DeleteFunc(all, func(f Fence) bool { return !f.Own })
	if i := slices.IndexFunc(own, func(f Fence) bool { return f.ID == id }); i >= 0 {
		return t.with(t.l.say("removed", "fence", own[i].Name)), t.fleet.RemoveFence(t.ctx, t.o, id)
	}
	if len(own) == 0 {
		return t.with(t.l.say("remove_none")), nil
	}
	r := Reply{Text: t.l.say("remove_which")}
	for _, f := range own[:min(len(own), MostTaps)] {
		r.Taps = append(r.Taps, Tap{short(f.Name, tapLetter), string(Remove) + ":" + url.QueryEscape(f.ID)})
	}
	return r, t.ask(wantsFence, Remove, "")
}
