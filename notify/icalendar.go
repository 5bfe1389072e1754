package notify

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

// Bounds of a calendar.
const (
	calendarEvents = 200     // events in one
	calendarMost   = 200_000 // occurrences that are remembered of one
	calendarLast   = 2200    // the last year
)

// icalendar is when the events of an iCalendar (RFC 5545) are. A nil one has none. It is safe for many goroutines.
type icalendar struct{ events []*occurrences }

// readCalendar reads an iCalendar. Times that name no zone are of the zone given.
//
// A line that ends in the middle of a parameter makes the library of lines panic; here it is a fault like any other.
func readCalendar(text string, zone *time.Location) (c *icalendar, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c, err = nil, fmt.Errorf("expected an iCalendar: a line cannot be read: %v", cause)
		}
	}()
	var all []*ical.Component
	d := ical.NewDecoder(strings.NewReader(text))
	for {
		cal, err := d.Decode()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("expected an iCalendar: %w", err)
		}
		for _, e := range cal.Events() {
			all = append(all, e.Component)
		}
	}
	switch {
	case len(all) == 0:
		return nil, errors.New("expected an iCalendar with at least one VEVENT")
	case len(all) > calendarEvents:
		return nil, fmt.Errorf("expected at most %d events, not %d", calendarEvents, len(all))
	}
	r := calendarReader{zone: zone, most: calendarMost / len(all)}
	for i, c := range all {
		if err := r.read(c); err != nil {
			return nil, fmt.Errorf("event %d (%s): %w", i+1, title(c), err)
		}
	}
	return r.finish()
}

func title(c *ical.Component) string {
	if text, err := c.Props.Text(ical.PropSummary); err == nil && text != "" {
		return text
	}
	return "without a SUMMARY"
}

// covers reports whether a time is within an event that does not begin at a time left out; nil leaves out none.
func (c *icalendar) covers(at time.Time, without func(begin time.Time) bool) bool {
	if c == nil {
		return false
	}
	for _, e := range c.events {
		if e.covers(at, without) {
			return true
		}
	}
	return false
}

// calendarReader reads events one after another.
type calendarReader struct {
	zone    *time.Location
	most    int
	events  []*occurrences
	masters map[string]*occurrences // by UID
	moved   []movedEvent
}

// movedEvent is one occurrence of a series that is at another time, or not at all.
type movedEvent struct {
	uid string
	was time.Time
}

// read takes an event over.
func (r *calendarReader) read(c *ical.Component) error {
	e, err := r.event(c)
	if err != nil {
		return err
	}
	uid := value(c, ical.PropUID)
	if p := c.Props.Get(ical.PropRecurrenceID); p != nil {
		was, err := r.moment(p, p.Value)
		if err != nil {
			return fmt.Errorf("RECURRENCE-ID: %w", err)
		}
		r.moved = append(r.moved, movedEvent{uid, was})
	} else if uid != "" {
		if r.masters == nil {
			r.masters = map[string]*occurrences{}
		}
		r.masters[uid] = e
	}
	if !strings.EqualFold(value(c, ical.PropStatus), "CANCELLED") {
		r.events = append(r.events, e)
	}
	return nil
}

// finish takes occurrences that were moved out of their series.
func (r *calendarReader) finish() (*icalendar, error) {
	for _, m := range r.moved {
		if e, ok := r.masters[m.uid]; ok {
			e.set.ExDate(m.was)
			e.moved = true
		}
	}
	for i, e := range r.events {
		if e.begin(); !e.search(time.Time{}) && !e.moved {
			return nil, fmt.Errorf("event %d: expected at least one day that is not left out", i+1)
		}
	}
	return &icalendar{r.events}, nil
}

func value(c *ical.Component, name string) string {
	if p := c.Props.Get(name); p != nil {
		return p.Value
	}
	return ""
}

