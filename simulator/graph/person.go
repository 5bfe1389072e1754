package graph

import "time"

// object is a JSON object of a webhook.
type object = map[string]any

// Say lets a person write to the page: it opens the window and sends a messages webhook. It returns the
// message's id.
func (s *Sandbox) Say(page, psid, text string) (mid string, err error) {
	err = s.act(page, psid, func(t *thread, now time.Time) {
		mid = s.id("m_")
		t.lastMessage = now
		s.said(t, text, now)
		s.emit(t, "messages", now, object{"message": object{"mid": mid, "text": text}})
	})
	return mid, err
}

// Attach lets a person send a picture, a sticker, a voice message, a file or a place, without words.
func (s *Sandbox) Attach(page, psid, kind string) (mid string, err error) {
	err = s.act(page, psid, func(t *thread, now time.Time) {
		mid = s.id("m_")
		t.lastMessage = now
		payload := object{"url": "https://cdn.example/" + mid}
		if kind == "sticker" { // Meta sends it as a picture with the sticker's id
			kind, payload["sticker_id"] = "image", 369239263222822
		}
		s.said(t, "["+kind+"]", now)
		s.emit(t, "messages", now, object{"message": object{"mid": mid, "attachments": []object{{"type": kind, "payload": payload}}}})
	})
	return mid, err
}

// Tap lets a person tap a button or a quick reply, which opens the window. A payload that no message of the
// conversation offers is tapped in the page's menu.
func (s *Sandbox) Tap(page, psid, payload string) error {
	return s.act(page, psid, func(t *thread, now time.Time) {
		b := s.button(page, psid, payload)
		s.said(t, b.Title, now)
		if b.Kind == QuickReply {
			t.lastMessage = now
			s.emit(t, "messages", now, object{"message": object{
				"mid": s.id("m_"), "text": b.Title, "quick_reply": object{"payload": payload},
			}})
			return
		}
		s.emit(t, "messaging_postbacks", now, object{"postback": object{
			"mid": s.id("m_"), "title": b.Title, "payload": payload,
		}})
	})
}

// Follow lets a person follow the link m.me/{page}?ref={ref}. Who never acted before gets a Get Started
// button and taps it; an existing conversation reports a referral. Both open the window.
func (s *Sandbox) Follow(page, psid, ref string) error {
	return s.act(page, psid, func(t *thread, now time.Time) {
		referral := object{"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}
		if t.begun {
			s.emit(t, "messaging_referrals", now, object{"referral": referral})
			return
		}
		s.emit(t, "messaging_postbacks", now, object{"postback": object{
			"mid": s.id("m_"), "title": "Get Started", "payload": s.pages[page].getStarted(), "referral": referral,
		}})
	})
}

// React lets a person react to a message, which opens the window.
func (s *Sandbox) React(page, psid, mid, emoji string) error {
	return s.act(page, psid, func(t *thread, now time.Time) {
		s.emit(t, "message_reactions", now, object{"reaction": object{
			"reaction": "other", "emoji": emoji, "action": "react", "mid": mid,
		}})
	})
}

// Read lets a person read everything the page has sent. It does not open the window.
func (s *Sandbox) Read(page, psid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.thread(page, psid)
	if err != nil {
		return err
	}
	now := s.now()
	s.emit(t, "message_reads", now, object{"read": object{"watermark": now.UnixMilli()}})
	return nil
}

// Refuse makes every send to a person answer with the error, such as [Unavailable]; nil ends it.
func (s *Sandbox) Refuse(page, psid string, e *Error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.thread(page, psid)
	if err != nil {
		return err
	}
	t.refusal = e
	return nil
}

// Forget closes a person's window, as if 24 hours had passed.
func (s *Sandbox) Forget(page, psid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.thread(page, psid)
	if err != nil {
		return err
	}
	t.lastAction = time.Time{}
	return nil
}

// act does something that opens the window.
func (s *Sandbox) act(page, psid string, do func(t *thread, now time.Time)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.thread(page, psid)
	if err != nil {
		return err
	}
	now := s.now()
	t.lastAction = now
	do(t, now)
	t.begun = true
	return nil
}

// button finds the newest button with the payload in a conversation. Callers hold s.mu.
func (s *Sandbox) button(page, psid, payload string) Button {
	for i := len(s.messages) - 1; i >= 0; i-- {
		m := &s.messages[i]
		if m.Page != page || m.PSID != psid {
			continue
		}
		for _, b := range m.Buttons {
			if b.Payload == payload && b.Kind != Link {
				return b
			}
		}
	}
	return Button{Kind: Postback, Title: payload, Payload: payload}
}

// emit queues a webhook event from the person. Callers hold s.mu.
func (s *Sandbox) emit(t *thread, field string, at time.Time, content object) {
	content["sender"], content["recipient"] = object{"id": t.psid}, object{"id": t.page}
	content["timestamp"] = at.UnixMilli()
	s.post(t, field, at, content)
}

// emitEcho queues a webhook event about a message of the page. Callers hold s.mu.
func (s *Sandbox) emitEcho(t *thread, at time.Time, message object) {
	s.post(t, "message_echoes", at, object{
		"sender": object{"id": t.page}, "recipient": object{"id": t.psid},
		"timestamp": at.UnixMilli(), "message": message,
	})
}

// post hands an event of a conversation to the pump if the page subscribes to its field. Callers hold s.mu.
func (s *Sandbox) post(t *thread, field string, at time.Time, messaging object) {
	p := s.pages[t.page]
	t.events++
	if !p.subscribed || !p.fields[field] {
		return
	}
	s.pump.push(event{
		page: p.id, thread: t.page + "/" + t.psid, field: field, number: t.events, at: at,
		messaging: messaging, faults: s.faults,
	})
}
