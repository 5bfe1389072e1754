package mqtt_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"outrider/internal/mosquittotest"
	"outrider/telemetry"
	"outrider/telemetry/mqtt"
)

// gate knows three devices: van and car by password, bus by its certificate.
type gate struct{}

func (gate) SignIn(_ context.Context, s mqtt.SignIn) (mqtt.Device, error) {
	switch {
	case s.Username == "van" && string(s.Password) == "v4n", s.Username == "car" && string(s.Password) == "c4r":
		return mqtt.Device{Tenant: "acme", Vehicle: telemetry.VehicleID(s.Username), Credential: s.Username}, nil
	case !s.Named && s.Certificate != nil:
		return mqtt.Device{Tenant: "acme", Vehicle: telemetry.VehicleID(s.Certificate.Subject.CommonName)}, nil
	case s.Username == "later":
		return mqtt.Device{}, errors.New("the store is away")
	}
	return mqtt.Device{}, mqtt.ErrDenied
}

func (gate) MayPublish(d mqtt.Device, topic string) bool {
	return strings.HasPrefix(topic, "fleet/acme/"+string(d.Vehicle)+"/") || !strings.HasPrefix(topic, "fleet/")
}

func (gate) MayHear(d mqtt.Device, topic string) bool {
	return topic == "fleet/acme/"+string(d.Vehicle)+"/cmd"
}

// guard makes an endpoint that everybody reaches and only the gate's devices get into.
func guard(o *mqtt.EndpointOptions) { o.Listen, o.Gatekeeper = "0.0.0.0:0", gate{} }

// loopback is the address of an endpoint that listens everywhere.
func loopback(a net.Addr) net.Addr {
	t := *a.(*net.TCPAddr)
	t.IP = net.IPv4(127, 0, 0, 1)
	return &t
}

func TestPassword(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, guard)
	at := mosquittotest.At(t, loopback(e.Addr()).String())
	mosquittotest.Pub(t, append(at, "-q", "1", "-u", "van", "-P", "v4n", "-t", "fleet/acme/van/fix", "-m", "right")...)
	for _, wrong := range [][]string{nil, {"-u", "van"}, {"-u", "van", "-P", "wrong"}, {"-u", "car", "-P", "v4n"}} {
		for _, version := range []string{"mqttv311", "mqttv5"} {
			args := append(append(at, "-V", version, "-q", "1", "-t", "a", "-m", "wrong"), wrong...)
			if out, err := mosquittotest.TryPub(t, args...); err == nil {
				t.Errorf("%q was let in: %s", wrong, out)
			}
		}
	}
	if diff := cmp.Diff([]string{"right"}, e.sink.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if m := e.sink.all()[0]; m.Tenant != "acme" || m.Vehicle != "van" {
		t.Errorf("accepted of %s/%s", m.Tenant, m.Vehicle)
	}
	eventually(t, "the refused are counted", func() bool {
		return metric(t, e.registry, `outrider_endpoint_ended_total{reason="not_authorised"}`) == 8
	})
}

// signIn says CONNECT with a user name, and expects the answer's code.
func signIn(t *testing.T, e endpoint, level byte, name, password string, code byte) *device {
	t.Helper()
	d := rawDevice(t, loopback(e.Addr()))
	properties := []byte{0}
	if level < 5 {
		properties = nil
	}
	flags, fields := byte(0xC2), [][]byte{text(name), text(password)}
	if name == "" {
		flags, fields = 2, nil
	}
	d.send(packet(0x10, append([][]byte{text("MQTT"), {level, flags, 0, 0}, properties, text("same")}, fields...)...))
	if level == 5 && code == 0 {
		d.expect(packet(0x20, []byte{0, 0, byte(len(capabilities))}, capabilities))
		return d
	}
	if level == 5 {
		d.expect([]byte{0x20, 3, 0, code, 0})
		return d
	}
	d.expect([]byte{0x20, 2, 0, code})
	return d
}

func TestSignInAnswers(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, guard)
	signIn(t, e, 4, "van", "wrong", 4).expectEnd()
	signIn(t, e, 5, "van", "wrong", 0x86).expectEnd()
	signIn(t, e, 4, "", "", 5).expectEnd()
	signIn(t, e, 5, "", "", 0x87).expectEnd()
	signIn(t, e, 4, "later", "", 3).expectEnd()
	signIn(t, e, 5, "later", "", 0x88).expectEnd()
	for series, want := range map[string]float64{"not_authorised": 4, "unavailable": 2} {
		eventually(t, series, func() bool {
			return metric(t, e.registry, `outrider_endpoint_ended_total{reason="`+series+`"}`) == want
		})
	}
}

