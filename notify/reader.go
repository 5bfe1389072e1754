package notify

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
)

// Listener hears what people say. It is called for one thing of a person at a time, in the order in which they were
// said, and for several people at once. After a crash it may hear the last thing again, and should then do the same
// again. An error makes it hear the thing again a little later, up to [ReaderOptions.Tries] times.
type Listener interface {
	Hear(ctx context.Context, w Said) error
}

// Talk is where what people said waits until it is heard.
type Talk interface {
	// Unheard lists the first of what waits, in the order in which it came, with Seq above after.
	Unheard(ctx context.Context, after uint64, limit int) ([]Said, error)
	// Heard forgets what was heard.
	Heard(ctx context.Context, seqs ...uint64) error
}

// ReaderOptions is what a Reader needs. Talk, Listener and Now are required.
type ReaderOptions struct {
	Talk     Talk
	Listener Listener
	Now      func() time.Time

	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: unregistered

	People  int           // heard at once; 0: 8
	Tries   int           // for one thing; 0: 5
	Pause   time.Duration // before another try; 0: 1 s
	Timeout time.Duration // of one hearing; 0: 10 s
	MaxAge  time.Duration // what is older is not answered any more; 0: 24 h, for as long as an answer may go out freely
}

// Reader brings what people said to a Listener. All methods are safe for many goroutines.
type Reader struct {
	o      ReaderOptions
	count  *prometheus.CounterVec
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // sent by Wake, capacity 1, never closed
	wg     sync.WaitGroup
	start  sync.Once

	tries map[uint64]int // failed ones, of what will be tried again; guarded by the mutex of hearAll
}

// What became of a thing said.
const (
	heardOK      = "heard"
	heardFailed  = "failed" // it will be tried again
	heardGivenUp = "given_up"
	heardStale   = "stale"
)

// NewReader returns a reader that does nothing before Start.
func NewReader(o ReaderOptions) (*Reader, error) {
	if o.Talk == nil || o.Listener == nil || o.Now == nil {
		return nil, errors.New("notify: a reader needs Talk, Listener and Now")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.People, o.Tries = cmp.Or(o.People, 8), cmp.Or(o.Tries, 5)
	o.Pause, o.Timeout, o.MaxAge = cmp.Or(o.Pause, time.Second), cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.MaxAge, Window)
	r := &Reader{o: o, wake: make(chan struct{}, 1), tries: map[uint64]int{}, count: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrider_words_total", Help: "Things that people said, by what became of them.",
	}, []string{"result"})}
	for _, result := range []string{heardOK, heardFailed, heardGivenUp, heardStale} {
		r.count.WithLabelValues(result)
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(r.count)
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Start begins with what waits. A second call does nothing.
func (r *Reader) Start(context.Context) error {
	r.start.Do(func() { r.wg.Go(r.run) })
	return nil
}

// Stop ends the hearing; what was not heard waits for the next start. It may be called any number of times.
func (r *Reader) Stop(context.Context) error {
	r.cancel()
	r.wg.Wait()
	return nil
}

// Wake says that something was said. It never blocks.
func (r *Reader) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// batch is how many things are read at once.
const batch = 256

func (r *Reader) run() {
	for r.ctx.Err() == nil {
		words, err := r.o.Talk.Unheard(r.ctx, 0, batch)
		if err != nil && r.ctx.Err() == nil {
			r.o.Logger.Error("what people said could not be read", "cause", err)
		}
		failed := err != nil || r.hearAll(words)
		if len(words) == batch && !failed {
			continue
		}
		r.rest(failed)
	}
}

// rest waits until something is said or, after a failure, for the pause.
func (r *Reader) rest(failed bool) {
	if !failed {
		select {
		case <-r.wake:
		case <-r.ctx.Done():
		}
		return
	}
	t := time.NewTimer(r.o.Pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.ctx.Done():
	}
}

// hearAll hears a batch, each person's words in order, and reports whether something must be tried again. A person's
// later words wait for the earlier ones.
func (r *Reader) hearAll(words []Said) (failed bool) {
	type thread struct {
		page identity.PageID
		psid identity.PSID
	}
	threads := map[thread][]Said{}
	var order []thread
	for _, w := range words {
		t := thread{w.Page, w.PSID}
		if threads[t] == nil {
			order = append(order, t)
		}
		threads[t] = append(threads[t], w)
	}
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, r.o.People)
		mu    sync.Mutex // guards failed and r.tries
	)
	for _, t := range order {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, w := range threads[t] {
				if !r.hear(w, &mu) {
					mu.Lock()
					failed = true
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// hear hears one thing and forgets it, unless it must be tried again. mu guards r.tries.
func (r *Reader) hear(w Said, mu *sync.Mutex) (done bool) {
	result := heardStale
	if r.o.Now().Sub(w.At) <= r.o.MaxAge {
		ctx, cancel := context.WithTimeout(r.ctx, r.o.Timeout)
		err := r.o.Listener.Hear(ctx, w)
		cancel()
		if r.ctx.Err() != nil {
			return false
		}
		result = r.judge(w, err, mu)
	}
	r.count.WithLabelValues(result).Inc()
	if result == heardFailed {
		return false
	}
	if err := r.o.Talk.Heard(r.ctx, w.Seq); err != nil {
		r.o.Logger.Error("what was heard could not be forgotten", "cause", err)
		return false
	}
	return true
}

// judge says what an error of the listener means. The words themselves are not logged: they are somebody's.
func (r *Reader) judge(w Said, err error, mu *sync.Mutex) string {
	mu.Lock()
	defer mu.Unlock()
	if err == nil {
		delete(r.tries, w.Seq)
		return heardOK
	}
	r.tries[w.Seq]++
	if r.tries[w.Seq] < r.o.Tries {
		r.o.Logger.Warn("not heard, will be tried again", "page", w.Page, "kind", w.Kind, "cause", err)
		return heardFailed
	}
	delete(r.tries, w.Seq)
	r.o.Logger.Error("not heard, given up", "page", w.Page, "kind", w.Kind, "cause", err)
	return heardGivenUp
}
