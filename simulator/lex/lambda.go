package lex

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Lambda runs a function's program as AWS Lambda does, through the runtime API of "Using the Lambda runtime API for
// custom runtimes": the program asks for the next event and posts its answer. One event at a time is under way.
type Lambda struct {
	server *httptest.Server
	cancel context.CancelFunc
	ended  chan struct{} // closed when the program has ended

	mu      sync.Mutex // held while an event is under way, and guards requests
	count   int
	events  chan event
	results chan result
}

type event struct {
	id   string
	body json.RawMessage
	ends time.Time
}

type result struct {
	id     string
	body   json.RawMessage
	failed bool
}

// ErrLambda says that the function answered with an error, or ended.
var ErrLambda = errors.New("lex: lambda function failed")

// StartLambda starts the program with more environment, each "NAME=value", until Stop.
func StartLambda(program string, environment ...string) (*Lambda, error) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Lambda{cancel: cancel, ended: make(chan struct{}), events: make(chan event), results: make(chan result)}
	l.server = httptest.NewServer(http.HandlerFunc(l.serve))
	c := exec.CommandContext(ctx, program)
	c.Env = append(append(os.Environ(), environment...), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(l.server.URL, "http://"))
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		cancel()
		l.server.Close()
		return nil, fmt.Errorf("lex: lambda: %w", err)
	}
	go func() {
		_ = c.Wait() // it ends by being stopped
		close(l.ended)
	}()
	return l, nil
}

// Stop ends the program and waits for it.
func (l *Lambda) Stop() {
	l.cancel()
	<-l.ended
	l.server.CloseClientConnections()
	l.server.Close()
}

// Invoke has the function answer an event.
func (l *Lambda) Invoke(ctx context.Context, body json.RawMessage) (json.RawMessage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	e := event{id: strconv.Itoa(l.count), body: body, ends: time.Now().Add(time.Minute)}
	if deadline, ok := ctx.Deadline(); ok {
		e.ends = deadline
	}
	select {
	case l.events <- e:
	case <-l.ended:
		return nil, fmt.Errorf("%w: the program has ended", ErrLambda)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		select {
		case r := <-l.results:
			if r.id != e.id {
				continue // of an event whose time was up
			}
			if r.failed {
				return nil, fmt.Errorf("%w: %s", ErrLambda, r.body)
			}
			return r.body, nil
		case <-l.ended:
			return nil, fmt.Errorf("%w: the program has ended", ErrLambda)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// serve is the runtime API.
func (l *Lambda) serve(w http.ResponseWriter, r *http.Request) {
	const invocation = "/2018-06-01/runtime/invocation/"
	rest, ok := strings.CutPrefix(r.URL.Path, invocation)
	if !ok {
		w.WriteHeader(http.StatusAccepted) // init/error
		return
	}
	if rest == "next" {
		select {
		case e := <-l.events:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", e.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.ends.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:local")
			_, _ = w.Write(e.body)
		case <-r.Context().Done():
		}
		return
	}
	id, what, _ := strings.Cut(rest, "/")
	body, err := io.ReadAll(r.Body)
	w.WriteHeader(http.StatusAccepted)
	select {
	case l.results <- result{id, body, err != nil || what == "error"}:
	case <-l.ended:
	case <-r.Context().Done():
	}
}
