package notify_test

import (
	"strings"
	"testing"
	"time"

	"outrider/notify"
)

// ics is an iCalendar of events, each a list of lines.
func ics(events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for _, e := range events {
		b.WriteString("BEGIN:VEVENT\r\n" + strings.ReplaceAll(e, "\n", "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

const (
	nights = "UID:n\nDTSTART;TZID=Europe/Berlin:20250106T220000\nDTEND;TZID=Europe/Berlin:20250107T060000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"
	days   = "UID:d\nDTSTART;TZID=Europe/Berlin:20250106T020000\nDTEND;TZID=Europe/Berlin:20250106T040000\nRRULE:FREQ=DAILY"
)

// when returns a rule that holds by a schedule.
func scheduled(s notify.Schedule) notify.Rule {
	return notify.Rule{ID: "x", Events: []notify.Kind{notify.Enter}, Schedule: &s}
}

func TestACalendarSaysWhenARuleHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schedule notify.Schedule
		holds    []string
		not      []string
	}{
		"a shift over midnight": {
			notify.Schedule{Calendar: ics(nights)},
			[]string{"2026-11-25T22:00:00+01:00", "2026-11-26T05:59:59+01:00", "2026-07-01T23:00:00+02:00"},
			[]string{"2026-11-25T21:59:59+01:00", "2026-11-26T06:00:00+01:00", "2024-11-25T23:00:00+01:00"},
		},
		"hours pass as they pass where clocks go back: eight of them end at five": {
			notify.Schedule{Calendar: ics(nights)},
			[]string{"2026-10-25T04:59:59+01:00", "2026-10-24T22:00:00+02:00"},
			[]string{"2026-10-25T05:00:00+01:00"},
		},
		"and where clocks go forward: they end at seven": {
			notify.Schedule{Calendar: ics(nights)},
			[]string{"2026-03-28T22:00:00+01:00", "2026-03-29T06:59:59+02:00"},
			[]string{"2026-03-29T07:00:00+02:00"},
		},
		"the hour that is repeated is within it both times": {
			notify.Schedule{Calendar: ics(strings.ReplaceAll(days, "T020000", "T010000"))},
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"},
			[]string{"2026-10-25T00:59:59+02:00", "2026-10-25T03:00:00+01:00"},
		},
		"days of a whole day are as long as they are": {
			notify.Schedule{TimeZone: "Europe/Berlin", Calendar: ics("DTSTART;VALUE=DATE:20261025")},
			[]string{"2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59+01:00"},
			[]string{"2026-10-24T23:59:59+02:00", "2026-10-26T00:00:00+01:00"},
		},
		"times without a zone are of the schedule's": {
			notify.Schedule{TimeZone: "America/New_York", Calendar: ics("DTSTART:20260701T080000\nDURATION:PT2H")},
			[]string{"2026-07-01T08:00:00-04:00", "2026-07-01T09:59:59-04:00"},
			[]string{"2026-07-01T08:00:00Z", "2026-07-01T10:00:00-04:00"},
		},
		"an occurrence that is left out, by time and by date, and one that is moved": {
			notify.Schedule{Calendar: ics(nights+"\nEXDATE;TZID=Europe/Berlin:20261124T220000,20261125T220000\nEXDATE;VALUE=DATE:20261126",
				"UID:n\nRECURRENCE-ID;TZID=Europe/Berlin:20261127T220000\nDTSTART;TZID=Europe/Berlin:20261127T120000\nDTEND;TZID=Europe/Berlin:20261127T130000")},
			[]string{"2026-11-23T23:00:00+01:00", "2026-11-27T12:30:00+01:00", "2026-11-28T23:00:00+01:00"},
			[]string{"2026-11-24T23:00:00+01:00", "2026-11-25T23:00:00+01:00", "2026-11-26T23:00:00+01:00", "2026-11-27T23:00:00+01:00"},
		},
		"the last Friday of a month, three times, and one day more": {
			notify.Schedule{Calendar: ics("DTSTART:20260130T080000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3\nRDATE:20260401T080000Z")},
			[]string{"2026-01-30T08:30:00Z", "2026-02-27T08:30:00Z", "2026-03-27T08:30:00Z", "2026-04-01T08:30:00Z"},
			[]string{"2026-02-20T08:30:00Z", "2026-04-24T08:30:00Z"},
		},
		"what was cancelled is no event": {
			notify.Schedule{Calendar: ics("DTSTART:20260701T080000Z\nDURATION:PT2H\nSTATUS:CANCELLED", "DTSTART:20260801T080000Z\nDURATION:PT2H")},
			[]string{"2026-08-01T08:30:00Z"},
			[]string{"2026-07-01T08:30:00Z"},
		},
		"windows and events: either is enough": {
			notify.Schedule{Windows: []notify.Hours{{From: "10:00", To: "11:00"}}, Calendar: ics("DTSTART:20260701T080000Z\nDURATION:PT1H")},
			[]string{"2026-07-01T08:30:00Z", "2026-07-01T10:30:00Z"},
			[]string{"2026-07-01T09:30:00Z"},
		},
		"holidays take windows and events out that begin on them": {
			notify.Schedule{
				TimeZone: "Europe/Berlin", Windows: []notify.Hours{{From: "22:00", To: "06:00"}}, Calendar: ics(days), Except: []string{"2026-12-31"},
				Holidays: ics("DTSTART;VALUE=DATE:20201224\nDTEND;VALUE=DATE:20201227\nRRULE:FREQ=YEARLY"),
			},
			[]string{"2026-12-24T05:00:00+01:00", "2026-12-27T23:00:00+01:00"},
			[]string{"2026-12-24T23:00:00+01:00", "2026-12-25T05:00:00+01:00", "2026-12-26T03:00:00+01:00", "2026-12-31T23:00:00+01:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := scheduled(c.schedule)
			if faults := notify.CheckRule(&rule); len(faults) > 0 {
				t.Fatalf("faults %v", faults)
			}
			r := fleet(silent, rule)
			for _, at := range append(c.holds, c.not...) {
				e := happened(notify.Enter, "van")
				e.At, _ = time.Parse(time.RFC3339, at)
				want := len(c.holds) > 0 && strings.Contains(strings.Join(c.holds, " "), at)
				if got := len(told(r, e)) > 0; got != want {
					t.Errorf("at %s it holds: %v, want %v", at, got, want)
				}
			}
		})
	}
}

func TestWhatIsWrongWithACalendar(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"hello":                        "expected an iCalendar",
		ics():                          "at least one VEVENT",
		ics("SUMMARY:Shift\nUID:1"):    "event 1 (Shift): expected DTSTART",
		ics("DTSTART:20260701T080000"): "expected DTEND or DURATION",
		ics("DTSTART:20260701T080000\nDTEND:20260701T070000"):                                   "DTEND: expected a time after DTSTART",
		ics("DTSTART;TZID=W. Europe Standard Time:20260701T080000\nDURATION:PT1H"):              "expected an IANA name",
		ics("DTSTART:20260701T080000\nDURATION:PT1H\nRRULE:FREQ=SECONDLY"):                      "expected FREQ=DAILY",
		ics("DTSTART:20260701T080000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=XX"):               "RRULE: is",
		ics("DTSTART:20260701T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXDATE:tomorrow"):        "EXDATE: is \"tomorrow\"",
		ics("DTSTART:20260701T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"): "at least one day",
		ics("DTSTART:yesterday\nDURATION:PT1H"):                                                 "DTSTART: is \"yesterday\"",
	} {
		for _, s := range []notify.Schedule{{Calendar: text}, {Holidays: text}} {
			rule := scheduled(s)
			faults := notify.CheckRule(&rule)
			if len(faults) != 1 || !strings.Contains(faults[0].Err.Error(), says) || !strings.Contains(faults[0].Field, "icalendar") {
				t.Errorf("%q: faults %v, want %q", text, faults, says)
			}
		}
	}
}

// No calendar that is accepted makes a decision fail or never end.
func FuzzCalendar(f *testing.F) {
	f.Add(ics(nights))
	f.Add(ics(days, "DTSTART;VALUE=DATE:20261025\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"))
	f.Fuzz(func(_ *testing.T, text string) {
		rule := scheduled(notify.Schedule{Calendar: text})
		if len(notify.CheckRule(&rule)) == 0 {
			told(fleet(silent, rule), happened(notify.Enter, "van"))
		}
	})
}
