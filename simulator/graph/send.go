package graph

import (
	"slices"
	"strconv"
	"time"
)

// send is POST /{page}/messages.
func (s *Sandbox) send(c *call) (any, *Error) {
	if !c.page.day.take(s.now()) {
		return nil, s.note(c, nil, usedUp())
	}
	if !c.page.second.take(s.now()) {
		return nil, s.note(c, nil, Throttled())
	}
	t, e := s.recipient(c)
	if e != nil {
		return nil, s.note(c, t, e)
	}
	t.asked++
	if chance(s.options.Seed, s.faults.LostRequest, "lost request", t.page, t.psid, strconv.Itoa(t.asked)) {
		c.cut = true
		return nil, nil
	}
	if c.params.has("sender_action") {
		return s.senderAction(c, t)
	}
	m, e := s.compose(c, t)
	if e == nil {
		e = s.trouble(t)
	}
	if e != nil {
		return nil, s.note(c, t, e)
	}
	return s.accept(c, t, m), nil
}

// note records a refusal of the Send API.
func (s *Sandbox) note(c *call, t *thread, e *Error) *Error {
	r := Refusal{Page: c.page.id, Time: s.now(), Error: e}
	if t != nil {
		r.PSID = t.psid
	}
	var m struct {
		Metadata string `json:"metadata"`
	}
	if c.params.object("message", &m) == nil {
		r.Metadata = m.Metadata
	}
	s.refusals = append(s.refusals, r)
	return e
}

// recipient finds the person a message is for.
func (s *Sandbox) recipient(c *call) (*thread, *Error) {
	var r params
	if !c.params.has("recipient") {
		return nil, badParam("The parameter recipient is required")
	}
	if e := c.params.object("recipient", &r); e != nil {
		return nil, e
	}
	if len(r) != 1 {
		return nil, badParam("Param recipient must hold exactly one of id, user_ref, login_id, comment_id, post_id")
	}
	if asid := r.text("login_id"); asid != "" {
		return s.consenting(c, asid)
	}
	id := r.text("id")
	if id == "" {
		return nil, badParam("Param recipient[id] must be a valid ID string (e.g., \"123\")")
	}
	t, ok := c.page.threads[id]
	if !ok {
		return nil, refuse(100, 2018001, "No matching user found")
	}
	return t, nil
}

// consenting finds the conversation with somebody who let the page write first while logging in; it begins with that.
func (s *Sandbox) consenting(c *call, asid string) (*thread, *Error) {
	u := s.users[asid]
	if u == nil || u.consents[c.page.id].IsZero() {
		return nil, refuse(100, 2018001, "No matching user found")
	}
	if s.now().Sub(u.consents[c.page.id]) >= 24*time.Hour {
		return nil, outsideWindow()
	}
	psid := u.logins[c.page.id]
	if psid == "" {
		psid = s.number()
		u.logins[c.page.id] = psid
		c.page.threads[psid] = &thread{page: c.page.id, psid: psid, name: u.name, invited: true}
	}
	t := c.page.threads[psid]
	if t.lastAction.IsZero() && !t.invited {
		return t, outsideWindow()
	}
	return t, nil
}

// senderAction is typing and seen marks.
func (s *Sandbox) senderAction(c *call, t *thread) (any, *Error) {
	known := []string{"mark_seen", "typing_on", "typing_off", "react", "unreact", "MARK_SEEN", "TYPING_ON", "TYPING_OFF", "REACT", "UNREACT"}
	switch {
	case !slices.Contains(known, c.params.text("sender_action")):
		return nil, s.note(c, t, badParam("Param sender_action must be one of {MARK_SEEN, TYPING_ON, TYPING_OFF, REACT, UNREACT}"))
	case c.params.has("message"):
		return nil, s.note(c, t, badParam("Cannot send a message and a sender action in one request"))
	case !t.open(s.now()):
		return nil, s.note(c, t, outsideWindow())
	}
	return map[string]string{"recipient_id": t.psid}, nil
}

// compose checks a message against every rule and renders it.
func (s *Sandbox) compose(c *call, t *thread) (Message, *Error) {
	m := Message{
		Page: t.page, PSID: t.psid, Type: c.params.text("messaging_type"), Tag: c.params.text("tag"),
		PushStyle: c.params.text("notification_type"), Time: s.now(), Arrived: c.arrived,
	}
	if !c.params.has("message") {
		return m, badParam("The parameter message is required")
	}
	var content params
	if e := c.params.object("message", &content); e != nil {
		return m, e
	}
	if e := s.checkType(&m, content); e != nil {
		return m, e
	}
	if e := s.render(&m, c.page, content); e != nil {
		return m, e
	}
	return m, s.checkWindow(&m, c.page, t)
}

