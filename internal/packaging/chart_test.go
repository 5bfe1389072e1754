package packaging_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/releaseutil"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

const chartDir = root + "/deployments/helm/outrider"

// objects are what the chart makes of values, as Kubernetes reads it.
type objects []runtime.Object

// render makes the chart's objects. Each is decoded strictly: a field that Kubernetes does not know, or that comes
// twice, is an error.
func render(t *testing.T, values map[string]any) (objects, error) {
	t.Helper()
	chart, err := loader.Load(chartDir)
	must(t, err)
	all, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: "fleet", Namespace: "iot", IsInstall: true}, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	kinds := runtime.NewScheme()
	must(t, scheme.AddToScheme(kinds))
	must(t, monitoring.AddToScheme(kinds))
	decoder := serializer.NewCodecFactory(kinds, serializer.EnableStrict).UniversalDeserializer()
	var found objects
	for name, text := range files {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		for _, document := range releaseutil.SplitManifests(text) {
			o, _, err := decoder.Decode([]byte(document), nil, nil)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, document)
				continue
			}
			found = append(found, o)
		}
	}
	return found, nil
}

// one returns the only object of its type.
func one[T runtime.Object](t *testing.T, all objects) T {
	t.Helper()
	var found []T
	for _, o := range all {
		if x, ok := o.(T); ok {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of type %T", len(found), *new(T))
	}
	return found[0]
}

// valueSets are the defaults and those in ci.
func valueSets(t *testing.T) map[string]map[string]any {
	t.Helper()
	sets := map[string]map[string]any{"defaults": {}}
	files, err := filepath.Glob(chartDir + "/ci/*.yaml")
	must(t, err)
	if len(files) < 3 {
		t.Fatalf("found %d files of values", len(files))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		sets[strings.TrimSuffix(filepath.Base(file), "-values.yaml")] = valuesOf(t, string(text))
	}
	_, readme, _ := strings.Cut(read(t, "deployments/helm/README.md"), "```yaml\n")
	readme, _, _ = strings.Cut(readme, "```")
	sets["README"] = valuesOf(t, readme)
	return sets
}

func valuesOf(t *testing.T, text string) map[string]any {
	t.Helper()
	values := map[string]any{}
	must(t, yaml.UnmarshalStrict([]byte(text), &values))
	return values
}

func TestHelmAcceptsTheChart(t *testing.T) {
	t.Parallel()
	for name, values := range valueSets(t) {
		for _, m := range lint.All(chartDir, values, "iot", true).Messages {
			if !strings.Contains(m.Err.Error(), "icon is recommended") {
				t.Errorf("%s: %s", name, m)
			}
		}
	}
}

func TestKubernetesAcceptsEverySetOfValues(t *testing.T) {
	t.Parallel()
	count := map[string]int{"defaults": 6, "least": 3, "full": 9, "tls": 7, "README": 7}
	for name, values := range valueSets(t) {
		all, err := render(t, values)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(all) != count[name] {
			t.Errorf("%s: %d objects, want %d", name, len(all), count[name])
		}
	}
}

// The strictest of Kubernetes' own standards for pods has nothing to object to, with any values.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	standards, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	must(t, err)
	for name, values := range valueSets(t) {
		all, err := render(t, values)
		must(t, err)
		pod := one[*appsv1.StatefulSet](t, all).Spec.Template
		restricted := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
		for _, result := range standards.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		c := pod.Spec.Containers[0]
		if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s: the file system may be written", name)
		}
		if c.LivenessProbe.HTTPGet.Path != "/livez" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
			t.Errorf("%s: probes ask for %s and %s", name, c.LivenessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path)
		}
	}
}

// What names something by its name finds it: volumes, ports, selectors.
func TestNamesMeet(t *testing.T) {
	t.Parallel()
	for name, values := range valueSets(t) {
		all, err := render(t, values)
		must(t, err)
		set := one[*appsv1.StatefulSet](t, all)
		c := set.Spec.Template.Spec.Containers[0]
		volumes := map[string]bool{}
		for _, v := range set.Spec.Template.Spec.Volumes {
			volumes[v.Name] = true
		}
		for _, v := range set.Spec.VolumeClaimTemplates {
			volumes[v.Name] = true
		}
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("%s: there is no volume %s", name, m.Name)
			}
		}
		isPort := func(port string) bool {
			return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == port })
		}
		for _, o := range all {
			switch o := o.(type) {
			case *corev1.Service:
				for _, p := range o.Spec.Ports {
					if !isPort(p.TargetPort.StrVal) {
						t.Errorf("%s: the service %s wants the port %v", name, o.Name, p.TargetPort)
					}
				}
				for k, v := range o.Spec.Selector {
					if set.Spec.Template.Labels[k] != v {
						t.Errorf("%s: the service %s selects %s=%s", name, o.Name, k, v)
					}
				}
			case *networkingv1.NetworkPolicy:
				for _, rule := range o.Spec.Ingress {
					for _, p := range rule.Ports {
						if !isPort(p.Port.StrVal) {
							t.Errorf("%s: the network policy names the port %v", name, p.Port)
						}
					}
				}
			}
		}
	}
}

// Where the metrics ask for a key, the Prometheus operator is told it.
func TestPrometheusIsToldTheKeyOfTheMetrics(t *testing.T) {
	t.Parallel()
	sets := valueSets(t)
	for name, want := range map[string]bool{"tls": false, "full": true} {
		all, err := render(t, sets[name])
		must(t, err)
		a := one[*monitoring.ServiceMonitor](t, all).Spec.Endpoints[0].Authorization
		if got := a != nil && a.Credentials != nil && a.Credentials.Name == "outrider" && a.Credentials.Key == "metrics-key"; got != want {
			t.Errorf("%s: authorization %v", name, a)
		}
	}
}

func TestValuesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for want, values := range map[string]string{
		"decided by the chart":          `settings: {http.listen: "127.0.0.1:1"}`,
		"is among the secrets":          `{settings: {mqtt.password: x}, secrets: {mqtt.password: {name: a, key: b}}}`,
		"additional properties 'mqqt'":  `mqqt: {}`,
		"set mqtt.enabled or":           `mqtt: {enabled: false}`,
		"no port":                       `mqtt: {plain: false}`,
		"replicas":                      `replicas: 2`,
		"persistence.accessModes":       `persistence: {accessModes: [ReadWriteMany]}`,
		"terminationGracePeriodSeconds": `terminationGracePeriodSeconds: 1`,
		"facebook.app_secrt":            `secrets: {facebook.app_secrt: {name: a, key: b}}`,
		"missing property 'key'":        `secrets: {admin.key: {name: a}}`,
		"serviceMonitor.interval":       `serviceMonitor: {interval: soon}`,
	} {
		v := map[string]any{}
		must(t, yaml.Unmarshal([]byte(values), &v))
		if _, err := render(t, v); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "/", "."), want) {
			t.Errorf("%s: got %v, want %q", values, err, want)
		}
	}
}
