package mqtt_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"outrider/telemetry"
	"outrider/telemetry/mqtt"
)

// What a device may send instead of MQTT, and how its connection then ends. Connected cases are sent behind a good
// CONNECT and one good PUBLISH, which has to count.
var misbehaviours = []struct {
	name      string
	connected bool
	send      []byte
	reply     []byte // before the end
	reason    string
}{
	{name: "http", send: []byte("GET / HTTP/1.1\r\n\r\n"), reason: "malformed"},
	{name: "tls", send: []byte{0x16, 3, 1, 2, 0, 1}, reason: "malformed"},
	{name: "zeroes", send: make([]byte, 64), reason: "malformed"},
	{name: "publish first", send: publishPacket(0, 0, "a", "x"), reason: "protocol"},
	{name: "ping first", send: []byte{0xC0, 0}, reason: "protocol"},
	{name: "connect with flags in its type", send: []byte{0x11, 0}, reason: "malformed"},
	{name: "connect of no bytes", send: []byte{0x10, 0}, reason: "malformed"},
	{name: "connect of five length bytes", send: []byte{0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, reason: "malformed"},
	{name: "connect of 256 MB", send: []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F}, reason: "too_large"},
	{name: "connect to another protocol", send: packet(0x10, text("AMQP"), []byte{4, 2, 0, 0}, text("x")), reason: "malformed"},
	{name: "connect that is cut", send: packet(0x10, text("MQTT"), []byte{4, 2, 0}), reason: "malformed"},
	{name: "connect with bytes behind", send: packet(0x10, text("MQTT"), []byte{4, 2, 0, 0}, text("x"), []byte{1}), reason: "malformed"},
	{name: "connect with the reserved flag", send: connectPacket(4, 3, 0, "x"), reason: "malformed"},
	{name: "connect with will qos 3", send: packet(0x10, text("MQTT"), []byte{4, 0x1E, 0, 0}, text("x"), text("t"), text("p")), reason: "malformed"},
	{name: "connect with will qos and no will", send: connectPacket(4, 0x0A, 0, "x"), reason: "malformed"},
	{name: "connect with password and no name", send: packet(0x10, text("MQTT"), []byte{4, 0x42, 0, 0}, text("x"), text("p")), reason: "malformed"},
	{name: "connect with an id that is not utf-8", send: connectPacket(4, 2, 0, "\xff"), reason: "malformed"},
	{name: "connect without id for a session", send: connectPacket(4, 0, 0, ""), reply: []byte{0x20, 2, 0, 2}, reason: "identifier"},
	{name: "connect with level 6", send: connectPacket(6, 2, 0, "x"), reply: []byte{0x20, 3, 0, 0x84, 0}, reason: "version"},
	{name: "connect with level 2", send: connectPacket(2, 2, 0, "x"), reply: []byte{0x20, 2, 0, 1}, reason: "version"},

	{name: "publish with qos 3", connected: true, send: packet(0x36, text("a"), []byte{0, 1}), reason: "malformed"},
	{name: "publish without topic", connected: true, send: publishPacket(0, 0, "", "x"), reason: "malformed"},
	{name: "publish to a wildcard", connected: true, send: publishPacket(0, 0, "a/#", "x"), reason: "malformed"},
	{name: "publish to a topic with nul", connected: true, send: publishPacket(0, 0, "a\x00", "x"), reason: "malformed"},
	{name: "publish to a topic that is not utf-8", connected: true, send: publishPacket(0, 0, "a\xc3\x28", "x"), reason: "malformed"},
	{name: "publish with id 0", connected: true, send: publishPacket(1, 0, "a", "x"), reason: "malformed"},
	{name: "publish with its topic cut", connected: true, send: []byte{0x30, 3, 0, 9, 'a'}, reason: "malformed"},
	{name: "publish with its id cut", connected: true, send: []byte{0x32, 4, 0, 1, 'a', 0}, reason: "malformed"},
	{name: "publish of no bytes", connected: true, send: []byte{0x30, 0}, reason: "malformed"},
	{name: "second connect", connected: true, send: connectPacket(4, 2, 0, "x"), reason: "protocol"},
	{name: "puback", connected: true, send: []byte{0x40, 2, 0, 1}, reason: "protocol"},
	{name: "pubrel without id", connected: true, send: []byte{0x62, 0}, reason: "malformed"},
	{name: "pubrel with wrong flags", connected: true, send: []byte{0x60, 2, 0, 1}, reason: "malformed"},
	{name: "subscribe without filter", connected: true, send: []byte{0x82, 2, 0, 1}, reason: "malformed"},
	{name: "subscribe that is cut", connected: true, send: []byte{0x82, 5, 0, 1, 0, 9, 'a'}, reason: "malformed"},
	{name: "subscribe with wrong flags", connected: true, send: []byte{0x80, 0}, reason: "malformed"},
	{name: "connack", connected: true, send: []byte{0x20, 2, 0, 0}, reason: "malformed"},
	{name: "type 0", connected: true, send: []byte{0, 0}, reason: "malformed"},
	{name: "type 15", connected: true, send: []byte{0xF0, 0}, reason: "malformed"},
	{name: "ping of 256 MB", connected: true, send: []byte{0xC0, 0xFF, 0xFF, 0xFF, 0x7F}, reason: "too_large"},
}

