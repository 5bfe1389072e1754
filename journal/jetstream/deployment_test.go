package jetstream_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"outrider/internal/natstest"
	"outrider/journal/jetstream"
	"outrider/journal/journaltest"
)

// typed are the lines of a deployment's instructions that begin with one of the words, as they are typed.
func typed(t *testing.T, file string, words ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deployments", file))
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for line := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(line, "#   ")
		for _, w := range words {
			if ok && strings.HasPrefix(command, w) {
				lines.WriteString(command)
			}
		}
	}
	return lines.String()
}

// TestTheClusterOfTheDeployment makes the secrets of deployments/compose.cluster.yaml as it says, has three servers read
// deployments/nats/nats.conf, and keeps a journal there as the gateway of the file would.
func TestTheClusterOfTheDeployment(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skipf("openssl is not installed: %v", err)
	}
	dir := t.TempDir() // has the layout of the container
	for _, sub := range []string{"etc/nats", "run/secrets"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	commands := strings.ReplaceAll(typed(t, "compose.cluster.yaml", "p=", "printf"), "secrets/", filepath.Join(dir, "run/secrets")+"/")
	if out, err := exec.CommandContext(t.Context(), "sh", "-ec", commands).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	settings, err := os.ReadFile("../../deployments/nats/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "etc/nats/nats.conf")
	if err := os.WriteFile(path, settings, 0o600); err != nil {
		t.Fatal(err)
	}
	nodes := natstest.Cluster(t, func(i int, o *server.Options) {
		t.Setenv("NATS_NAME", fmt.Sprint("nats-", i+1))
		read, err := server.ProcessConfigFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !read.JetStream || !read.SyncAlways || read.StoreDir != "/data" || read.Port != 4222 || read.Cluster.Port != 6222 || len(read.Routes) != 3 {
			t.Errorf("the configuration is read as %+v", read)
		}
		for n, r := range read.Routes {
			if r.Host != fmt.Sprintf("nats-%d:6222", n+1) {
				t.Errorf("route %d leads to %s", n, r.Host)
			}
			r.Host = o.Routes[n].Host
		}
		read.Host, read.Port, read.HTTPHost, read.HTTPPort, read.StoreDir = o.Host, o.Port, "", 0, o.StoreDir
		read.Cluster.Host, read.Cluster.Port, read.NoSigs, read.NoLog = o.Cluster.Host, o.Cluster.Port, true, true
		*o = *read
	})
	secret, err := os.ReadFile(filepath.Join(dir, "run/secrets/nats_url"))
	if err != nil {
		t.Fatal(err)
	}
	servers := strings.Split(string(secret), ",")
	for i, s := range servers {
		u, err := url.Parse(s)
		if err != nil || u.Host != fmt.Sprintf("nats-%d:4222", i+1) {
			t.Fatalf("server %d: %v", i, err)
		}
		u.Host = strings.TrimPrefix(nodes[i].URL(), "nats://")
		servers[i] = u.String()
	}
	j := open(t, jetstream.Options{
		URL: func() string { return strings.Join(servers, ",") }, Replicas: 3, Partitions: journaltest.Partitions, OpenWithin: time.Minute,
	})
	put(t, j, 0, 10)
	if got := numbers(t, j, 0, 10); len(got) != 10 {
		t.Errorf("read %v", got)
	}
	if _, err := jetstream.Open(t.Context(), jetstream.Options{URL: nodes.URL, OpenWithin: time.Second}); err == nil {
		t.Error("somebody came in without a password")
	}
}
