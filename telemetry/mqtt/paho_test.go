package mqtt

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	paho5 "github.com/eclipse/paho.golang/packets"
	paho3 "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Paho's packages of packets are a second opinion on ours: paho.mqtt.golang's for MQTT 3.1 and 3.1.1, paho.golang's for 5.

// told is what a packet of a client says, whoever read it.
type told struct {
	Kind       byte
	Connect    connect
	ID         uint16
	QoS        byte
	Topic      string
	Payload    string
	Filters    []string
	Disconnect byte
}

var toldEqual = cmp.Options{cmp.AllowUnexported(connect{}), cmpopts.EquateEmpty()}

// ours reads a packet of a client as a connection does.
func ours(level byte, b []byte) (told, *fault) {
	h, complete, f := parseHeader(b)
	switch {
	case f != nil:
		return told{}, f
	case !complete || h.size+h.length != len(b):
		return told{}, malformed("not one packet")
	}
	body := b[h.size:]
	p := told{Kind: h.kind}
	switch h.kind {
	case typeConnect:
		p.Connect, f = parseConnect(body)
	case typePublish:
		var m publish
		m, f = parsePublish(level, h.flags, body)
		p.ID, p.QoS, p.Topic, p.Payload = m.id, m.qos, string(m.topic), string(m.payload)
	case typeSubscribe, typeUnsubscribe:
		var filters [][]byte
		p.ID, filters, f = subscriptions(level, h.kind, body)
		for _, filter := range filters {
			p.Filters = append(p.Filters, string(filter))
		}
	case typePubrel:
		p.ID, f = parsePubrel(level, body)
	case typeDisconnect:
		if level == level5 && len(body) > 0 {
			p.Disconnect = body[0]
		}
	}
	return p, f
}

// theirs reads a packet of a client as paho does. A panic is returned as an error.
func theirs(level byte, b []byte) (p told, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	r := bytes.NewReader(b)
	if level == level5 {
		p, err = paho5Told(r)
	} else {
		p, err = paho3Told(r)
	}
	if err == nil && r.Len() > 0 {
		err = fmt.Errorf("%d bytes are left", r.Len())
	}
	return p, err
}

func paho3Told(r io.Reader) (told, error) {
	packet, err := paho3.ReadPacket(r)
	if err != nil {
		return told{}, err
	}
	switch p := packet.(type) {
	case *paho3.ConnectPacket:
		c := connect{level: p.ProtocolVersion, clean: p.CleanSession, will: p.WillFlag, keepAlive: p.Keepalive, clientID: []byte(p.ClientIdentifier),
			willTopic: []byte(p.WillTopic), willText: p.WillMessage, named: p.UsernameFlag, username: []byte(p.Username), password: p.Password}
		return told{Kind: typeConnect, Connect: c}, nil
	case *paho3.PublishPacket:
		return told{Kind: typePublish, ID: p.MessageID, QoS: p.Qos, Topic: p.TopicName, Payload: string(p.Payload)}, nil
	case *paho3.SubscribePacket:
		return told{Kind: typeSubscribe, ID: p.MessageID, Filters: p.Topics}, nil
	case *paho3.UnsubscribePacket:
		return told{Kind: typeUnsubscribe, ID: p.MessageID, Filters: p.Topics}, nil
	case *paho3.PubrelPacket:
		return told{Kind: typePubrel, ID: p.MessageID}, nil
	case *paho3.PingreqPacket:
		return told{Kind: typePingreq}, nil
	case *paho3.DisconnectPacket:
		return told{Kind: typeDisconnect}, nil
	}
	return told{}, fmt.Errorf("%T", packet)
}

