package jetstream

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"outrider/journal"
	"outrider/telemetry"
)

// Options is what a journal is made of. The zero value of every field but URL is useful.
type Options struct {
	// URL gives the servers, nats:// or tls://, several separated by commas. It may hold a user and a password and is
	// never printed; required.
	URL         func() string
	TLS         *tls.Config // nil: the system's authorities
	Credentials string      // file with a user's JWT and key; empty: none
	Prefix      string      // of streams and subjects; default "outrider"
	Partitions  int         // fixed when the streams are made; default 4
	// Replicas is on how many servers each stream is: 1, 3 or 5. 0: streams that exist stay as they are, new ones have 3 when
	// at least three servers are known, else 1.
	Replicas int
	// Retention and RetentionBytes are how long, and up to which size of all streams on one server, batches are kept after
	// their partition has trimmed them. 0: no limit.
	Retention      time.Duration
	RetentionBytes int64
	Ledger         Ledger        // nil: nothing is known from before
	AppendWithin   time.Duration // how long a batch is tried before its callers are told; default 30 s
	OpenWithin     time.Duration // how long Open waits for servers; default 30 s
	SureAfter      time.Duration // how long a stream must look lost until it is said to be; default 15 s

	Now        func() time.Time // for Retention; default time.Now
	Logger     *slog.Logger     // default: silent
	Registerer prometheus.Registerer
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = "outrider"
	}
	if o.Partitions == 0 {
		o.Partitions = 4
	}
	if o.AppendWithin == 0 {
		o.AppendWithin = 30 * time.Second
	}
	if o.OpenWithin == 0 {
		o.OpenWithin = 30 * time.Second
	}
	if o.SureAfter == 0 {
		o.SureAfter = 15 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Ledger knows, outside of JetStream, which streams a journal is made of, so that one that was lost and made anew is noticed.
type Ledger interface {
	// JournalStreams returns the streams that are known, by name, with when each was made.
	JournalStreams(ctx context.Context) (map[string]time.Time, error)
	// PutJournalStreams adds streams; those that are known stay as they are.
	PutJournalStreams(ctx context.Context, made map[string]time.Time) error
}

// How long things may take.
const (
	requestWithin = 3 * time.Second // one request to a server
	watchEvery    = 10 * time.Second
	backoffLeast  = 50 * time.Millisecond
	backoffMost   = time.Second
)

// Journal is the journal in JetStream. It is safe for many goroutines, and for many processes.
type Journal struct {
	o       Options
	nc      *nats.Conn
	js      jetstream.JetStream
	metrics *metrics
	parts   []*partition
	states  jetstream.ObjectStore
	run     string // names this process in message ids

	closing context.Context // ends with Close
	close   context.CancelFunc
	once    sync.Once
	tasks   sync.WaitGroup // writers, readers, the watch

	link link

	hurried atomic.Bool

	mu   sync.Mutex // guards dead, and that no task begins once closing has ended
	dead error      // why nothing can go on
}

var (
	_ journal.Journal  = (*Journal)(nil)
	_ journal.Rewinder = (*Journal)(nil)
)

// prefixForm is what names of streams, of object stores and tokens of subjects may all be made of.
var prefixForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// Open connects and opens or makes the streams. Servers that cannot be reached are waited for.
func Open(ctx context.Context, o Options) (*Journal, error) {
	o = o.withDefaults()
	switch {
	case o.URL == nil || o.URL() == "":
		return nil, errors.New("journal: URL is missing")
	case o.Partitions < 1:
		return nil, fmt.Errorf("journal: %d partitions: expected at least 1", o.Partitions)
	case !prefixForm.MatchString(o.Prefix):
		return nil, fmt.Errorf("journal: prefix %q: expected letters, digits, _ and -", o.Prefix)
	case o.Replicas < 0 || o.Replicas > 5:
		return nil, fmt.Errorf("journal: %d replicas: expected 0 to 5", o.Replicas)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.OpenWithin, fmt.Errorf("journal: not ready within %s", o.OpenWithin))
	defer cancel()
	j := &Journal{o: o, metrics: newMetrics(o.Registerer), run: rand.Text()}
	j.closing, j.close = context.WithCancel(context.Background())
	err := j.connect(ctx)
	if err == nil {
		err = j.openStreams(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	for _, p := range j.parts {
		j.begin(p.write)
	}
	j.begin(j.watch)
	return j, nil
}

// Check connects and compares the streams that there are with the options. It makes none, and says what it saw.
func Check(ctx context.Context, o Options) (string, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, o.OpenWithin)
	defer cancel()
	j := &Journal{o: o, metrics: newMetrics(nil)}
	j.closing, j.close = context.WithCancel(context.Background())
	defer func() { _ = j.Close() }()
	if err := j.connect(ctx); err != nil {
		return "", err
	}
	found, replicas := 0, 0
	for p := range o.Partitions {
		stream, err := j.js.Stream(ctx, o.streamName(p))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err == nil {
			err = j.check(stream.CachedInfo(), time.Time{})
		}
		if err != nil {
			return "", explained(err)
		}
		found, replicas = found+1, stream.CachedInfo().Config.Replicas
	}
	if found == 0 {
		return fmt.Sprintf("%s answers; the streams are made at the first start", j.nc.ConnectedUrlRedacted()), nil
	}
	return fmt.Sprintf("%s answers; %d streams on %d servers each", j.nc.ConnectedUrlRedacted(), found, replicas), nil
}

// Partitions implements journal.Journal.
func (j *Journal) Partitions() int { return j.o.Partitions }

// Streams returns the streams, by name, with when each was made.
func (j *Journal) Streams() map[string]time.Time {
	made := map[string]time.Time{}
	for _, p := range j.parts {
		made[p.name] = p.created
	}
	return made
}

// Append implements journal.Journal. When ctx ends first, the fixes may become durable all the same.
func (j *Journal) Append(ctx context.Context, fixes []telemetry.Fix) error {
	if err := j.usable(); err != nil {
		return err
	}
	pieces := j.pieces(fixes)
	for _, a := range pieces {
		a.to.add(a)
	}
	var problems []error
	for i, a := range pieces {
		select {
		case err := <-a.done:
			problems = append(problems, err)
		case <-ctx.Done():
			for _, a := range pieces[i:] {
				a.to.drop(a)
			}
			return errors.Join(append(problems, context.Cause(ctx))...)
		}
	}
	return errors.Join(problems...)
}

// begin starts a task that Close waits for, unless the journal is closed.
func (j *Journal) begin(task func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closing.Err() == nil {
		j.tasks.Go(task)
	}
}

// usable says why the journal refuses work, nil when it does not.
func (j *Journal) usable() error {
	if j.closing.Err() != nil {
		return journal.ErrClosed
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.dead
}

// die makes the journal refuse everything from now on.
func (j *Journal) die(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dead == nil {
		j.dead = err
		j.o.Logger.Error("the journal goes on no more", "cause", err)
	}
	return j.dead
}

// Health says why nothing can be appended, nil when it can.
func (j *Journal) Health() error {
	if err := j.usable(); err != nil {
		return err
	}
	if !j.nc.IsConnected() {
		return errors.New("journal: not connected to nats.url")
	}
	for _, p := range j.parts {
		if err := p.ailment(); err != nil {
			return err
		}
	}
	return nil
}

// Hurry is for a process that is about to end: a batch that is not confirmed at once is given up from now on, and its senders send
// again.
func (j *Journal) Hurry() { j.hurried.Store(true) }

// Close ends the journal after what is being written. It may come twice.
func (j *Journal) Close() error {
	j.once.Do(func() {
		j.mu.Lock()
		j.close()
		j.mu.Unlock()
		j.tasks.Wait()
		if j.nc != nil {
			j.nc.Close()
		}
	})
	return nil
}

// Bounds implements journal.Journal.
func (j *Journal) Bounds(ctx context.Context, p int) (first, next journal.Position, err error) {
	if err := j.usable(); err != nil {
		return 0, 0, err
	}
	return j.parts[p].bounds(ctx)
}

// sleep waits unless ctx ends, and reports whether it did not.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff gives growing waits.
type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, backoffLeast), backoffMost)
	return b.last
}
