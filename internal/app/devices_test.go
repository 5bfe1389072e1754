package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"outrider/identity"
	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/mosquittotest"
)

// signIn connects with paho; nil: it was not let in.
func signIn(t *testing.T, url, user, password string, change ...func(*mqtt.ClientOptions)) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(url).SetClientID(t.Name() + user).SetUsername(user).SetPassword(password).SetAutoReconnect(false)
	for _, c := range change {
		c(o)
	}
	c := mqtt.NewClient(o)
	if done := c.Connect(); !done.WaitTimeout(10*time.Second) || done.Error() != nil {
		return nil
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func port(a net.Addr) string {
	_, p, _ := net.SplitHostPort(a.String())
	return p
}

// A tracker is let in from anywhere with its own password, speaks for its vehicle alone, hears its commands, and is put
// out when its credential is revoked.
func TestATrackerSignsIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"mqtt.listen": "0.0.0.0:0"})
	url := "tcp://127.0.0.1:" + port(r.app.MQTTAddr())
	r.call(t, http.MethodPut, "vehicles/van", map[string]any{"device": "imei-1"}, http.StatusOK)
	made := r.call(t, http.MethodPost, "vehicles/van/credentials", map[string]any{}, http.StatusCreated)
	user, password := made["username"].(string), made["password"].(string)

	for _, wrong := range [][2]string{{"", ""}, {user, ""}, {user, password + "x"}, {"d-nobody", password}} {
		if signIn(t, url, wrong[0], wrong[1]) != nil {
			t.Errorf("%q was let in", wrong)
		}
	}
	c := signIn(t, url, user, password)
	if c == nil {
		t.Fatal("the right password does not let it in")
	}
	heard := make(chan string, 1)
	if done := c.Subscribe("fleet/default/imei-1/cmd", 1, func(_ mqtt.Client, m mqtt.Message) { heard <- string(m.Payload()) }); !done.WaitTimeout(10*time.Second) || done.Error() != nil {
		t.Fatalf("subscribe: %v", done.Error())
	}
	now := time.Now().Unix()
	good := fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5}`, now)
	publish(t, c, "fleet/default/imei-1/fix", good)                                                                          // the device's id
	publish(t, c, "fleet/default/van/fix", strings.Replace(good, "48.1", "48.2", 1))                                         // the vehicle's
	publish(t, c, "v1/devices/me/telemetry", fmt.Sprintf(`{"ts":%d,"values":{"latitude":48.3,"longitude":11.5}}`, now*1000)) // nobody's
	publish(t, c, "fleet/default/bus/fix", good)
	publish(t, c, "fleet/other/van/fix", good)

	items := r.call(t, http.MethodGet, "inspect/van", nil, http.StatusOK)["items"].([]any)
	understood, forbidden := 0, 0
	for _, item := range items {
		m := item.(map[string]any)
		if refused, _ := m["refused"].([]any); len(refused) == 1 && refused[0].(map[string]any)["reason"] == "forbidden" {
			forbidden++
		} else if m["count"] == 1.0 {
			understood++
		}
	}
	if understood != 3 || forbidden != 2 {
		t.Errorf("%d understood and %d forbidden: %v", understood, forbidden, items)
	}
	r.call(t, http.MethodGet, "inspect/bus", nil, http.StatusNotFound)
	if letters := r.items(t, "dead-letters?vehicle=van"); len(letters) != 2 || letters[0]["reason"] != "forbidden" {
		t.Errorf("dead letters: %v", letters)
	}

	sent := r.call(t, http.MethodPost, "vehicles/van/commands", map[string]any{"payload": "report"}, http.StatusOK)
	if got := <-heard; got != "report" || sent["sent"] != 1.0 {
		t.Errorf("heard %q, and the API says %v", got, sent)
	}
	r.call(t, http.MethodPost, "vehicles/bus/commands", map[string]any{"payload": "report"}, http.StatusConflict)

	if list := r.items(t, "vehicles/van/credentials"); len(list) != 1 || list[0]["last_used"] == nil {
		t.Errorf("credentials: %v", list)
	}
	r.call(t, http.MethodDelete, "vehicles/van/credentials/"+user, nil, http.StatusNoContent)
	eventually(t, "it is put out", func() bool { return !c.IsConnected() })
	if signIn(t, url, user, password) != nil {
		t.Error("a revoked credential lets in")
	}
	if strings.Contains(r.log.String(), password) {
		t.Error("the password is in the log")
	}
}

// writeAuthority writes a certificate for 127.0.0.1 that vouches for itself and for a vehicle's, and returns the latter.
func writeAuthority(t *testing.T, dir, organisation, vehicle string) tls.Certificate {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(caKey)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: vehicle, Organization: []string{organisation}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	own, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{own}, PrivateKey: key}
}

// Over TLS a certificate names the vehicle, and the endpoint's own may be renewed while it runs.
func TestACredentialRevokedByAnotherProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"mqtt.listen": "0.0.0.0:0"})
	url := "tcp://127.0.0.1:" + port(r.app.MQTTAddr())
	var lost atomic.Int32
	login := func(vehicle string) (mqtt.Client, string) {
		made := r.call(t, http.MethodPost, "vehicles/"+vehicle+"/credentials", map[string]any{}, http.StatusCreated)
		user := made["username"].(string)
		c := signIn(t, url, user, made["password"].(string), func(o *mqtt.ClientOptions) {
			o.SetConnectionLostHandler(func(mqtt.Client, error) { lost.Add(1) })
		})
		if c == nil {
			t.Fatalf("%s is not let in", vehicle)
		}
		return c, user
	}
	van, user := login("van")
	car, _ := login("car")
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	other, err := app.OpenStore(t.Context(), c)
	must(t, err)
	must(t, other.DropCredential(t.Context(), "default", "van", identity.CredentialID(user)))
	must(t, other.Close())
	eventually(t, "the van's connection ends", func() bool { return lost.Load() == 1 && !van.IsConnected() })
	publish(t, car, "fleet/default/car/fix", fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5}`, time.Now().Unix()))
}

