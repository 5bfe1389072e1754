package mqtt_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"outrider/telemetry/mqtt"
)

// realClient is how a client that others wrote is run: with the endpoint's two addresses it publishes 50 messages with
// each QoS, says so, waits for a line, and says what command it heard.
type realClient struct {
	name    string
	command func(t *testing.T, way string, address net.Addr, version string) []string
}

func realClients() []realClient {
	return []realClient{
		{"python", func(t *testing.T, way string, address net.Addr, version string) []string {
			host, port, _ := net.SplitHostPort(address.String())
			return []string{pythonWithPaho(t), "testdata/clients/publish.py", host, port, version, map[string]string{"tcp": "tcp", "ws": "websockets"}[way]}
		}},
		{"javascript", func(t *testing.T, way string, address net.Addr, version string) []string {
			node, err := exec.LookPath("node")
			if err != nil {
				t.Skip("node is not installed: apt-get install nodejs")
			}
			if _, err := os.Stat("testdata/clients/node_modules/mqtt"); err != nil {
				t.Skip("MQTT.js is not installed: npm ci in telemetry/mqtt/testdata/clients")
			}
			return []string{node, "testdata/clients/publish.js", map[string]string{"tcp": "mqtt", "ws": "ws"}[way] + "://" + address.String(), version}
		}},
	}
}

// pythonWithPaho finds a Python that has paho; the system's own is tried too, since its packages are not every Python's.
func pythonWithPaho(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import paho.mqtt.client").Run() == nil {
			return python
		}
	}
	t.Skip("no Python with paho: apt-get install python3-paho-mqtt")
	return ""
}

// Clients that others wrote publish over TCP and over WebSocket, with every QoS, and hear their commands.
func TestRealClients(t *testing.T) {
	t.Parallel()
	for _, c := range realClients() {
		for _, version := range []string{"mqtt3", "mqtt5"} {
			for _, way := range []string{"tcp", "ws"} {
				t.Run(strings.Join([]string{c.name, version, way}, " "), func(t *testing.T) {
					t.Parallel()
					e := startEndpoint(t, func(o *mqtt.EndpointOptions) { o.ListenWS, o.Gatekeeper = "127.0.0.1:0", gate{} })
					address := e.Addr()
					if way == "ws" {
						address = e.AddrWS()
					}
					converse(t, e, c.command(t, way, address, version), version)
				})
			}
		}
	}
}

func converse(t *testing.T, e endpoint, command []string, version string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	client := exec.CommandContext(ctx, command[0], command[1:]...)
	problems := &lockedBuffer{}
	client.Stderr = problems
	in, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "published" {
		_ = client.Wait()
		t.Fatalf("it says %q\n%s", lines.Text(), problems.String())
	}
	if n := e.Command("fleet/acme/van/cmd", []byte("report")); n != 1 {
		t.Errorf("%d clients hear the command", n)
	}
	fmt.Fprintln(in)
	if !lines.Scan() || lines.Text() != "heard report" {
		t.Errorf("it says %q", lines.Text())
	}
	if err := client.Wait(); err != nil {
		t.Errorf("%v\n%s", err, problems.String())
	}
	var want []string
	for qos := range 3 {
		for number := range 50 {
			want = append(want, fmt.Sprintf("%s %d %d", version, qos, number))
		}
	}
	eventually(t, "all is accepted", func() bool { return len(e.sink.all()) >= len(want) })
	if got := e.sink.payloads(); !slices.Equal(got, want) {
		t.Errorf("accepted %d messages, not each once and in order", len(got))
	}
	eventually(t, "it said goodbye", func() bool { return metric(t, e.registry, `outrider_endpoint_ended_total{reason="disconnect"}`) == 1 })
}
