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

// envelope is a webhook as it comes.
type envelope struct {
	Object flexString        `json:"object"`
	Entry  []json.RawMessage `json:"entry"`
}

// entry is what a webhook tells about one page. Each event stays raw, so that one of an odd shape spoils no other.
type entry struct {
	ID        flexString        `json:"id"`
	Time      flexTime          `json:"time"`
	Messaging []json.RawMessage `json:"messaging"`
	Standby   []json.RawMessage `json:"standby"` // while another app has the conversation
	Changes   []json.RawMessage `json:"changes"`
}

// messaging is one event of a conversation. Exactly one of the objects is there.
type messaging struct {
	Sender    party    `json:"sender"`
	Recipient party    `json:"recipient"`
	Timestamp flexTime `json:"timestamp"`

	Message  json.RawMessage `json:"message"`
	Postback json.RawMessage `json:"postback"`
	Reaction json.RawMessage `json:"reaction"`
	Referral json.RawMessage `json:"referral"`
	Optin    json.RawMessage `json:"optin"`
	Delivery json.RawMessage `json:"delivery"`
	Read     json.RawMessage `json:"read"`
	Policy   json.RawMessage `json:"policy_enforcement"`
}

type party struct {
	ID flexString `json:"id"`
}

type messageEvent struct {
	Mid      flexString `json:"mid"`
	Echo     bool       `json:"is_echo"`
	Deleted  bool       `json:"is_deleted"`
	Metadata flexString `json:"metadata"`
}

type postbackEvent struct {
	Mid flexString `json:"mid"`
}

type reactionEvent struct {
	Action string `json:"action"`
}

type referralEvent struct {
	Source string `json:"source"`
}

type optinEvent struct {
	Type    flexString `json:"type"`
	LoginID flexString `json:"login_id"`
}

type markEvent struct {
	Mids      []flexString `json:"mids"`
	Watermark flexTime     `json:"watermark"`
}

type policyEvent struct {
	Action flexString `json:"action"`
	Reason flexString `json:"reason"`
}

type change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// templateChange is the status of a template. Two spellings of its members are known.
type templateChange struct {
	Event    string     `json:"event"`
	Status   string     `json:"message_template_status"`
	ID       flexString `json:"message_template_id"`
	Name     string     `json:"message_template_name"`
	Language string     `json:"message_template_language"`
	Reason   string     `json:"reason"`
}

// decoded is what one webhook says, in notify's words.
type decoded struct {
	events []notify.ThreadEvent
	counts map[string]int // by kind, of everything in the webhook
	policy []policyNote
	now    time.Time
}

type policyNote struct {
	page           identity.PageID
	action, reason string
}

// decode reads a webhook. It refuses what is not a JSON object of the outer shape; inside it, what has another
// shape than expected is counted and left out. now bounds the events' times: nobody acts in the future.
func decode(body []byte, now time.Time) (*decoded, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("messenger: decode webhook of %d bytes: %w", len(body), err)
	}
	d := &decoded{counts: map[string]int{}, now: now}
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
	for _, m := range slices.Concat(e.Messaging, e.Standby) {
		d.messaging(e, m)
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

func (d *decoded) messaging(e entry, raw json.RawMessage) {
	var m messaging
	if !d.read(raw, &m) {
		return
	}
	if present(m.Policy) {
		d.policyEnforcement(e, m.Policy)
		return
	}
	t := thread{page: pageOf(e, m), psid: identity.PSID(m.Sender.ID)}
	t.stamp, t.time = d.timeOf(e, m)
	switch {
	case present(m.Message):
		d.message(t, m)
	case present(m.Postback):
		var p postbackEvent
		if d.read(m.Postback, &p) {
			d.add(t, notify.ThreadAction, string(p.Mid), m.Postback, nil)
		}
	case present(m.Reaction):
		var r reactionEvent
		if d.read(m.Reaction, &r) {
			d.addIf(r.Action == "react", t, m.Reaction)
		}
	case present(m.Referral):
		// A click on an advertisement opens the window only with the message that follows.
		var r referralEvent
		if d.read(m.Referral, &r) {
			d.addIf(!strings.EqualFold(r.Source, "ADS"), t, m.Referral)
		}
	case present(m.Optin):
		// A plugin's. Subscribing to marketing messages, or logging in, does not open the window.
		var o optinEvent
		if d.read(m.Optin, &o) {
			d.addIf(o.Type == "" && o.LoginID == "", t, m.Optin)
		}
	case present(m.Delivery):
		d.mark(t, notify.ThreadDelivered, m.Delivery)
	case present(m.Read):
		d.mark(t, notify.ThreadRead, m.Read)
	default:
		d.counts[kindOther]++
	}
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

// thread is whose conversation an event belongs to, and when it happened.
type thread struct {
	page  identity.PageID
	psid  identity.PSID
	stamp time.Time // as Meta says: the same each time the event is repeated
	time  time.Time // the same, but never later than now
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
	case msg.Echo:
		t.psid = identity.PSID(m.Recipient.ID)
		d.add(t, notify.ThreadEcho, string(msg.Mid), m.Message, func(e *notify.ThreadEvent) {
			e.MessageID, e.Delivery = string(msg.Mid), ourID(string(msg.Metadata))
		})
	case msg.Deleted:
		d.counts[kindOther]++ // taking a message back is no message
	default:
		d.add(t, notify.ThreadAction, string(msg.Mid), m.Message, nil)
	}
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

// addIf adds an action if the condition holds, else counts an event without meaning.
func (d *decoded) addIf(ok bool, t thread, raw json.RawMessage) {
	if ok {
		d.add(t, notify.ThreadAction, "", raw, nil)
		return
	}
	d.counts[kindOther]++
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

func (d *decoded) policyEnforcement(e entry, raw json.RawMessage) {
	var p policyEvent
	if d.read(raw, &p) {
		d.counts[kindPolicy]++
		d.policy = append(d.policy, policyNote{identity.PageID(e.ID), string(p.Action), string(p.Reason)})
	}
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
		opens := e.Kind == notify.ThreadAction || e.Kind == notify.ThreadTemplate
		if opens && !slices.Contains(pages, e.Page) {
			pages = append(pages, e.Page)
		}
	}
	return pages
}