func paho5Told(r io.Reader) (told, error) {
	packet, err := paho5.ReadPacket(r)
	if err != nil {
		return told{}, err
	}
	switch p := packet.Content.(type) {
	case *paho5.Connect:
		c := connect{level: p.ProtocolVersion, clean: p.CleanStart, will: p.WillFlag, keepAlive: p.KeepAlive, clientID: []byte(p.ClientID),
			willTopic: []byte(p.WillTopic), willText: p.WillMessage, named: p.UsernameFlag, username: []byte(p.Username), password: p.Password}
		return told{Kind: typeConnect, Connect: c}, nil
	case *paho5.Publish:
		return told{Kind: typePublish, ID: p.PacketID, QoS: p.QoS, Topic: p.Topic, Payload: string(p.Payload)}, nil
	case *paho5.Subscribe:
		t := told{Kind: typeSubscribe, ID: p.PacketID}
		for _, s := range p.Subscriptions {
			t.Filters = append(t.Filters, s.Topic)
		}
		return t, nil
	case *paho5.Unsubscribe:
		return told{Kind: typeUnsubscribe, ID: p.PacketID, Filters: p.Topics}, nil
	case *paho5.Pubrel:
		return told{Kind: typePubrel, ID: p.PacketID}, nil
	case *paho5.Pingreq:
		return told{Kind: typePingreq}, nil
	case *paho5.Disconnect:
		return told{Kind: typeDisconnect, Disconnect: p.ReasonCode}, nil
	}
	return told{}, fmt.Errorf("%T", packet.Content)
}

var (
	anyText   = rapid.StringMatching(`[a-zäß世/ 0-9]{0,40}`)
	anyTopic  = rapid.StringMatching(`[a-zäß世/ 0-9]{1,40}`)
	anyBlock  = rapid.SliceOfN(rapid.Byte(), 0, 200)
	anyID     = rapid.Uint16Min(1)
	anyFilter = rapid.SliceOfN(rapid.StringMatching(`[a-z/]{1,20}(/\+|/#)?`), 1, 8)
	clientOf  = []byte{typeConnect, typePublish, typePubrel, typeSubscribe, typeUnsubscribe, typePingreq, typeDisconnect}
)

// Every packet that paho writes for a client is read as it was meant.
func TestPacketsOfPahoAreRead(t *testing.T) {
	t.Parallel()
	for _, level := range []byte{level31, level311, level5} {
		for _, kind := range clientOf {
			t.Run(fmt.Sprint("level ", level, " type ", kind), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) {
					var b bytes.Buffer
					want := told{Kind: kind}
					if level == level5 {
						writePaho5(t, &b, &want)
					} else {
						writePaho3(t, &b, level, &want)
					}
					got, f := ours(level, b.Bytes())
					if f != nil {
						t.Fatalf("% x: %v", b.Bytes(), f)
					}
					if diff := cmp.Diff(want, got, toldEqual); diff != "" {
						t.Fatalf("% x (-paho +ours):\n%s", b.Bytes(), diff)
					}
				})
			})
		}
	}
}

func drawConnect(t *rapid.T, level byte) connect {
	c := connect{
		level: level, clean: rapid.Bool().Draw(t, "clean"), will: rapid.Bool().Draw(t, "will"), named: rapid.Bool().Draw(t, "named"),
		keepAlive: rapid.Uint16().Draw(t, "keep-alive"), clientID: []byte(anyTopic.Draw(t, "client id")),
	}
	if c.will {
		c.willTopic, c.willText = []byte(anyTopic.Draw(t, "will topic")), anyBlock.Draw(t, "will")
	}
	if c.named {
		c.username, c.password = []byte(anyText.Draw(t, "user name")), anyBlock.Draw(t, "password")
	}
	return c
}

