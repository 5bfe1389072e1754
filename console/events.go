package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"

	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

const (
	eventPause = 200 * time.Millisecond // the least between two flushes: what comes in between is collected
	eventAlive = 15 * time.Second       // a comment so often keeps proxies from closing a quiet stream
	eventLook  = 2 * time.Second        // how often the record is looked at unasked: other processes write it, too
	eventWrite = 10 * time.Second       // how long a client may take to accept what is written
	eventsMost = 1000                   // records sent at most of what a client has missed
	watchState = 200                    // deliveries whose state is followed
)

// events serves the live stream.
type events struct {
	feed  *Feed
	store Records
}

func (e events) register(r *router) {
	handle(r, huma.Operation{
		OperationID: "watch-events", Method: http.MethodGet, Path: "/api/v1/events", Tags: []string{tagRecord},
		Summary: "Watch what happens",
		Description: "A stream of server-sent events: `fixes` (the vehicles that moved, collected over a fifth of a second), `crossing` and `delivery` " +
			"(new, or in another state). With the header Last-Event-ID, crossings that were missed come first.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The stream; it ends when the client goes.",
			Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}, e.watch)
}

// streamAnswer is an answer that is written as it goes.
type streamAnswer struct {
	Body func(huma.Context)
}

func (e events) watch(ctx context.Context, in *struct {
	BBox string `query:"bbox" maxLength:"200" doc:"Only positions in here: west,south,east,north in degrees."`
	Last string `header:"Last-Event-ID" maxLength:"40" doc:"The id of the last event that was received."`
	Take string `header:"Accept-Encoding" hidden:"true"`
}) (*streamAnswer, error) {
	box, err := parseBBox(in.BBox)
	if err != nil {
		return nil, err
	}
	tenant := tenantOf(ctx)
	s := &stream{store: e.store, tenant: tenant, box: box, states: map[string]string{}}
	if err := s.begin(ctx, in.Last); err != nil {
		return nil, err
	}
	w := e.feed.watch(tenant)
	return &streamAnswer{func(hc huma.Context) {
		defer e.feed.leave(w)
		_, writer := humago.Unwrap(hc)
		writer.Header().Set("Content-Type", "text/event-stream")
		writer.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
		writer.Header().Set("Vary", "Accept-Encoding")
		s.out, s.control = writer, http.NewResponseController(writer)
		if takesGzip(in.Take) {
			writer.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(writer, gzip.BestSpeed) // the level is one
			s.out, s.packed = z, z
		}
		s.run(hc.Context(), w, e.feed.closed)
	}}, nil
}

