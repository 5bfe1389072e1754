package messenger

import (
	"strings"
	"unicode/utf8"

	"outrider/identity"
	"outrider/notify"
)

// said is what a message says.
func (m messageEvent) said() notify.Said {
	w := notify.Said{Kind: notify.SaidText, MessageID: string(m.Mid), Text: string(m.Text), Payload: string(m.QuickReply.v.Payload)}
	switch {
	case w.Payload != "":
		w.Kind = notify.SaidQuickReply
	case w.Text == "":
		w.Kind = notify.SaidAttachment
		for _, a := range m.Attachments.v {
			w.Payload = strings.TrimPrefix(w.Payload+","+string(a.Type), ",")
		}
	}
	return w
}

// LinkPayload is what stands before a link code in the payload of a button or quick reply: tapping it links.
const LinkPayload = "LINK:"

// codeIn returns the hash of the link code that an event brought: as ref of the link that was followed, or in the
// payload of what was tapped.
func codeIn(ref, payload flexString) identity.CodeHash {
	if ref != "" {
		return identity.HashCode(string(ref))
	}
	code, _ := strings.CutPrefix(string(payload), LinkPayload)
	if code == string(payload) {
		return ""
	}
	return identity.HashCode(code)
}

// hear notes what the person said, unless it was a link code or is not for us. A code is a secret: it goes nowhere.
func (d *decoded) hear(e *notify.ThreadEvent, t thread, w notify.Said) {
	if !d.hears || t.standby || strings.HasPrefix(w.Payload, LinkPayload) {
		return
	}
	w.Page, w.PSID, w.At = t.page, t.psid, t.time
	w.Text, w.Payload = cut(w.Text), cut(w.Payload)
	e.Said = &w
}

// cut shortens a text to what is kept of it, at a character's end.
func cut(s string) string {
	if len(s) <= notify.MaxSaid {
		return s
	}
	end := notify.MaxSaid
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