func writePaho3(t *rapid.T, w io.Writer, level byte, want *told) {
	packet := paho3.NewControlPacket(want.Kind)
	switch p := packet.(type) {
	case *paho3.ConnectPacket:
		c := drawConnect(t, level)
		want.Connect = c
		p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", level, c.clean, c.keepAlive
		if level == level31 {
			p.ProtocolName = "MQIsdp"
		}
		p.ClientIdentifier, p.WillFlag, p.WillTopic, p.WillMessage = string(c.clientID), c.will, string(c.willTopic), c.willText
		if c.will {
			p.WillQos, p.WillRetain = byte(rapid.IntRange(0, 2).Draw(t, "will qos")), rapid.Bool().Draw(t, "will retain")
		}
		p.UsernameFlag, p.PasswordFlag, p.Username, p.Password = c.named, c.named, string(c.username), c.password
	case *paho3.PublishPacket:
		drawPublish(t, want)
		p.Qos, p.MessageID, p.TopicName, p.Payload = want.QoS, want.ID, want.Topic, []byte(want.Payload)
		p.Retain, p.Dup = rapid.Bool().Draw(t, "retain"), want.QoS > 0 && rapid.Bool().Draw(t, "dup")
	case *paho3.SubscribePacket:
		want.ID, want.Filters = anyID.Draw(t, "id"), anyFilter.Draw(t, "filters")
		p.MessageID, p.Topics, p.Qoss = want.ID, want.Filters, make([]byte, len(want.Filters))
		for i := range p.Qoss {
			p.Qoss[i] = byte(rapid.IntRange(0, 2).Draw(t, "qos"))
		}
	case *paho3.UnsubscribePacket:
		want.ID, want.Filters = anyID.Draw(t, "id"), anyFilter.Draw(t, "filters")
		p.MessageID, p.Topics = want.ID, want.Filters
	case *paho3.PubrelPacket:
		want.ID = anyID.Draw(t, "id")
		p.MessageID = want.ID
	}
	if err := packet.Write(w); err != nil {
		t.Fatal(err)
	}
}

func drawPublish(t *rapid.T, want *told) {
	want.QoS, want.Topic, want.Payload = byte(rapid.IntRange(0, 2).Draw(t, "qos")), anyTopic.Draw(t, "topic"), string(anyBlock.Draw(t, "payload"))
	if want.QoS > 0 {
		want.ID = anyID.Draw(t, "id")
	}
}

func writePaho5(t *rapid.T, w io.Writer, want *told) {
	packet := paho5.NewControlPacket(want.Kind)
	some := func(p *paho5.Properties) *paho5.Properties {
		for range rapid.IntRange(0, 2).Draw(t, "user properties") {
			p.User = append(p.User, paho5.User{Key: anyText.Draw(t, "key"), Value: anyText.Draw(t, "value")})
		}
		return p
	}
	message := func(p *paho5.Properties) *paho5.Properties {
		p.PayloadFormat, p.MessageExpiry = maybe(t, rapid.Byte()), maybe(t, rapid.Uint32())
		p.ContentType, p.ResponseTopic = anyText.Draw(t, "content type"), anyText.Draw(t, "response topic")
		p.CorrelationData = anyBlock.Draw(t, "correlation")
		return some(p)
	}
	switch p := packet.Content.(type) {
	case *paho5.Connect:
		c := drawConnect(t, level5)
		want.Connect = c
		p.CleanStart, p.KeepAlive, p.ClientID = c.clean, c.keepAlive, string(c.clientID)
		p.Properties.SessionExpiryInterval, p.Properties.ReceiveMaximum = maybe(t, rapid.Uint32()), maybe(t, anyID)
		p.Properties.MaximumPacketSize, p.Properties.TopicAliasMaximum = maybe(t, rapid.Uint32()), maybe(t, rapid.Uint16())
		p.Properties.RequestProblemInfo, p.Properties.RequestResponseInfo = maybe(t, rapid.Byte()), maybe(t, rapid.Byte())
		p.Properties.AuthMethod, p.Properties.AuthData = anyText.Draw(t, "method"), anyBlock.Draw(t, "data")
		some(p.Properties)
		if p.WillFlag = c.will; c.will {
			p.WillQOS, p.WillRetain = byte(rapid.IntRange(0, 2).Draw(t, "will qos")), rapid.Bool().Draw(t, "will retain")
			p.WillTopic, p.WillMessage = string(c.willTopic), c.willText
			p.WillProperties = message(&paho5.Properties{WillDelayInterval: maybe(t, rapid.Uint32())})
		}
		p.UsernameFlag, p.PasswordFlag, p.Username, p.Password = c.named, c.named, string(c.username), c.password
	case *paho5.Publish:
		drawPublish(t, want)
		p.QoS, p.PacketID, p.Topic, p.Payload = want.QoS, want.ID, want.Topic, []byte(want.Payload)
		p.Retain, p.Duplicate = rapid.Bool().Draw(t, "retain"), want.QoS > 0 && rapid.Bool().Draw(t, "dup")
		message(p.Properties)
	case *paho5.Subscribe:
		want.ID, want.Filters = anyID.Draw(t, "id"), anyFilter.Draw(t, "filters")
		p.PacketID, p.Properties.SubscriptionIdentifier = want.ID, maybe(t, rapid.IntRange(1, 268_435_455))
		for _, filter := range want.Filters {
			p.Subscriptions = append(p.Subscriptions, paho5.SubOptions{
				Topic: filter, QoS: byte(rapid.IntRange(0, 2).Draw(t, "qos")), NoLocal: rapid.Bool().Draw(t, "no local"),
				RetainHandling: byte(rapid.IntRange(0, 2).Draw(t, "handling")), RetainAsPublished: rapid.Bool().Draw(t, "as published"),
			})
		}
		some(p.Properties)
	case *paho5.Unsubscribe:
		want.ID, want.Filters = anyID.Draw(t, "id"), anyFilter.Draw(t, "filters")
		p.PacketID, p.Topics = want.ID, want.Filters
		some(p.Properties)
	case *paho5.Pubrel:
		want.ID = anyID.Draw(t, "id")
		p.PacketID, p.Properties.ReasonString = want.ID, anyText.Draw(t, "reason")
	case *paho5.Disconnect:
		want.Disconnect = rapid.SampledFrom([]byte{0, disconnectWithWill, 0x80}).Draw(t, "reason")
		p.ReasonCode, p.Properties.ReasonString = want.Disconnect, anyText.Draw(t, "text")
	}
	if _, err := packet.WriteTo(w); err != nil {
		t.Fatal(err)
	}
}

