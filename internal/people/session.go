package people

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"outrider/identity"
)

// How long a session lasts: without use, and at all.
const (
	SessionIdle = 12 * time.Hour
	SessionLife = 7 * 24 * time.Hour
)

// Session is a person's stay at the console in one browser. Its token is in the browser's cookie, and not kept.
type Session struct {
	Hash    string // of the token
	User    UserID
	Created time.Time
	Seen    time.Time // last use, to the minute
}

// NewSession begins a session and returns its token, which has 128 random bits.
func NewSession(user UserID, now time.Time) (Session, identity.Token) {
	token := rand.Text()
	return Session{Hash: HashToken(token), User: user, Created: now, Seen: now}, identity.NewToken(token)
}

// Live reports whether the session goes on.
func (s *Session) Live(now time.Time) bool {
	return now.Before(s.Seen.Add(SessionIdle)) && now.Before(s.Created.Add(SessionLife))
}

// HashToken is what is kept of a session's token.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
