package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/identity"
	"outrider/notify"
)

// words is a notify.Talk in memory.
type words struct {
	mu   sync.Mutex // guards the rest
	wait []notify.Said
	fail error
}

func (w *words) say(psid, text string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seq := uint64(1)
	if n := len(w.wait); n > 0 {
		seq = w.wait[n-1].Seq + 1
	}
	w.wait = append(w.wait, notify.Said{Seq: seq, Page: "111", PSID: identity.PSID(psid), Kind: notify.SaidText, Text: text, At: at})
}

func (w *words) Unheard(_ context.Context, after uint64, limit int) ([]notify.Said, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.wait)
	return all[:min(limit, len(all))], w.fail
}

func (w *words) Heard(_ context.Context, seqs ...uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wait = slices.DeleteFunc(w.wait, func(s notify.Said) bool { return slices.Contains(seqs, s.Seq) })
	return nil
}

// ear is a Listener that fails as it is told.
type ear struct {
	mu    sync.Mutex // guards the rest
	heard []string
	fails map[string]int // by text: how often
	block chan struct{}  // nil: hearing is quick
}

func (e *ear) Hear(ctx context.Context, w notify.Said) error {
	if e.block != nil && w.PSID == "slow" {
		select {
		case <-e.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fails[w.Text] > 0 {
		e.fails[w.Text]--
		return errors.New("not now")
	}
	e.heard = append(e.heard, fmt.Sprint(w.PSID, ":", w.Text))
	return nil
}

func (e *ear) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.heard, " ")
}

func newReader(t *testing.T, w *words, e *ear, registry *prometheus.Registry) *notify.Reader {
	t.Helper()
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	r, err := notify.NewReader(notify.ReaderOptions{Talk: w, Listener: e, Now: time.Now, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	r.Start(t.Context())
	return r
}

func TestReaderHearsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, e := &words{}, &ear{fails: map[string]int{"b": 2, "hopeless": 99}}
		w.say("ann", "a", time.Now())
		w.say("ann", "b", time.Now())
		w.say("ann", "c", time.Now())
		w.say("ann", "old", time.Now().Add(-25*time.Hour))
		w.say("ann", "hopeless", time.Now())
		registry := prometheus.NewRegistry()
		r := newReader(t, w, e, registry)
		defer r.Stop(t.Context())
		synctest.Wait()
		if got := e.text(); got != "ann:a" {
			t.Errorf("before the pause: %q; want what was said before the thing that failed", got)
		}
		time.Sleep(10 * time.Second)
		w.say("bob", "later", time.Now())
		r.Wake()
		synctest.Wait()
		if got := e.text(); got != "ann:a ann:b ann:c bob:later" {
			t.Errorf("heard %q", got)
		}
		if n := len(w.wait); n != 0 {
			t.Errorf("%d things wait", n)
		}
		want := `# HELP outrider_words_total Things that people said, by what became of them.
# TYPE outrider_words_total counter
outrider_words_total{result="failed"} 6
outrider_words_total{result="given_up"} 1
outrider_words_total{result="heard"} 4
outrider_words_total{result="stale"} 1
`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
			t.Error(err)
		}
	})
}

// One who takes long holds up nobody else, and a stop leaves what was not heard for the next start.
func TestReaderPeopleApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, e := &words{}, &ear{block: make(chan struct{})}
		w.say("slow", "a", time.Now())
		w.say("ann", "b", time.Now())
		r := newReader(t, w, e, nil)
		synctest.Wait()
		if got := e.text(); got != "ann:b" {
			t.Errorf("heard %q while somebody takes long", got)
		}
		r.Stop(t.Context())
		r.Stop(t.Context())
		if len(w.wait) != 1 || w.wait[0].Text != "a" {
			t.Errorf("what waits: %+v", w.wait)
		}
		close(e.block)
		again := newReader(t, w, e, nil)
		defer again.Stop(t.Context())
		synctest.Wait()
		if got := e.text(); got != "ann:b slow:a" {
			t.Errorf("heard %q after the next start", got)
		}
	})
}

func TestReaderSurvivesItsStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, e := &words{fail: errors.New("disk")}, &ear{}
		w.say("ann", "a", time.Now())
		r := newReader(t, w, e, nil)
		defer r.Stop(t.Context())
		synctest.Wait()
		w.mu.Lock()
		w.fail = nil
		w.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := e.text(); got != "ann:a" {
			t.Errorf("heard %q", got)
		}
	})
}