func TestCertificatesOfTrackers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	van := writeAuthority(t, dir, "acme", "van")
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	ca, err := os.ReadFile(cert)
	must(t, err)
	must(t, os.WriteFile(caFile, ca, 0o600))
	tlsPort, wsPort := freePort(t), freePort(t)
	r := newRig(t, map[string]string{
		"mqtt.listen": "", "mqtt.tls_listen": "127.0.0.1:" + tlsPort, "mqtt.ws_listen": "127.0.0.1:" + wsPort,
		"mqtt.tls_cert": cert, "mqtt.tls_key": key, "mqtt.client_ca": caFile,
	})
	trusting := func(pem []byte, certificates ...tls.Certificate) func(*mqtt.ClientOptions) {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		return func(o *mqtt.ClientOptions) { o.SetTLSConfig(&tls.Config{RootCAs: pool, Certificates: certificates}) }
	}
	made := r.call(t, http.MethodPost, "vehicles/bus/credentials", map[string]any{}, http.StatusCreated)
	fix := fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5}`, time.Now().Unix())
	for _, url := range []string{"ssl://127.0.0.1:" + tlsPort, "wss://127.0.0.1:" + wsPort + "/mqtt"} {
		c := signIn(t, url, "", "", trusting(ca, van))
		if c == nil {
			t.Fatalf("%s: the certificate does not let it in", url)
		}
		publish(t, c, "fleet/acme/van/fix", fix)
		if signIn(t, url, "", "", trusting(ca)) != nil {
			t.Errorf("%s: let in with nothing", url)
		}
		if bus := signIn(t, url, made["username"].(string), made["password"].(string), trusting(ca)); bus == nil {
			t.Errorf("%s: the password does not let in", url)
		}
	}
	if n := r.metric(t, `outrider_endpoint_refused_total{reason="forbidden"}`); n != 0 {
		t.Errorf("%v were forbidden", n)
	}

	writeAuthority(t, dir, "acme", "other")
	renewed, err := os.ReadFile(cert)
	must(t, err)
	eventually(t, "the renewed certificate is shown", func() bool {
		return signIn(t, "ssl://127.0.0.1:"+tlsPort, made["username"].(string), made["password"].(string), trusting(renewed)) != nil
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return port(l.Addr())
}

// What is wrong with the settings is said by name, by check too.
func TestEndpointSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAuthority(t, dir, "", "")
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, c := range map[string]struct {
		endpoint config.Endpoint
		want     string
	}{
		"no key":         {config.Endpoint{Cert: cert}, "mqtt.tls_key"},
		"no certificate": {config.Endpoint{TLSListen: "127.0.0.1:0"}, "mqtt.tls_cert"},
		"no file":        {config.Endpoint{Cert: cert + "x", Key: key}, "mqtt.tls_cert"},
		"a wrong file":   {config.Endpoint{Cert: key, Key: key}, "mqtt.tls_cert"},
		"no authority":   {config.Endpoint{Cert: cert, Key: key, ClientCA: key}, "mqtt.client_ca"},
	} {
		conf := config.Config{Data: config.Data{Dir: t.TempDir()}, MQTT: config.MQTT{Endpoint: c.endpoint}, Graph: config.Graph{URL: "http://127.0.0.1:1"}}
		conf.Admin.Key = identity.NewToken(key)
		found := ""
		for _, f := range app.Check(t.Context(), conf) {
			if f.Err != nil {
				found += f.Name + ": " + f.Err.Error() + "\n"
			}
		}
		if !strings.Contains(found, c.want) {
			t.Errorf("%s: check says %q, want %q", name, found, c.want)
		}
	}
}

// The gateway signs in at an external broker with the certificate that the settings name.
func TestCertificateForTheBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAuthority(t, dir, "", "")
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	tlsPort := mosquittotest.FreePort(t)
	broker := mosquittotest.New(t, mosquittotest.Config(fmt.Sprintf("listener %d 127.0.0.1", tlsPort),
		"certfile "+cert, "keyfile "+key, "cafile "+cert, "require_certificate true"))
	r := newRig(t, map[string]string{
		"mqtt.listen": "", "mqtt.url": fmt.Sprintf("ssl://127.0.0.1:%d", tlsPort), "mqtt.url_ca": cert, "mqtt.url_cert": cert, "mqtt.url_key": key,
	})
	eventually(t, "the gateway is connected", func() bool { return r.metric(t, "outrider_mqtt_connected") == 1 })
	mosquittotest.Pub(t, append(mosquittotest.At(t, broker.URL()), "-q", "1", "-t", "fleet/default/van/fix", "-m", fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5}`, time.Now().Unix()))...)
	eventually(t, "the fix is in", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) == 1 })
}
