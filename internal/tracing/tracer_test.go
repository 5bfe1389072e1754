package tracing

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"outrider/notify"
)

// told tells of a delivery that was refused once and sent then.
func told(tr *Tracer) {
	began := time.UnixMilli(1000)
	d := &notify.Delivery{Alert: notify.Alert{ID: "d1", Received: began}, Created: began}
	tr.Committed(d, began, began)
	tr.Tried(began, d, &notify.Outcome{ID: "d1", State: notify.Pending, Tries: []notify.Try{
		{At: began, Route: notify.RouteWindow, Reason: notify.ReasonTemporary, Status: 500, Took: 2}}})
	again := began.Add(time.Minute)
	tr.Tried(again, d, &notify.Outcome{ID: "d1", State: notify.Sent, Tries: []notify.Try{
		{At: again, Route: notify.RouteWindow, State: notify.Sent, Status: 200, Took: 2}}})
}

func TestTriesOfADeliveryAreOneTrace(t *testing.T) {
	t.Parallel()
	got := map[string]int{}
	traces := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &request); err != nil {
			t.Error(err)
			return
		}
		for _, s := range request.ResourceSpans[0].ScopeSpans[0].Spans {
			got[s.Name]++
			traces[string(s.TraceId)] = true
		}
	}))
	defer server.Close()
	tr, err := New(t.Context(), Options{Endpoint: server.URL, Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	told(tr)
	if err := tr.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(traces) != 1 || got["alert"] != 1 || got["send"] != 2 || got["intake"] != 1 {
		t.Errorf("%d traces of %v", len(traces), got)
	}
}

// A collector that never answers is let go at the end, with all that waits for it.
func TestAnEndCutsWhatACollectorDoesNotTake(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cut := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
		close(cut)
	}))
	defer server.Close()
	tr, err := New(t.Context(), Options{Endpoint: server.URL, Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	told(tr)
	if err := tr.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-cut
}
