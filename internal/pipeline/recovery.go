package pipeline

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"outrider/geofence"
	"outrider/journal"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// recover brings the lane to where its partition was committed.
//
// The state at the committed position is a function of the snapshot, the fixes behind it and the fences in
// force at each of them, all of which are kept; so the lane repeats that part without speaking. Without a
// usable snapshot it repeats from the oldest kept fix, and takes the store's memberships of vehicles it did not meet.
func (l *lane) recover(ctx context.Context, owner store.ProcessID) error {
	own, err := l.o.Store.OwnLane(ctx, l.partition, owner)
	if err != nil {
		return fmt.Errorf("pipeline: own partition %d: %w", l.partition, err)
	}
	l.epoch = own.Epoch
	whole, err := l.repeat(ctx, own)
	if err != nil {
		return err
	}
	l.repeatTimers(own.Clock)
	if !whole {
		if err := l.restoreMembers(ctx); err != nil {
			return err
		}
	}
	if err := l.findEnd(ctx, own); err != nil {
		return err
	}
	for _, ts := range l.tenants {
		l.stays.fill(ts)
	}
	return l.start(ctx, own)
}

// repeat brings the lane to the committed position from the newest snapshot, or else from the oldest kept fix. whole says
// whether nothing before either is missing.
func (l *lane) repeat(ctx context.Context, own store.Lane) (whole bool, err error) {
	at, whole, err := l.loadSnapshot(ctx, own)
	if err != nil {
		return false, err
	}
	if whole {
		err = l.replay(ctx, own, at)
		if err == nil { // the journal does not remember, and a lane that hears nothing saves no other snapshot
			if err := l.o.Journal.Trim(ctx, l.partition, at); err != nil {
				l.logger.Warn("old state not trimmed", "cause", err)
			}
			return true, nil
		}
		if !errors.Is(err, journal.ErrTrimmed) {
			return false, err
		}
		// A process that slept for long may have saved it over a newer one.
		l.logger.Warn("snapshot not used: fixes behind it are no longer kept", "cause", err)
		l.forget()
	}
	if at, err = l.oldest(ctx, own); err != nil {
		return false, err
	}
	return false, l.replay(ctx, own, at)
}

// oldest returns the oldest kept position, or the committed one where that is before it.
func (l *lane) oldest(ctx context.Context, own store.Lane) (journal.Position, error) {
	first, _, err := l.o.Journal.Bounds(ctx, l.partition)
	if err != nil {
		return 0, fmt.Errorf("pipeline: bounds of partition %d: %w", l.partition, err)
	}
	return min(first, own.Next), nil
}

// findEnd puts the lane behind what was evaluated. A journal that was moved away, or whose disk lost what it had
// confirmed, ends before the committed position and gives positions out again: the lane goes back to its end,
// since what will stand there is new.
func (l *lane) findEnd(ctx context.Context, own store.Lane) error {
	first, end, err := l.bounds(ctx, own.Next)
	if err != nil {
		return fmt.Errorf("pipeline: bounds of partition %d: %w", l.partition, err)
	}
	if l.o.Lasting > 0 && end < own.Next {
		return fmt.Errorf("pipeline: partition %d: %w: it was evaluated up to %d, and the journal ends at %d. Bring the journal back, "+
			"or say with `gateway journal accept --restored` that the gateway goes on at its end", l.partition, journal.ErrLost, own.Next, end)
	}
	l.next, l.committed = min(end, own.Next), own.Next
	if own.Next == 0 {
		l.next = first // the store is new, and the journal need not be
	}
	if end < own.Next {
		l.metrics.lost.Inc()
		l.snapshotPos = min(l.snapshotPos, l.next)
		l.logger.Error("the journal ends before what was evaluated: it is not the one that was written, or its disk lost the end",
			"evaluated", own.Next, "journal", end)
	}
	return nil
}

// bounds is what the journal holds. If it ends before what was evaluated, a lasting journal is asked again for a while.
func (l *lane) bounds(ctx context.Context, evaluated journal.Position) (first, end journal.Position, err error) {
	sure := time.After(l.o.Lasting)
	for {
		first, end, err = l.o.Journal.Bounds(ctx, l.partition)
		if err != nil || end >= evaluated || l.o.Lasting == 0 {
			return first, end, err
		}
		select {
		case <-sure:
			return first, end, nil
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		case <-time.After(tick):
		}
	}
}

// repeatTimers fires silently what had fired, and was committed, without a fix.
func (l *lane) repeatTimers(until time.Time) {
	l.silent = true
	l.fire(until)
	l.silent = false
}

