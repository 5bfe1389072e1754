package chat

import (
	"slices"
	"strconv"
	"time"
)

// units are words for spans of time in every language, without accents.
var units = map[time.Duration][]string{
	time.Minute:        {"min", "mins", "minute", "minutes", "minuten", "minuto", "minutos", "मिनट", "phut"},
	time.Hour:          {"h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "hora", "horas", "घंटा", "घंटे", "gio", "tieng"},
	24 * time.Hour:     {"d", "day", "days", "tag", "tage", "dia", "dias", "दिन", "ngay"},
	7 * 24 * time.Hour: {"week", "weeks", "woche", "wochen", "semana", "semanas", "हफ्ता", "हफ्ते", "tuan"},
}

// ones are words for one.
var ones = []string{"a", "an", "one", "ein", "eine", "einen", "un", "una", "um", "uma", "एक", "mot"}

var tomorrows = []string{"tomorrow", "morgen", "manana", "amanha", "कल", "mai"}

// longest is the longest time that alerts can be muted for by saying so.
const longest = 30 * 24 * time.Hour

// span reads "for 2 hours", "eine Stunde", "until tomorrow". Neither: it was not said.
func span(words []string) (d time.Duration, tomorrow bool) {
	number := 0
	for _, w := range words {
		if slices.Contains(tomorrows, w) {
			return 0, true
		}
		if n, err := strconv.Atoi(w); err == nil && n > 0 && n < 10_000 {
			number = n
			continue
		}
		if digits, unit := splitUnit(w); digits > 0 {
			if u, ok := unitOf(unit); ok {
				return min(time.Duration(digits)*u, longest), false
			}
		}
		if slices.Contains(ones, w) {
			number = 1
			continue
		}
		if u, ok := unitOf(w); ok {
			return min(time.Duration(max(number, 1))*u, longest), false
		}
	}
	return 0, false
}

// splitUnit reads "2h".
func splitUnit(w string) (digits int, unit string) {
	i := 0
	for i < len(w) && i < 4 && w[i] >= '0' && w[i] <= '9' {
		digits = 10*digits + int(w[i]-'0')
		i++
	}
	return digits, w[i:]
}

func unitOf(word string) (time.Duration, bool) {
	for u, names := range units {
		if slices.Contains(names, word) {
			return u, true
		}
	}
	return 0, false
}
