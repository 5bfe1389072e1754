package mqtt

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Packet types, as in the upper half of a packet's first byte.
const (
	typeConnect     = 1
	typeConnack     = 2
	typePublish     = 3
	typePuback      = 4
	typePubrec      = 5
	typePubrel      = 6
	typePubcomp     = 7
	typeSubscribe   = 8
	typeSuback      = 9
	typeUnsubscribe = 10
	typeUnsuback    = 11
	typePingreq     = 12
	typePingresp    = 13
	typeDisconnect  = 14
)

// Protocol levels.
const (
	level31  = 3
	level311 = 4
	level5   = 5
)

// header is a packet's fixed header.
type header struct {
	kind   byte // packet type
	flags  byte // lower half of the first byte
	size   int  // bytes of the header itself
	length int  // bytes behind it
}

// parseHeader reads the header at the beginning of b; complete is false when b is too short to tell.
func parseHeader(b []byte) (h header, complete bool, f *fault) {
	if len(b) == 0 {
		return header{}, false, nil
	}
	h.kind, h.flags = b[0]>>4, b[0]&0xF
	for i := 1; i < len(b); i++ {
		h.length |= int(b[i]&0x7F) << (7 * (i - 1))
		if b[i] < 0x80 {
			h.size = i + 1
			return h, true, h.check()
		}
		if i == 4 {
			return h, false, malformed("a length of more than four bytes")
		}
	}
	return h, false, h.check()
}

// check refuses packets that no client may send, before their length is believed.
func (h *header) check() *fault {
	want := byte(0)
	switch h.kind {
	case typePublish:
		return nil
	case typePubrel, typeSubscribe, typeUnsubscribe:
		want = 2
	case typeConnect, typePuback, typePubrec, typePubcomp, typePingreq, typeDisconnect:
	default:
		return malformed("packet type %d is not for a client to send", h.kind)
	}
	if h.flags != want {
		return malformed("flags %d with packet type %d", h.flags, h.kind)
	}
	return nil
}

// fields reads the fields of a packet one after the other; at the first that is cut it turns bad and gives
// nothing more.
type fields struct {
	b   []byte
	bad bool
}

func (r *fields) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	head := r.b[:n:n]
	r.b = r.b[n:]
	return head
}

func (r *fields) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *fields) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// block reads bytes with their number before them in two bytes.
func (r *fields) block() []byte { return r.take(int(r.uint16())) }

// varint reads a variable byte integer.
func (r *fields) varint() int {
	n := 0
	for shift := 0; shift < 28; shift += 7 {
		b := r.byte()
		n |= int(b&0x7F) << shift
		if b < 0x80 {
			return n
		}
	}
	r.bad = true
	return 0
}

// Properties that a client may send, by the packet they stand in (MQTT 5, 2.2.2.2). Their identifiers are below 128.
const (
	connectProperties     = "\x11\x15\x16\x17\x19\x21\x22\x26\x27"
	willProperties        = "\x01\x02\x03\x08\x09\x18\x26"
	publishProperties     = "\x01\x02\x03\x08\x09\x23\x26"
	subscribeProperties   = "\x0B\x26"
	unsubscribeProperties = "\x26"
	pubrelProperties      = "\x1F\x26"

	topicAlias = 0x23
)

// properties reads the properties of an MQTT 5 packet, which say nothing that is used here, and tells whether there is a topic
// alias among them: CONNACK grants none. One that is not allowed turns the packet bad.
func (r *fields) properties(allowed string) (aliased bool) {
	block := fields{b: r.take(r.varint())}
	for len(block.b) > 0 && !block.bad {
		id := block.byte()
		if strings.IndexByte(allowed, id) < 0 {
			block.bad = true
			break
		}
		switch id {
		case 0x01, 0x17, 0x19: // payload format, request problem information, request response information
			block.byte()
		case 0x21, 0x22: // receive maximum, topic alias maximum
			block.uint16()
		case topicAlias:
			aliased = true
			block.uint16()
		case 0x02, 0x11, 0x18, 0x27: // message expiry, session expiry, will delay, maximum packet size
			block.take(4)
		case 0x0B: // subscription identifier
			block.varint()
		case 0x26: // user property
			block.block()
			block.block()
		default: // content type, response topic, correlation data, authentication method and data, reason
			block.block()
		}
	}
	r.bad = r.bad || block.bad
	return aliased
}

// publish is a PUBLISH packet; its slices are cut out of the packet. The RETAIN flag of a device asks a server to
// keep the message for later subscribers (MQTT 3.1.1, 3.3.1.3); the message itself is news, so the flag is read by
// nobody here. OwnTracks apps set it on everything.
type publish struct {
	topic   []byte
	payload []byte
	id      uint16 // 0 with QoS 0
	qos     byte
}

