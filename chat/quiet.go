package chat

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"outrider/identity"
)

// offs are words for ending something, in every language, without accents.
var offs = []string{
	"off", "none", "no", "end", "cancel", "disable", "aus", "keine", "ausschalten", "beenden", "desactivar", "quitar", "sin", "desativar",
	"desligar", "sem", "बंद", "हटाओ", "tat", "bo", "huy",
}

// hoursOff is the argument that ends quiet hours.
const hoursOff = "off"

// clockTime is a time of day as people write it: 22, 22:00, 22h30, 22.30 Uhr, 10 pm, 22 giờ.
var clockTime = regexp.MustCompile(`(\d{1,2})(?:\s*[:.h]\s*(\d{2}))?\s*(am|pm|a\.m\.|p\.m\.)?`)

// quietHours reads two times of day, as "1320-420", or that there shall be none; empty: neither.
func quietHours(text string) string {
	var minutes []int
	for _, m := range clockTime.FindAllStringSubmatch(asciiDigits(strings.ToLower(text)), -1) {
		if n, ok := minuteOf(m[1], m[2], m[3]); ok {
			minutes = append(minutes, n)
		}
	}
	switch {
	case len(minutes) == 2 && minutes[0] != minutes[1]:
		return fmt.Sprintf("%d-%d", minutes[0], minutes[1])
	case len(minutes) == 0 && slices.ContainsFunc(tokens(text), func(w string) bool { return slices.Contains(offs, w) }):
		return hoursOff
	}
	return ""
}

// asciiDigits writes the digits of every script as 0 to 9.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII && unicode.IsDigit(r) {
			zero := r
			for unicode.IsDigit(zero-1) && r-zero < 9 {
				zero--
			}
			return '0' + (r - zero)
		}
		return r
	}, text)
}

func minuteOf(hours, minutes, half string) (int, bool) {
	h, err := strconv.Atoi(hours)
	m := 0
	if err == nil && minutes != "" {
		m, err = strconv.Atoi(minutes)
	}
	switch {
	case err != nil || m > 59:
		return 0, false
	case half != "" && (h < 1 || h > 12):
		return 0, false
	case strings.HasPrefix(half, "p"):
		h = h%12 + 12
	case half != "":
		h %= 12
	}
	if h == 24 && m == 0 {
		h = 0
	}
	return h*60 + m, h < 24
}

// hour writes minutes after midnight.
func hour(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// quiet sets the quiet hours, ends them, or says what they are and asks.
func (t *turn) quiet(argument string) (Reply, error) {
	var from, to int
	if argument == hoursOff {
		return t.with(t.l.say("quiet_off")), t.fleet.SetQuiet(t.ctx, t.o, identity.Quiet{})
	}
	if n, err := fmt.Sscanf(argument, "%d-%d", &from, &to); n == 2 && err == nil && from != to && min(from, to) >= 0 && max(from, to) < 24*60 {
		r := t.with(t.l.say("quiet_set", "from", hour(from), "to", hour(to)))
		r.Taps = append([]Tap{t.tap("b_quiet_off", Quiet, hoursOff)}, r.Taps...)
		return r, t.fleet.SetQuiet(t.ctx, t.o, identity.Quiet{From: from, To: to})
	}
	lines := []string{t.l.say("quiet_none"), t.l.say("quiet_ask")}
	r := Reply{Taps: []Tap{{"22:00 – 07:00", string(Quiet) + ":1320-420"}, {"23:00 – 06:00", string(Quiet) + ":1380-360"}}}
	if q := t.o.Quiet; q.Set() {
		lines[0] = t.l.say("quiet_now", "from", hour(q.From), "to", hour(q.To))
		r.Taps = append(r.Taps, t.tap("b_quiet_off", Quiet, hoursOff))
	}
	r.Text = strings.Join(lines, "\n")
	r.Taps = append(r.Taps, t.tap("b_help", Help, ""))
	return r, t.ask(wantsHours, Quiet, "")
}
