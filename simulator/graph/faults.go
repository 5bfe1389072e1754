package graph

import (
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"time"
)

// Faults are what goes wrong. Each share is a probability from 0 to 1.
type Faults struct {
	LostRequest float64 // the connection is cut and the message not accepted
	LostAnswer  float64 // the message is accepted and the connection cut before the answer
	Unavailable float64 // refused with 551/1893047: the person is not available
	Transient   float64 // refused with code 2, is_transient true
	Throttled   float64 // refused with code 613

	LostEcho   float64 // message_echoes that never come
	Duplicate  float64 // webhooks sent twice
	Reorder    float64 // webhooks overtaken by the next one of the same conversation
	Seconds    float64 // webhooks whose timestamps are in seconds
	NumericIDs float64 // webhooks whose ids are JSON numbers

	Latency   time.Duration // before every answer
	EchoDelay time.Duration // before every message_echoes
}

// chance draws a yes with the given share. The draw depends on the seed and the words alone.
func chance(seed uint64, share float64, kind string, words ...string) bool {
	if share <= 0 {
		return false
	}
	return float64(draw(seed, kind, words...)>>11)/(1<<53) < share
}

// draw returns 64 well mixed bits that depend on the seed and the words alone.
func draw(seed uint64, kind string, words ...string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, strconv.FormatUint(seed, 36))
	_, _ = io.WriteString(h, "\x00"+kind)
	for _, w := range words {
		_, _ = io.WriteString(h, "\x00"+w)
	}
	return mix(h.Sum64())
}

// mix is the finaliser of SplitMix64: FNV alone leaves its upper bits too regular for a draw.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Hang makes every call of a page wait without an answer until the caller gives up.
func (s *Sandbox) Hang(page string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("hang page %q: %w", page, ErrUnknown)
	}
	p.hangs = true
	return nil
}

// hangs reports whether a path is one of a page that hangs.
func (s *Sandbox) hangs(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for part := range strings.SplitSeq(path, "/") {
		if p := s.pages[part]; p != nil && p.hangs {
			return true
		}
	}
	return false
}
