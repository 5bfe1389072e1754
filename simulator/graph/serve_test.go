package graph_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"outrider/simulator/graph"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	cases := []struct {
		line, events string
		err          error
	}{
		{"say 500 7002 where is my van?", "message message", nil},
		{"tap 500 7002 WHERE:12", "message postback", nil},
		{"follow 500 7001 code", "message referral", nil},
		{"read 500 7001", "message read", nil},
		{"say 500 1 hello", "message", graph.ErrUnknown},
		{"say 500", "message", graph.ErrCommand},
		{"sing 500 7001 loudly", "message", graph.ErrCommand},
		{"", "message", graph.ErrCommand},
	}
	for _, c := range cases {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			b := setup(t, graph.Options{})
			g := connect(t, b)
			if err := b.Command(c.line); !errors.Is(err, c.err) {
				t.Errorf("gave %v, want %v", err, c.err)
			}
			settle(t, b)
			got := strings.Fields(g.kinds(t))
			slices.Sort(got) // conversations do not wait for each other
			if strings.Join(got, " ") != c.events {
				t.Errorf("events %q, want %q", got, c.events)
			}
		})
	}
}

// page collects output of another goroutine.
type page struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
	grew chan struct{}
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Write(b)
	select {
	case p.grew <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestServe(t *testing.T) {
	t.Parallel()
	b := setup(t, graph.Options{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := &page{grew: make(chan struct{}, 1)}
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx, listener, strings.NewReader("nonsense\n"), out) }()

	req, err := http.NewRequest("POST", "http://"+listener.Addr().String()+"/v26.0/500/messages?appsecret_proof="+graph.Proof("secret", "page-token"),
		strings.NewReader(update("7001", `{"text":"Van 12 left Depot"}`)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer page-token")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for !strings.Contains(out.String(), "Van 12 left Depot") || !strings.Contains(out.String(), "want:") {
		<-out.grew
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