// maybe draws a value or nothing.
func maybe[T any](t *rapid.T, of *rapid.Generator[T]) *T {
	if rapid.Bool().Draw(t, "absent") {
		return nil
	}
	v := of.Draw(t, "value")
	return &v
}

// What we write is read by paho as it was meant, and nothing is left over.
func TestOurPacketsAreReadByPaho(t *testing.T) {
	t.Parallel()
	for code := range byte(6) {
		got := read3[*paho3.ConnackPacket](t, appendConnack(nil, level311, code, 1<<20, "never told"))
		if got.ReturnCode != code || got.SessionPresent {
			t.Errorf("CONNACK %d is read as %v", code, got)
		}
	}
	for _, code := range []byte{0, 0x84, 0x85, 0x86, 0x87, 0x88, 0x97} {
		got := read5[*paho5.Connack](t, appendConnack(nil, level5, code, 1<<20, "outrider-auto-1"))
		zero, expiry, most, window := byte(0), uint32(0), uint32(1<<20), uint16(maxBatch)
		want := &paho5.Connack{ReasonCode: code, Properties: &paho5.Properties{}}
		if code == 0 {
			want.Properties = &paho5.Properties{
				SessionExpiryInterval: &expiry, ReceiveMaximum: &window, MaximumPacketSize: &most, AssignedClientID: "outrider-auto-1",
				WildcardSubAvailable: &zero, SubIDAvailable: &zero, SharedSubAvailable: &zero,
			}
		} else if !strings.Contains(got.Reason(), "-") {
			t.Errorf("CONNACK %#x is no code that paho knows", code)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("CONNACK %#x (-ours +paho):\n%s", code, diff)
		}
	}
	for _, end := range endings() {
		if code := end.reasonCode(); code != 0 {
			got := read5[*paho5.Disconnect](t, appendDisconnect(nil, code))
			if got.ReasonCode != code || got.Reason() == "" {
				t.Errorf("DISCONNECT %#x (%s) is read as %#x, %q", code, end, got.ReasonCode, got.Reason())
			}
		}
	}
	for _, b := range [][]byte{appendRefusal(nil, typePuback, 0x1234), appendReply(nil, typePuback, 0x1234)} {
		if got := read5[*paho5.Puback](t, b); got.PacketID != 0x1234 || got.ReasonCode != choose(len(b) == 5, 0x87, 0) {
			t.Errorf("PUBACK is read as %v", got)
		}
	}
	if got := read5[*paho5.Pubrec](t, appendRefusal(nil, typePubrec, 0x1234)); got.PacketID != 0x1234 || got.ReasonCode != 0x87 {
		t.Errorf("PUBREC is read as %v", got)
	}
}

