package notify

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
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

	// Mine reports whether this process hears what is said to a page now; others do otherwise. nil: it hears all.
	Mine func(identity.PageID) bool
	Tick time.Duration // between two looks unasked, where other processes take in what people say; 0: none

	People  int           // heard at once; 0: 32
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

	slots chan struct{} // one element for each person who is heard just now

	mu    sync.Mutex      // guards the rest
	busy  map[thread]bool // who is heard, or waits for a slot or for another try
	tries map[uint64]int  // failed ones, of what will be tried again
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
	if o.Mine == nil {
		o.Mine = func(identity.PageID) bool { return true }
	}
	o.People, o.Tries = cmp.Or(o.People, 32), cmp.Or(o.Tries, 5)
	o.Pause, o.Timeout, o.MaxAge = cmp.Or(o.Pause, time.Second), cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.MaxAge, Window)
	r := &Reader{o: o, wake: make(chan struct{}, 1), tries: map[uint64]int{}, busy: map[thread]bool{}, count: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrider_words_total", Help: "Things that people said, by what became of them.",
	}, []string{"result"})}
	for _, result := range []string{heardOK, heardFailed, heardGivenUp, heardStale} {
		r.count.WithLabelValues(result)
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(r.count)
	}
	r.slots = make(chan struct{}, r.o.People)
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

// thread is the words between a person and a page.
type thread struct {
	page identity.PageID
	psid identity.PSID
}

func (r *Reader) run() {
	var tick <-chan time.Time
	if r.o.Tick > 0 {
		t := time.NewTicker(r.o.Tick)
		defer t.Stop()
		tick = t.C
	}
	for r.ctx.Err() == nil {
		// ORDER: who is being heard is noted before the words are read. Words that are heard in between are among those
		// read, and would be heard twice.
		busy := r.underWay()
		words, err := r.o.Talk.Unheard(r.ctx, 0, batch)
		if err != nil && r.ctx.Err() == nil {
			r.o.Logger.Error("what people said could not be read", "cause", err)
			sleep(r.ctx, r.o.Pause)
			continue
		}
		r.begin(words, busy)
		select {
		case <-r.wake: // something was said, or somebody was heard
		case <-tick:
		case <-r.ctx.Done():
		}
	}
}

func (r *Reader) underWay() map[thread]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.busy)
}

// begin hears everybody who is not being heard, each person's words in order.
func (r *Reader) begin(words []Said, busy map[thread]bool) {
	threads := map[thread][]Said{}
	var order []thread
	for _, w := range words {
		t := thread{w.Page, w.PSID}
		if busy[t] || !r.o.Mine(w.Page) {
			continue
		}
		if threads[t] == nil {
			order = append(order, t)
		}
		threads[t] = append(threads[t], w)
	}
	for _, t := range order {
		r.mu.Lock()
		r.busy[t] = true
		r.mu.Unlock()
		r.wg.Go(func() {
			r.listen(threads[t])
			r.mu.Lock()
			delete(r.busy, t)
			r.mu.Unlock()
			r.Wake() // what they said meanwhile
		})
	}
}

// listen hears the words of one person. Later ones wait for one that must be tried again.
func (r *Reader) listen(words []Said) {
	select {
	case r.slots <- struct{}{}:
	case <-r.ctx.Done():
		return
	}
	ok := true
	for i := 0; ok && i < len(words); i++ {
		ok = r.hear(words[i])
	}
	<-r.slots
	if !ok {
		sleep(r.ctx, r.o.Pause)
	}
}

// hear hears one thing and forgets it, unless it must be tried again.
func (r *Reader) hear(w Said) (done bool) {
	result := heardStale
	if r.o.Now().Sub(w.At) <= r.o.MaxAge {
		ctx, cancel := context.WithTimeout(r.ctx, r.o.Timeout)
		err := r.o.Listener.Hear(ctx, w)
		cancel()
		if r.ctx.Err() != nil {
			return false
		}
		result = r.judge(w, err)
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
func (r *Reader) judge(w Said, err error) string {
	r.mu.Lock()
	defer r.mu.Unlock()
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
