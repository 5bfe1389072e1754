package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"outrider/journal"
	"outrider/telemetry"
)

// Options is what a journal is made of. The zero value of every field but Dir is useful.
type Options struct {
	Dir          string // made if it is missing; required
	Partitions   int    // fixed when the directory is first used; default 4
	SegmentBytes int64  // size at which a new file begins; default 64 MiB
	// Retention and RetentionBytes are how long, and up to which size of all files, entries are kept after
	// every partition has trimmed them. 0: no limit.
	Retention      time.Duration
	RetentionBytes int64
	TailEntries    int // entries of each partition kept in memory for its reader; default 16,384

	Now        func() time.Time // for Retention; default time.Now
	Logger     *slog.Logger     // default: silent
	Registerer prometheus.Registerer
}

func (o Options) withDefaults() Options {
	if o.Partitions == 0 {
		o.Partitions = 4
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.TailEntries == 0 {
		o.TailEntries = 16 << 10
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Journal is the journal in files. It is safe for many goroutines of one process; a second process is refused.
type Journal struct {
	o       Options
	lock    *os.File
	metrics *metrics
	queue   chan *appending // sent by Append, read by the committer, never closed
	closing chan struct{}   // closed by Close
	once    sync.Once
	done    chan struct{} // closed when the committer has ended

	// owned by the committer
	file  disk
	size  int64            // of file
	begun journal.Position // where file begins
	buf   []byte
	group []*appending
	parts [][]telemetry.Fix // by partition

	tails []*tail // by partition; each has its own lock

	mu       sync.Mutex         // guards what follows; no I/O under it
	next     journal.Position   // of the whole log; only the committer changes it
	nexts    []journal.Position // by partition: after its newest entry
	segments []segment          // the last one is being written
	trimmed  []journal.Position // by partition
	cursors  []cursor           // by partition
	ailing   error              // why the last append failed, nil when it did not
	dead     bool               // and none can succeed until the journal is opened anew
}

var _ journal.Journal = (*Journal)(nil)

// Open opens or creates a journal. A torn tail is cut off and counted; damage before the tail is an error that
// names file and offset, since what was acknowledged may be lost there.
func Open(o Options) (*Journal, error) {
	o = o.withDefaults()
	if o.Dir == "" {
		return nil, errors.New("journal: Dir is missing")
	}
	if o.Partitions < 1 || o.Partitions > markPartition {
		return nil, fmt.Errorf("journal: %d partitions: expected 1 to %d", o.Partitions, markPartition)
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, snapshotDir), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	j := newJournal(o, lock)
	err = j.checkMeta()
	if err == nil {
		err = j.load()
	}
	if err != nil {
		return nil, errors.Join(err, unlock(lock))
	}
	go j.commit()
	return j, nil
}

// newJournal returns a journal that has not looked at its files yet.
func newJournal(o Options, lock *os.File) *Journal {
	j := &Journal{
		o: o, lock: lock, metrics: newMetrics(o.Registerer), queue: make(chan *appending),
		closing: make(chan struct{}), done: make(chan struct{}), next: 1, nexts: beginning(o.Partitions),
		parts: make([][]telemetry.Fix, o.Partitions), trimmed: beginning(o.Partitions), cursors: make([]cursor, o.Partitions),
	}
	for range o.Partitions {
		j.tails = append(j.tails, newTail(o.TailEntries))
	}
	return j
}

// lockDir keeps a second process out of the directory. The lock ends with the process, however it ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %s is in use by another process", dir), f.Close())
	}
	return f, nil
}

// unlock gives the lock up at once, even if a process that is just being started holds a copy of the file.
func unlock(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}

// checkMeta records the number of partitions, and refuses another one later: vehicles would change partition
// and find their state missing.
func (j *Journal) checkMeta() error {
	path := filepath.Join(j.o.Dir, "partitions")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return writeDurably(path, fmt.Appendf(nil, "%d\n", j.o.Partitions))
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	var n int
	if _, err := fmt.Sscan(string(raw), &n); err != nil {
		return fmt.Errorf("journal: %s: expected the number of partitions, found %q", path, raw)
	}
	if n != j.o.Partitions {
		return fmt.Errorf("journal: %s was made with %d partitions, %d were asked for: the number is fixed", j.o.Dir, n, j.o.Partitions)
	}
	return nil
}

// Partitions implements journal.Journal.
func (j *Journal) Partitions() int { return j.o.Partitions }

// Append implements journal.Journal. When ctx ends first, the fixes may become durable all the same.
func (j *Journal) Append(ctx context.Context, fixes []telemetry.Fix) error {
	for piece, size := range pieces(fixes) {
		if err := j.append(ctx, &appending{piece, size, make(chan error, 1)}); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) append(ctx context.Context, a *appending) error {
	select {
	case j.queue <- a:
	case <-j.closing:
		return journal.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// The caller may use its fixes again once we return, so the committer's answer is awaited whatever ctx says.
	return <-a.done
}

// Health says why the last append failed, nil when it did not.
func (j *Journal) Health() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ailing
}

// broken says why no append can succeed any more.
func (j *Journal) broken() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.dead {
		return nil
	}
	return fmt.Errorf("journal: cannot append until it is opened anew: %w", j.ailing)
}

// Close ends the journal after what is being written. It may come twice.
func (j *Journal) Close() error {
	var err error
	j.once.Do(func() {
		close(j.closing)
		<-j.done
		for _, t := range j.tails {
			t.close()
		}
		if j.file != nil {
			err = j.file.Close()
		}
		err = errors.Join(err, unlock(j.lock))
	})
	return err
}

// Read implements journal.Journal.
func (j *Journal) Read(ctx context.Context, p int, from journal.Position, dst []journal.Entry) ([]journal.Entry, error) {
	if cap(dst) == len(dst) {
		return dst, errors.New("journal: read without a place to read into")
	}
	from = max(from, 1) // where the first entry of all is
	for {
		all, state, changed := j.tails[p].read(from, dst)
		switch {
		case len(all) > len(dst):
			return all, nil
		case state == tailClosed:
			return dst, journal.ErrClosed
		case state == tailBehind:
			all, next, err := j.readFiles(p, from, dst)
			if err != nil || len(all) > len(dst) {
				return all, err
			}
			from = next // nothing of this partition stands before it
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return dst, context.Cause(ctx)
		}
	}
}

// Bounds implements journal.Journal.
func (j *Journal) Bounds(_ context.Context, p int) (first, next journal.Position, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return min(j.segments[0].first, j.nexts[p]), j.nexts[p], nil
}