// The packets that hold ids, answers and messages, of whatever kind.
func TestOurAnswersAreReadByPaho(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id, answers := anyID.Draw(t, "id"), rapid.SliceOfN(rapid.SampledFrom([]byte{0, 0x80, 0x87}), 1, 300).Draw(t, "answers")
		topic, payload := anyTopic.Draw(t, "topic"), rapid.SliceOfN(rapid.Byte(), 0, 20_000).Draw(t, "payload")
		var got []any
		for _, b := range [][]byte{
			appendReply(nil, typePuback, id), appendReply(nil, typePubrec, id), appendReply(nil, typePubrel, id), appendReply(nil, typePubcomp, id),
		} {
			got = append(got, read3[paho3.ControlPacket](t, b).Details().MessageID, readAny5(t, b).PacketID())
		}
		for _, g := range got {
			if g != id {
				t.Fatalf("packets with id %d are read as %v", id, got)
			}
		}
		suback, suback5 := appendAnswers(nil, level311, typeSuback, id, answers), appendAnswers(nil, level5, typeSuback, id, answers)
		unsuback, unsuback5 := appendAnswers(nil, level311, typeUnsuback, id, answers), appendAnswers(nil, level5, typeUnsuback, id, answers)
		if p := read3[*paho3.SubackPacket](t, suback); p.MessageID != id || !bytes.Equal(p.ReturnCodes, answers) {
			t.Fatalf("SUBACK is read as %v", p)
		}
		if p := read5[*paho5.Suback](t, suback5); p.PacketID != id || !bytes.Equal(p.Reasons, answers) {
			t.Fatalf("SUBACK is read as %v", p)
		}
		if p := read3[*paho3.UnsubackPacket](t, unsuback); p.MessageID != id || len(unsuback) != 4 {
			t.Fatalf("UNSUBACK of %d bytes is read as %v", len(unsuback), p)
		}
		if p := read5[*paho5.Unsuback](t, unsuback5); p.PacketID != id || !bytes.Equal(p.Reasons, answers) {
			t.Fatalf("UNSUBACK is read as %v", p)
		}
		message := appendMessage(nil, level311, topic, payload)
		if p := read3[*paho3.PublishPacket](t, message); p.TopicName != topic || !bytes.Equal(p.Payload, payload) || p.Qos != 0 {
			t.Fatalf("PUBLISH is read as %v", p)
		}
		message5 := appendMessage(nil, level5, topic, payload)
		if p := read5[*paho5.Publish](t, message5); p.Topic != topic || !bytes.Equal(p.Payload, payload) || p.QoS != 0 {
			t.Fatalf("PUBLISH is read as %v", p)
		}
	})
}

// fataler is a test or a draw of rapid.
type fataler interface{ Fatalf(string, ...any) }

func read3[P paho3.ControlPacket](t fataler, b []byte) P {
	r := bytes.NewReader(b)
	got, err := paho3.ReadPacket(r)
	p, ok := got.(P)
	if err != nil || !ok || r.Len() > 0 {
		t.Fatalf("% x is read as %T with %d bytes left: %v", b, got, r.Len(), err)
	}
	return p
}

func readAny5(t fataler, b []byte) *paho5.ControlPacket {
	r := bytes.NewReader(b)
	got, err := paho5.ReadPacket(r)
	if err != nil || r.Len() > 0 {
		t.Fatalf("% x leaves %d bytes: %v", b, r.Len(), err)
	}
	return got
}

func read5[P paho5.Packet](t fataler, b []byte) P {
	p, ok := readAny5(t, b).Content.(P)
	if !ok {
		t.Fatalf("% x is read as another packet", b)
	}
	return p
}

