package mqtt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"outrider/internal/mosquittotest"
	"outrider/telemetry/mqtt"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	certificate, key, pool := certify(t)
	port := mosquittotest.FreePort(t)
	b := mosquittotest.New(t, mosquittotest.Config(
		fmt.Sprintf("listener %d 127.0.0.1", port), "certfile "+certificate, "keyfile "+key))
	s := &sink{}
	url := fmt.Sprintf("ssl://127.0.0.1:%d", port)
	c := startClient(t, url, s, func(o *mqtt.ClientOptions) { o.TLS = &tls.Config{RootCAs: pool} })
	eventually(t, "the client is connected", c.Connected)
	publishAll(t, b, 1, 0, 50)
	eventually(t, "all is accepted", func() bool { return s.distinct() == 50 })

	stranger := startClient(t, url, s, func(o *mqtt.ClientOptions) { o.ClientID = "stranger" })
	eventually(t, "a certificate nobody vouches for is refused", func() bool {
		return metric(t, stranger.registry, `outrider_mqtt_failed_total{at="connect"}`) > 0
	})
	if stranger.Connected() {
		t.Error("connected to a broker that nobody vouches for")
	}
}

// A broker that wants certificates lets in whom the authority knows, without password.
func TestCertificateAtTheBroker(t *testing.T) {
	t.Parallel()
	certificate, key, pool := certify(t) // which vouches for itself, as broker and as gateway
	port := mosquittotest.FreePort(t)
	b := mosquittotest.New(t, mosquittotest.Config(
		fmt.Sprintf("listener %d 127.0.0.1", port), "certfile "+certificate, "keyfile "+key, "cafile "+certificate, "require_certificate true"))
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	url := fmt.Sprintf("ssl://127.0.0.1:%d", port)
	c := startClient(t, url, s, func(o *mqtt.ClientOptions) {
		o.TLS = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
	})
	eventually(t, "the client is connected", c.Connected)
	publishAll(t, b, 1, 0, 50)
	eventually(t, "all is accepted", func() bool { return s.distinct() == 50 })

	nameless := startClient(t, url, s, func(o *mqtt.ClientOptions) { o.ClientID, o.TLS = "nameless", &tls.Config{RootCAs: pool} })
	eventually(t, "one without certificate is refused", func() bool {
		return metric(t, nameless.registry, `outrider_mqtt_failed_total{at="connect"}`) > 0
	})
	if nameless.Connected() {
		t.Error("connected without a certificate")
	}
}

// certify makes a certificate for 127.0.0.1 and a pool that trusts it.
func certify(t *testing.T) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool.AppendCertsFromPEM(public)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	for file, content := range map[string][]byte{certificate: public, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key, pool
}
