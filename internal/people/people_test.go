package people_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/people"
)

// cheap is a cost for tests.
var cheap = people.Cost{Memory: 64, Time: 1, Lanes: 1}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	s, token := people.NewSession("ann", now)
	if s.Hash != people.HashToken(token.Reveal()) || !s.Live(now) || s.Live(now.Add(people.SessionIdle)) {
		t.Error("without use it ends after SessionIdle")
	}
	s.Seen = now.Add(people.SessionLife - time.Second)
	if !s.Live(s.Seen) || s.Live(now.Add(people.SessionLife)) {
		t.Error("in use it ends after SessionLife")
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	h, right := people.NewHasher(cheap), identity.NewToken("correct horse battery")
	hash, err := h.Hash(t.Context(), right)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("%q %v", hash, err)
	}
	if again, _ := h.Hash(t.Context(), right); again == hash {
		t.Error("two hashes of a password are the same: no salt")
	}
	for _, c := range []struct {
		hash, password string
		opens          bool
	}{{hash, "correct horse battery", true}, {hash, "correct horse batterY", false}, {hash, "", false}, {"", "", false}, {"", "correct horse battery", false}} {
		if opens, err := h.Opens(t.Context(), c.hash, identity.NewToken(c.password)); err != nil || opens != c.opens {
			t.Errorf("%q with %q: %v %v", c.hash, c.password, opens, err)
		}
	}
	// A hash of another cost still opens: the cost can be raised later.
	if opens, err := people.NewHasher(people.Cost{Memory: 128, Time: 2, Lanes: 1}).Opens(t.Context(), hash, right); err != nil || !opens {
		t.Errorf("after a change of cost: %v %v", opens, err)
	}
	for _, bad := range []string{"x", "$2a$10$abc", "$argon2id$v=19$m=4000000000,t=1,p=1$c2FsdHNhbHQ$c3Vtc3Vtc3Vtc3VtcwAA", hash[:len(hash)-40]} {
		if _, err := h.Opens(t.Context(), bad, right); !errors.Is(err, people.ErrHash) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a free turn and an ended request are both ready: one of them is chosen
		if _, err := h.Hash(ended, right); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestWhichPasswordsCanBeChosen(t *testing.T) {
	t.Parallel()
	for password, can := range map[string]bool{
		"": false, "short": false, "elevenchars": false, "twelve chars": true, "äöüäöüäöüäöü": true, "aaaaaaaaaaaaaaa": false,
		"ann@example.org": false, "ANN@example.org": false, strings.Repeat("ab", 64): true, strings.Repeat("ab", 65): false, "twelve char\xff": false,
	} {
		if why := people.CheckPassword(identity.NewToken(password), "ann@example.org"); (why == "") != can {
			t.Errorf("%q: %q", password, why)
		}
	}
}
