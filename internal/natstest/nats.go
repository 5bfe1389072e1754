package natstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"outrider/internal/mosquittotest"
)

// Node is an embedded nats-server with a file store, on loopback.
type Node struct {
	Options server.Options

	t testing.TB
	s *server.Server
}

// Start starts one server. It keeps its port and its files over Down and Up.
func Start(t testing.TB, change func(*server.Options)) *Node {
	t.Helper()
	n := &Node{t: t, Options: server.Options{
		Host: "127.0.0.1", Port: mosquittotest.FreePort(t), NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
	}}
	if change != nil {
		change(&n.Options)
	}
	n.Up()
	t.Cleanup(n.Down)
	return n
}

// WithUser makes a server ask for a user and a password. The user may publish and subscribe to these subjects only.
func WithUser(user, password string, publish, subscribe []string) func(*server.Options) {
	return func(o *server.Options) {
		o.Users = []*server.User{{Username: user, Password: password, Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: publish}, Subscribe: &server.SubjectPermission{Allow: subscribe},
		}}}
	}
}

// WithTLS makes a server speak TLS alone, and ask for a certificate that the authority vouches for. All are PEM files.
func WithTLS(t testing.TB, ca, cert, key string) func(*server.Options) {
	t.Helper()
	c, err := server.GenTLSConfig(&server.TLSConfigOpts{CaFile: ca, CertFile: cert, KeyFile: key, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	return func(o *server.Options) { o.TLSConfig, o.TLS, o.TLSVerify, o.TLSTimeout = c, true, true, 10 }
}

func (n *Node) start() {
	n.t.Helper()
	o := n.Options.Clone()
	s, err := server.NewServer(o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.s = s
	s.Start()
}

// Up starts the server again and waits until it takes connections.
func (n *Node) Up() {
	n.t.Helper()
	n.start()
	if !n.s.ReadyForConnections(30 * time.Second) {
		n.t.Fatal("nats-server is not ready")
	}
}

// Down stops the server. It may come twice.
func (n *Node) Down() {
	if n.s != nil {
		n.s.Shutdown()
		n.s.WaitForShutdown()
		n.s = nil
	}
}

// URL is where clients connect.
func (n *Node) URL() string { return fmt.Sprintf("nats://127.0.0.1:%d", n.Options.Port) }

// Cluster starts three servers that know each other. change is nil, or changes the options of each.
func Cluster(t testing.TB, change func(i int, o *server.Options)) Nodes {
	t.Helper()
	var routes []string
	var ports []int
	for range 3 {
		ports = append(ports, mosquittotest.FreePort(t))
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[len(ports)-1]))
	}
	var nodes Nodes
	for i, port := range ports {
		n := &Node{t: t, Options: server.Options{
			ServerName: fmt.Sprint("n", i+1), Host: "127.0.0.1", Port: mosquittotest.FreePort(t), NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, Routes: server.RoutesFromStr(strings.Join(routes, ",")),
		}}
		if change != nil {
			change(i, &n.Options)
		}
		n.start()
		t.Cleanup(n.Down)
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		if !n.s.ReadyForConnections(30 * time.Second) {
			t.Fatal("nats-server is not ready")
		}
	}
	return nodes
}

// Nodes are the servers of a cluster.
type Nodes []*Node

// URL names all of them.
func (ns Nodes) URL() string {
	var all []string
	for _, n := range ns {
		all = append(all, n.URL())
	}
	return strings.Join(all, ",")
}
