package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var (
	metricName = regexp.MustCompile(`\boutrider_[a-z0-9_]+`)
	helpLine   = regexp.MustCompile(`(?m)^# TYPE (outrider_\S+) (\S+)$`)
)

// deployment reads a file of the deployments.
func deployment(t *testing.T, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "deployments"}, parts...)...))
	must(t, err)
	return string(b)
}

// Every metric that a dashboard or an alert asks for is one that a gateway has, and each of a histogram's parts is a
// histogram's.
func TestDashboardAndAlertsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	res, err := http.Get(r.url("/metrics"))
	must(t, err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	must(t, err)
	known := map[string]bool{}
	for _, m := range helpLine.FindAllStringSubmatch(string(page), -1) {
		known[m[1]] = true
		if m[2] == "histogram" {
			known[m[1]+"_bucket"], known[m[1]+"_sum"], known[m[1]+"_count"] = true, true, true
		}
	}
	if len(known) < 40 {
		t.Fatalf("the gateway shows %d metrics only", len(known))
	}
	for _, file := range [][]string{{"prometheus", "alerts.yml"}, {"grafana", "outrider.json"}} {
		names := metricName.FindAllString(deployment(t, file...), -1)
		if len(names) < 8 {
			t.Errorf("%v asks for %d metrics only", file, len(names))
		}
		for _, name := range names {
			if !known[name] {
				t.Errorf("%v asks for %s, which no gateway has", file, name)
			}
		}
	}
}

func TestDeploymentFilesAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, file := range [][]string{
		{"compose.yaml"}, {"gateway.yaml"}, {"prometheus", "prometheus.yml"}, {"prometheus", "alerts.yml"},
		{"grafana", "provisioning", "datasources", "prometheus.yaml"}, {"grafana", "provisioning", "dashboards", "outrider.yaml"},
	} {
		var v map[string]any
		if err := yaml.Unmarshal([]byte(deployment(t, file...)), &v); err != nil || len(v) == 0 {
			t.Errorf("%v: %v", file, err)
		}
	}
	if !json.Valid([]byte(deployment(t, "grafana", "outrider.json"))) {
		t.Error("the dashboard is not JSON")
	}
	var compose struct {
		Services map[string]struct{ Secrets []string }
		Secrets  map[string]any
	}
	must(t, yaml.Unmarshal([]byte(deployment(t, "compose.yaml")), &compose))
	for name, s := range compose.Services {
		for _, secret := range s.Secrets {
			if compose.Secrets[secret] == nil {
				t.Errorf("service %s wants the secret %s, which is not declared", name, secret)
			}
		}
	}
}

// promtool knows Prometheus's own rules for expressions.
func TestPromtoolAcceptsTheAlerts(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skipf("promtool is not installed (Debian: prometheus): %v", err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "check", "rules", "../../deployments/prometheus/alerts.yml").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestSystemdAcceptsTheUnit(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skipf("systemd is not installed: %v", err)
	}
	unit := strings.ReplaceAll(deployment(t, "systemd", "outrider.service"), "/usr/local/bin/gateway", "/bin/true") // which is there
	unit = strings.Replace(unit, "Documentation=man:gateway(1)\n", "", 1)
	path := filepath.Join(t.TempDir(), "outrider.service")
	must(t, os.WriteFile(path, []byte(unit), 0o600))
	out, err := exec.CommandContext(t.Context(), tool, "verify", path).CombinedOutput()
	if err != nil || strings.Contains(string(out), path) {
		t.Errorf("%v\n%s", err, out)
	}
}
