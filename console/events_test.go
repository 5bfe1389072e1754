package console_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/console"
	"outrider/identity"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// eventStream is what a client of /api/v1/events reads.
type eventStream struct {
	t        *testing.T
	lines    chan string
	encoding string
}

func openStream(t *testing.T, g *gateway, query string, header ...string) *eventStream {
	t.Helper()
	server := httptest.NewServer(g.handler)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); server.Close() })
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	a, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", a.Status, a.Header)
	}
	body := io.Reader(a.Body)
	if a.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(a.Body); err != nil {
			t.Fatal(err)
		}
	}
	s := &eventStream{t, make(chan string), a.Header.Get("Content-Encoding")}
	go func() { // ends with the body
		defer close(s.lines)
		for scan := bufio.NewScanner(body); scan.Scan(); {
			s.lines <- scan.Text()
		}
	}()
	return s
}

// next returns the next event and its data, comments and ids left out.
func (s *eventStream) next() (event, data string) {
	s.t.Helper()
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				return "end", ""
			}
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				event = name
			} else if text, ok := strings.CutPrefix(line, "data: "); ok {
				return event, text
			}
		case <-time.After(30 * time.Second):
			s.t.Fatal("no event came")
		}
	}
}

func fixOf(tenant, vehicle string, lon, lat float64) telemetry.Fix {
	f := telemetry.Fix{Tenant: telemetry.TenantID(tenant), Vehicle: telemetry.VehicleID(vehicle), Point: orb.Point{lon, lat}}
	f.Time = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	f.Accuracy, f.Speed, f.Heading, f.Altitude, f.HDOP = telemetry.Unknown(), telemetry.Unknown(), telemetry.Unknown(), telemetry.Unknown(), telemetry.Unknown()
	return f
}

// What happens is told once, of one's own tenant and box only.
func TestEvents(t *testing.T) {
	t.Parallel()
	feed := console.NewFeed()
	g := setup(t, func(o *console.Options) { o.Feed = feed })
	g.store.crossings = []store.Crossing{{Seq: 1, ID: "old", Tenant: "default", Vehicle: "van", Kind: "enter"}}
	s := openStream(t, g, "?bbox=11,48,12,49")

	g.store.mu.Lock()
	g.store.crossings = append(g.store.crossings, store.Crossing{Seq: 3, ID: "new", Tenant: "default", Vehicle: "van", Kind: "exit"})
	g.store.mu.Unlock()
	eventually(t, func() bool { // the stream may not be watched yet
		feed.Committed(store.Commit{
			LastFixes: []telemetry.Fix{fixOf("default", "van", 11.5, 48.1), fixOf("default", "far", 20, 20), fixOf("other", "van", 11.5, 48.1)},
			Crossings: []store.Crossing{{Tenant: "default"}},
		})
		select {
		case line := <-s.lines:
			return line == "event: fixes"
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	if _, data := s.next(); !strings.Contains(data, `"vehicle":"van"`) || strings.Contains(data, "far") || strings.Count(data, "van") != 1 {
		t.Errorf("fixes: %s", data)
	}
	name, data := s.next()
	for name == "fixes" { // of the tries
		name, data = s.next()
	}
	if name != "crossing" || !strings.Contains(data, `"id":"new"`) {
		t.Errorf("%s: %s", name, data)
	}
	d := store.DeliveryRecord{Seq: 7, Delivery: notify.Delivery{State: notify.Pending}}
	d.Alert.ID, d.Alert.Tenant = "d1", "default"
	for _, state := range []notify.State{notify.Pending, notify.Sent} {
		d.State = state
		g.store.mu.Lock()
		g.store.deliveries = []store.DeliveryRecord{d}
		g.store.mu.Unlock()
		feed.Changed(identity.TenantID("default"))
		name, data := s.next()
		for name == "fixes" {
			name, data = s.next()
		}
		if name != "delivery" || !strings.Contains(data, `"state":"`+string(state)+`"`) {
			t.Errorf("%s: %s", name, data)
		}
	}
	feed.Close()
	feed.Close()
	if name, data := s.next(); name != "end" {
		t.Errorf("after the end: %s %s", name, data)
	}
}

// Who comes back with the id of the last event gets what was missed, oldest first.
func TestEventsAfterAnAbsence(t *testing.T) {
	t.Parallel()
	g := setup(t)
	for seq := uint64(1); seq <= 250; seq++ {
		g.store.crossings = append(g.store.crossings, store.Crossing{Seq: seq, ID: "c" + time.Duration(seq).String(), Tenant: "default"})
	}
	s := openStream(t, g, "", "Last-Event-ID: 20")
	for seq := uint64(21); seq <= 250; seq++ {
		if name, data := s.next(); name != "crossing" || !strings.Contains(data, `"c`+time.Duration(seq).String()+`"`) {
			t.Fatalf("after %d: %s %s", seq-1, name, data)
		}
	}
}

func TestEventsRefuse(t *testing.T) {
	t.Parallel()
	g := setup(t)
	for _, bad := range []string{"1,2,3", "a,b,c,d", "0,50,1,40", "-190,0,0,1", "0,0,0,91"} {
		a := g.call("GET", "/api/v1/events?bbox="+bad, "")
		if a.StatusCode != 422 || !strings.Contains(a.body, "query.bbox") {
			t.Errorf("%s: %d %s", bad, a.StatusCode, a.body)
		}
	}
	if a := g.call("GET", "/api/v1/events", "", "Authorization: Bearer wrong"); a.StatusCode != 401 {
		t.Errorf("a wrong key: %d", a.StatusCode)
	}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("it never came true")
		}
	}
}
