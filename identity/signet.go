package identity

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Signet signs what a button sends back when it is tapped, for one person of one page, so that a payload that was
// changed, made up or taken from another person's conversation is told from our own. It is safe for many goroutines.
//
// A signed payload reads command, "!", the day in four digits of base 36, and 96 bits of HMAC-SHA256 in base64url. A
// command must hold no "!".
type Signet struct{ key []byte }

// Mark is what [Signet.Open] says of a payload.
type Mark uint8

// The marks.
const (
	Unsigned Mark = iota // no signature at all: a menu, a page's own template, a release before buttons were signed
	Genuine              // ours, for this person, not older than ButtonLife
	Outdated             // ours, for this person, but older
	Forged               // signed for somebody else, or changed
)

// String returns the mark as metrics write it.
func (m Mark) String() string { return [...]string{"unsigned", "genuine", "outdated", "forged"}[m] }

// ButtonLife is how long a signed button may change something. What it asks for is looked up at each tap, so that one
// which only asks does no harm later either.
const ButtonLife = 90 * 24 * time.Hour

const (
	signSeparator = "!"
	dayDigits     = 4
	signBytes     = 12
)

// NewSignet derives the signing key from the key that seals secrets (RFC 5869), so that neither tells of the other.
func NewSignet(sealKey []byte) (Signet, error) {
	key, err := hkdf.Key(sha256.New, sealKey, nil, "outrider buttons v1", sha256.Size)
	return Signet{key}, err
}

// Sign makes the payload of a button for a person.
func (s Signet) Sign(to Contact, command string, now time.Time) string {
	day := strconv.FormatInt(now.Unix()/86400, 36)
	day = strings.Repeat("0", max(0, dayDigits-len(day))) + day
	return command + signSeparator + day + s.sum(to, day, command)
}

// Open returns what a payload asks for, and what is to be thought of it. A forged one asks for nothing.
func (s Signet) Open(from Contact, payload string, now time.Time) (command string, mark Mark) {
	command, seal, signed := strings.Cut(payload, signSeparator)
	if !signed {
		return payload, Unsigned
	}
	if len(seal) <= dayDigits {
		return "", Forged
	}
	day, sum := seal[:dayDigits], seal[dayDigits:]
	n, err := strconv.ParseInt(day, 36, 64)
	if err != nil || !hmac.Equal([]byte(sum), []byte(s.sum(from, day, command))) {
		return "", Forged
	}
	if now.Sub(time.Unix(n*86400, 0)) > ButtonLife {
		return command, Outdated
	}
	return command, Genuine
}

func (s Signet) sum(c Contact, day, command string) string {
	h := hmac.New(sha256.New, s.key)
	for _, part := range []string{string(c.Page), string(c.PSID), day, command} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part)) // never fails
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:signBytes])
}
