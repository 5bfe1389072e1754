package packaging_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// A gateway that gets the arguments, the variables, the settings and the secrets of the pod starts, and answers the
// probes. Only what is mounted lies elsewhere, and the ports are any that are free.
func TestTheGatewayStartsAsThePodWouldStartIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values   string
		endpoint bool // there is a device endpoint
		ready    int
	}{
		"defaults": {`{}`, true, 200},
		"secrets": {`secrets: {facebook.app_secret: {name: outrider, key: app-secret}, facebook.verify_token: {name: outrider, key: verify-token},
			admin.key: {name: outrider, key: admin-key}}`, true, 200},
		"a broker alone, which is away": {`{mqtt: {enabled: false}, settings: {mqtt.url: "tcp://127.0.0.1:1", mqtt.topics: [a/#], chat.mode: "off", journal.partitions: 2, journal.max_bytes: 1073741824}}`, false, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := map[string]any{}
			must(t, yaml.Unmarshal([]byte(c.values), &v))
			all, err := render(t, v)
			must(t, err)
			pod := one[*appsv1.StatefulSet](t, all).Spec.Template.Spec.Containers[0]
			local := mounted(t, pod, one[*corev1.ConfigMap](t, all))
			var env, args []string
			for _, e := range pod.Env {
				env = append(env, e.Name+"="+local(e.Value))
			}
			for _, a := range pod.Args {
				args = append(args, local(a))
			}
			s := run(t, env, args...)
			for p, want := range map[*corev1.Probe]int{pod.StartupProbe: 200, pod.LivenessProbe: 200, pod.ReadinessProbe: c.ready} {
				if got := status(t, "http://"+s.HTTP+p.HTTPGet.Path); got != want {
					t.Errorf("%s answers %d, want %d", p.HTTPGet.Path, got, want)
				}
			}
			if _, _, err := net.SplitHostPort(s.MQTT); c.endpoint != (err == nil) {
				t.Errorf("the device endpoint is at %q", s.MQTT)
			}
		})
	}
}

// mounted lays out what is mounted below a directory, and returns what puts that directory, and ports of this machine,
// into a text.
func mounted(t *testing.T, c corev1.Container, settings *corev1.ConfigMap) func(string) string {
	t.Helper()
	dir := t.TempDir()
	local := func(text string) string {
		for _, m := range c.VolumeMounts {
			text = strings.ReplaceAll(text, m.MountPath, dir+m.MountPath)
		}
		return strings.NewReplacer("0.0.0.0:8080", "127.0.0.1:0", "0.0.0.0:1883", "127.0.0.1:0").Replace(text)
	}
	files := map[string]string{"/etc/outrider/gateway.yaml": local(settings.Data["gateway.yaml"])}
	for _, e := range c.Env {
		if strings.HasSuffix(e.Name, "_FILE") {
			files[e.Value] = "0123456789abcdef0123456789abcdef\n"
		}
	}
	must(t, os.MkdirAll(filepath.Join(dir, "data"), 0o700))
	for path, text := range files {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	return local
}
