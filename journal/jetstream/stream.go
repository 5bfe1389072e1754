package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"outrider/journal"
)

// partitionsKey is the metadata of a stream that says into how many partitions its journal is divided.
const partitionsKey = "outrider.partitions"

// streamName is the stream of a partition.
func (o Options) streamName(p int) string { return fmt.Sprintf("%s-journal-%d", o.Prefix, p) }

func (o Options) subject(p int) string { return fmt.Sprintf("%s.journal.%d", o.Prefix, p) }

func (o Options) bucket() string { return o.Prefix + "-snapshots" }

// config is how the stream of a partition is made.
//
// Nothing goes by itself: no age and no size is limited, since the servers do not know what was processed; [Journal.Trim]
// purges. A server whose disk is full refuses, and the fixes are not acknowledged.
func (o Options) config(p, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: o.streamName(p), Subjects: []string{o.subject(p)}, Description: "Outrider's journal: every fix that was acknowledged to a tracker",
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, Replicas: replicas,
		MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1, MaxMsgSize: -1, Duplicates: 2 * time.Minute, DenyDelete: true,
		Metadata: map[string]string{partitionsKey: strconv.Itoa(o.Partitions)},
	}
}

// replicas of new streams.
func (j *Journal) replicas() int {
	switch {
	case j.o.Replicas > 0:
		return j.o.Replicas
	case len(j.nc.Servers()) >= 3: // of the URL, and those that the cluster told of
		return 3
	}
	return 1
}

// openStreams opens those that there are, and makes those that nobody has known yet.
func (j *Journal) openStreams(ctx context.Context) error {
	known := map[string]time.Time{}
	if j.o.Ledger != nil {
		var err error
		if known, err = j.o.Ledger.JournalStreams(ctx); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	if err := j.sameNames(known); err != nil {
		return err
	}
	for p := range j.o.Partitions {
		stream, err := j.openStream(ctx, p, known[j.o.streamName(p)])
		if err != nil {
			return err
		}
		j.parts = append(j.parts, newPartition(j, p, stream))
	}
	if j.o.Ledger != nil {
		if err := j.o.Ledger.PutJournalStreams(ctx, j.Streams()); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	return j.openBucket(ctx)
}

// sameNames refuses another prefix or number of partitions than those of the streams that are known.
func (j *Journal) sameNames(known map[string]time.Time) error {
	if len(known) == 0 {
		return nil
	}
	var want []string
	for p := range j.o.Partitions {
		want = append(want, j.o.streamName(p))
	}
	slices.Sort(want)
	if have := slices.Sorted(maps.Keys(known)); !slices.Equal(have, want) {
		return fmt.Errorf("%w: the store was written with the streams %s, and the settings ask for %s: set journal.partitions and nats.prefix as they were",
			journal.ErrLost, strings.Join(have, ", "), strings.Join(want, ", "))
	}
	return nil
}

// openStream opens the stream of a partition. One that is known is waited for: servers that have just begun may not know it yet.
func (j *Journal) openStream(ctx context.Context, p int, known time.Time) (jetstream.Stream, error) {
	name := j.o.streamName(p)
	sure, cancel := context.WithTimeout(ctx, j.o.SureAfter)
	defer cancel()
	var wait backoff
	for {
		stream, err := j.tryOpen(ctx, p, known)
		switch {
		case err == nil:
			return stream, j.check(stream.CachedInfo(), known)
		case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
			return nil, fmt.Errorf("journal: nats.url: %w: expected a user of an account that has it", err)
		case errors.Is(err, jetstream.ErrStreamNotFound) && sure.Err() != nil:
			return nil, j.gone(name, known)
		case sleep(ctx, wait.next()):
			continue
		}
		return nil, fmt.Errorf("journal: open stream %s: %w", name, explained(err))
	}
}

// explained says what to do about an error that the servers put shortly.
func explained(err error) error {
	if errors.Is(err, nats.ErrNoResponders) {
		return fmt.Errorf("nobody answers for JetStream at nats.url: expected a jetstream block in the servers' configuration, and most of them running: %w", err)
	}
	return err
}

func (j *Journal) tryOpen(ctx context.Context, p int, known time.Time) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	stream, err := j.js.Stream(ctx, j.o.streamName(p))
	if errors.Is(err, jetstream.ErrStreamNotFound) && known.IsZero() {
		return j.js.CreateStream(ctx, j.o.config(p, j.replicas()))
	}
	return stream, err
}

// whatToDo ends every sentence about a log that was lost.
const whatToDo = "Bring it back (nats stream restore), or say with `gateway journal accept` that the gateway goes on with what is there: " +
	"fixes that were only in the old log are then lost"

func (j *Journal) gone(name string, made time.Time) error {
	return fmt.Errorf("%w: stream %s, made at %s, is gone. %s", journal.ErrLost, name, made.Format(time.RFC3339Nano), whatToDo)
}

// check compares a stream with what it should be.
func (j *Journal) check(info *jetstream.StreamInfo, known time.Time) error {
	name := info.Config.Name
	if !known.IsZero() && !info.Created.Equal(known) {
		return fmt.Errorf("%w: stream %s was made at %s, and the one that was written at %s. %s",
			journal.ErrLost, name, info.Created.Format(time.RFC3339Nano), known.Format(time.RFC3339Nano), whatToDo)
	}
	var wrong []string
	expect := func(setting string, have, want any) {
		if have != want {
			wrong = append(wrong, fmt.Sprintf("%s is %v, expected %v", setting, have, want))
		}
	}
	c := info.Config
	p, _ := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
	expect("subjects", strings.Join(c.Subjects, " "), j.o.subject(p))
	expect("storage", c.Storage, jetstream.FileStorage)
	expect("retention", c.Retention, jetstream.LimitsPolicy)
	expect("discard", c.Discard, jetstream.DiscardNew)
	expect("max_age", c.MaxAge, time.Duration(0))
	expect("max_msgs", c.MaxMsgs, int64(-1))
	expect("max_msgs_per_subject", c.MaxMsgsPerSubject, int64(-1))
	expect(partitionsKey, c.Metadata[partitionsKey], strconv.Itoa(j.o.Partitions))
	if j.o.Replicas > 0 {
		expect("replicas (nats.replicas)", c.Replicas, j.o.Replicas)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("journal: stream %s: %s", name, strings.Join(wrong, "; "))
	}
	return nil
}

// openBucket opens or makes the object store of the snapshots.
func (j *Journal) openBucket(ctx context.Context) error {
	var wait backoff
	for {
		err := j.tryBucket(ctx)
		if err == nil {
			return nil
		}
		if !sleep(ctx, wait.next()) {
			return fmt.Errorf("journal: open object store %s: %w", j.o.bucket(), err)
		}
	}
}

func (j *Journal) tryBucket(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	var err error
	j.states, err = j.js.ObjectStore(ctx, j.o.bucket())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		j.states, err = j.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: j.o.bucket(), Description: "Outrider's journal: the state of each lane", Storage: jetstream.FileStorage, Replicas: j.replicas(),
		})
	}
	return err
}
