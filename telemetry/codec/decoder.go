package codec

import (
	"errors"
	"slices"
	"time"

	"outrider/telemetry"
)

// Options say how to decode. The zero value is good.
type Options struct {
	// MaxPayload is the longest payload that is read, in bytes. 0: 256 KiB.
	MaxPayload int
}

const (
	defaultMaxPayload = 256 << 10
	// maxRefusals bounds what one message can refuse: the rest of a long bad array is told as a number.
	maxRefusals = 16
)

// Decoder recognises and decodes payloads. It has no state and is safe for many goroutines.
type Decoder struct {
	maxPayload int
}

var _ telemetry.Decoder = (*Decoder)(nil)

// New returns a decoder.
func New(o Options) *Decoder {
	if o.MaxPayload <= 0 {
		o.MaxPayload = defaultMaxPayload
	}
	return &Decoder{maxPayload: o.MaxPayload}
}

// Decode implements [telemetry.Decoder]. The ids of the fixes may share memory with m.Topic, nothing shares
// memory with m.Payload. A message that is understood and holds no position (an OwnTracks transition, say)
// gives no fix and no error.
func (d *Decoder) Decode(dst []telemetry.Fix, m telemetry.Message) ([]telemetry.Fix, error) {
	at, refusal := routeOf(m.Topic)
	switch {
	case refusal != nil:
		return dst, refusal
	case at.silent:
		return dst, nil
	case len(m.Payload) > d.maxPayload:
		return dst, telemetry.Refuse(telemetry.ReasonTooLarge, "", "%d bytes, at most %d are read", len(m.Payload), d.maxPayload)
	}
	r := reader{scanner: scanner{b: m.Payload}, route: at, fixes: dst}
	r.model = telemetry.NewFix(at.tenant, at.vehicle, time.Time{}, [2]float64{})
	r.model.Received = time.UnixMicro(m.Received.UnixMicro()).UTC()
	r.model.Retained = m.Retained
	r.payload()
	inOrder(r.fixes[len(dst):])
	return r.fixes, r.refusals.err()
}

// inOrder sorts the fixes of one message by device time; trackers flush buffers newest first.
func inOrder(fixes []telemetry.Fix) {
	older := func(a, b telemetry.Fix) int { return a.Time.Compare(b.Time) }
	if !slices.IsSortedFunc(fixes, older) {
		slices.SortStableFunc(fixes, older)
	}
}

// refusals collects what was wrong with one message, up to a limit.
type refusals struct {
	all  []error
	more int
}

func (r *refusals) add(refusal *telemetry.Refusal) {
	if len(r.all) == maxRefusals {
		r.more++
		return
	}
	r.all = append(r.all, refusal)
}

func (r *refusals) err() error {
	switch {
	case len(r.all) == 0:
		return nil
	case len(r.all) == 1:
		return r.all[0]
	case r.more > 0:
		return errors.Join(append(r.all, telemetry.Refuse(telemetry.ReasonMalformed, "", "and %d more elements were refused", r.more))...)
	}
	return errors.Join(r.all...)
}
