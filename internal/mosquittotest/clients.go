package mosquittotest

import (
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"
)

// clientLimit is how long a command-line client may take.
const clientLimit = 30 * time.Second

// Pub runs mosquitto_pub with arguments such as "-t", topic, "-m", payload, and fails the test when it fails. The
// arguments of [At] say where.
func Pub(t testing.TB, args ...string) {
	t.Helper()
	if out, err := TryPub(t, args...); err != nil {
		t.Fatalf("mosquitto_pub %q: %v\n%s", args, err, out)
	}
}

// TryPub is like [Pub] for publications that may be refused.
func TryPub(t testing.TB, args ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, program(t, "mosquitto_pub", "mosquitto-clients"), args...).CombinedOutput()
	return string(out), err
}

// At returns the arguments that tell mosquitto's clients where a broker is: "-h", host, "-p", port. The address is
// a URL or host:port.
func At(t testing.TB, address string) []string {
	t.Helper()
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatalf("mosquittotest: %q is no address: %v", address, err)
	}
	return []string{"-h", host, "-p", port}
}

// PubLines runs mosquitto_pub with one message for each line of a file.
func PubLines(ctx context.Context, t testing.TB, file string, args ...string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	command := exec.CommandContext(ctx, program(t, "mosquitto_pub", "mosquitto-clients"), append(args, "-l")...)
	command.Stdin = in
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_pub %q: %v\n%s", args, err, out)
	}
}

// Passwords writes a password file with one user, for the setting password_file.
func Passwords(t testing.TB, file, user, password string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program(t, "mosquitto_passwd", "mosquitto"), "-b", "-c", file, user, password).CombinedOutput()
	if err != nil {
		t.Fatalf("mosquitto_passwd: %v\n%s", err, out)
	}
}