// checkType checks messaging_type, tag and notification_type against each other.
func (s *Sandbox) checkType(m *Message, content params) *Error {
	if m.Type == "" && content.has("template") {
		m.Type = "UTILITY" // Meta's own samples leave it out
	}
	pushes := []string{"", "REGULAR", "SILENT_PUSH", "NO_PUSH"}
	switch {
	case !slices.Contains([]string{"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"}, m.Type):
		return badParam("Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG, UTILITY}")
	case !slices.Contains(pushes, m.PushStyle):
		return badParam("Param notification_type must be one of {REGULAR, SILENT_PUSH, NO_PUSH}")
	case m.Type == "MESSAGE_TAG" && m.Tag == "":
		return badParam("Param tag is required when messaging_type is MESSAGE_TAG")
	case m.Type != "MESSAGE_TAG" && m.Tag != "":
		return badParam("Param tag is only allowed when messaging_type is MESSAGE_TAG")
	case m.Type == "UTILITY" && !content.has("template"):
		return badParam("Invalid template type")
	}
	return nil
}

// checkWindow decides whether the message may be sent now.
func (s *Sandbox) checkWindow(m *Message, p *page, t *thread) *Error {
	now := s.now()
	m.InWindow = t.open(now)
	switch m.Type {
	case "UTILITY":
		return nil
	case "MESSAGE_TAG":
		return checkTag(m.Tag, p, t, now)
	}
	if !m.InWindow {
		return outsideWindow()
	}
	return nil
}

// checkTag decides whether a message tag may be used: since 2026-04-27 only HUMAN_AGENT, for seven days
// after the person's last message, and what a test has kept alive on the page.
func checkTag(tag string, p *page, t *thread, now time.Time) *Error {
	if slices.Contains(p.tags, tag) {
		return nil
	}
	if tag != "HUMAN_AGENT" {
		return badParam("Invalid parameter")
	}
	if t.lastMessage.IsZero() || now.Sub(t.lastMessage) >= 7*24*time.Hour {
		return outsideWindow()
	}
	return nil
}

// trouble is what goes wrong with a message that breaks no rule.
func (s *Sandbox) trouble(t *thread) *Error {
	if e := s.injectedError(t.page, t.psid); e != nil {
		return e
	}
	if t.refusal != nil {
		return t.refusal
	}
	draws := []struct {
		share float64
		kind  string
		err   *Error
	}{
		{s.faults.Unavailable, "unavailable", Unavailable()},
		{s.faults.Transient, "transient", Transient()},
		{s.faults.Throttled, "throttled", Throttled()},
	}
	for _, d := range draws {
		if chance(s.options.Seed, d.share, d.kind, t.page, t.psid, strconv.Itoa(t.asked)) {
			return d.err
		}
	}
	return nil
}

// accept delivers a message: the phone has it, and the webhooks about it are on their way.
func (s *Sandbox) accept(c *call, t *thread, m Message) any {
	m.Mid, m.Seq, t.invited = s.id("m_"), len(s.messages)+1, false
	m.Unheard = chance(s.options.Seed, s.faults.LostAnswer, "lost answer", t.page, t.psid, strconv.Itoa(t.asked))
	s.messages = append(s.messages, m)
	t.turns, t.unread = append(t.turns, turn{message: m.Seq}), true
	c.message, c.cut = &m, m.Unheard
	s.report(t, m)
	s.news.fire()
	return map[string]string{"recipient_id": t.psid, "message_id": m.Mid}
}

// report queues the webhooks about an accepted message.
func (s *Sandbox) report(t *thread, m Message) {
	echo := object{"mid": m.Mid, "is_echo": true, "app_id": s.options.AppID, "text": m.Text}
	if m.Metadata != "" {
		echo["metadata"] = m.Metadata
	}
	s.emitEcho(t, m.Time, echo)
	s.emit(t, "message_deliveries", m.Time, object{"delivery": object{
		"mids": []string{m.Mid}, "watermark": m.Time.UnixMilli(),
	}})
	if s.options.ReadAtOnce {
		s.emit(t, "message_reads", m.Time, object{"read": object{"watermark": m.Time.UnixMilli()}})
	}
}
