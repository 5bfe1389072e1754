package messenger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"outrider/identity"
	"outrider/notify"
)

// decoded is what one webhook says, in notify's words.
type decoded struct {
	events []notify.ThreadEvent
	counts map[string]int // by kind, of everything in the webhook
	now    time.Time
	hears  bool // somebody wants to hear what people say
}

// decode reads a webhook. It refuses what is not a JSON object of the outer shape; inside it, what has another
// shape than expected is counted and left out. now bounds the events' times: nobody acts in the future.
func decode(body []byte, now time.Time, hears bool) (*decoded, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("messenger: decode webhook of %d bytes: %w", len(body), err)
	}
	d := &decoded{counts: map[string]int{}, now: now, hears: hears}
	if e.Object != "page" {
		d.counts[kindForeign]++
		return d, nil
	}
	for _, raw := range e.Entry {
		d.entry(raw)
	}
	return d, nil
}

func (d *decoded) entry(raw json.RawMessage) {
	var e entry
	if !d.read(raw, &e) {
		return
	}
	for _, m := range e.Messaging {
		d.messaging(e, m, false)
	}
	for _, m := range e.Standby {
		d.messaging(e, m, true)
	}
	for _, c := range e.Changes {
		d.change(e, c)
	}
}

// read decodes a part, and counts it as broken when it has another shape.
func (d *decoded) read(raw json.RawMessage, v any) bool {
	if json.Unmarshal(raw, v) != nil {
		d.counts[kindBroken]++
		return false
	}
	return true
}

// messaging reads one event of a conversation. During standby another app has the conversation: what the person says
// opens the window all the same, but is not for us to answer.
func (d *decoded) messaging(e entry, raw json.RawMessage, standby bool) {
	var m messaging
	if !d.read(raw, &m) {
		return
	}
	t := thread{page: pageOf(e, m), psid: identity.PSID(m.Sender.ID), standby: standby}
	t.stamp, t.time = d.timeOf(e, m)
	switch {
	case present(m.Policy):
		d.policy(t, m.Policy)
	case present(m.Message):
		d.message(t, m)
	case present(m.Postback):
		d.postback(t, m.Postback)
	case present(m.Reaction):
		var r reactionEvent
		if d.read(m.Reaction, &r) {
			d.addIf(r.Action == "react", t, m.Reaction, "", kindOther)
		}
	case present(m.Referral):
		// A click on an advertisement opens the window only with the message that follows.
		var r referral
		if d.read(m.Referral, &r) {
			d.addIf(!strings.EqualFold(string(r.Source), "ADS"), t, m.Referral, r.Ref, kindOther)
		}
	case present(m.Optin):
		d.optin(t, m.Optin)
	case present(m.Linking):
		var l linkingEvent
		if d.read(m.Linking, &l) {
			d.addIf(false, t, m.Linking, l.Code, kindLinking)
		}
	case present(m.Delivery):
		d.mark(t, notify.ThreadDelivered, m.Delivery)
	case present(m.Read):
		d.mark(t, notify.ThreadRead, m.Read)
	default:
		d.counts[m.idle()]++
	}
}

