package graph

import "time"

// turn is one message of a conversation, of either side.
type turn struct {
	message int       // Seq of what the page sent; 0: the person did something
	text    string    // what the person wrote, or the title of what they tapped
	at      time.Time // of what the person did
}

// said adds what a person did to their conversation. Callers hold s.mu.
func (s *Sandbox) said(t *thread, text string, at time.Time) {
	t.turns = append(t.turns, turn{text: text, at: at})
	s.news.fire()
}

// turns counts a conversation's messages; false when there is none.
func (s *Sandbox) turns(page, psid string) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.thread(page, psid)
	if err != nil {
		return 0, false
	}
	return len(t.turns), true
}

// look lets a person see everything: what they had not seen is read.
func (s *Sandbox) look(page, psid string) {
	s.mu.Lock()
	t, err := s.thread(page, psid)
	fresh := err == nil && t.unread
	if fresh {
		t.unread = false
	}
	s.mu.Unlock()
	if fresh && !s.options.ReadAtOnce {
		_ = s.Read(page, psid) // the person exists
	}
}

// image is the address of the picture of a message to a person; empty: there is none.
func (s *Sandbox) image(page, psid string, seq int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq < 1 || seq > len(s.messages) {
		return ""
	}
	if m := &s.messages[seq-1]; m.Page == page && m.PSID == psid {
		return m.Image
	}
	return ""
}
