package app_test

import (
	"maps"
	"net"
	"strings"
	"testing"

	"outrider/internal/app"
	"outrider/internal/config"
)

// TestCheckBesideARunningGateway is an operator who looks whether all is well while the gateway works: the
// addresses in use are its own.
func TestCheckBesideARunningGateway(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	settings := maps.Clone(r.flags)
	settings["http.listen"], settings["mqtt.listen"] = r.app.HTTPAddr().String(), r.app.MQTTAddr().String()
	for name, f := range findings(t, settings) {
		if f.Err != nil {
			t.Errorf("%s: %v", name, f.Err)
		}
	}
}

// TestCheckBesideAnotherProgram: whoever is no gateway is in the way.
func TestCheckBesideAnotherProgram(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = other.Close() })
	found := findings(t, map[string]string{
		"data.dir": t.TempDir(), "http.listen": other.Addr().String(), "mqtt.listen": "127.0.0.1:0", "graph.url": "http://127.0.0.1:1",
	})
	for name, want := range map[string]string{
		"http.listen": "is taken", "graph.url": "refused", "facebook": "verify_token",
	} {
		if got := found[name].Err; got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, got, want)
		}
	}
}

// TestCheckDialsTheBrokerAsTheGatewayWould: a URL without a port means the scheme's own.
func TestCheckDialsTheBrokerAsTheGatewayWould(t *testing.T) {
	t.Parallel()
	for broker, want := range map[string]string{
		"tcp://127.0.0.2": "127.0.0.2:1883", "mqtts://127.0.0.2": "127.0.0.2:8883", "ws://127.0.0.2/mqtt": "127.0.0.2:80",
		"wss://[::1]": "[::1]:443", "tcp://127.0.0.2:1": "127.0.0.2:1",
	} {
		found := findings(t, map[string]string{
			"data.dir": t.TempDir(), "http.listen": "127.0.0.1:0", "mqtt.listen": "", "mqtt.url": broker, "graph.url": "http://127.0.0.1:1",
		})
		if got := found["mqtt.url"].Err; got == nil || !strings.Contains(got.Error(), "dial tcp "+want) {
			t.Errorf("%s: got %v, want it to dial %s", broker, got, want)
		}
	}
}

func findings(t *testing.T, settings map[string]string) map[string]app.Finding {
	t.Helper()
	c, err := config.Load(config.Source{Flags: settings})
	must(t, err)
	found := map[string]app.Finding{}
	for _, f := range app.Check(t.Context(), c) {
		found[f.Name] = f
	}
	return found
}
