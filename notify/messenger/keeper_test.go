package messenger_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/notify"
	"outrider/notify/messenger"
	"outrider/notify/notifytest"
	sandbox "outrider/simulator/graph"
)

// handler is an HTTP server without a network, for tests with a simulated clock.
type handler struct{ http.Handler }

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// care is a keeper over an outbox in memory, in a synctest bubble.
type care struct {
	t         *testing.T
	outbox    *notifytest.Outbox
	directory *identity.Directory
	keeper    *messenger.TemplateKeeper
	woken     atomic.Int32
}

func newCare(t *testing.T, transport http.RoundTripper, page identity.Page) *care {
	t.Helper()
	c := &care{t: t, outbox: notifytest.NewOutbox(time.Now), directory: identity.NewDirectory()}
	c.page(page)
	g, err := graph.New(graph.Options{URL: "http://graph.test", Version: "v26.0", AppSecret: identity.NewToken(appSecret),
		HTTP: &http.Client{Transport: transport}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.keeper, err = messenger.NewTemplateKeeper(messenger.TemplateKeeperOptions{Graph: g, Directory: c.directory,
		Templates: c.outbox, Outbox: c.outbox, Now: time.Now, Wake: func(identity.PageID) { c.woken.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.keeper.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.keeper.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *care) page(p identity.Page) {
	c.directory.Load(identity.Records{Pages: []identity.Page{p}})
}

// hold puts a delivery that waits for a template.
func (c *care) hold(id string) {
	c.outbox.Put(notify.Delivery{Alert: notify.Alert{ID: id}, Page: "111", PSID: "7001", State: notify.Held, Reason: notify.ReasonTemplateMissing})
}

// want compares "name language status" of the recorded templates.
func (c *care) want(want ...string) {
	c.t.Helper()
	templates, err := c.outbox.Templates(c.t.Context(), "111")
	if err != nil {
		c.t.Fatal(err)
	}
	var got []string
	for _, t := range templates {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", t.Name, t.Language, t.Status, t.Detail)))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		c.t.Errorf("templates %q, want %q", got, want)
	}
}

func page(token string) identity.Page {
	return identity.Page{ID: "111", AccessToken: identity.NewToken(token)}
}

// log counts requests by method.
type log struct {
	http.RoundTripper
	mu    sync.Mutex
	lines []string
}

func (l *log) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.lines = append(l.lines, r.Method+" "+r.URL.Path)
	l.mu.Unlock()
	return l.RoundTripper.RoundTrip(r)
}

func (l *log) count(method string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.lines {
		if strings.HasPrefix(line, method) {
			n++
		}
	}
	return n
}

func newSandbox(t *testing.T, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	o.AppSecret = appSecret
	s := sandbox.New(o)
	s.AddPage("111", "Fleet", pageToken)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestKeeperCreatesWaitsAndReleases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := &log{RoundTripper: newSandbox(t, sandbox.Options{ApproveAfter: 30 * time.Second, Unsubscribed: true}).Transport()}
		c := newCare(t, calls, page(pageToken))
		c.hold("d1")
		synctest.Wait()
		c.want("outrider_enter_v2 en PENDING", "outrider_exit_v2 en PENDING")
		if s := c.outbox.Delivery("d1").State; s != notify.Held || c.woken.Load() > 0 {
			t.Errorf("%s before the approval, woken %d times", s, c.woken.Load())
		}
		time.Sleep(75 * time.Second)
		synctest.Wait()
		c.want("outrider_enter_v2 en APPROVED", "outrider_exit_v2 en APPROVED")
		if s := c.outbox.Delivery("d1").State; s != notify.Pending || c.woken.Load() == 0 {
			t.Errorf("%s after the approval, woken %d times", s, c.woken.Load())
		}
		if n := calls.count("GET"); n > 16 {
			t.Errorf("%d looks in 75 s", n)
		}
		if n := calls.count("POST"); n != 2 {
			t.Errorf("%d creations", n)
		}
		looks := calls.count("GET")
		time.Sleep(23 * time.Hour)
		if n := calls.count("GET"); n != looks {
			t.Errorf("%d looks although everything is decided", n-looks)
		}
		c.keeper.Ensure("111")
		time.Sleep(10 * time.Second)
		if n := calls.count("GET"); n != looks+2 || calls.count("POST") != 2 {
			t.Errorf("asked for once: %v", calls.lines[looks+2:])
		}
	})
}

func TestKeeperTellsOfRejections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := &log{RoundTripper: handler{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" {
				// A name that merely contains the one that was asked for, and another language.
				io.WriteString(w, `{"data":[{"id":"1","name":"my_outrider_enter_v2","language":"en","status":"APPROVED"},
					{"id":2,"name":"outrider_enter_v2","language":"fr","status":"APPROVED"}]}`)
				return
			}
			w.WriteHeader(400)
			io.WriteString(w, `{"error":{"message":"Invalid parameter","code":100,"error_subcode":2388051,"error_user_msg":"A button has an example."}}`)
		})}}
		c := newCare(t, calls, page(pageToken))
		time.Sleep(time.Hour)
		const why = "REJECTED Invalid parameter: A button has an example."
		c.want("outrider_enter_v2 en "+why, "outrider_exit_v2 en "+why)
		if n := calls.count("POST"); n != 2 {
			t.Errorf("%d creations of what is refused", n)
		}
	})
}

