package notify

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Schedule is when a rule holds: weekly windows by the clock on the wall of a place, and the events of an iCalendar, but
// not those that begin on some days.
type Schedule struct {
	TimeZone string   `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name, as Europe/Berlin; absent: UTC."`
	Windows  []Hours  `json:"windows,omitempty" maxItems:"50" nullable:"false" doc:"Absent, without a calendar, too: all day."`
	Except   []string `json:"except,omitempty" maxItems:"400" nullable:"false" doc:"Holidays, as 2026-12-24: windows and events that begin on them do not count."`
	Calendar string   `json:"icalendar,omitempty" maxLength:"65536" doc:"An iCalendar (RFC 5545): the rule holds during its events, beside the windows. RRULE, RDATE, EXDATE and moved occurrences count; times without a zone are of time_zone."`
	Holidays string   `json:"except_icalendar,omitempty" maxLength:"65536" doc:"An iCalendar of holidays: windows and events that begin during its events do not count."`
}

// Hours are a time of day on some days of the week. Where the end is not after the beginning they go on into the
// next day; where both are the same they are a whole day.
type Hours struct {
	Days []string `json:"days,omitempty" maxItems:"7" nullable:"false" doc:"mon to sun; absent: every day."`
	From string   `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"22:00"`
	To   string   `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"06:00"`
}

// QuietHours are when people are left alone, by the clock of each.
type QuietHours struct {
	From string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"22:00"`
	To   string `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"07:00"`
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

// dateForm is how a holiday is written.
const dateForm = "2006-01-02"

// covers reports whether the schedule, with its timetable, holds at a time. The clock on the wall decides: an hour that
// is repeated when clocks go back counts both times, one that is skipped is missing.
func (s *Schedule) covers(at time.Time, c timetable) bool {
	if s == nil {
		return true
	}
	zone := zoneOf(s.TimeZone)
	local, windows := at.In(zone), s.Windows
	if len(windows) == 0 && s.Calendar == "" {
		windows = []Hours{{From: "00:00", To: "00:00"}}
	}
	without := func(begin time.Time) bool {
		return slices.Contains(s.Except, begin.In(zone).Format(dateForm)) || c.holidays.covers(begin, nil)
	}
	return slices.ContainsFunc(windows, func(h Hours) bool { return h.cover(local, without) }) || c.events.covers(at, without)
}

// timetable is the calendars of a schedule, read.
type timetable struct{ events, holidays *icalendar }

// timetable reads the calendars of a schedule; one with a fault has no events.
func (s *Schedule) timetable() (c timetable) {
	zone := zoneOf(s.TimeZone)
	if s.Calendar != "" {
		c.events, _ = readCalendar(s.Calendar, zone)
	}
	if s.Holidays != "" {
		c.holidays, _ = readCalendar(s.Holidays, zone)
	}
	return c
}

// cover reports whether the hours that begin on the day of local, or on the day before, hold then, unless they begin at a
// time that is left out; nil leaves out none.
func (h Hours) cover(local time.Time, without func(begin time.Time) bool) bool {
	now, from, to := minute(local), minuteOf(h.From), minuteOf(h.To)
	yesterday := local.AddDate(0, 0, -1)
	switch {
	case from < to:
		return now >= from && now < to && h.on(local, without)
	case now >= from && h.on(local, without):
		return true
	}
	return now < to && h.on(yesterday, without)
}

func (h Hours) on(day time.Time, without func(begin time.Time) bool) bool {
	from := minuteOf(h.From)
	begin := time.Date(day.Year(), day.Month(), day.Day(), from/60, from%60, 0, 0, day.Location())
	if without != nil && without(begin) {
		return false
	}
	return len(h.Days) == 0 || slices.Contains(h.Days, dayNames[day.Weekday()])
}

// end returns when quiet hours that hold at a time are over; false if they do not hold.
func (q *QuietHours) end(at time.Time, zone *time.Location) (time.Time, bool) {
	if q == nil {
		return time.Time{}, false
	}
	local := at.In(zone)
	if !(Hours{From: q.From, To: q.To}).cover(local, nil) {
		return time.Time{}, false
	}
	to := minuteOf(q.To)
	end := time.Date(local.Year(), local.Month(), local.Day(), to/60, to%60, 0, 0, zone)
	if !end.After(at) {
		end = time.Date(local.Year(), local.Month(), local.Day()+1, to/60, to%60, 0, 0, zone)
	}
	return end, true
}

func minute(t time.Time) int { return t.Hour()*60 + t.Minute() }

// minuteOf reads a time of day that was checked; it is 0 for another.
func minuteOf(text string) int {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0
	}
	return minute(t)
}

// zoneOf returns the zone of a name that was checked, UTC for another.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// RuleFault is what is wrong with a part of a rule.
type RuleFault struct {
	Field string // as in JSON, with indexes: schedule.windows[0].days[1]
	Value any
	Err   error
}

// CheckRule returns everything that is wrong with a rule beyond its types: unknown events, days, zones and dates, and
// texts with unknown places.
func CheckRule(r *Rule) []RuleFault {
	var faults []RuleFault
	add := func(field string, value any, err error) {
		if err != nil {
			faults = append(faults, RuleFault{field, value, err})
		}
	}
	for i, k := range r.Events {
		if !slices.Contains(Kinds(), k) {
			add(fmt.Sprintf("events[%d]", i), k, fmt.Errorf("expected one of %v", Kinds()))
		}
	}
	checkReading(r, add)
	if r.Text != "" {
		add("text", r.Text, CheckText(string(Enter), r.Text))
	}
	if r.To.NotOwners && len(r.To.Owners) == 0 {
		add("to", nil, errors.New("expected somebody: the owners of the vehicle are left out, and nobody else is named"))
	}
	if s := r.Schedule; s != nil {
		checkSchedule(s, add)
	}
	return faults
}

func checkSchedule(s *Schedule, add func(string, any, error)) {
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
		add("schedule.time_zone", s.TimeZone, errors.New("expected the name of a time zone, as Europe/Berlin"))
	}
	for i, h := range s.Windows {
		for j, d := range h.Days {
			if !slices.Contains(dayNames, d) {
				add(fmt.Sprintf("schedule.windows[%d].days[%d]", i, j), d, errors.New("expected mon, tue, wed, thu, fri, sat or sun"))
			}
		}
	}
	for i, d := range s.Except {
		if _, err := time.Parse(dateForm, d); err != nil {
			add(fmt.Sprintf("schedule.except[%d]", i), d, errors.New("expected a date, as 2026-12-24"))
		}
	}
	for field, text := range map[string]string{"icalendar": s.Calendar, "except_icalendar": s.Holidays} {
		if text == "" {
			continue
		}
		if _, err := readCalendar(text, zoneOf(s.TimeZone)); err != nil {
			add("schedule."+field, nil, err)
		}
	}
}