func TestMisbehaviourEndsOneConnection(t *testing.T) {
	t.Parallel()
	for _, m := range misbehaviours {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			e := startEndpoint(t)
			other := dialDevice(t, e.Addr(), "other")
			d := rawDevice(t, e.Addr())
			if m.connected {
				d.send(connectPacket(4, 2, 0, "x"))
				d.expect([]byte{0x20, 2, 0, 0})
				d.send(append(publishPacket(1, 1, "a", "good"), m.send...))
				d.expect([]byte{0x40, 2, 0, 1})
			} else {
				d.send(m.send)
			}
			d.expect(m.reply)
			d.expectEnd()
			eventually(t, "the ending is counted", func() bool {
				return metric(t, e.registry, `outrider_endpoint_ended_total{reason="`+m.reason+`"}`) == 1
			})
			other.send([]byte{0xC0, 0})
			other.expect([]byte{0xD0, 0})
			if got := strings.Join(e.sink.payloads(), ","); m.connected != (got == "good") {
				t.Errorf("accepted %q", got)
			}
		})
	}
}

// capabilities are what an MQTT 5 device is told of the endpoint.
var capabilities = []byte{0x11, 0, 0, 0, 0, 0x21, 4, 0, 0x28, 0, 0x29, 0, 0x2A, 0, 0x27, 0, 0x10, 0, 0}

// An MQTT 5 device learns why it is sent away.
func TestVersion5(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	d := rawDevice(t, e.Addr())
	d.send(connectPacket(5, 2, 0, "five"))
	d.expect(packet(0x20, []byte{0, 0, byte(len(capabilities))}, capabilities))
	d.send(packet(0x32, text("a/b"), []byte{0, 1}, []byte{5, 2, 0, 0, 0, 9}, []byte("payload"))) // message expiry
	d.expect([]byte{0x40, 2, 0, 1})
	d.send(packet(0x82, []byte{0, 2, 0}, text("a"), []byte{1}, text("b"), []byte{0}))
	d.expect([]byte{0x90, 5, 0, 2, 0, 0x87, 0x87})
	d.send(packet(0xA2, []byte{0, 3, 0}, text("a")))
	d.expect([]byte{0xB0, 4, 0, 3, 0, 0x11})
	d.send([]byte{0x36, 0})
	d.expect([]byte{0xE0, 1, 0x81})
	d.expectEnd()
	if got := strings.Join(e.sink.payloads(), ","); got != "payload" {
		t.Errorf("accepted %q", got)
	}

	unnamed := rawDevice(t, e.Addr())
	unnamed.send(connectPacket(5, 2, 0, ""))
	id := "outrider-auto-1"
	unnamed.expect(packet(0x20, []byte{0, 0, byte(len(capabilities) + 3 + len(id))}, capabilities, []byte{0x12}, text(id)))
}

