package app_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collected is an OpenTelemetry collector.
type collected struct {
	mu     sync.Mutex // guards all
	spans  []*spans.Span
	raw    []byte
	path   string
	answer int
}

func collect(t *testing.T, answer int) (*collected, string) {
	t.Helper()
	c := &collected{answer: answer}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, server.URL
}

func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var got collector.ExportTraceServiceRequest
	err := proto.Unmarshal(body, &got)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.path, c.raw = r.URL.Path, append(c.raw, body...)
	if err != nil || c.answer != http.StatusOK {
		w.WriteHeader(max(c.answer, http.StatusBadRequest))
		return
	}
	for _, of := range got.ResourceSpans {
		for _, in := range of.ScopeSpans {
			c.spans = append(c.spans, in.Spans...)
		}
	}
}

// tracedRig drives a vehicle through a geofence, waits until its owner was told of both crossings, and ends the gateway.
func tracedRig(t *testing.T, settings map[string]string) *rig {
	t.Helper()
	r := newRig(t, settings)
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "both alerts are sent", func() bool { return len(r.items(t, "deliveries?state=sent")) == 2 })
	return r
}

// Each alert is one trace from the arrival of its fix to Meta's answer, without names and secrets.
func TestAlertsAreTraced(t *testing.T) {
	t.Parallel()
	c, url := collect(t, http.StatusOK)
	tracedRig(t, map[string]string{"otel.endpoint": url}).stop(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path != "/v1/traces" {
		t.Errorf("spans went to %q", c.path)
	}
	traces := map[string]map[string]*spans.Span{}
	for _, s := range c.spans {
		id := string(s.TraceId)
		if traces[id] == nil {
			traces[id] = map[string]*spans.Span{}
		}
		if s.Name == "plan" && traces[id]["plan"] != nil {
			continue // a template had to be made first
		}
		if traces[id][s.Name] != nil {
			t.Errorf("a trace has %s twice", s.Name)
		}
		traces[id][s.Name] = s
	}
	if len(traces) != 2 {
		t.Fatalf("%d traces, want 2", len(traces))
	}
	for _, of := range traces {
		whole := of["alert"]
		if whole == nil || len(whole.ParentSpanId) != 0 {
			t.Fatalf("the outermost span is %v", whole)
		}
		end := whole.StartTimeUnixNano
		for _, name := range []string{"intake", "decide", "commit", "plan", "send"} {
			s := of[name]
			switch {
			case s == nil:
				t.Fatalf("no span %s in %v", name, of)
			case !bytes.Equal(s.ParentSpanId, whole.SpanId):
				t.Errorf("%s is not part of its alert", name)
			case s.StartTimeUnixNano < end && name != "plan", s.EndTimeUnixNano < s.StartTimeUnixNano:
				t.Errorf("%s is from %d to %d, what is before ends at %d", name, s.StartTimeUnixNano, s.EndTimeUnixNano, end)
			}
			end = s.EndTimeUnixNano
		}
		if whole.EndTimeUnixNano < end {
			t.Errorf("the alert ends before its last span")
		}
	}
	for _, secret := range []string{token, key, "70001", "app-secret-of-the-test", "Van of ann", "The yard"} {
		if strings.Contains(string(c.raw), secret) {
			t.Errorf("%q is in what the collector gets", secret)
		}
	}
}

func TestAShareOfAlertsIsTraced(t *testing.T) {
	t.Parallel()
	c, url := collect(t, http.StatusOK)
	tracedRig(t, map[string]string{"otel.endpoint": url, "otel.share": "0"}).stop(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) != 0 {
		t.Errorf("%d spans of a share of nothing", len(c.spans))
	}
}

// A collector that refuses keeps no alert and no end waiting; what it misses is counted.
func TestACollectorMayRefuse(t *testing.T) {
	t.Parallel()
	_, url := collect(t, http.StatusBadRequest)
	r := tracedRig(t, map[string]string{"otel.endpoint": url})
	eventually(t, "lost spans are counted", func() bool { return r.metric(t, "outrider_trace_spans_lost_total") > 0 })
	r.stop(t)
	if !strings.Contains(r.log.String(), "spans were not taken") {
		t.Error("nothing in the log")
	}
}