// forbidden are packets that MQTT forbids. We refuse them; what paho's packages do is why they do not read for us, as
// docs/adr/0020-own-packets.md says. When one of theirs changes, that page changes, too.
var forbidden = []struct {
	name   string
	level  byte
	packet []byte
	taken  bool // by paho
}{
	{"a client id that is cut", level311, []byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 9, 'x'}, true},
	{"a password that is cut", level311, []byte{0x10, 20, 0, 4, 'M', 'Q', 'T', 'T', 4, 0xC2, 0, 60, 0, 1, 'x', 0, 1, 'u', 0, 9, 'p', 'w'}, true},
	{"bytes behind CONNECT", level311, []byte{0x10, 14, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'x', 9}, true},
	{"will QoS 3", level311, []byte{0x10, 19, 0, 4, 'M', 'Q', 'T', 'T', 4, 0x1E, 0, 60, 0, 1, 'x', 0, 1, 't', 0, 1, 'p'}, true},
	{"a will to a wildcard", level311, []byte{0x10, 19, 0, 4, 'M', 'Q', 'T', 'T', 4, 6, 0, 60, 0, 1, 'x', 0, 1, '#', 0, 1, 'p'}, true},
	{"a user name that is not UTF-8", level311, []byte{0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 4, 0x82, 0, 60, 0, 1, 'x', 0, 1, 0xFF}, true},
	{"CONNECT with flags", level311, []byte{0x1F, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'x'}, true},
	{"PUBLISH with QoS 3", level311, []byte{0x36, 5, 0, 1, 'a', 0, 1}, true},
	{"PUBLISH to a wildcard", level311, []byte{0x30, 3, 0, 1, '#'}, true},
	{"PUBLISH with packet id 0", level311, []byte{0x32, 5, 0, 1, 'a', 0, 0}, true},
	{"SUBSCRIBE with packet id 0", level311, []byte{0x82, 6, 0, 0, 0, 1, 'a', 0}, true},
	{"SUBSCRIBE without a filter", level311, []byte{0x82, 2, 0, 1}, true},
	{"SUBSCRIBE with flags 0", level311, []byte{0x80, 6, 0, 1, 0, 1, 'a', 0}, true},
	{"SUBSCRIBE with QoS 3", level311, []byte{0x82, 6, 0, 1, 0, 1, 'a', 3}, true},
	{"SUBSCRIBE to a filter that is not UTF-8", level311, []byte{0x82, 6, 0, 1, 0, 1, 0xFF, 0}, true},
	{"SUBSCRIBE with half a filter", level311, []byte{0x82, 5, 0, 1, 0, 9, 'a'}, false},
	{"UNSUBSCRIBE with an empty filter", level311, []byte{0xA2, 7, 0, 1, 0, 0, 0, 1, 'a'}, true},
	{"UNSUBSCRIBE with half a filter", level311, []byte{0xA2, 5, 0, 1, 0, 9, 'a'}, true},
	{"PUBREL with packet id 0", level311, []byte{0x62, 2, 0, 0}, true},
	{"PUBREL with half an id", level311, []byte{0x62, 1, 7}, true},

	{"a will's property in CONNECT", level5, []byte{0x10, 19, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 5, 0x18, 0, 0, 0, 9, 0, 1, 'x'}, true},
	{"a PUBLISH's property in CONNECT", level5, []byte{0x10, 17, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 3, 0x23, 0, 9, 0, 1, 'x'}, false},
	{"a reserved flag in CONNECT", level5, []byte{0x10, 14, 0, 4, 'M', 'Q', 'T', 'T', 5, 3, 0, 60, 0, 0, 1, 'x'}, true},
	{"PUBLISH whose properties are cut", level5, []byte{0x30, 6, 0, 1, 'a', 9, 1, 1}, true},
	{"PUBLISH with a subscription identifier", level5, []byte{0x30, 6, 0, 1, 'a', 2, 0x0B, 1}, true},
	{"PUBLISH with QoS 3", level5, []byte{0x36, 6, 0, 1, 'a', 0, 1, 0}, true},
	{"SUBSCRIBE with QoS 3", level5, []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 3}, true},
	{"SUBSCRIBE with reserved options", level5, []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 0xC0}, true},
	{"SUBSCRIBE with retain handling 3", level5, []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 0x30}, true},
	{"SUBSCRIBE without a filter", level5, []byte{0x82, 3, 0, 1, 0}, true},
	{"UNSUBSCRIBE with half a filter's length", level5, []byte{0xA2, 7, 0, 1, 0, 0, 1, 'a', 0}, true},
	{"PUBREL with another's property", level5, []byte{0x62, 6, 0, 1, 0, 2, 0x0B, 1}, false},
	{"bytes behind CONNECT", level5, []byte{0x10, 15, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 0, 0, 1, 'x', 9}, true},
}

