package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"outrider/identity"
)

// The bounds of a password in characters, after NIST SP 800-63B: length alone counts, and no mixture is asked for.
const (
	PasswordLeast = 12
	PasswordMost  = 128
)

// Cost is what an Argon2id hash costs (RFC 9106).
type Cost struct {
	Memory uint32 // KiB
	Time   uint32 // passes
	Lanes  uint8
}

// DefaultCost takes 19 MiB and some 20 ms: OWASP's first choice.
var DefaultCost = Cost{Memory: 19 << 10, Time: 2, Lanes: 1}

// parallelHashes is how many hashes are computed at once: memory and processor stay bounded under a flood of guesses.
const parallelHashes = 2

const (
	saltLength = 16
	hashLength = 32
)

// ErrHash says that a kept hash is not one of ours.
var ErrHash = errors.New("people: invalid password hash")

// Hasher hashes and checks passwords. It is safe for many goroutines.
type Hasher struct {
	cost  Cost
	turns chan struct{} // one for each hash that may be computed at once
	decoy string        // is checked where there is no hash, so that this takes as long
}

// NewHasher returns a hasher of a cost.
func NewHasher(cost Cost) *Hasher {
	h := &Hasher{cost: cost, turns: make(chan struct{}, parallelHashes)}
	h.decoy = h.hash(rand.Text())
	return h
}

// Hash returns a password's hash in PHC form, waiting for its turn.
func (h *Hasher) Hash(ctx context.Context, password identity.Token) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return h.hash(password.Reveal()), nil
}

func (h *Hasher) hash(password string) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, h.cost.Time, h.cost.Memory, h.cost.Lanes, hashLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Time, h.cost.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// Opens reports whether the password is the one of the hash. An empty hash is nobody's, and takes as long to say.
func (h *Hasher) Opens(ctx context.Context, hash string, password identity.Token) (bool, error) {
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	nobody := hash == ""
	if nobody {
		hash = h.decoy
	}
	cost, salt, want, err := parse(hash)
	if err != nil {
		return false, err
	}
	sum := argon2.IDKey([]byte(password.Reveal()), salt, cost.Time, cost.Memory, cost.Lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(sum, want) == 1 && !nobody, nil
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Hasher) leave() { <-h.turns }

// parse reads a hash in PHC form. A cost that could stop the process is refused.
func parse(hash string) (c Cost, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, ErrHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Lanes); err != nil {
		return c, nil, nil, ErrHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	sum, sumErr := base64.RawStdEncoding.DecodeString(parts[5])
	sound := c.Memory >= 8 && c.Memory <= 1<<20 && c.Time >= 1 && c.Time <= 16 && c.Lanes >= 1 && c.Lanes <= 16
	if saltErr != nil || sumErr != nil || !sound || len(salt) < 8 || len(sum) < 16 || len(sum) > 64 {
		return c, nil, nil, ErrHash
	}
	return c, salt, sum, nil
}

// CheckPassword says why a password cannot be chosen; empty: it can.
func CheckPassword(password identity.Token, user UserID) string {
	text := password.Reveal()
	n := utf8.RuneCountInString(text)
	switch {
	case !utf8.ValidString(text):
		return "expected valid UTF-8"
	case n < PasswordLeast, n > PasswordMost:
		return fmt.Sprintf("expected %d to %d characters, found %d", PasswordLeast, PasswordMost, n)
	case strings.Count(text, text[:1]) == len(text):
		return "expected more than one character over and over"
	case user != "" && strings.EqualFold(text, string(user)):
		return "expected another text than the name one signs in with"
	}
	return ""
}
