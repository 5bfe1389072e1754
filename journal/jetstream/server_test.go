package jetstream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"outrider/internal/mosquittotest"
)

// node is an embedded nats-server with a file store, on loopback.
type node struct {
	t *testing.T
	o server.Options
	s *server.Server
}

// startNode starts one server. It keeps its port and its files over down and up.
func startNode(t *testing.T, change func(*server.Options)) *node {
	t.Helper()
	n := &node{t: t, o: server.Options{
		Host: "127.0.0.1", Port: mosquittotest.FreePort(t), NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
	}}
	if change != nil {
		change(&n.o)
	}
	n.up()
	t.Cleanup(n.down)
	return n
}

func (n *node) start() {
	n.t.Helper()
	o := n.o.Clone()
	s, err := server.NewServer(o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.s = s
	s.Start()
}

func (n *node) up() {
	n.t.Helper()
	n.start()
	if !n.s.ReadyForConnections(30 * time.Second) {
		n.t.Fatal("nats-server is not ready")
	}
}

func (n *node) down() {
	if n.s != nil {
		n.s.Shutdown()
		n.s.WaitForShutdown()
		n.s = nil
	}
}

func (n *node) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", n.o.Port) }

// startCluster starts three servers that know each other.
func startCluster(t *testing.T) []*node {
	t.Helper()
	var routes []string
	var ports []int
	for range 3 {
		ports = append(ports, mosquittotest.FreePort(t))
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[len(ports)-1]))
	}
	var nodes []*node
	for i, port := range ports {
		n := &node{t: t, o: server.Options{
			ServerName: fmt.Sprint("n", i+1), Host: "127.0.0.1", Port: mosquittotest.FreePort(t), NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, Routes: server.RoutesFromStr(strings.Join(routes, ",")),
		}}
		n.start()
		t.Cleanup(n.down)
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		if !n.s.ReadyForConnections(30 * time.Second) {
			t.Fatal("nats-server is not ready")
		}
	}
	return nodes
}

func urls(nodes []*node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.url())
	}
	return strings.Join(all, ",")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("timed out: %s", what)
}
