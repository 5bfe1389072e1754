package packaging_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A real Mosquitto takes the broker's settings. A tracker publishes over TLS for itself and for nobody else, the gateway reads
// what came while it was away, and nobody comes in without a password.
func TestTheBrokerLetsEachInToWhatIsItsOwn(t *testing.T) {
	t.Parallel()
	program := "/usr/sbin/mosquitto"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("mosquitto is not installed: %v", err)
	}
	for _, tool := range []string{"mosquitto_pub", "mosquitto_sub", "mosquitto_passwd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: %v", tool, err)
		}
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	plain, secure := freePort(t), freePort(t)
	certificate(t, dir)
	passwords := filepath.Join(dir, "passwords")
	must(t, os.WriteFile(passwords, nil, 0o600))
	for _, user := range []string{"outrider", "van-12"} {
		output(t, nil, "mosquitto_passwd", "-b", passwords, user, "secret-"+user)
	}
	must(t, os.WriteFile(filepath.Join(dir, "acl"), []byte(read(t, "deployments/mosquitto/acl")), 0o600))
	settings := strings.NewReplacer("/mosquitto/config/", dir+"/", "/mosquitto/data/", dir+"/", "listener 1883", "listener "+plain+" 127.0.0.1",
		"listener 8883", "listener "+secure+" 127.0.0.1").Replace(read(t, "deployments/mosquitto/mosquitto.conf"))
	must(t, os.WriteFile(filepath.Join(dir, "mosquitto.conf"), []byte(settings+"user root\n"), 0o600))
	log := &lines{}
	broker := exec.CommandContext(t.Context(), program, "-c", filepath.Join(dir, "mosquitto.conf"))
	broker.Stdout, broker.Stderr = log, log
	must(t, broker.Start())
	t.Cleanup(func() { _ = broker.Process.Kill(); _ = broker.Wait() })
	waitFor(t, "127.0.0.1:"+plain, log)

	heard := func(more ...string) string {
		return output(t, nil, "mosquitto_sub", append([]string{"-h", "127.0.0.1", "-p", plain, "-u", "outrider", "-P", "secret-outrider",
			"-i", "outrider", "-c", "-q", "1", "-t", "fleet/#", "-W", "20"}, more...)...)
	}
	heard("-E") // the gateway subscribes, and is away meanwhile
	publish := func(args ...string) error {
		return exec.CommandContext(t.Context(), "mosquitto_pub", append([]string{"-h", "127.0.0.1", "-p", secure,
			"--cafile", filepath.Join(dir, "fullchain.pem"), "-q", "1", "-m"}, args...)...).Run()
	}
	tracker := []string{"-u", "van-12", "-P", "secret-van-12", "-t"}
	must(t, publish(append(append([]string{"one"}, tracker...), "fleet/default/van-12/fix")...))
	_ = publish(append(append([]string{"forged"}, tracker...), "fleet/default/van-13/fix")...) // acknowledged, and dropped
	if publish("anonymous", "-t", "fleet/default/van-12/fix") == nil || publish("guessed", "-u", "van-12", "-P", "x", "-t", "fleet/default/van-12/fix") == nil {
		t.Error("somebody came in without the password")
	}
	must(t, publish(append(append([]string{"two"}, tracker...), "fleet/default/van-12/fix")...))
	got := heard("-C", "2", "-F", "%t %p")
	if want := "fleet/default/van-12/fix one\nfleet/default/van-12/fix two\n"; got != want {
		t.Errorf("the gateway heard\n%s\nwant\n%s\n%s", got, want, log)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

func waitFor(t *testing.T, address string, log *lines) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing listens at %s:\n%s", address, log)
		}
	}
}

// certificate makes one for this machine, signed by itself.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	for name, block := range map[string]*pem.Block{"fullchain.pem": {Type: "CERTIFICATE", Bytes: der}, "privkey.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		must(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
}