func (r *calendarReader) event(c *ical.Component) (*occurrences, error) {
	p := c.Props.Get(ical.PropDateTimeStart)
	if p == nil {
		return nil, errors.New("expected DTSTART")
	}
	start, err := r.moment(p, p.Value)
	if err != nil {
		return nil, fmt.Errorf("DTSTART: %w", err)
	}
	if start.Year() < 1970 || start.Year() > calendarLast {
		return nil, fmt.Errorf("DTSTART: is in %d; expected 1970 to %d", start.Year(), calendarLast)
	}
	e := &occurrences{most: r.most}
	if err := r.length(e, c, start); err != nil {
		return nil, err
	}
	if err := recur(e, c, start); err != nil {
		return nil, fmt.Errorf("RRULE: %w", err)
	}
	for name, add := range map[string]func(time.Time){ical.PropExceptionDates: e.set.ExDate, ical.PropRecurrenceDates: e.set.RDate} {
		if err := r.each(c, name, start, add); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// length says how long the event's occurrences are: days by the clock on the wall, hours as they pass.
func (r *calendarReader) length(e *occurrences, c *ical.Component, start time.Time) error {
	day := isDate(c.Props.Get(ical.PropDateTimeStart))
	if p := c.Props.Get(ical.PropDateTimeEnd); p != nil {
		end, err := r.moment(p, p.Value)
		switch {
		case err != nil:
			return fmt.Errorf("DTEND: %w", err)
		case !end.After(start):
			return errors.New("DTEND: expected a time after DTSTART")
		case day:
			e.days = int(end.Sub(start).Hours()/24 + 0.5)
		default:
			e.length = end.Sub(start)
		}
		return nil
	}
	if p := c.Props.Get(ical.PropDuration); p != nil {
		d, err := p.Duration()
		if err != nil || d <= 0 {
			return fmt.Errorf("DURATION: is %q; expected one as PT8H", p.Value)
		}
		e.days, e.length = int(d/(24*time.Hour)), d%(24*time.Hour)
		return nil
	}
	if !day {
		return errors.New("expected DTEND or DURATION: an event without an end is a moment")
	}
	e.days = 1
	return nil
}

func recur(e *occurrences, c *ical.Component, start time.Time) error {
	e.set.DTStart(start)
	p := c.Props.Get(ical.PropRecurrenceRule)
	if p == nil {
		e.set.RDate(start)
		return nil
	}
	o, err := rrule.StrToROptionInLocation(p.Value, start.Location())
	if err != nil {
		return fmt.Errorf("is %q: %w", p.Value, err)
	}
	if o.Freq > rrule.DAILY || len(o.Byminute)+len(o.Bysecond) > 0 {
		return fmt.Errorf("is %q; expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, without BYMINUTE and BYSECOND", p.Value)
	}
	o.Dtstart = start
	if last := time.Date(calendarLast, 12, 31, 23, 59, 59, 0, time.UTC); o.Until.IsZero() || o.Until.After(last) {
		o.Until = last // PERF: a rule that no day fits is found out by looking at all of them
	}
	rule, err := rrule.NewRRule(*o)
	if err != nil {
		return fmt.Errorf("is %q: %w", p.Value, err)
	}
	e.set.RRule(rule)
	return nil
}

// each reads a property that may come several times, each with several values. A date among times means that day's
// occurrence.
func (r *calendarReader) each(c *ical.Component, name string, start time.Time, add func(time.Time)) error {
	for _, p := range c.Props[name] {
		for _, text := range strings.Split(p.Value, ",") {
			at, err := r.moment(&p, text)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if len(text) == len("20060102") {
				at = time.Date(at.Year(), at.Month(), at.Day(), start.Hour(), start.Minute(), start.Second(), 0, start.Location())
			}
			add(at)
		}
	}
	return nil
}

func isDate(p *ical.Prop) bool { return len(p.Value) == len("20060102") }

// moment reads a date or a time.
func (r *calendarReader) moment(p *ical.Prop, text string) (time.Time, error) {
	if id := p.Params.Get(ical.ParamTimezoneID); id != "" && !strings.HasSuffix(text, "Z") {
		if _, err := time.LoadLocation(id); err != nil || id == "Local" {
			return time.Time{}, fmt.Errorf("the time zone is %q; expected an IANA name, as Europe/Berlin", id)
		}
	}
	one := ical.Prop{Name: p.Name, Params: ical.Params{}, Value: text}
	one.Params[ical.ParamTimezoneID] = p.Params[ical.ParamTimezoneID]
	if len(text) == len("20060102") {
		one.SetValueType(ical.ValueDate)
	} else {
		one.SetValueType(ical.ValueDateTime)
	}
	at, err := one.DateTime(r.zone)
	if err != nil {
		return at, fmt.Errorf("is %q; expected a date or time, as 20261224 or 20261224T180000", text)
	}
	return at, nil
}
