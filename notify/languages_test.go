package notify_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"outrider/identity"
	"outrider/notify"
)

func alertOf(kind notify.Kind) notify.Alert {
	return notify.Alert{Kind: kind, Vehicle: "van-12", VehicleName: "Van 12", Fence: "depot", FenceName: "Depot", TimeZone: "UTC",
		At: noon.Add(-18 * time.Minute)}
}

// Every kind of event is told in every language, and the texts of different kinds and languages differ.
func TestEveryKindInEveryLanguage(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, language := range notify.Languages() {
		w := notify.WordsFor(language, nil)
		if w.Language != language {
			t.Errorf("%s speaks %s", language, w.Language)
		}
		for _, kind := range notify.Kinds() {
			a := alertOf(kind)
			for what, text := range map[string]string{"text": w.Text(a, noon), "title": w.Title(a)} {
				if !strings.Contains(text, "Van 12") || !strings.Contains(text, "Depot") || strings.ContainsAny(text, "{}") {
					t.Errorf("%s %s %s: %q", language, kind, what, text)
				}
				if (what == "text") != strings.Contains(text, ":42") {
					t.Errorf("%s %s %s: %q has the time, or lacks it", language, kind, what, text)
				}
				if other, twice := seen[text]; twice {
					t.Errorf("%s %s %s reads as %s: %q", language, kind, what, other, text)
				}
				seen[text] = language + " " + string(kind)
			}
		}
	}
}

func TestExitTellsHowLongInside(t *testing.T) {
	t.Parallel()
	a := alertOf(notify.Exit)
	a.Inside = 2*time.Hour + 5*time.Minute
	for locale, want := range map[string]string{
		"en":    "Van 12 left Depot at 11:42, after 2 hours 5 minutes inside.",
		"de":    "Van 12 hat Depot um 11:42 (Aufenthalt: 2 Stunden 5 Minuten) verlassen.",
		"es":    "Van 12 salió de Depot a las 11:42, tras 2 horas 5 minutos dentro.",
		"pt_BR": "Van 12 saiu de Depot às 11:42, depois de 2 horas 5 minutos dentro.",
		"hi":    "Van 12 11:42 am (2 घंटे 5 मिनट अंदर रहने के बाद) पर Depot से निकली।",
		"vi":    "Van 12 đã rời Depot lúc 11:42, sau 2 giờ 5 phút ở bên trong.",
	} {
		if got := notify.WordsFor(locale, nil).Text(a, noon); got != want {
			t.Errorf("%s:\n got %q\nwant %q", locale, got, want)
		}
	}
	if p := notify.WordsFor("en", nil).Params(a, noon)[2]; p != "11:42, after 2 hours 5 minutes inside" {
		t.Errorf("the template's time is %q", p)
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d    time.Duration
		want string // en | de | pt_BR | hi | vi
	}{
		{30 * time.Second, "less than a minute|weniger als eine Minute|menos de um minuto|एक मिनट से कम|chưa đến một phút"},
		{time.Minute, "1 minute|1 Minute|1 minuto|1 मिनट|1 phút"},
		{time.Hour, "1 hour|1 Stunde|1 hora|1 घंटा|1 giờ"},
		{61 * time.Minute, "1 hour 1 minute|1 Stunde 1 Minute|1 hora 1 minuto|1 घंटा 1 मिनट|1 giờ 1 phút"},
		{49*time.Hour + 20*time.Minute, "2 days 1 hour|2 Tage 1 Stunde|2 dias 1 hora|2 दिन 1 घंटा|2 ngày 1 giờ"},
		{24 * time.Hour, "1 day|1 Tag|1 dia|1 दिन|1 ngày"},
	} {
		var got []string
		for _, locale := range []string{"en", "de", "pt_BR", "hi", "vi"} {
			got = append(got, notify.WordsFor(locale, nil).Duration(c.d))
		}
		if text := strings.Join(got, "|"); text != c.want {
			t.Errorf("%s: %q, want %q", c.d, text, c.want)
		}
	}
}