// parseBBox reads "west,south,east,north"; nil: everywhere. A box whose west is beyond its east crosses the 180°
// meridian.
func parseBBox(text string) (*orb.Bound, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	var v [4]float64
	ok := len(parts) == len(v)
	for i := 0; ok && i < len(v); i++ {
		var err error
		v[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		ok = err == nil
	}
	if !ok || v[1] > v[3] || v[0] < -180 || v[2] > 180 || v[0] > 180 || v[2] < -180 || v[1] < -90 || v[3] > 90 {
		var f faults
		f.add("query.bbox", text, "expected west,south,east,north in degrees, such as 11.3,48.0,11.8,48.3")
		return nil, f.problem()
	}
	return &orb.Bound{Min: orb.Point{v[0], v[1]}, Max: orb.Point{v[2], v[3]}}, nil
}

// inBox reports whether p is in a box from [parseBBox].
func inBox(b *orb.Bound, p orb.Point) bool {
	if b == nil {
		return true
	}
	inside := p[0] >= b.Min[0] && p[0] <= b.Max[0]
	if b.Min[0] > b.Max[0] {
		inside = p[0] >= b.Min[0] || p[0] <= b.Max[0]
	}
	return inside && p[1] >= b.Min[1] && p[1] <= b.Max[1]
}

// stream is one client's stream. It is owned by the goroutine of the request.
type stream struct {
	store  Records
	tenant identity.TenantID
	box    *orb.Bound

	crossed uint64            // the newest crossing that was sent
	states  map[string]string // the deliveries that were looked at, as they were sent

	out     io.Writer
	packed  *gzip.Writer // out, when it is one
	control *http.ResponseController
	err     error // the first error of writing: the client has gone
}

// begin finds out from where on to tell: after the client's last event, else from now on.
func (s *stream) begin(ctx context.Context, last string) error {
	if seq, err := strconv.ParseUint(last, 10, 63); err == nil {
		s.crossed = seq
	} else {
		newest, err := s.store.Crossings(ctx, store.Query{Tenant: s.tenant, Limit: 1})
		if err != nil {
			return err
		}
		if len(newest) > 0 {
			s.crossed = newest[0].Seq
		}
	}
	_, err := s.changed(ctx)
	return err
}

func (s *stream) run(ctx context.Context, w *watcher, closed <-chan struct{}) {
	s.write("retry: 1000\n\n")
	s.records(ctx)
	alive, look := time.NewTicker(eventAlive), time.NewTicker(eventLook)
	defer alive.Stop()
	defer look.Stop()
	for s.err == nil {
		grown := false
		select {
		case <-ctx.Done():
			return
		case <-closed:
			return
		case <-alive.C:
			s.write(": alive\n\n")
			continue
		case <-look.C:
			grown = true
		case <-w.wake:
		}
		fixes, more := w.take()
		s.fixes(fixes)
		if grown || more {
			s.records(ctx)
		}
		select {
		case <-ctx.Done():
		case <-closed:
		case <-time.After(eventPause):
		}
	}
}

// moved is a vehicle's new position.
type moved struct {
	Vehicle identity.VehicleID `json:"vehicle"`
	Fix     *fix               `json:"fix"`
}

func (s *stream) fixes(all map[identity.VehicleID]telemetry.Fix) {
	var list []moved
	for id, f := range all {
		if inBox(s.box, f.Point) {
			list = append(list, moved{id, showFix(&f)})
		}
	}
	if len(list) > 0 {
		slices.SortFunc(list, func(a, b moved) int { return cmp.Compare(a.Vehicle, b.Vehicle) })
		s.event("fixes", 0, map[string]any{"fixes": list})
	}
}

// records sends what the record has of news.
func (s *stream) records(ctx context.Context) {
	crossings, err := s.news(ctx)
	if err != nil {
		s.err = err
		return
	}
	for _, c := range slices.Backward(crossings) {
		s.crossed = c.Seq
		s.event("crossing", c.Seq, showCrossing(c))
	}
	deliveries, err := s.changed(ctx)
	if err != nil {
		s.err = err
		return
	}
	for _, d := range slices.Backward(deliveries) {
		s.event("delivery", 0, d)
	}
}

// news returns the crossings that were not sent yet, newest first.
func (s *stream) news(ctx context.Context) ([]store.Crossing, error) {
	var all []store.Crossing
	before := uint64(0)
	for len(all) < eventsMost {
		page, err := s.store.Crossings(ctx, store.Query{Tenant: s.tenant, Before: before, Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			if c.Seq <= s.crossed {
				return all, nil
			}
			all, before = append(all, c), c.Seq
		}
		if len(page) < 100 {
			return all, nil
		}
	}
	return all, nil
}

// changed returns those of the newest deliveries that are not as they were the last time, newest first.
func (s *stream) changed(ctx context.Context) ([]delivery, error) {
	page, err := s.store.Deliveries(ctx, store.Query{Tenant: s.tenant, Limit: watchState})
	if err != nil {
		return nil, err
	}
	var all []delivery
	states := make(map[string]string, len(page))
	for _, d := range page {
		shown := showDelivery(d)
		shown.Trace = nil
		id := d.Alert.ID
		states[id] = fmt.Sprint(d.State, d.Route, d.Reason, d.Attempts, d.NextAt, d.SentAt, d.Delivered, d.Read)
		if s.states[id] != states[id] {
			all = append(all, shown)
		}
	}
	s.states = states
	return all, nil
}

// event writes one event; id 0: it has none.
func (s *stream) event(name string, id uint64, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		s.err = fmt.Errorf("console: event: %w", err)
		return
	}
	line := "event: " + name + "\n"
	if id != 0 {
		line += "id: " + strconv.FormatUint(id, 10) + "\n"
	}
	s.write(line + "data: " + string(text) + "\n\n")
}

func (s *stream) write(text string) {
	if s.err != nil {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(eventWrite)) // writers of tests have none
	if _, s.err = io.WriteString(s.out, text); s.err == nil && s.packed != nil {
		s.err = s.packed.Flush()
	}
	if s.err == nil {
		s.err = s.control.Flush()
	}
}

// takesGzip reports whether a client names gzip among the encodings that it takes, and does not refuse it.
func takesGzip(accepts string) bool {
	for one := range strings.SplitSeq(accepts, ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(one, " ", ""), ";q=")
		if strings.EqualFold(name, "gzip") {
			q, err := strconv.ParseFloat(cmp.Or(weight, "1"), 64)
			return err == nil && q > 0
		}
	}
	return false
}