// The properties of a PUBLISH are read past; what may not be among them ends the connection with the code for it.
func TestPropertiesOfAMessage(t *testing.T) {
	t.Parallel()
	every := slices.Concat([]byte{1, 1}, []byte{2, 0, 0, 0, 9}, []byte{3}, text("json"), []byte{8}, text("re"), []byte{9}, text("id"),
		[]byte{0x26}, text("k"), text("v"), []byte{0x26}, text("k"), text("v"))
	for name, c := range map[string]struct{ properties, want []byte }{
		"all there are":            {every, []byte{0x40, 2, 0, 1}},
		"a topic alias":            {[]byte{0x23, 0, 1}, []byte{0xE0, 1, 0x94}},
		"topic alias 0":            {[]byte{0x23, 0, 0}, []byte{0xE0, 1, 0x94}},
		"a subscription's":         {[]byte{0x0B, 1}, []byte{0xE0, 1, 0x81}},
		"unknown":                  {[]byte{0x7F}, []byte{0xE0, 1, 0x81}},
		"cut":                      {[]byte{2, 0, 0}, []byte{0xE0, 1, 0x81}},
		"longer than they say":     {[]byte{3, 0, 9, 'a'}, []byte{0xE0, 1, 0x81}},
		"a user property half cut": {append([]byte{0x26}, text("k")...), []byte{0xE0, 1, 0x81}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := rawDevice(t, startEndpoint(t).Addr())
			d.send(connectPacket(5, 2, 0, "five"))
			d.expect(packet(0x20, []byte{0, 0, byte(len(capabilities))}, capabilities))
			d.send(packet(0x32, text("a/b"), []byte{0, 1, byte(len(c.properties))}, c.properties, []byte("x")))
			d.expect(c.want)
			if c.want[0] == 0xE0 {
				d.expectEnd()
			}
		})
	}
}

// An MQTT 5 device that exceeds the receive maximum it was told, which counts messages whose PUBREL has not come, is sent away
// with the code for that; one of an older version was told none.
func TestReceiveMaximum(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	send := func(level byte, messages int) *device {
		d := rawDevice(t, e.Addr())
		d.send(connectPacket(level, 2, 0, fmt.Sprint("level-", level)))
		d.expect(packet(0x20, append([]byte{0, 0}, choose(level == 5, append([]byte{19}, capabilities...), nil)...)))
		properties := choose(level == 5, []byte{0}, nil)
		for i := range messages {
			id := uint16(1 + i)
			d.send(packet(0x34, text("a/b"), []byte{byte(id >> 8), byte(id)}, properties, []byte("x")))
			if i < messages-1 || level < 5 {
				d.expect([]byte{0x50, 2, byte(id >> 8), byte(id)})
			}
		}
		return d
	}
	d := send(5, 1025)
	d.expect([]byte{0xE0, 1, 0x93})
	d.expectEnd()
	eventually(t, "it is counted", func() bool { return metric(t, e.registry, `outrider_endpoint_ended_total{reason="quota"}`) == 1 })
	if n := len(e.sink.all()); n != 1024 {
		t.Errorf("%d messages accepted", n)
	}
	d = send(4, 1025)
	d.send([]byte{0xC0, 0})
	d.expect([]byte{0xD0, 0})
}

// A device that goes on sending while it reads its answers comes to read why it was disconnected.
func TestADeviceCanReadWhyItWasDisconnected(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t)
	d := rawDevice(t, e.Addr())
	d.send(connectPacket(5, 2, 0, "hasty"))
	d.expect(packet(0x20, append([]byte{0, 0}, append([]byte{19}, capabilities...)...)))
	for id := range 1025 {
		d.send(packet(0x34, text("a/b"), []byte{byte((id + 1) >> 8), byte(id + 1)}, []byte{0}, []byte("x")))
	}
	for id := range 1024 {
		d.expect([]byte{0x50, 2, byte((id + 1) >> 8), byte(id + 1)})
		d.send([]byte{0x62, 2, byte((id + 1) >> 8), byte(id + 1)})
	}
	d.expect([]byte{0xE0, 1, 0x93})
	d.expectEnd()
}

func choose(is bool, yes, no []byte) []byte {
	if is {
		return yes
	}
	return no
}

