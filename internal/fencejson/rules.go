package fencejson

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"outrider/geofence"
)

// Rules is what is told of a fence beside its crossings, as read from properties.rules:
//
//	{"dwell_s": 1800,                          a stay of half an hour
//	 "speed_limit_kmh": 30, "speed_for_s": 10, faster than 30 km/h inside, for at least ten seconds
//	 "stopped_s": 600,                         standing inside for ten minutes
//	 "silent_s": 1800,                         inside, and nothing heard for half an hour
//	 "absent": {"by": "18:00", "time_zone": "Europe/Berlin", "days": ["mon", "fri"], "vehicles": ["van-7"]},
//	 "expires": "2026-12-24T18:00:00Z"}        from then on the fence is gone
//
// Every member may be left out. Of absent only "by" is needed: the zone is UTC, the days are all, the vehicles
// are all that were heard of within a day. A member that is not in this list is refused.
type Rules struct {
	Dwell time.Duration
	Watch *geofence.Watch // nil for nothing
}

// Most sizes of rules.
const (
	mostSeconds  = 366 * 86400
	mostSpeed    = 500  // km/h
	mostVehicles = 1000 // named in one rule
)

// ReadRules reads the rules of the feature.
func (f *Feature) ReadRules() (Rules, error) {
	if none(f.Rules) {
		return Rules{}, nil
	}
	r := ruleReader{rules: Rules{}, kind: f.Kind}
	if err := r.read(f.Rules); err != nil {
		return Rules{}, err
	}
	if w := r.watch; w.Limit > 0 || w.Stopped > 0 || w.Silent > 0 || w.Absent != nil || w.Expires != 0 {
		r.rules.Watch = &w
	}
	return r.rules, nil
}

// ruleReader reads rules member by member.
type ruleReader struct {
	kind  Kind
	rules Rules
	watch geofence.Watch
}

const rulesField = "properties.rules"

// memberReader reads one member's value; field is its place.
type memberReader func(field string, value json.RawMessage) error

func (r *ruleReader) read(raw json.RawMessage) error {
	err := readMembers(rulesField, raw, map[string]memberReader{
		"dwell_s":         seconds(&r.rules.Dwell),
		"speed_limit_kmh": r.readLimit,
		"speed_for_s":     seconds(&r.watch.LimitFor),
		"stopped_s":       seconds(&r.watch.Stopped),
		"silent_s":        seconds(&r.watch.Silent),
		"absent":          r.readAbsent,
		"expires":         r.readExpires,
	})
	inside := r.rules.Dwell > 0 || r.watch.Limit > 0 || r.watch.Stopped > 0 || r.watch.Silent > 0 || r.watch.Absent != nil
	switch {
	case err != nil:
		return err
	case r.watch.LimitFor > 0 && r.watch.Limit == 0:
		return wrong(rulesField+".speed_for_s", "means nothing without speed_limit_kmh")
	case r.kind == Tripwire && inside:
		return wrong(rulesField, "a tripwire has no inside; it can only expire")
	}
	return nil
}

// readMembers reads an object of which every member is known.
func readMembers(field string, raw json.RawMessage, known map[string]memberReader) error {
	var all map[string]json.RawMessage
	if err := decode(raw, &all, field); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		read, ok := known[key]
		switch {
		case !ok:
			return wrong(join(field, key), "is not known; expected %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case none(all[key]):
			continue
		}
		if err := read(join(field, key), all[key]); err != nil {
			return err
		}
	}
	return nil
}

// seconds reads a number of seconds into d.
func seconds(d *time.Duration) memberReader {
	return func(field string, value json.RawMessage) error {
		var n float64
		if err := decode(value, &n, field); err != nil {
			return err
		}
		if !(n > 0 && n <= mostSeconds) {
			return wrong(field, "is %s; expected seconds above 0, at most a year", number(n))
		}
		*d = time.Duration(math.Round(n*1000)) * time.Millisecond
		return nil
	}
}

func (r *ruleReader) readLimit(field string, value json.RawMessage) error {
	var kmh float64
	if err := decode(value, &kmh, field); err != nil {
		return err
	}
	if !(kmh > 0 && kmh <= mostSpeed) {
		return wrong(field, "is %s; expected km/h above 0, at most %d", number(kmh), mostSpeed)
	}
	r.watch.Limit = kmh / 3.6
	return nil
}

func (r *ruleReader) readExpires(field string, value json.RawMessage) error {
	var text string
	if err := decode(value, &text, field); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.UnixMilli() <= 0 {
		return wrong(field, "is %q; expected a time like 2026-12-24T18:00:00Z", text)
	}
	r.watch.Expires = at.UnixMilli()
	return nil
}

func (r *ruleReader) readAbsent(field string, value json.RawMessage) error {
	a := geofence.Absence{By: -1}
	err := readMembers(field, value, map[string]memberReader{
		"by":        func(field string, v json.RawMessage) error { return readClock(field, v, &a.By) },
		"time_zone": func(field string, v json.RawMessage) error { return readZone(field, v, &a.Zone) },
		"days":      func(field string, v json.RawMessage) error { return readDays(field, v, &a.Days) },
		"vehicles":  func(field string, v json.RawMessage) error { return readVehicles(field, v, &a.Vehicles) },
	})
	if err != nil {
		return err
	}
	if a.By < 0 {
		return wrong(field+".by", "is missing; expected a time of day like \"18:00\"")
	}
	r.watch.Absent = &a
	return nil
}

// readClock reads a time of day.
func readClock(field string, value json.RawMessage, into *time.Duration) error {
	var text string
	if err := decode(value, &text, field); err != nil {
		return err
	}
	at, err := time.Parse("15:04", text)
	if err != nil {
		return wrong(field, "is %q; expected a time of day like \"18:00\"", text)
	}
	*into = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	return nil
}

// readZone reads the name of a time zone. "Local" depends on the machine and is refused.
func readZone(field string, value json.RawMessage, into **time.Location) error {
	var name string
	if err := decode(value, &name, field); err != nil {
		return err
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" || name == "" {
		return wrong(field, "is %q; expected a zone like \"Europe/Berlin\"", name)
	}
	*into = zone
	return nil
}

func readDays(field string, value json.RawMessage, into *[]time.Weekday) error {
	var names []string
	if err := decode(value, &names, field); err != nil {
		return err
	}
	for i, name := range names {
		day := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, name)
		if day < 0 {
			return wrong(field+"["+strconv.Itoa(i)+"]", "is %q; expected mon, tue, wed, thu, fri, sat or sun", name)
		}
		*into = append(*into, time.Weekday(day))
	}
	return nil
}

func readVehicles(field string, value json.RawMessage, into *[]string) error {
	if err := decode(value, into, field); err != nil {
		return err
	}
	if len(*into) > mostVehicles {
		return wrong(field, "has %d vehicles; at most %d, or none for everyone", len(*into), mostVehicles)
	}
	return nil
}

func number(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
