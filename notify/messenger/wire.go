package messenger

import "encoding/json"

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
	Linking  json.RawMessage `json:"account_linking"`

	// These have no meaning here and are counted by kind.
	Edit     json.RawMessage `json:"message_edit"`
	Pass     json.RawMessage `json:"pass_thread_control"`
	Take     json.RawMessage `json:"take_thread_control"`
	Request  json.RawMessage `json:"request_thread_control"`
	Roles    json.RawMessage `json:"app_roles"`
	Feedback json.RawMessage `json:"response_feedback"`
}

type party struct {
	ID flexString `json:"id"`
}

type messageEvent struct {
	Mid         flexString                 `json:"mid"`
	Echo        flexBool                   `json:"is_echo"`
	Deleted     flexBool                   `json:"is_deleted"`
	Metadata    flexString                 `json:"metadata"`
	Text        flexString                 `json:"text"`
	QuickReply  flexPart[reply]            `json:"quick_reply"`
	Referral    flexPart[referral]         `json:"referral"`
	Attachments flexPart[[]heldAttachment] `json:"attachments"`
}

type reply struct {
	Payload flexString `json:"payload"`
}

type heldAttachment struct {
	Type flexString `json:"type"`
}

type postbackEvent struct {
	Mid      flexString         `json:"mid"`
	Title    flexString         `json:"title"`
	Payload  flexString         `json:"payload"`
	Referral flexPart[referral] `json:"referral"`
}

type reactionEvent struct {
	Action flexString `json:"action"`
}

// referral is how the person came: Ref is what the m.me link carried.
type referral struct {
	Ref    flexString `json:"ref"`
	Source flexString `json:"source"`
}

type optinEvent struct {
	Type    flexString `json:"type"`
	Ref     flexString `json:"ref"`
	LoginID flexString `json:"login_id"`
}

type linkingEvent struct {
	Status flexString `json:"status"`
	Code   flexString `json:"authorization_code"`
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
