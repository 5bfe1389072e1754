package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/graph"
)

// stuck is a way to Meta on which, while it holds, messages never arrive.
type stuck struct {
	holds, held atomic.Bool
	way         http.RoundTripper
}

func (s *stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.holds.Load() && strings.HasSuffix(r.URL.Path, "/messages") {
		s.held.Store(true)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return s.way.RoundTrip(r)
}

// While Meta answers nothing, a gateway ends nevertheless when its deadline is over, and the next one starts.
func TestAnEndDoesNotWaitForMeta(t *testing.T) {
	t.Parallel()
	client := graph.NewHTTPClient()
	way := &stuck{way: client.Transport}
	client.Transport = way
	r := newRig(t, map[string]string{"alerts.settle": "200ms"}, func(o *app.Options) { o.Graph = client })
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	way.holds.Store(true)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "a message is under way", way.held.Load)
	waiting := fmt.Sprintf("{page=%q}", page)
	eventually(t, "the other one waits, and is seen to", func() bool {
		return r.metric(t, "outrider_page_backlog_deliveries"+waiting) == 1 && r.metric(t, "outrider_page_backlog_age_seconds"+waiting) > 0
	})

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.app.Stop(ctx) // its error says which part was cut
	}()
	eventually(t, "the gateway has ended", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	way.holds.Store(false)
	r.start(t)
	if got := r.answers(t, "/readyz"); got != http.StatusOK {
		t.Errorf("the next start: %d", got)
	}
	states := map[any]int{}
	eventually(t, "the message that was cut is judged and the other one sent", func() bool {
		clear(states)
		for _, d := range r.items(t, "deliveries") {
			states[d["state"]]++
		}
		return states["sent"]+states["unknown"] == 2 && states["sent"] > 0
	})
	if told := len(r.sandbox.Messages()); told > 2 || told < states["sent"] {
		t.Errorf("%d messages of two alerts, which are %v", told, states)
	}
}