func parsePublish(level, flags byte, body []byte) (publish, *fault) {
	p := publish{qos: flags >> 1 & 3}
	r := fields{b: body}
	p.topic = r.block()
	if p.qos > 0 {
		p.id = r.uint16()
	}
	aliased := false
	if level == level5 {
		aliased = r.properties(publishProperties)
	}
	p.payload = r.b
	switch {
	case p.qos == 3:
		return p, malformed("PUBLISH with QoS 3")
	case aliased:
		return p, faultf(endAlias, "PUBLISH with a topic alias, of which none are granted")
	case r.bad:
		return p, malformed("PUBLISH of %d bytes is cut", len(body))
	case p.qos > 0 && p.id == 0:
		return p, malformed("PUBLISH with packet id 0")
	}
	return p, checkTopic("PUBLISH", p.topic)
}

// checkTopic refuses what can be no topic name. What the topic means is the decoder's matter.
func checkTopic(in string, topic []byte) *fault {
	if len(topic) == 0 {
		return malformed("%s without a topic", in)
	}
	ascii := true
	for _, c := range topic {
		if c == 0 || c == '+' || c == '#' {
			return malformed("%s to a topic that holds %q", in, c)
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !utf8.Valid(topic) {
		return malformed("%s to a topic that is not UTF-8", in)
	}
	return nil
}

// connect is a CONNECT packet; its slices are cut out of the packet.
type connect struct {
	level     byte
	clean     bool
	will      bool
	keepAlive uint16 // seconds, 0: none
	clientID  []byte
	willTopic []byte
	willText  []byte
	named     bool // has a user name
	username  []byte
	password  []byte
}

func parseConnect(body []byte) (connect, *fault) {
	r := fields{b: body}
	name := r.block()
	c := connect{level: r.byte()}
	if f := c.checkProtocol(name, r.bad); f != nil {
		return c, f
	}
	flags := r.byte()
	c.clean, c.will, c.named = flags&0x02 != 0, flags&0x04 != 0, flags&0x80 != 0
	c.keepAlive = r.uint16()
	if c.level == level5 {
		r.properties(connectProperties)
	}
	c.clientID = r.block()
	if c.will {
		if c.level == level5 {
			r.properties(willProperties)
		}
		c.willTopic, c.willText = r.block(), r.block()
	}
	if c.named {
		c.username = r.block()
	}
	if flags&0x40 != 0 {
		c.password = r.block()
	}
	if r.bad || len(r.b) > 0 {
		return c, malformed("CONNECT of %d bytes is cut or too long", len(body))
	}
	return c, c.checkFlags(flags)
}

func (c *connect) checkProtocol(name []byte, cut bool) *fault {
	switch {
	case cut:
		return malformed("CONNECT is cut")
	case string(name) == "MQIsdp" && c.level == level31:
	case string(name) != "MQTT":
		return malformed("CONNECT with protocol name %q", name[:min(len(name), 32)])
	case c.level != level311 && c.level != level5:
		return faultf(endVersion, "protocol level %d, spoken are 3 (MQTT 3.1), 4 (3.1.1) and 5", c.level)
	}
	return nil
}

func (c *connect) checkFlags(flags byte) *fault {
	willQoS, willRetain := flags>>3&3, flags&0x20 != 0
	switch {
	case flags&0x01 != 0:
		return malformed("CONNECT with the reserved flag set")
	case willQoS == 3, !c.will && (willQoS != 0 || willRetain):
		return malformed("CONNECT with impossible will flags %#02x", flags)
	case flags&0x40 != 0 && !c.named && c.level != level5:
		return malformed("CONNECT with a password and no user name")
	case !isText(c.clientID):
		return malformed("CONNECT with a client id that is not UTF-8")
	case !isText(c.username):
		return malformed("CONNECT with a user name that is not UTF-8")
	case len(c.clientID) == 0 && !c.clean && c.level != level5:
		return faultf(endIdentifier, "CONNECT without client id asks for a session")
	case c.will:
		return checkTopic("a will", c.willTopic)
	}
	return nil
}

// isText reports whether bytes are a text as MQTT has them: UTF-8 without NUL.
func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// subscriptions reads the filters of a SUBSCRIBE or UNSUBSCRIBE packet.
func subscriptions(level byte, kind byte, body []byte) (id uint16, filters [][]byte, f *fault) {
	r := fields{b: body}
	id = r.uint16()
	switch {
	case level == level5 && kind == typeSubscribe:
		r.properties(subscribeProperties)
	case level == level5:
		r.properties(unsubscribeProperties)
	}
	for !r.bad && len(r.b) > 0 {
		filter := r.block()
		if !r.bad && (len(filter) == 0 || !isText(filter)) {
			return 0, nil, malformed("packet type %d with a filter that is empty or not UTF-8", kind)
		}
		filters = append(filters, filter)
		if kind == typeSubscribe && !checkOptions(level, r.byte()) {
			return 0, nil, malformed("SUBSCRIBE with options that do not exist")
		}
	}
	if r.bad || id == 0 || len(filters) == 0 {
		return 0, nil, malformed("packet type %d of %d bytes is cut or empty", kind, len(body))
	}
	return id, filters, nil
}

// checkOptions reports whether the options behind a filter may be: the QoS, and from version 5 on flags and what to do with
// retained messages, of which two bits may be 0 to 2.
func checkOptions(level, o byte) bool {
	if level < level5 {
		return o <= 2
	}
	return o&0x03 != 0x03 && o&0x30 != 0x30 && o&0xC0 == 0
}

// parsePubrel reads the packet id of a PUBREL.
func parsePubrel(level byte, body []byte) (uint16, *fault) {
	r := fields{b: body}
	id := r.uint16()
	if level == level5 && len(r.b) > 0 {
		if r.byte(); len(r.b) > 0 { // the reason
			r.properties(pubrelProperties)
		}
	}
	if r.bad || id == 0 || len(r.b) > 0 {
		return 0, malformed("PUBREL of %d bytes is cut or too long, or has no packet id", len(body))
	}
	return id, nil
}

// appendReply appends a packet that is nothing but a packet id, such as PUBACK.
func appendReply(dst []byte, kind byte, id uint16) []byte {
	flags := byte(0)
	if kind == typePubrel {
		flags = 2
	}
	return append(dst, kind<<4|flags, 2, byte(id>>8), byte(id))
}

// appendRefusal appends a PUBACK or PUBREC of MQTT 5 that says the device may not publish there.
func appendRefusal(dst []byte, kind byte, id uint16) []byte {
	return append(dst, kind<<4, 3, byte(id>>8), byte(id), refusedBy5)
}

// appendDisconnect appends a DISCONNECT of MQTT 5.
func appendDisconnect(dst []byte, code byte) []byte { return append(dst, typeDisconnect<<4, 1, code) }

// appendVarint appends a variable byte integer.
func appendVarint(dst []byte, n int) []byte {
	for ; n > 0x7F; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

// appendAnswers appends a SUBACK or UNSUBACK with an answer to each filter.
func appendAnswers(dst []byte, level, kind byte, id uint16, answers []byte) []byte {
	var properties []byte
	if level == level5 {
		properties = []byte{0}
	} else if kind == typeUnsuback {
		answers = nil
	}
	dst = appendVarint(append(dst, kind<<4), 2+len(properties)+len(answers))
	dst = append(dst, byte(id>>8), byte(id))
	return append(append(dst, properties...), answers...)
}

// appendMessage appends a PUBLISH with QoS 0.
func appendMessage(dst []byte, level byte, topic string, payload []byte) []byte {
	properties := 0
	if level == level5 {
		properties = 1
	}
	dst = appendVarint(append(dst, typePublish<<4), 2+len(topic)+properties+len(payload))
	dst = append(append(dst, byte(len(topic)>>8), byte(len(topic))), topic...)
	dst = append(dst, make([]byte, properties)...)
	return append(dst, payload...)
}

// appendConnack appends a CONNACK without a session. assigned is the client id the server chose, if it did.
func appendConnack(dst []byte, level, code byte, maxPacket int, assigned string) []byte {
	if level != level5 {
		return append(dst, typeConnack<<4, 2, 0, code)
	}
	var properties []byte
	if code == 0 {
		properties = append(properties, 0x11, 0, 0, 0, 0)                 // sessions end with the connection
		properties = append(properties, 0x21, maxBatch>>8, maxBatch&0xFF) // receive maximum
		properties = append(properties, 0x28, 0, 0x29, 0, 0x2A, 0)        // no wildcard, identified or shared subscriptions
		properties = binary.BigEndian.AppendUint32(append(properties, 0x27), uint32(maxPacket))
		if assigned != "" {
			properties = append(properties, 0x12, byte(len(assigned)>>8), byte(len(assigned)))
			properties = append(properties, assigned...)
		}
	}
	dst = appendVarint(append(dst, typeConnack<<4), 3+len(properties))
	dst = append(dst, 0, code, byte(len(properties)))
	return append(dst, properties...)
}

// connackCode is how a refused CONNECT is answered, 0 when it is not answered.
func connackCode(c *connect, e ending) byte {
	v5 := c.level == level5
	switch e {
	case endVersion:
		return 1
	case endIdentifier:
		return choose(v5, 0x85, 2)
	case endDenied:
		if !c.named {
			return choose(v5, 0x87, 5)
		}
		return choose(v5, 0x86, 4)
	case endUnavailable:
		return choose(v5, 0x88, 3)
	case endLimit:
		return choose(v5, 0x97, 3)
	}
	return 0
}

func choose(condition bool, yes, no byte) byte {
	if condition {
		return yes
	}
	return no
}
