package mqtt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"outrider/internal/mosquittotest"
	"outrider/telemetry/mqtt"
)

// authority vouches for the endpoint and for devices.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	a.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate = sign(t, template, template, a.key, a.key)
	a.pool.AddCert(a.certificate)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// certify makes a certificate for a name, which is also good for 127.0.0.1.
func (a *authority) certify(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	c := sign(t, template, a.certificate, key, a.key)
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key}
}

// secure makes an endpoint with TLS and WebSocket that asks for devices' certificates.
func secure(a *authority, server tls.Certificate) func(*mqtt.EndpointOptions) {
	return func(o *mqtt.EndpointOptions) {
		o.ListenTLS, o.ListenWS, o.Gatekeeper = "127.0.0.1:0", "127.0.0.1:0", gate{}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: a.pool, ClientAuth: tls.VerifyClientCertIfGiven}
	}
}

// connects tries to connect with paho, and to publish.
func connects(t *testing.T, url string, change func(*paho.ClientOptions)) bool {
	t.Helper()
	o := paho.NewClientOptions().AddBroker(url).SetClientID("c").SetAutoReconnect(false).SetConnectTimeout(5 * time.Second)
	change(o)
	c := paho.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		return false
	}
	defer c.Disconnect(100)
	for qos := range byte(3) {
		if token := c.Publish("fleet/acme/"+o.Username+"/fix", qos, false, url[:3]); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Errorf("publish over %s: %v", url, token.Error())
		}
	}
	return true
}

// Over TLS, over WebSocket and over both, a password or a certificate lets a device in, and nothing else does.
func TestTLSAndWebSocket(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	e := startEndpoint(t, secure(a, a.certify(t, "endpoint")))
	plain := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.ListenWS, o.Gatekeeper = "127.0.0.1:0", gate{} })
	urls := []string{"ssl://" + e.AddrTLS().String(), "wss://" + e.AddrWS().String() + "/mqtt", "ws://" + plain.AddrWS().String() + "/"}
	for i, url := range urls {
		with := func(user, password string, certificates ...tls.Certificate) func(*paho.ClientOptions) {
			return func(o *paho.ClientOptions) {
				o.SetTLSConfig(&tls.Config{RootCAs: a.pool, Certificates: certificates}).SetUsername(user).SetPassword(password)
			}
		}
		for name, c := range map[string]struct {
			change func(*paho.ClientOptions)
			want   bool
		}{
			"a password":               {with("van", "v4n"), true},
			"a wrong password":         {with("van", "c4r"), false},
			"nothing":                  {with("", ""), false},
			"a certificate":            {with("", "", a.certify(t, "bus")), i < 2},
			"a certificate of another": {with("", "", stranger.certify(t, "bus")), false},
		} {
			if got := connects(t, url, c.change); got != c.want {
				t.Errorf("%s with %s: let in is %v", url, name, got)
			}
		}
	}
	got := map[string]int{}
	for _, m := range append(e.sink.all(), plain.sink.all()...) {
		got[string(m.Vehicle)+" "+string(m.Payload)]++
	}
	want := map[string]int{"van ssl": 3, "van wss": 3, "van ws:": 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff) // the bus has no user name, so it publishes on nobody's topic
	}
	if n := len(e.sink.refusals()); n != 6 {
		t.Errorf("%d refused of the bus, want 6", n)
	}
}

func TestMosquittoOverTLS(t *testing.T) {
	t.Parallel()
	certificate, key, _ := certify(t)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) {
		o.ListenTLS, o.Gatekeeper, o.TLS = "127.0.0.1:0", gate{}, &tls.Config{Certificates: []tls.Certificate{pair}}
	})
	at := mosquittotest.At(t, e.AddrTLS().String())
	mosquittotest.Pub(t, append(at, "--cafile", certificate, "-u", "van", "-P", "v4n", "-q", "2", "-t", "fleet/acme/van/fix", "-m", "x")...)
	if n := len(e.sink.all()); n != 1 {
		t.Errorf("%d accepted", n)
	}
}

// What is no MQTT over WebSocket is told so, or closed.
func TestWebSocketMisuse(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.ListenWS, o.Gatekeeper = "127.0.0.1:0", gate{} })
	res, err := http.Get("http://" + e.AddrWS().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a browser is told %s", res.Status)
	}
	c, _, err := websocket.DefaultDialer.Dial("ws://"+e.AddrWS().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.WriteMessage(websocket.TextMessage, connectPacket(4, 2, 0, "x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadMessage(); err == nil {
		t.Error("text is answered")
	}
	eventually(t, "it is closed", func() bool { return metric(t, e.registry, `outrider_endpoint_ended_total{reason="lost"}`) == 1 })
}

// Packets may be cut into WebSocket messages anywhere (MQTT 5, 6.0).
func TestWebSocketPieces(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.ListenWS, o.Gatekeeper = "127.0.0.1:0", gate{} })
	dialer := websocket.Dialer{Subprotocols: []string{"mqtt"}}
	c, res, err := dialer.Dial("ws://"+e.AddrWS().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := res.Header.Get("Sec-WebSocket-Protocol"); got != "mqtt" {
		t.Errorf("subprotocol %q", got)
	}
	all := packet(0x10, text("MQTT"), []byte{4, 0xC2, 0, 0}, text("x"), text("van"), text("v4n"))
	all = append(append(all, publishPacket(1, 7, "fleet/acme/van/fix", "x")...), 0xC0, 0)
	for len(all) > 0 {
		n := min(3, len(all))
		if err := c.WriteMessage(websocket.BinaryMessage, all[:n]); err != nil {
			t.Fatal(err)
		}
		all = all[n:]
	}
	var got []byte
	for len(got) < 10 {
		_, r, err := c.NextReader()
		if err != nil {
			t.Fatalf("after % x: %v", got, err)
		}
		b, _ := io.ReadAll(r)
		got = append(got, b...)
	}
	if diff := cmp.Diff([]byte{0x20, 2, 0, 0, 0x40, 2, 0, 7, 0xD0, 0}, got); diff != "" {
		t.Error(diff)
	}
}

// An address that connects too often is turned away for a while, and others are not.
func TestKnocks(t *testing.T) {
	t.Parallel()
	k := mqtt.NewKnocks(2)
	now := time.Now()
	count := func(from string, tries int) (allowed int) {
		for range tries {
			if k.Allow(netip.MustParseAddr(from), now) {
				allowed++
			}
		}
		return allowed
	}
	if n := count("192.0.2.1", 100); n != 20 {
		t.Errorf("%d at once, want 20", n)
	}
	if n := count("192.0.2.2", 1); n != 1 {
		t.Error("another address is turned away")
	}
	if n := count("2001:db8::1", 15) + count("2001:db8::2", 15); n != 20 {
		t.Errorf("%d from one /64, want 20", n)
	}
	now = now.Add(3 * time.Second)
	if n := count("192.0.2.1", 100); n != 6 {
		t.Errorf("%d after three seconds, want 6", n)
	}
	now = now.Add(time.Hour)
	for i := range mqtt.MaxKnockers + 10 {
		k.Allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if k.Remembered() > mqtt.MaxKnockers {
		t.Errorf("%d addresses are remembered", k.Remembered())
	}
}
