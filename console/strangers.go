package console

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// keyPace is how often an address may come with a key that is none, for keys that people chose, since those of our own
// making cannot be guessed. Nor can sessions, but each look for one costs, and browsers come with ended ones.
var (
	keyPace     = pace{30, 0.5}
	sessionPace = otherPace
)

// friendsMost is for how many pairs of address and key it is remembered that they belong together; when it is full, all
// are forgotten.
const friendsMost = 10_000

// friend is an address that has come with a good key.
type friend struct {
	address string
	key     [sha256.Size]byte
}

// strangers slows down addresses that try keys. Once an address has tried too many it is refused without a look at what it
// brings, since an answer would tell whether a key is good; only a key that was good from there before goes on. It
// is safe for many goroutines.
type strangers struct {
	wrong   *buckets
	now     func() time.Time
	refused prometheus.Counter

	mu      sync.Mutex // guards friends
	friends map[friend]struct{}
}

func newStrangers(slow throttles, p pace, what string) *strangers {
	return &strangers{wrong: newBuckets(p), now: slow.now, refused: slow.refused.WithLabelValues(what), friends: map[friend]struct{}{}}
}

// errStranger says that an address has tried too many keys.
var errStranger = errors.New("console: too many wrong keys from this address")

// strangerWait is after how many seconds an address that was refused may try again.
const strangerWait = "2"

// meet is asked before a key is looked at.
func (s *strangers) meet(f friend) error {
	s.mu.Lock()
	_, known := s.friends[f]
	s.mu.Unlock()
	if known {
		return nil
	}
	if s.wrong.empty(f.address, s.now()) {
		s.refused.Inc()
		return errStranger
	}
	return nil
}

// judge is told what the key was.
func (s *strangers) judge(f friend, good bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.friends[f]
	switch {
	case good && !known:
		if len(s.friends) >= friendsMost {
			clear(s.friends)
		}
		s.friends[f] = struct{}{}
	case !good:
		delete(s.friends, f)
		s.wrong.take(f.address, s.now())
	}
}

// refuse answers a request that may not be made, with the header that belongs to its status.
func refuse(w http.ResponseWriter, p *huma.ErrorModel) {
	switch p.Status {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strangerWait)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="outrider"`)
	}
	writeProblem(w, p)
}