// start puts the fences in force and, on a partition's first start or after a step back, tells the store.
func (l *lane) start(ctx context.Context, own store.Lane) error {
	if l.fenced == nil || own.Next == 0 {
		l.use(l.fences.Current())
		return l.commit(ctx)
	}
	if l.next < own.Next {
		if err := l.commit(ctx); err != nil {
			return err
		}
		if err := l.snapshot(ctx); err != nil { // the old one is ahead of the lane now
			return err
		}
	}
	return l.adopt(ctx)
}

// loadSnapshot restores the newest usable snapshot and returns its position; false if there is none.
func (l *lane) loadSnapshot(ctx context.Context, own store.Lane) (at journal.Position, usable bool, err error) {
	at, r, err := l.o.Journal.LoadSnapshot(ctx, l.partition)
	if err == nil {
		defer r.Close()
		if at > own.Next {
			err = fmt.Errorf("it is at %d, ahead of the committed position %d", at, own.Next)
		} else if err = l.restore(ctx, r); err == nil {
			return at, true, nil
		}
		l.logger.Warn("snapshot not used", "cause", err)
		l.forget()
	} else if !errors.Is(err, journal.ErrNoSnapshot) {
		return 0, false, fmt.Errorf("pipeline: load snapshot of partition %d: %w", l.partition, err)
	}
	return 0, false, nil
}

// replay evaluates what was committed before, from a position on, with the fences that were in force.
func (l *lane) replay(ctx context.Context, own store.Lane, at journal.Position) error {
	l.next, l.snapshotPos = at, at
	adopted, err := l.o.Store.Adoptions(ctx, l.partition, l.next)
	if err != nil {
		return fmt.Errorf("pipeline: adoptions of partition %d: %w", l.partition, err)
	}
	l.silent = true
	defer func() { l.silent = false }()
	if adopted, err = l.adoptUntil(ctx, adopted, l.next); err != nil {
		return err
	}
	if l.fenced == nil {
		l.use(l.fences.Current())
	}
	for l.next < own.Next {
		if err := l.readCommitted(ctx, own.Next); err != nil {
			return err
		}
		for i := range l.entries {
			if adopted, err = l.adoptUntil(ctx, adopted, l.entries[i].Position); err != nil {
				return err
			}
			l.evaluate(&l.entries[i])
		}
		if len(l.entries) == 0 {
			break
		}
	}
	_, err = l.adoptUntil(ctx, adopted, math.MaxUint64)
	return err
}

// adoptUntil takes over the fences that were adopted up to a position and returns the adoptions behind it.
func (l *lane) adoptUntil(ctx context.Context, adopted []store.Adoption, at journal.Position) ([]store.Adoption, error) {
	for len(adopted) > 0 && adopted[0].At <= at {
		if err := l.useRevision(ctx, adopted[0].Revision); err != nil {
			return nil, err
		}
		adopted = adopted[1:]
	}
	return adopted, nil
}

// readCommitted fills l.entries with entries before end; none when there are no more.
func (l *lane) readCommitted(ctx context.Context, end journal.Position) error {
	_, next, err := l.o.Journal.Bounds(ctx, l.partition)
	if err != nil {
		return fmt.Errorf("pipeline: bounds of partition %d: %w", l.partition, err)
	}
	l.entries = l.entries[:0]
	if l.next >= next {
		return nil
	}
	l.entries, err = l.o.Journal.Read(ctx, l.partition, l.next, l.entries)
	if err != nil {
		return fmt.Errorf("pipeline: replay partition %d at %d: %w", l.partition, l.next, err)
	}
	for i := range l.entries {
		if l.entries[i].Position >= end {
			l.entries = l.entries[:i]
			break
		}
	}
	return nil
}

func (l *lane) useRevision(ctx context.Context, revision uint64) error {
	if l.fenced != nil && l.fenced.Revision == revision {
		return nil
	}
	set, err := l.fences.At(ctx, revision)
	if err != nil {
		return err
	}
	l.use(set)
	return nil
}

// restoreMembers takes over the stored memberships where no snapshot told them.
func (l *lane) restoreMembers(ctx context.Context) error {
	members, err := l.o.Store.Memberships(ctx, l.partition)
	if err != nil {
		return fmt.Errorf("pipeline: memberships of partition %d: %w", l.partition, err)
	}
	for _, m := range members {
		ts := l.tenant(telemetry.TenantID(m.Tenant)) // readings begin with the vehicles' next positions
		ts.tracker.SetMember(ts.tracker.Vehicle(string(m.Vehicle)), m.Fence, geofence.Inside, m.Since.UnixMilli())
	}
	return nil
}

// forget drops a state that was restored in part.
func (l *lane) forget() {
	l.gate = telemetry.NewGate(telemetry.GateOptions{})
	clear(l.tenants)
	clear(l.stays)
	l.fenced, l.clock = nil, time.Time{}
}

// A snapshot is: magic and version, fence revision, clock, the gate's state, then each tenant's name, reading and
// tracker state, every part with its length before it. The parts carry their own checksums. One of version 1 has no
// readings.
const (
	snapshotMagic = "outrider-lane-2\n"
	snapshotOlder = "outrider-lane-1\n"
)

