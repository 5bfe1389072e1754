package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Reading is how a rule has the engine read geofences, where it says otherwise than the geofences themselves and the
// setting engine.preset. What is zero is as they say. Rules of the same reading share it. The zero reading is that of
// the geofences themselves; readings can be compared.
type Reading struct {
	Preset   string  `json:"preset,omitempty" enum:"strict,balanced,calm" doc:"How much evidence a crossing takes; absent: the setting engine.preset."`
	Dwell    float64 `json:"dwell_s,omitempty" minimum:"1" maximum:"31622400" doc:"Seconds after which a stay is long; absent: as the geofence says."`
	Limit    float64 `json:"speed_limit_kmh,omitempty" minimum:"1" maximum:"500" doc:"Faster inside is too fast; absent: as the geofence says."`
	LimitFor float64 `json:"speed_for_s,omitempty" minimum:"1" maximum:"31622400" doc:"Seconds for which it has to be too fast; absent: at once."`
	Stopped  float64 `json:"stopped_s,omitempty" minimum:"1" maximum:"31622400" doc:"Seconds after which a stop inside is long; absent: as the geofence says."`
	NotHeard float64 `json:"silent_s,omitempty" minimum:"1" maximum:"31622400" doc:"Seconds after which a silence inside is long; absent: as the geofence says."`
}

// Key names the reading in records; empty for that of the geofences themselves.
func (r Reading) Key() string {
	if r == (Reading{}) {
		return ""
	}
	key, err := json.Marshal(r)
	if err != nil {
		panic(err) // text and numbers always can
	}
	return string(key)
}

// ReadingOf is the reverse of [Reading.Key]; the zero reading for what is no key.
func ReadingOf(key string) Reading {
	var r Reading
	if err := json.Unmarshal([]byte(key), &r); err != nil {
		return Reading{}
	}
	return r
}

// Over returns the reading with what it leaves open as other has it.
func (r Reading) Over(other Reading) Reading {
	out := other
	if r.Preset != "" {
		out.Preset = r.Preset
	}
	if r.Dwell > 0 {
		out.Dwell = r.Dwell
	}
	if r.Limit > 0 {
		out.Limit, out.LimitFor = r.Limit, r.LimitFor
	}
	if r.Stopped > 0 {
		out.Stopped = r.Stopped
	}
	if r.NotHeard > 0 {
		out.NotHeard = r.NotHeard
	}
	return out
}

// sameThing reports whether events of a kind are the same thing in both readings, seen with more or less evidence:
// a stay of ten minutes is another thing than one of an hour, an enter is an enter. Both readings are whole, see Over.
func (r Reading) sameThing(kind Kind, other Reading) bool {
	switch kind {
	case Dwell:
		return r.Dwell == other.Dwell
	case Overspeed, OverspeedEnd:
		return r.Limit == other.Limit && r.LimitFor == other.LimitFor
	case Stopped:
		return r.Stopped == other.Stopped
	case Silent:
		return r.NotHeard == other.NotHeard
	}
	return true
}

// checkReading finds thresholds of what the rule does not tell.
func checkReading(r *Rule, add func(string, any, error)) {
	tells := func(kinds ...Kind) bool {
		return slices.ContainsFunc(kinds, func(k Kind) bool { return slices.Contains(r.Events, k) })
	}
	needs := func(field string, value float64, kinds ...Kind) {
		if value > 0 && !tells(kinds...) {
			add(field, value, fmt.Errorf("expected events to have %s, of which it says from when on it is told", kinds[0]))
		}
	}
	needs("dwell_s", r.Reading.Dwell, Dwell)
	needs("speed_limit_kmh", r.Limit, Overspeed, OverspeedEnd)
	needs("stopped_s", r.Reading.Stopped, Stopped)
	needs("silent_s", r.NotHeard, Silent)
	if r.LimitFor > 0 && r.Limit == 0 {
		add("speed_for_s", r.LimitFor, errors.New("expected speed_limit_kmh, too: it means nothing alone"))
	}
}
