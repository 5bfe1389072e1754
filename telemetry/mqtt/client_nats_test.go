package mqtt_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outrider/internal/mosquittotest"
)

// natsServer is a nats-server that listens for MQTT and keeps sessions in JetStream.
type natsServer struct {
	t       *testing.T
	path    string
	config  string
	port    int
	process *exec.Cmd
}

func startNATS(t *testing.T) *natsServer {
	t.Helper()
	n := &natsServer{t: t, port: mosquittotest.FreePort(t)}
	for _, path := range []string{"nats-server", "/usr/sbin/nats-server"} {
		if found, err := exec.LookPath(path); err == nil {
			n.path = found
		}
	}
	if n.path == "" {
		t.Skip("nats-server is not installed: apt-get install nats-server")
	}
	dir := t.TempDir()
	n.config = filepath.Join(dir, "nats.conf")
	text := fmt.Sprintf("server_name: test\nlisten: \"127.0.0.1:%d\"\njetstream { store_dir: %q }\nmqtt { listen: \"127.0.0.1:%d\" }\n",
		mosquittotest.FreePort(t), dir, n.port)
	if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n.up()
	t.Cleanup(n.down)
	return n
}

func (n *natsServer) url() string { return fmt.Sprintf("tcp://127.0.0.1:%d", n.port) }

func (n *natsServer) up() {
	n.t.Helper()
	n.process = exec.Command(n.path, "-c", n.config)
	if err := n.process.Start(); err != nil {
		n.t.Fatal(err)
	}
	eventually(n.t, "nats-server listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", n.port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (n *natsServer) down() {
	if n.process != nil {
		_ = n.process.Process.Signal(syscall.SIGTERM)
		_ = n.process.Wait()
		n.process = nil
	}
}

// nats-server keeps the session as mosquitto does: what is published while the gateway is down comes afterwards, over a
// restart of the server too.
func TestNATSServerKeepsTheSession(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	s := &sink{}
	c := startClient(t, n.url(), s)
	eventually(t, "the client is connected", c.Connected)
	publishTo(t, n.url(), 1, 0, 10)
	eventually(t, "the first are accepted", func() bool { return s.distinct() == 10 })
	c.stop(t)
	publishTo(t, n.url(), 1, 10, 100)
	n.down()
	n.up()
	publishTo(t, n.url(), 1, 100, 150)
	startClient(t, n.url(), s)
	eventually(t, "the rest is accepted", func() bool { return s.distinct() == 150 })
	if diff := cmp.Diff(numbers(0, 150), s.payloads()); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}