// A device publishes on its own topics, whatever it tries.
func TestADeviceSpeaksForItself(t *testing.T) {
	t.Parallel()
	for _, level := range []byte{4, 5} {
		e := startEndpoint(t, guard)
		d := signIn(t, e, level, "van", "v4n", 0)
		send := func(qos byte, id uint16, topic, payload string) {
			p := publishPacket(qos, id, topic, payload)
			if level == 5 {
				p = packet(0x30|qos<<1, text(topic), []byte{byte(id >> 8), byte(id)}[:2*min(int(qos), 1)], []byte{0}, []byte(payload))
			}
			d.send(p)
		}
		send(1, 1, "fleet/acme/van/fix", "mine")
		d.expect([]byte{0x40, 2, 0, 1})
		send(0, 0, "fleet/acme/car/fix", "a lie")
		send(1, 2, "fleet/acme/car/fix", "a lie")
		send(2, 3, "fleet/other/van/fix", "a lie")
		if level == 5 {
			d.expect([]byte{0x40, 3, 0, 2, 0x87, 0x50, 3, 0, 3, 0x87})
		} else {
			d.expect([]byte{0x40, 2, 0, 2, 0x50, 2, 0, 3})
		}
		send(1, 4, "v1/devices/me/telemetry", "anonymous")
		d.expect([]byte{0x40, 2, 0, 4})
		if diff := cmp.Diff([]string{"mine", "anonymous"}, e.sink.payloads()); diff != "" {
			t.Errorf("accepted (-want +got):\n%s", diff)
		}
		refusals := e.sink.refusals()
		if len(refusals) != 3 || refusals[1].refusal.Reason != "forbidden" || !strings.Contains(refusals[1].refusal.Detail, "van") {
			t.Errorf("refused %+v", refusals)
		}
		if n := metric(t, e.registry, `outrider_endpoint_refused_total{reason="forbidden"}`); n != 3 {
			t.Errorf("%v counted", n)
		}
	}
}

// Client ids are a device's own: nobody puts out somebody else with theirs.
func TestClientIDsAreOnesOwn(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, guard)
	van := signIn(t, e, 4, "van", "v4n", 0)
	car := signIn(t, e, 4, "car", "c4r", 0)
	for _, d := range []*device{van, car} {
		d.send([]byte{0xC0, 0})
		d.expect([]byte{0xD0, 0})
	}
	again := signIn(t, e, 4, "van", "v4n", 0)
	van.expectEnd()
	e.Dismiss("nobody")
	e.Dismiss("")
	e.Dismiss("van")
	again.expectEnd()
	car.send([]byte{0xC0, 0})
	car.expect([]byte{0xD0, 0})
	eventually(t, "the revoked is counted", func() bool { return metric(t, e.registry, `outrider_endpoint_ended_total{reason="revoked"}`) == 1 })
	late := rawDevice(t, loopback(e.Addr())) // the gate still knows it, as when both come at one moment
	late.send(packet(0x10, text("MQTT"), []byte{4, 0xC2, 0, 0}, text("late"), text("van"), text("v4n")))
	late.expectEnd()
	signIn(t, e, 4, "car", "c4r", 0)
}

// A device hears its own commands and nothing else.
func TestCommands(t *testing.T) {
	t.Parallel()
	for _, version := range []uint{3, 4} {
		e := startEndpoint(t, guard)
		c := pahoClient(t, loopback(e.Addr()).String(), "van", func(o *paho.ClientOptions) {
			o.SetUsername("van").SetPassword("v4n").SetProtocolVersion(version)
		})
		heard := make(chan paho.Message, 8)
		filters := map[string]byte{"fleet/acme/van/cmd": 1, "fleet/acme/car/cmd": 1, "fleet/acme/+/cmd": 1, "#": 0}
		token := c.SubscribeMultiple(filters, func(_ paho.Client, m paho.Message) { heard <- m }).(*paho.SubscribeToken)
		if !token.WaitTimeout(10 * time.Second) {
			t.Fatal("SUBSCRIBE is not answered")
		}
		want := map[string]byte{"fleet/acme/van/cmd": 0, "fleet/acme/car/cmd": 0x80, "fleet/acme/+/cmd": 0x80, "#": 0x80}
		if diff := cmp.Diff(want, token.Result()); diff != "" {
			t.Errorf("granted (-want +got):\n%s", diff)
		}
		if n := e.Command("fleet/acme/car/cmd", []byte("x")); n != 0 {
			t.Errorf("%d hear what the car is told", n)
		}
		if n := e.Command("fleet/acme/van/cmd", []byte("report")); n != 1 {
			t.Errorf("%d hear what the van is told", n)
		}
		if m := <-heard; string(m.Payload()) != "report" || m.Topic() != "fleet/acme/van/cmd" {
			t.Errorf("heard %s %s", m.Topic(), m.Payload())
		}
		if token := c.Unsubscribe("fleet/acme/van/cmd"); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("unsubscribe: %v", token.Error())
		}
		if n := e.Command("fleet/acme/van/cmd", []byte("x")); n != 0 {
			t.Errorf("%d hear after they unsubscribed", n)
		}
	}
}

// On a loopback address nobody has to say who they are, but who says it has to prove it.
func TestAnonymousOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.Gatekeeper = gate{} })
	d := signIn(t, e, 4, "", "", 0)
	d.send(publishPacket(1, 1, "fleet/acme/car/fix", "anybody"))
	d.expect([]byte{0x40, 2, 0, 1})
	signIn(t, e, 4, "van", "wrong", 4).expectEnd()
}
