package fencetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"outrider/geofence"
)

// terms is what is told of a fence beside its crossings.
type terms struct {
	dwell time.Duration
	watch *geofence.Watch // nil for nothing
}

// cutTerms reads the words of the form key=value and returns the others.
func cutTerms(words []string) ([]string, terms, error) {
	var rest []string
	var t terms
	w, a := geofence.Watch{}, geofence.Absence{By: -1}
	for _, word := range words {
		key, value, has := strings.Cut(word, "=")
		if !has {
			rest = append(rest, word)
			continue
		}
		if err := t.set(&w, &a, key, value); err != nil {
			return nil, t, err
		}
	}
	if a.By >= 0 {
		w.Absent = &a
	}
	if w.Limit > 0 || w.Stopped > 0 || w.Silent > 0 || w.Absent != nil || w.Expires > 0 {
		t.watch = &w
	}
	return rest, t, nil
}

// set takes one term.
func (t *terms) set(w *geofence.Watch, a *geofence.Absence, key, value string) (err error) {
	switch key {
	case "dwell":
		t.dwell, err = time.ParseDuration(value)
	case "limit":
		w.Limit, err = strconv.ParseFloat(strings.TrimSuffix(value, "km/h"), 64)
		w.Limit /= 3.6
	case "for":
		w.LimitFor, err = time.ParseDuration(value)
	case "stopped":
		w.Stopped, err = time.ParseDuration(value)
	case "silent":
		w.Silent, err = time.ParseDuration(value)
	case "absent":
		var at time.Time
		at, err = time.Parse("15:04", value)
		a.By = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	case "zone":
		a.Zone, err = time.LoadLocation(value)
	case "who":
		a.Vehicles = strings.Split(value, ",")
	case "days":
		a.Days, err = weekdays(value)
	case "expires":
		w.Expires, err = clockTime(value)
	default:
		return fmt.Errorf("unknown %q: expected dwell, limit, for, stopped, silent, absent, zone, who, days or expires", key)
	}
	if err != nil {
		return fmt.Errorf("%s=%s: %w", key, value, err)
	}
	return nil
}

// weekdays reads "mon,tue".
func weekdays(text string) ([]time.Weekday, error) {
	var all []time.Weekday
	for _, name := range strings.Split(text, ",") {
		found := false
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.EqualFold(d.String()[:3], name) {
				all, found = append(all, d), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%q is no day like mon", name)
		}
	}
	return all, nil
}