func TestForbiddenPackets(t *testing.T) {
	t.Parallel()
	for _, c := range forbidden {
		if p, f := ours(c.level, c.packet); f == nil {
			t.Errorf("level %d: %s: we take it as %+v", c.level, c.name, p)
		}
		if _, err := theirs(c.level, c.packet); (err == nil) != c.taken {
			t.Errorf("level %d: %s: paho says %v, docs/adr/0020-own-packets.md says taken: %v", c.level, c.name, err, c.taken)
		}
	}
	leave := []byte{0xE0, 0} // which MQTT 5 allows (3.14.2.1)
	if _, f := ours(level5, leave); f != nil {
		t.Error(f)
	}
	if _, err := theirs(level5, leave); err == nil {
		t.Error("paho reads a DISCONNECT of no bytes now: docs/adr/0020-own-packets.md says otherwise")
	}
}

// Five bytes make paho's packages ask for the 256 MB they announce, before anybody has signed in.
func TestAnnouncedLengths(t *testing.T) {
	announced := []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F}
	spent := func(read func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, level := range []byte{level311, level5} {
		if n := spent(func() { _, _ = theirs(level, announced) }); n < 256<<20 {
			t.Errorf("level %d: paho allocates %d bytes: docs/adr/0020-own-packets.md says 256 MB", level, n)
		}
	}
	if n := spent(func() { FeedFresh(t, announced) }); n > 1<<20 {
		t.Errorf("we allocate %d bytes", n)
	}
}

// FuzzPaho holds that paho takes whatever we take, and reads the same in it. What we refuse, paho may take. A DISCONNECT is left
// out: it ends the connection whatever stands behind its reason, which is all that we look at.
func FuzzPaho(f *testing.F) {
	for _, c := range forbidden {
		f.Add(c.level, c.packet[0], c.packet[2:])
	}
	for _, kind := range clientOf {
		for seed := range 8 {
			for _, level := range []byte{level311, level5} {
				f.Add(level, kind<<4, example(kind, level, seed))
			}
		}
	}
	f.Fuzz(func(t *testing.T, level, first byte, body []byte) {
		level = 3 + level%3
		if kind := first >> 4; !slices.Contains(clientOf, kind) || kind == typeDisconnect || len(body) > 1<<16 {
			return
		}
		packet := append(appendVarint([]byte{first}, len(body)), body...)
		got, fault := ours(level, packet)
		if fault != nil {
			return
		}
		if got.Kind == typeConnect {
			level = got.Connect.level
		}
		want, err := theirs(level, packet)
		if err != nil {
			t.Fatalf("level %d: % x: we take it, paho says %v", level, packet, err)
		}
		if diff := cmp.Diff(want, got, toldEqual); diff != "" {
			t.Fatalf("level %d: % x (-paho +ours):\n%s", level, packet, diff)
		}
	})
}

// example is the body of a packet that paho writes.
func example(kind, level byte, seed int) []byte {
	return rapid.Custom(func(t *rapid.T) []byte {
		var b bytes.Buffer
		_ = rapid.Byte().Draw(t, "something, or rapid gives no example")
		if want := (told{Kind: kind}); level == level5 {
			writePaho5(t, &b, &want)
		} else {
			writePaho3(t, &b, level, &want)
		}
		h, _, _ := parseHeader(b.Bytes())
		return b.Bytes()[h.size:]
	}).Example(seed)
}