// What is too large is refused by its header, whatever of it has come, and with the topic once that is there.
func TestTooLargeInPieces(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.MaxPacket = 1000 })
	d := dialDevice(t, e.Addr(), "d")
	large := publishPacket(1, 3, "fleet/a/b/fix", strings.Repeat("x", 1000))
	for i := range 20 {
		d.send(large[i : i+1])
	}
	d.expectEnd()
	r := e.sink.refusals()
	if len(r) != 1 || r[0].topic != "fleet/a/b/fix" || r[0].refusal.Reason != telemetry.ReasonTooLarge {
		t.Errorf("refused %+v", r)
	}
	fits := publishPacket(1, 3, "fleet/a/b/fix", strings.Repeat("x", 1000-15-2))
	d = dialDevice(t, e.Addr(), "d")
	d.send(fits)
	d.expect([]byte{0x40, 2, 0, 3})
}

func FuzzDevice(f *testing.F) {
	for _, m := range misbehaviours {
		f.Add(byte(4), m.send)
		f.Add(byte(5), m.send)
	}
	f.Add(byte(4), bytes.Join([][]byte{publishPacket(2, 7, "a/b", "x"), {0x62, 2, 0, 7}, {0xC0, 0}, {0xE0, 0}}, nil))
	f.Fuzz(func(t *testing.T, level byte, packets []byte) {
		mqtt.CheckAnswers(t, mqtt.Feed(t, level, packets).Answers)
	})
}

// However the bytes come, a socket gives the same messages and answers as a reader that has all of them at once.
func FuzzSocket(f *testing.F) {
	for _, m := range misbehaviours {
		f.Add(byte(5), uint16(1), m.send)
	}
	var many []byte
	for i := range 300 {
		many = append(many, publishPacket(1, uint16(1+i), "fleet/a/b/fix", strings.Repeat("x", i))...)
	}
	for _, piece := range []uint16{7, 2047, 2048, 2049, 16 << 10, 65535} {
		f.Add(byte(4), piece, many)
	}
	f.Add(byte(4), uint16(2500), bytes.Repeat(publishPacket(1, 1, "a/b", strings.Repeat("x", 4090)), 40))
	f.Fuzz(func(t *testing.T, level byte, piece uint16, packets []byte) {
		want, got := mqtt.Feed(t, level, packets), mqtt.FeedSocket(t, level, packets, max(1, int(piece)))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("a socket differs from a reader (-reader +socket):\n%s", diff)
		}
	})
}

// What a device sends at once is accepted at once, so that it waits for the disk once and is answered in one packet.
func TestOneBatchForAWindow(t *testing.T) {
	t.Parallel()
	for _, window := range []int{2, 20, 200} {
		t.Run(strconv.Itoa(window), func(t *testing.T) {
			t.Parallel()
			e := startEndpoint(t)
			d := dialDevice(t, e.Addr(), "d")
			var sent, answers []byte
			for i := range window {
				id := uint16(1 + i)
				sent = append(sent, publishPacket(1, id, "fleet/default/van-001/fix", strings.Repeat("x", 200))...)
				answers = append(answers, 0x40, 2, byte(id>>8), byte(id))
			}
			for range 3 { // the first one finds the smallest buffer
				d.send(sent)
				d.expect(answers)
			}
			if got := e.sink.sizes(); !slices.Equal(got, []int{window, window, window}) {
				t.Errorf("accepted in batches of %v, want three of %d", got, window)
			}
		})
	}
}

func FuzzGreeting(f *testing.F) {
	for _, m := range misbehaviours {
		f.Add(m.send)
	}
	f.Add(packet(0x10, text("MQTT"), []byte{4, 0xEE, 0, 60}, text("x"), text("t"), text("p"), text("user"), text("password")))
	f.Add(packet(0x10, text("MQTT"), []byte{5, 0xC6, 0, 60, 5, 0x11, 0, 0, 0, 9}, text("x"), []byte{0}, text("t"), text("p"), text("user"), text("password")))
	f.Add(append(packet(0x10, text("MQIsdp"), []byte{3, 2, 0, 60}, text("x")), publishPacket(1, 1, "a", "b")...))
	f.Fuzz(mqtt.FeedFresh)
}
