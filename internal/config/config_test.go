package config_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"outrider/internal/config"
)

var update = flag.Bool("update", false, "write docs/config.md")

func TestEachSettingComesFromTheLaterSource(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"gateway.yaml": "log.level: warn\nlog:\n  format: json\nmqtt:\n  topics: [a/#, b/+]\n  username: from-file\n",
		"secret":       "hunter2-hunter2-hunter2\n",
	}
	c, err := config.Load(config.Source{
		File: "gateway.yaml",
		Read: reader(files),
		Environ: []string{
			"OUTRIDER_LOG_LEVEL=error", "OUTRIDER_MQTT_USERNAME=from-env", "OUTRIDER_ADMIN_KEY_FILE=secret", "HOME=/",
		},
		Flags: map[string]string{"log.level": "debug"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Log.Level, " ", c.Log.Format, " ", c.MQTT.Topics, " ", c.MQTT.Username, " ", c.Admin.Key.Reveal(), " ", c.HTTP.Listen)
	want := "debug json [a/# b/+] from-env hunter2-hunter2-hunter2 127.0.0.1:8080"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestARefusedValueSaysWhichWhereAndWhatWasExpected(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		src  config.Source
		want []string
	}{
		{"misspelt in file", file("mqtt:\n  lisen: x\n"), []string{"mqtt.lisen", "gateway.yaml:2", "did you mean mqtt.listen?"}},
		{"group as value", file("mqtt: 7\n"), []string{"mqtt", "gateway.yaml:1", "no such setting"}},
		{"not YAML", file("mqtt: [\n"), []string{"gateway.yaml", "line"}},
		{"value as group", file("roles: {a: b}\n"), []string{"roles", "expected one value"}},
		{"port", flags("http.listen", "localhost:http!"), []string{"http.listen", "flag --http.listen", "port must be a number"}},
		{"no port", flags("mqtt.listen", "1883"), []string{"mqtt.listen", "not host:port"}},
		{"no port", flags("mqtt.tls_listen", "0.0.0.0"), []string{"mqtt.tls_listen", "host:port"}},
		{"packets too small", flags("mqtt.max_packet", "10"), []string{"mqtt.max_packet", "1024"}},
		{"short and far", flags("nope", ""), []string{"docs/config.md lists them"}},
		{"level", flags("log.level", "loud"), []string{`"loud" is not one of debug, info, warn, error`}},
		{"duration", flags("journal.retention", "7"), []string{"journal.retention", "90s or 24h"}},
		{"partitions", flags("journal.partitions", "0"), []string{"whole number from 1 to 256"}},
		{"scheme", flags("mqtt.url", "http://x"), []string{"begins with tcp://"}},
		{"no such flag", flags("log.levle", "info"), []string{"did you mean log.level?"}},
		{"far from all", flags("zzzzzzzzzz", ""), []string{"docs/config.md lists them"}},
		{"no role", flags("roles", " , "), []string{"roles", "at least one of ingest, engine"}},
		{"unknown role", flags("roles", "ingest,cook"), []string{`"cook" is not a role`}},
		{"another database", flags("store.url", "mysql://u:p@h/d"), []string{"store.url", "expected postgres://"}},
		{"NATS over HTTP", flags("nats.url", "nats://a:4222,http://b"), []string{"nats.url", "expected nats://host:port or tls://host:port"}},
		{"a NATS password", flags("nats.url", "nats//user:hunter22@a"), []string{"nats.url", "expected nats://host:port"}},
		{"an even number of replicas", flags("nats.replicas", "2"), []string{`"2" is not one of 0, 1, 3, 5`}},
		{"version", flags("graph.version", "26"), []string{"not a version such as v26.0"}},
		{"short key", flags("admin.key", "abc"), []string{"at least 16 characters"}},
		{"seal key", flags("data.key", "abc"), []string{"64 hexadecimal digits"}},
		{"empty directory", flags("data.dir", ""), []string{"data.dir", "expected a value"}},
		{"misspelt in the environment", environ("OUTRIDER_LOG_LEVL=debug"), []string{"OUTRIDER_LOG_LEVL", "did you mean OUTRIDER_LOG_LEVEL?"}},
		{"misspelt file of a secret", environ("OUTRIDER_ADMIN_KEY_FIL=x"), []string{"did you mean OUTRIDER_ADMIN_KEY_FILE?"}},
		{"file of what is no secret", environ("OUTRIDER_LOG_LEVEL_FILE=x"), []string{"OUTRIDER_LOG_LEVEL_FILE", "only a secret is read from a file: set OUTRIDER_LOG_LEVEL"}},
		{"a list as file", file("- a\n"), []string{"settings (file gateway.yaml:1)", "name: value"}},
		{"several at once", config.Source{
			Read: reader(nil), Environ: []string{"OUTRIDER_LOG_LEVL=debug", "OUTRIDER_ADMIN_KEY=short"}, Flags: map[string]string{"roles": "cook"},
		}, []string{"OUTRIDER_LOG_LEVL", "at least 16 characters", `"cook" is not a role`}},
		{"no topics", flags("mqtt.topics", " , "), []string{"mqtt.topics", "at least one"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(tc.src)
			if err == nil {
				t.Fatal("was accepted")
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

// An orchestrator describes a service called outrider to every process beside it.
func TestVariablesOfAnOrchestratorAreNoSettings(t *testing.T) {
	t.Parallel()
	_, err := config.Load(environ("OUTRIDER_SERVICE_HOST=10.0.0.7", "OUTRIDER_SERVICE_PORT=8080", "OUTRIDER_PORT=tcp://10.0.0.7:8080",
		"OUTRIDER_PORT_8080_TCP_ADDR=10.0.0.7"))
	if err != nil {
		t.Error(err)
	}
}

func TestASecretNeverShowsInAProblemOrAPrint(t *testing.T) {
	t.Parallel()
	const word = "swordfish"
	for _, s := range config.Settings() {
		if !s.Secret {
			continue
		}
		c, err := config.Load(flags(s.Name, word))
		for _, shown := range []string{fmt.Sprint(err), fmt.Sprintf("%v %+v %#v", c, c, c)} {
			if strings.Contains(shown, word) {
				t.Errorf("%s shows its value: %s", s.Name, shown)
			}
		}
	}
}

func TestAMissingSecretFileIsAProblem(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Source{Read: reader(nil), Environ: []string{"OUTRIDER_ADMIN_KEY_FILE=/nowhere"}})
	if p, ok := errors.AsType[*config.Problem](err); !ok || p.Setting != "admin.key" {
		t.Errorf("got %v, want a problem of admin.key", err)
	}
}

func TestDocsAreUpToDate(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	if err := config.WriteDocs(&want); err != nil {
		t.Fatal(err)
	}
	const path = "../../docs/config.md"
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/config.md differs from the table of settings: run make generate")
	}
}

func file(text string) config.Source {
	return config.Source{File: "gateway.yaml", Read: reader(map[string]string{"gateway.yaml": text})}
}

func environ(variables ...string) config.Source { return config.Source{Environ: variables} }

func flags(name, value string) config.Source {
	return config.Source{Flags: map[string]string{name: value}}
}

func reader(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, os.ErrNotExist
		}
		return []byte(text), nil
	}
}

func TestTheExampleFileIsAccepted(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Source{File: "../../deployments/gateway.yaml", Read: os.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	if c.MQTT.ClientID != "outrider-1" || c.Log.Format != "json" || len(c.MQTT.Topics) != 2 {
		t.Errorf("read %+v", c)
	}
}
