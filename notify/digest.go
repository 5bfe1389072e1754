package notify

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a digest. Meta's limit of a text is 2,000 characters; a digest stays below it in bytes, too.
const (
	digestLines = 20
	digestBytes = 1800
)

// Digest tells in one message of everything that was held while a person was away, oldest first. When it is too
// much for one message, the newest are told and the others counted.
func (w Words) Digest(alerts []Alert, now time.Time) string {
	var lines []string
	size, left := 0, len(alerts)
	for left > 0 && len(lines) < digestLines {
		line := "• " + w.Text(alerts[left-1], now)
		if size+len(line)+1 > digestBytes && len(lines) > 0 {
			break
		}
		lines, size, left = append(lines, line), size+len(line)+1, left-1
	}
	text := []string{w.count("away", len(alerts))}
	if left > 0 {
		text = append(text, w.count("earlier", left))
	}
	for i := range lines {
		text = append(text, lines[len(lines)-1-i])
	}
	return ClipBytes(strings.Join(text, "\n"), digestBytes+180)
}

// ClipBytes shortens a text to n bytes, at a character's border.
func ClipBytes(text string, n int) string {
	if len(text) <= n {
		return text
	}
	const ellipsis = "…"
	cut := n - len(ellipsis)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + ellipsis
}