// idle names an event that has no meaning here.
func (m messaging) idle() string {
	switch {
	case present(m.Edit):
		return kindEdit
	case present(m.Pass), present(m.Take), present(m.Request), present(m.Roles):
		return kindHandover
	case present(m.Feedback):
		return kindFeedback
	}
	return kindOther
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

// thread is whose conversation an event belongs to, and when it happened.
type thread struct {
	page  identity.PageID
	psid  identity.PSID
	stamp time.Time // as Meta says: the same each time the event is repeated
	time  time.Time // the same, but never later than now

	standby bool // another app has the conversation
}

// pageOf is the page of an event: the entry's, else the one that a person wrote to.
func pageOf(e entry, m messaging) identity.PageID {
	return identity.PageID(cmp.Or(e.ID, m.Recipient.ID))
}

// timeOf is the event's own time, the entry's if it has none: as it stands there, and never later than now.
func (d *decoded) timeOf(e entry, m messaging) (stamp, at time.Time) {
	stamp = m.Timestamp.Time
	if stamp.IsZero() {
		stamp = e.Time.Time
	}
	if stamp.IsZero() || stamp.After(d.now) {
		return stamp, d.now
	}
	return stamp, stamp
}

func (d *decoded) message(t thread, m messaging) {
	var msg messageEvent
	if !d.read(m.Message, &msg) {
		return
	}
	switch {
	case bool(msg.Echo):
		t.psid = identity.PSID(m.Recipient.ID)
		if string(t.page) == string(m.Recipient.ID) {
			t.page = identity.PageID(m.Sender.ID) // the entry did not name it: of an echo the page is the sender
		}
		d.add(t, notify.ThreadEcho, string(msg.Mid), m.Message, func(e *notify.ThreadEvent) {
			e.MessageID, e.Delivery = string(msg.Mid), ourID(string(msg.Metadata))
		})
	case bool(msg.Deleted):
		d.counts[kindOther]++ // taking a message back is no message
	default:
		said := msg.said()
		d.add(t, notify.ThreadAction, string(msg.Mid), m.Message, func(e *notify.ThreadEvent) {
			e.Code = codeIn(msg.Referral.v.Ref, msg.QuickReply.v.Payload)
			d.hear(e, t, said)
		})
	}
}

func (d *decoded) postback(t thread, raw json.RawMessage) {
	var p postbackEvent
	if !d.read(raw, &p) {
		return
	}
	said := notify.Said{Kind: notify.SaidPostback, MessageID: string(p.Mid), Text: string(p.Title), Payload: string(p.Payload)}
	d.add(t, notify.ThreadAction, string(p.Mid), raw, func(e *notify.ThreadEvent) {
		e.Code = codeIn(p.Referral.v.Ref, p.Payload)
		d.hear(e, t, said)
	})
}

// optin reads an opt-in. A plugin's opens the window; subscribing to marketing messages, or logging in, does not.
func (d *decoded) optin(t thread, raw json.RawMessage) {
	var o optinEvent
	if !d.read(raw, &o) {
		return
	}
	if o.LoginID == "" {
		d.addIf(o.Type == "", t, raw, o.Ref, kindOptin)
		return
	}
	if t.page == "" {
		d.counts[kindOther]++
		return
	}
	e := notify.ThreadEvent{Page: t.page, Time: t.time, Kind: notify.ThreadLogin, Login: identity.LoginID(o.LoginID)}
	e.Key = key(t, e.Kind, "", raw)
	d.events = append(d.events, e)
	d.counts[string(e.Kind)]++
}

// ourID is the delivery's id that an echo carries; other apps put their own things into metadata.
func ourID(metadata string) string {
	if _, err := hex.DecodeString(metadata); err != nil || len(metadata) != 32 {
		return ""
	}
	return metadata
}

func (d *decoded) mark(t thread, kind notify.ThreadKind, raw json.RawMessage) {
	var m markEvent
	if !d.read(raw, &m) {
		return
	}
	d.add(t, kind, "", raw, func(e *notify.ThreadEvent) {
		for _, mid := range m.Mids {
			if mid != "" {
				e.Mids = append(e.Mids, string(mid))
			}
		}
		e.Watermark = m.Watermark.Time
	})
}

// addIf adds an action if the condition holds; an event that brings a code all the same; and else counts the kind of
// an event without meaning.
func (d *decoded) addIf(opens bool, t thread, raw json.RawMessage, ref flexString, idle string) {
	kind := notify.ThreadAction
	if !opens {
		kind = notify.ThreadLink
	}
	if !opens && ref == "" {
		d.counts[idle]++
		return
	}
	d.add(t, kind, "", raw, func(e *notify.ThreadEvent) { e.Code = codeIn(ref, "") })
}

// add adds an event. Without page or person (a plugin's visitor has none yet) it has no meaning here.
func (d *decoded) add(t thread, kind notify.ThreadKind, mid string, raw json.RawMessage, more func(*notify.ThreadEvent)) {
	if t.page == "" || t.psid == "" {
		d.counts[kindOther]++
		return
	}
	e := notify.ThreadEvent{Key: key(t, kind, mid, raw), Page: t.page, PSID: t.psid, Time: t.time, Kind: kind}
	if more != nil {
		more(&e)
	}
	d.events = append(d.events, e)
	d.counts[string(kind)]++
}

// key names an event, so that its repetition is known: by the message's id, else by everything it says.
func key(t thread, kind notify.ThreadKind, mid string, raw json.RawMessage) string {
	if mid != "" {
		return string(kind) + ":" + mid
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%d\x00", t.page, t.psid, kind, t.stamp.UnixMilli())
	h.Write(raw)
	return string(kind) + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}

func (d *decoded) policy(t thread, raw json.RawMessage) {
	var p policyEvent
	if !d.read(raw, &p) {
		return
	}
	if t.page == "" {
		d.counts[kindBroken]++
		return
	}
	e := notify.ThreadEvent{Page: t.page, Time: t.time, Kind: notify.ThreadPolicy, Policy: notify.Policy{
		Action: notify.PolicyAction(strings.ToLower(string(p.Action))), Reason: cut(string(p.Reason)),
	}}
	e.Key = key(t, e.Kind, "", raw)
	d.events = append(d.events, e)
	d.counts[string(e.Kind)]++
}

func (d *decoded) change(e entry, raw json.RawMessage) {
	var c change
	if !d.read(raw, &c) {
		return
	}
	var v templateChange
	switch c.Field {
	case "message_template_status_update", "messenger_template_status_update":
		if !d.read(c.Value, &v) {
			return
		}
	default:
		d.counts[kindOther]++
		return
	}
	status := strings.ToUpper(cmp.Or(v.Event, v.Status))
	if e.ID == "" || v.Name == "" || v.Language == "" || status == "" {
		d.counts[kindBroken]++
		return
	}
	t := thread{page: identity.PageID(e.ID)}
	t.stamp, t.time = d.timeOf(e, messaging{})
	d.events = append(d.events, notify.ThreadEvent{
		Key: key(t, notify.ThreadTemplate, "", raw), Page: t.page, Time: t.time, Kind: notify.ThreadTemplate,
		Template: notify.Template{Page: t.page, Name: v.Name, Language: v.Language, ID: string(v.ID),
			Status: notify.TemplateStatus(status), Detail: reasonText(v.Reason), Checked: t.time},
	})
	d.counts[string(notify.ThreadTemplate)]++
}

// pages lists the pages for which deliveries have become due: a window opened, or a template was decided on. What
// an echo or a mark changes can wait for the dispatcher's next look, since one comes for every message.
func (d *decoded) pages() []identity.PageID {
	var pages []identity.PageID
	for _, e := range d.events {
		opens := e.Kind == notify.ThreadAction || e.Kind == notify.ThreadLink || e.Kind == notify.ThreadTemplate
		if opens && !slices.Contains(pages, e.Page) {
			pages = append(pages, e.Page)
		}
	}
	return pages
}
