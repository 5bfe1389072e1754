package packaging_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// made are files of the deployments that whoever starts them makes, as the comments at their top say.
var made = []string{"secrets/", "mosquitto/passwords", "mosquitto/fullchain.pem", "mosquitto/privkey.pem"}

// project reads compose files as docker compose does: merged, checked against the schema, every reference resolved.
func project(t *testing.T, files ...string) *types.Project {
	t.Helper()
	for i := range files {
		files[i] = filepath.Join(root, "deployments", files[i])
	}
	o, err := cli.NewProjectOptions(files, cli.WithoutEnvironmentResolution)
	must(t, err)
	p, err := o.LoadProject(context.Background())
	must(t, err)
	return p
}

func TestComposeAcceptsTheFiles(t *testing.T) {
	t.Parallel()
	for want, files := range map[string][]string{
		"gateway grafana postgres prometheus":                             {"compose.yaml"},
		"broker gateway grafana postgres prometheus":                      {"compose.yaml", "compose.broker.yaml"},
		"broker gateway grafana nats-1 nats-2 nats-3 postgres prometheus": {"compose.yaml", "compose.broker.yaml", "compose.cluster.yaml"},
	} {
		p := project(t, files...)
		names := p.ServiceNames()
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%v: services %s, want %s", files, got, want)
		}
		for _, s := range p.Services {
			judgeService(t, s)
		}
		for _, s := range p.Secrets {
			judgePath(t, s.File)
		}
	}
}

func judgeService(t *testing.T, s types.ServiceConfig) {
	t.Helper()
	if s.Privileged || s.NetworkMode == "host" {
		t.Errorf("%s may do everything", s.Name)
	}
	if _, tag, ok := strings.Cut(s.Image, ":"); s.Build == nil && (!ok || tag == "latest") {
		t.Errorf("%s has an image without a version: %s", s.Name, s.Image)
	}
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeBind {
			judgePath(t, v.Source)
		}
	}
	for _, p := range s.Ports {
		if p.HostIP == "" && p.Target != 1883 && p.Target != 8883 {
			t.Errorf("%s: port %d is open to everybody", s.Name, p.Target)
		}
	}
}

// judgePath complains about a file that is neither there nor made by whoever starts it.
func judgePath(t *testing.T, path string) {
	t.Helper()
	dir, err := filepath.Abs(root + "/deployments")
	must(t, err)
	rel, err := filepath.Rel(dir, path)
	must(t, err)
	if slices.ContainsFunc(made, func(m string) bool { return strings.HasPrefix(rel, m) }) {
		return
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// The gateway is given settings that exist, and its image's own words: read-only, no capabilities.
func TestComposeGivesTheGatewayWhatItKnows(t *testing.T) {
	t.Parallel()
	settings := read(t, "docs/config.md")
	for _, files := range [][]string{
		{"compose.yaml"}, {"compose.yaml", "compose.broker.yaml"}, {"compose.yaml", "compose.broker.yaml", "compose.cluster.yaml"},
	} {
		s := project(t, files...).Services["gateway"]
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%v: the gateway may write or has capabilities", files)
		}
		mounted := map[string]bool{}
		for _, secret := range s.Secrets {
			mounted["/run/secrets/"+secret.Source] = true
		}
		for name, value := range s.Environment {
			setting, isFile := strings.CutSuffix(name, "_FILE")
			if !strings.Contains(settings, "`"+setting+"`") {
				t.Errorf("%v: %s is no setting", files, setting)
			}
			if isFile && !mounted[*value] {
				t.Errorf("%v: %s names %s, which is not mounted", files, name, *value)
			}
		}
	}
}

func TestPromtoolAcceptsTheConfiguration(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skipf("promtool is not installed (Debian: prometheus): %v", err)
	}
	output(t, nil, "promtool", "check", "config", root+"/deployments/prometheus/prometheus.yml")
}
