package notify

import (
	"strconv"
	"strings"
	"time"
)

// calendar is how a language writes dates and times. Layouts are those of package time for the clock, and have
// the places {clock}, {weekday}, {day}, {month} and {year} for the rest.
type calendar struct {
	clock, day, year string
	weekdays         [7]string // from Sunday
	months           [12]string
}

// calendarFor returns the calendar of a language as it is written in a locale's region.
func calendarFor(language, locale string) calendar {
	c := calendars()[language]
	region := ""
	if i := strings.LastIndexAny(locale, "_-"); i >= 0 {
		region = strings.ToUpper(locale[i+1:])
	}
	if language == "en" && (region == "US" || region == "PH") {
		c.clock = "3:04 PM"
		c.day, c.year = "{clock} on {weekday}, {month} {day}", "{clock} on {weekday}, {month} {day}, {year}"
	}
	if language == "en" && (region == "AU" || region == "IN" || region == "CA" || region == "NZ") {
		c.clock = "3:04 pm"
	}
	return c
}

func calendars() map[string]calendar {
	return map[string]calendar{
		"en": {
			clock: "15:04", day: "{clock} on {weekday} {day} {month}", year: "{clock} on {weekday} {day} {month} {year}",
			weekdays: [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
			months:   [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		},
		"de": {
			clock: "15:04", day: "{clock} am {weekday}, {day}. {month}", year: "{clock} am {weekday}, {day}. {month} {year}",
			weekdays: [7]string{"So.", "Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa."},
			months:   [12]string{"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."},
		},
		"es": {
			clock: "15:04", day: "{clock} del {weekday}, {day} de {month}", year: "{clock} del {weekday}, {day} de {month} de {year}",
			weekdays: [7]string{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"},
			months:   [12]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"},
		},
		"pt_BR": {
			clock: "15:04", day: "{clock} de {weekday}, {day} de {month}", year: "{clock} de {weekday}, {day} de {month} de {year}",
			weekdays: [7]string{"dom.", "seg.", "ter.", "qua.", "qui.", "sex.", "sáb."},
			months:   [12]string{"jan.", "fev.", "mar.", "abr.", "mai.", "jun.", "jul.", "ago.", "set.", "out.", "nov.", "dez."},
		},
		"hi": {
			clock: "3:04 pm", day: "{weekday}, {day} {month}, {clock}", year: "{weekday}, {day} {month} {year}, {clock}",
			weekdays: [7]string{"रवि", "सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि"},
			months: [12]string{"जन॰", "फ़र॰", "मार्च", "अप्रैल", "मई", "जून", "जुल॰", "अग॰", "सित॰", "अक्टू॰",
				"नव॰", "दिस॰"},
		},
		"vi": {
			clock: "15:04", day: "{clock} {weekday}, {day}/{month}", year: "{clock} {weekday}, {day}/{month}/{year}",
			weekdays: [7]string{"Chủ nhật", "thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy"},
			months:   [12]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"},
		},
	}
}

// when is the time of day of at, with the date unless it is today's, both in the zone of at. named adds the
// zone's name.
func (c calendar) when(at, today time.Time, named bool) string {
	clock := at.Format(c.clock)
	if named {
		clock += at.Format(" MST")
	}
	layout := placed(c.year)
	switch {
	case at.Year() == today.Year() && at.YearDay() == today.YearDay():
		return clock
	case at.Year() == today.Year():
		layout = placed(c.day)
	}
	return layout.fill(places{
		"clock": clock, "weekday": c.weekdays[at.Weekday()], "day": strconv.Itoa(at.Day()),
		"month": c.months[at.Month()-1], "year": strconv.Itoa(at.Year()),
	})
}