// A page that names templates of its own gets none of ours, and one in French alone is enough for it.
func TestKeeperLooksAtForeignTemplates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := &log{RoundTripper: handler{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("name") == "arrivee" {
				io.WriteString(w, `{"data":[{"id":"1","name":"arrivee","language":"fr","status":"APPROVED","rejected_reason":"NONE"}]}`)
				return
			}
			io.WriteString(w, `{"data":[]}`)
		})}}
		p := page(pageToken)
		p.Templates = map[string]string{"enter": "arrivee", "exit": "depart"}
		c := newCare(t, calls, p)
		c.hold("d1")
		time.Sleep(time.Hour)
		c.want("arrivee fr APPROVED")
		if n := calls.count("POST"); n != 0 {
			t.Errorf("%d creations", n)
		}
		if s := c.outbox.Delivery("d1").State; s != notify.Pending {
			t.Errorf("%s", s)
		}
	})
}

func TestKeeperTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := &log{RoundTripper: newSandbox(t, sandbox.Options{}).Transport()}
		c := newCare(t, calls, page("a token that died"))
		time.Sleep(time.Hour)
		c.want()
		if n := calls.count("GET"); n > 60 {
			t.Errorf("%d looks with a dead token in an hour", n)
		}
		c.page(page(pageToken))
		c.keeper.Ensure("111")
		time.Sleep(10 * time.Second)
		c.want("outrider_enter_v2 en APPROVED", "outrider_exit_v2 en APPROVED")
	})
}

func TestKeeperRecordsAfterTheStoreFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCare(t, newSandbox(t, sandbox.Options{}).Transport(), identity.Page{ID: "111"})
		c.outbox.Fail(io.ErrShortWrite)
		c.page(page(pageToken))
		c.keeper.Ensure("111")
		time.Sleep(time.Minute)
		c.outbox.Fail(nil)
		time.Sleep(5 * time.Minute)
		c.want("outrider_enter_v2 en APPROVED", "outrider_exit_v2 en APPROVED")
	})
}

func TestKeeperStopsInTheMiddle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCare(t, handler{http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })}, page(pageToken))
		synctest.Wait()
		began := time.Now()
		for range 2 {
			if err := c.keeper.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if time.Since(began) > 0 {
			t.Error("stopping waited for the answer")
		}
		c.keeper.Ensure("111") // harmless
		if err := c.keeper.Start(t.Context()); err == nil {
			t.Error("started after it was stopped")
		}
	})
}