// snapshot saves the state at the committed position, and lets the journal and the store forget what no
// later start needs.
func (l *lane) snapshot(ctx context.Context) error {
	l.snapshotAt = l.o.Now()
	for first := l.o.Shared; first || l.next > l.committed || l.lastFixes.waiting(); first = false { // no replay would find those again
		l.lastFixes.hurry()
		if err := l.commit(ctx); err != nil { // of a shared partition it also tells whether that is ours still
			return err
		}
	}
	err := l.o.Journal.SaveSnapshot(ctx, l.partition, l.committed, l.writeState)
	if err != nil {
		// The older snapshot still serves; it only takes longer to replay.
		l.metrics.snapshots.WithLabelValues("failed").Inc()
		l.logger.Warn("snapshot not saved", "cause", err)
		return nil
	}
	l.metrics.snapshots.WithLabelValues("saved").Inc()
	l.snapshotPos = l.committed
	err = errors.Join(
		l.o.Journal.Trim(ctx, l.partition, l.committed),
		l.o.Store.ForgetAdoptions(ctx, l.partition, l.committed),
	)
	if err != nil {
		l.logger.Warn("old state not trimmed", "cause", err)
	}
	return nil
}

func (l *lane) writeState(w io.Writer) error {
	b := bufio.NewWriter(w)
	p := partWriter{w: b}
	p.bytes([]byte(snapshotMagic))
	p.number(l.fenced.Revision)
	p.number(uint64(l.clock.UnixMicro()))
	p.part(l.gate.Snapshot)
	p.number(uint64(len(l.tenants)))
	for key, ts := range l.tenants {
		p.text(string(key.tenant))
		p.text(ts.key)
		p.part(ts.tracker.Snapshot)
	}
	if p.err != nil {
		return p.err
	}
	return b.Flush()
}

func (l *lane) restore(ctx context.Context, r io.Reader) error {
	p := partReader{r: bufio.NewReader(r)}
	magic := string(p.bytes(len(snapshotMagic)))
	if magic != snapshotMagic && magic != snapshotOlder {
		return fmt.Errorf("pipeline: snapshot of another version")
	}
	revision := p.number()
	clock := time.UnixMicro(int64(p.number()))
	if p.err != nil {
		return p.err
	}
	if err := l.useRevision(ctx, revision); err != nil {
		return err
	}
	l.clock = clock
	p.part(l.gate.Restore)
	for range p.number() {
		key := readingKey{tenant: telemetry.TenantID(p.text())}
		if magic == snapshotMagic {
			key.reading = notify.ReadingOf(p.text())
		}
		if p.err != nil {
			return p.err
		}
		l.tenant(key.tenant)
		ts, ok := l.tenants[key]
		if !ok {
			return fmt.Errorf("pipeline: the snapshot has a reading %q that no rule had", key.reading.Key())
		}
		p.part(ts.tracker.Restore)
	}
	return p.err
}

// partWriter writes numbers and parts with their length before them; after an error it does nothing.
type partWriter struct {
	w   io.Writer
	err error
}

func (p *partWriter) bytes(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

func (p *partWriter) number(n uint64) { p.bytes(binary.BigEndian.AppendUint64(nil, n)) }

func (p *partWriter) text(s string) {
	p.number(uint64(len(s)))
	p.bytes([]byte(s))
}

func (p *partWriter) part(write func(io.Writer) error) {
	var buf countedBuffer
	if p.err != nil {
		return
	}
	if p.err = write(&buf); p.err == nil {
		p.number(uint64(len(buf.b)))
		p.bytes(buf.b)
	}
}

type countedBuffer struct{ b []byte }

func (c *countedBuffer) Write(p []byte) (int, error) {
	c.b = append(c.b, p...)
	return len(p), nil
}

// partReader reads what partWriter wrote; after an error it gives zeroes.
type partReader struct {
	r   io.Reader
	err error
}

const longestText = 4096

func (p *partReader) bytes(n int) []byte {
	b := make([]byte, n)
	if p.err == nil {
		_, p.err = io.ReadFull(p.r, b)
	}
	return b
}

func (p *partReader) number() uint64 {
	b := p.bytes(8)
	if p.err != nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (p *partReader) text() string {
	n := p.number()
	if p.err == nil && n > longestText {
		p.err = errors.New("pipeline: snapshot is damaged")
	}
	if p.err != nil {
		return ""
	}
	return string(p.bytes(int(n)))
}

func (p *partReader) part(read func(io.Reader) error) {
	n := p.number()
	if p.err != nil {
		return
	}
	part := io.LimitReader(p.r, int64(n))
	if p.err = read(part); p.err == nil {
		_, p.err = io.Copy(io.Discard, part)
	}
}
