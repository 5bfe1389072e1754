package notify_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"outrider/notify"
)

func TestWordsTime(t *testing.T) {
	t.Parallel()
	at := func(year int, month time.Month, day, hour, minute int) time.Time {
		return time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	}
	for _, c := range []struct {
		what    string
		at, now time.Time
		zone    string
		want    string
	}{
		{"today", at(2026, 11, 24, 7, 42), at(2026, 11, 24, 7, 43), "UTC", "07:42"},
		{"no zone is UTC, and says so", at(2026, 11, 24, 7, 42), at(2026, 11, 24, 7, 43), "", "07:42 UTC"},
		{"an unknown zone is UTC", at(2026, 11, 24, 7, 42), at(2026, 11, 24, 7, 43), "Mars/Olympus", "07:42 UTC"},
		{"no zone, yesterday", at(2026, 11, 23, 22, 58), at(2026, 11, 24, 6, 0), "", "22:58 UTC on Mon 23 Nov"},
		{"the owner's clock", at(2026, 11, 24, 7, 42), at(2026, 11, 24, 7, 43), "Asia/Kolkata", "13:12"},
		{"summer time", at(2026, 7, 1, 7, 42), at(2026, 7, 1, 7, 43), "Europe/Berlin", "09:42"},
		{"yesterday", at(2026, 11, 23, 22, 58), at(2026, 11, 24, 6, 0), "UTC", "22:58 on Mon 23 Nov"},
		{"yesterday in UTC, today for the owner", at(2026, 11, 23, 23, 30), at(2026, 11, 24, 6, 0), "Europe/Berlin", "00:30"},
		{"today in UTC, yesterday for the owner", at(2026, 11, 24, 2, 0), at(2026, 11, 24, 18, 0), "America/Los_Angeles", "18:00 on Mon 23 Nov"},
		{"last year", at(2025, 12, 31, 23, 0), at(2026, 1, 1, 8, 0), "UTC", "23:00 on Wed 31 Dec 2025"},
		{"a year ago to the day", at(2025, 11, 24, 8, 0), at(2026, 11, 24, 8, 1), "UTC", "08:00 on Mon 24 Nov 2025"},
	} {
		a := notify.Alert{Kind: notify.Enter, At: c.at, TimeZone: c.zone, VehicleName: "Van", FenceName: "Depot"}
		want := "Van entered Depot at " + c.want + "."
		if got := notify.WordsFor("", nil).Text(a, c.now); got != want {
			t.Errorf("%s: %q, want %q", c.what, got, want)
		}
	}
}

func TestWordsNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, name, want string }{
		{"plain", "Van 12", "Van 12"},
		{"other scripts", "Xe tải số 5 🚚", "Xe tải số 5 🚚"},
		{"lines and tabs", " Van\n\t 12 \r\n", "Van 12"},
		{"direction tricks", "Van\u202e21", "Van 21"},
		{"broken UTF-8", "Van\xff", "Van�"},
		{"looks like a place", "{{2}}", "{{2}}"},
		{"empty: the id", " \n", "van-12"},
		{"long", strings.Repeat("ä", 200), strings.Repeat("ä", 79) + "…"},
	} {
		a := notify.Alert{Kind: notify.Exit, At: noon, Vehicle: "van-12", VehicleName: c.name, FenceName: "Depot", TimeZone: "UTC"}
		if got := notify.WordsFor("xx", nil).Params(a, noon)[0]; got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
		if got := notify.WordsFor("xx", nil).Text(a, noon); got != c.want+" left Depot at 12:00." {
			t.Errorf("%s: text %q", c.what, got)
		}
	}
}

// What Meta rejects in a template's body, and what the reference says of buttons.
func TestOwnTemplatesPassMetasRules(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(`\{\{\d\}\}`)
	name := regexp.MustCompile(`^[a-z0-9_]+$`)
	var templates []notify.OwnTemplate
	for _, language := range notify.Languages() {
		for _, kind := range notify.Kinds() {
			templates = append(templates, notify.OwnTemplateFor(kind, language, nil))
		}
	}
	for _, tm := range templates {
		places := place.FindAllString(tm.Body, -1)
		if strings.Join(places, "") != "{{1}}{{2}}{{3}}" || len(tm.Example) != len(places) {
			t.Errorf("%s %s: places %v with %d examples", tm.Name, tm.Language, places, len(tm.Example))
		}
		if place.MatchString(tm.Body[:5]) || strings.HasSuffix(tm.Body, "}}") {
			t.Errorf("%s: body starts or ends with a place: %q", tm.Name, tm.Body)
		}
		if words := len(strings.Fields(tm.Body)); words < 4*len(places) {
			t.Errorf("%s %s: %d words for %d places", tm.Name, tm.Language, words, len(places))
		}
		if !name.MatchString(tm.Name) || len(tm.Buttons) == 0 || len(tm.Buttons) > 3 {
			t.Errorf("%s: name or buttons %v", tm.Name, tm.Buttons)
		}
		for _, b := range tm.Buttons {
			if len([]rune(b.Title)) > 20 || b.Title == "" || !strings.HasSuffix(b.Payload, ":{{1}}") {
				t.Errorf("%s %s: button %+v", tm.Name, tm.Language, b)
			}
		}
	}
}

func ExampleWords() {
	seen := time.Date(2026, 11, 24, 6, 30, 0, 0, time.UTC)
	a := notify.Alert{Kind: notify.Exit, VehicleName: "Van 12", FenceName: "Depot North", TimeZone: "Europe/Berlin",
		At: time.Date(2026, 11, 23, 21, 58, 0, 0, time.UTC)}
	words := notify.WordsFor("en_GB", nil)
	fmt.Println(words.Text(a, seen))
	fmt.Println(words.Buttons(notify.Delivery{Alert: a}, notify.PlainArgument)[0].Title)
	// Output:
	// Van 12 left Depot North at 22:58 on Mon 23 Nov.
	// Where is it now?
}