func TestDatesByLocale(t *testing.T) {
	t.Parallel()
	a := alertOf(notify.Enter)
	a.At = time.Date(2026, 11, 23, 21, 5, 0, 0, time.UTC)
	for locale, want := range map[string]string{
		"en_GB": "21:05 on Mon 23 Nov", "en_US": "9:05 PM on Mon, Nov 23", "en-AU": "9:05 pm on Mon 23 Nov", "": "21:05 on Mon 23 Nov",
		"de_AT": "21:05 am Mo., 23. Nov.", "es_MX": "21:05 del lun, 23 de nov", "pt_PT": "21:05 de seg., 23 de nov.",
		"hi_IN": "सोम, 23 नव॰, 9:05 pm", "vi_VN": "21:05 thứ Hai, 23/11", "fr_FR": "21:05 on Mon 23 Nov",
	} {
		if got := notify.WordsFor(locale, nil).Params(a, noon)[2]; got != want {
			t.Errorf("%q: %q, want %q", locale, got, want)
		}
	}
	a.At = a.At.AddDate(-1, 0, 0)
	if got := notify.WordsFor("de", nil).Params(a, noon)[2]; got != "21:05 am So., 23. Nov. 2025" {
		t.Errorf("last year: %q", got)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	var alerts []notify.Alert
	for i := range 60 {
		a := alertOf(notify.Exit)
		a.VehicleName, a.At = fmt.Sprintf("Van %d", i+1), noon.Add(time.Duration(i-60)*time.Minute)
		alerts = append(alerts, a)
	}
	if got := notify.WordsFor("en", nil).Digest(alerts[:2], noon); got != "While you were away, 2 things happened:\n• Van 1 left Depot at 11:00.\n• Van 2 left Depot at 11:01." {
		t.Errorf("two: %q", got)
	}
	for language, want := range map[string][2]string{
		"en": {"While you were away, one thing happened:", "… and one thing before that."},
		"de": {"Während Sie weg waren, gab es eine Meldung:", "… und eine Meldung davor."},
		"es": {"Mientras no estaba, pasó una cosa:", "… y una cosa antes."},
		"vi": {"Khi bạn vắng mặt, có 1 việc đã xảy ra:", "… và 1 việc trước đó."},
	} {
		w := notify.WordsFor(language, nil)
		one, many := w.Digest(alerts[:1], noon), w.Digest(alerts[:21], noon)
		if head, _, _ := strings.Cut(one, "\n"); head != want[0] {
			t.Errorf("%s: head %q", language, head)
		}
		if line := strings.Split(many, "\n")[1]; line != want[1] {
			t.Errorf("%s: rest %q", language, line)
		}
	}
	for i := range alerts {
		alerts[i].VehicleName, alerts[i].FenceName = strings.Repeat("ж", 80), strings.Repeat("क", 80)
	}
	for _, language := range notify.Languages() {
		text := notify.WordsFor(language, nil).Digest(alerts, noon)
		if len(text) > 1999 || !utf8.ValidString(text) || !strings.Contains(text, "•") {
			t.Errorf("%s: %d bytes: %q", language, len(text), text)
		}
	}
}

func TestCardTextsFit(t *testing.T) {
	t.Parallel()
	for _, language := range notify.Languages() {
		w := notify.WordsFor(language, nil)
		for _, kind := range notify.Kinds() {
			a := alertOf(kind)
			a.VehicleName, a.FenceName, a.Inside = strings.Repeat("ä", 200), strings.Repeat("क", 200), 99*24*time.Hour
			a.At = a.At.AddDate(-1, 0, 0)
			title, when := utf8.RuneCountInString(w.Title(a)), utf8.RuneCountInString(w.Subtitle(a, noon))
			if title > 80 || when > 80 || title < 40 || when == 0 {
				t.Errorf("%s %s: title of %d, subtitle of %d", language, kind, title, when)
			}
			if !strings.Contains(w.Title(a), "क") || !strings.Contains(w.Title(a), "ä") {
				t.Errorf("%s %s: %q lost a name", language, kind, w.Title(a))
			}
		}
	}
}

func TestATenantsOwnWords(t *testing.T) {
	t.Parallel()
	own := identity.Texts{"de": {
		"exit": "Achtung: {vehicle} weg aus {fence} ({time}) {unbekannt}", "where": "Wo?",
		"exit_template": "Achtung, Ihr Wagen {vehicle} ist weg aus {fence} seit {time} und das sollten Sie wissen.",
	}}
	a := alertOf(notify.Exit)
	a.VehicleName = "{fence}"
	w := notify.WordsFor("de_DE", own)
	if got := w.Text(a, noon); got != "Achtung: {fence} weg aus Depot (11:42) {unbekannt}" {
		t.Errorf("text %q", got)
	}
	if got := notify.WordsFor("en", own).Text(a, noon); got != "{fence} left Depot at 11:42." {
		t.Errorf("another language: %q", got)
	}
	if b := w.Buttons(notify.Delivery{Alert: a}, notify.PlainArgument); b[0].Title != "Wo?" || b[1].Title != "1 Stunde stumm" {
		t.Errorf("buttons %v", b)
	}
	tm, standard := notify.OwnTemplateFor(notify.Exit, "de_DE", own), notify.OwnTemplateFor(notify.Exit, "de_DE", nil)
	if tm.Name == standard.Name || !strings.HasPrefix(tm.Name, "outrider_exit_t") || standard.Name != "outrider_exit_v2" {
		t.Errorf("names %q and %q", tm.Name, standard.Name)
	}
	if kind, ours := notify.OwnKind(tm.Name); kind != notify.Exit || !ours {
		t.Errorf("kind %q of %q", kind, tm.Name)
	}
	if en := notify.OwnTemplateFor(notify.Exit, "en", own); en.Name != "outrider_exit_v2" {
		t.Errorf("the English template is %q", en.Name)
	}
	for name, text := range own["de"] {
		if err := notify.CheckText(name, strings.ReplaceAll(text, " {unbekannt}", "")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	for _, language := range notify.Languages() {
		for _, name := range notify.TextNames() {
			if err := notify.CheckText(name, notify.StandardText(name, language)); err != nil {
				t.Errorf("the gateway's own %s in %s: %v", name, language, err)
			}
		}
	}
	long := strings.Repeat("word ", 20)
	for _, c := range []struct{ name, text, want string }{
		{"minutes", "x", "unknown text"},
		{"exit", "", "expected 1 to 300 characters, found 0"},
		{"exit", "two\nlines", "one line"},
		{"exit", "{vehicle} {speed}", "unknown place {speed}; expected {vehicle}, {fence}, {time}"},
		{"exit_title", "{vehicle} {time}", "unknown place {time}"},
		{"where", "{vehicle}?", "unknown place {vehicle}; expected none"},
		{"where", "Where in the world is it?", "1 to 20 characters"},
		{"exit_template", long + "{fence} {vehicle} {time} end", "in this order"},
		{"exit_template", long + "{vehicle} {fence} {time}", "after the last"},
		{"exit_template", "a {vehicle} {fence} {time} b", "twelve words"},
	} {
		if err := notify.CheckText(c.name, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %q", c.name, c.text, err, c.want)
		}
	}
}

// What was approved cannot be edited: whoever changes a template's words or buttons raises TemplateVersion, and then
// this hash.
func TestTemplatesOfAVersionNeverChange(t *testing.T) {
	t.Parallel()
	const version, want = 2, "f5f044b42d41347b"
	h := sha256.New()
	for _, language := range notify.Languages() {
		for _, kind := range notify.Kinds() {
			tm := notify.OwnTemplateFor(kind, language, nil)
			fmt.Fprintln(h, tm.Name, tm.Language, tm.Body, tm.Buttons)
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)[:8]); notify.TemplateVersion != version || got != want {
		t.Errorf("version %d has hash %s", notify.TemplateVersion, got)
	}
}

func TestButtonsOfAnAlert(t *testing.T) {
	t.Parallel()
	a := alertOf(notify.Enter)
	a.Vehicle, a.Fence = "user/phone:1", "a:b%"
	var got []string
	for _, b := range notify.WordsFor("en", nil).Buttons(notify.Delivery{Alert: a}, notify.PlainArgument) {
		got = append(got, b.Title+"="+b.Payload)
		if action, argument, ok := notify.SplitPayload(b.Payload); !ok || string(action)+":"+argument != b.Payload {
			t.Errorf("payload %q splits into %q %q %v", b.Payload, action, argument, ok)
		}
	}
	want := "Where is it now?=WHERE:user%2Fphone%3A1 Mute for 1 hour=MUTE:user%2Fphone%3A1:3600 Turn this fence off=OFF:user%2Fphone%3A1:a%3Ab%25"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if _, _, ok := notify.SplitPayload("GET_STARTED"); ok {
		t.Error("a foreign payload was taken for an alert's")
	}
}
