package identity_test

import (
	"strings"
	"testing"
	"time"

	"outrider/identity"
)

func signet(t *testing.T) identity.Signet {
	t.Helper()
	s, err := identity.NewSignet(make([]byte, identity.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignet(t *testing.T) {
	t.Parallel()
	s := signet(t)
	ann, bob := identity.Contact{Page: "1", PSID: "71"}, identity.Contact{Page: "17", PSID: "1"} // the same digits in a row
	day := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	text := s.Sign(ann, "MUTE:van:3600", day)
	other, err := identity.NewSignet([]byte(strings.Repeat("x", identity.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name, text string
		from       identity.Contact
		at         time.Time
		command    string
		mark       identity.Mark
	}{
		{"its own", text, ann, day, "MUTE:van:3600", identity.Genuine},
		{"weeks later", text, ann, day.Add(80 * 24 * time.Hour), "MUTE:van:3600", identity.Genuine},
		{"a year later", text, ann, day.Add(365 * 24 * time.Hour), "MUTE:van:3600", identity.Outdated},
		{"tapped by another person", text, bob, day, "", identity.Forged},
		{"another vehicle", strings.Replace(text, "van", "car", 1), ann, day, "", identity.Forged},
		{"another day", strings.Replace(text, "!0", "!1", 1), ann, day, "", identity.Forged},
		{"cut short", text[:len(text)-1], ann, day, "", identity.Forged},
		{"no sum", "MUTE:van:3600!0gfg", ann, day, "", identity.Forged},
		{"not a day", "MUTE:van:3600!????abcdefghijklmnop", ann, day, "", identity.Forged},
		{"another key", other.Sign(ann, "MUTE:van:3600", day), ann, day, "", identity.Forged},
		{"never signed", "WHERE:van", ann, day, "WHERE:van", identity.Unsigned},
		{"nothing", "", ann, day, "", identity.Unsigned},
	} {
		if command, mark := s.Open(x.from, x.text, x.at); command != x.command || mark != x.mark {
			t.Errorf("%s: %q is %q, %v, want %q, %v", x.name, x.text, command, mark, x.command, x.mark)
		}
	}
	if over := len(text) - len("MUTE:van:3600"); over != 21 {
		t.Errorf("a signature takes %d characters, and Lex allows 50 for the whole", over)
	}
}

// Whatever arrives opens only if it is what was signed.
func FuzzSignet(f *testing.F) {
	f.Add("WHERE:van", "!0gfgAAAAAAAAAAAAAAAA")
	f.Add("a!b", "")
	f.Fuzz(func(t *testing.T, command, tail string) {
		s, c, now := signet(t), identity.Contact{Page: "1", PSID: "2"}, time.Unix(1_800_000_000, 0)
		if got, mark := s.Open(c, command+tail, now); mark == identity.Genuine && s.Sign(c, got, now) != command+tail {
			t.Errorf("%q opens as %q", command+tail, got)
		}
		if strings.Contains(command, "!") {
			return
		}
		if got, mark := s.Open(c, s.Sign(c, command, now), now); got != command || mark != identity.Genuine {
			t.Errorf("%q: %q %v", command, got, mark)
		}
	})
}
