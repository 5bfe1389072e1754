package codec

import (
	"container/list"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"outrider/telemetry"
)

// JoinerOptions say how values that come one by one are joined. The zero value is good.
type JoinerOptions struct {
	// Burst is how long after its first value another one may belong to the same position, by the clock of
	// arrival. 0: 500 ms.
	Burst time.Duration
	// MaxVehicles is how many vehicles are kept in mind; beyond it the one that was silent longest is forgotten.
	// 0: 10,000, at about 300 bytes each.
	MaxVehicles int
}

// Joiner joins positions of which each value has a topic of its own, as OVMS and TeslaMate publish them, and leaves
// every other message to the decoder inside.
//
// Latitude and longitude make a fix when both have come within one burst. A value that comes a second time begins the
// next burst, so that two are never mixed; what else came before the fix in its burst is part of it, what comes behind
// it is dropped, since a fix does not wait. Kept (retained) copies are dropped: they tell neither time nor burst. The
// time of a fix is what the vehicle says in its burst, otherwise the arrival of its first value.
//
// What is half joined is only in memory: a restart loses at most one position per vehicle. It is safe for many
// goroutines; the messages of one vehicle have to come in order.
type Joiner struct {
	inner atomic.Pointer[Decoder]
	o     JoinerOptions

	mu       sync.Mutex // guards what follows
	vehicles map[telemetry.VehicleID]*list.Element
	order    list.List // of *burst, the last one heard first
}

var _ telemetry.Decoder = (*Joiner)(nil)

// NewJoiner returns a joiner around a decoder.
func NewJoiner(inner *Decoder, o JoinerOptions) *Joiner {
	if o.Burst <= 0 {
		o.Burst = 500 * time.Millisecond
	}
	if o.MaxVehicles <= 0 {
		o.MaxVehicles = 10_000
	}
	j := &Joiner{o: o, vehicles: map[telemetry.VehicleID]*list.Element{}}
	j.inner.Store(inner)
	return j
}

// Replace puts another decoder inside, for the messages from now on.
func (j *Joiner) Replace(inner *Decoder) { j.inner.Store(inner) }

// burst is what came of one position of one vehicle.
type burst struct {
	vehicle telemetry.VehicleID
	began   time.Time
	have    [scalarFields]bool
	fix     telemetry.Fix
	told    bool // its fix is out
	noLock  bool // the receiver said that it has no position; outlives the burst
}

// Decode implements [telemetry.Decoder].
func (j *Joiner) Decode(dst []telemetry.Fix, m telemetry.Message) ([]telemetry.Fix, error) {
	topic, ok := j.scalar(m.Topic)
	if !ok {
		return j.inner.Load().Decode(dst, m)
	}
	v, refusal := topic.read(m)
	if refusal != nil {
		return dst, refusal
	}
	if m.Retained || topic.field == otherScalar || v.unknown() {
		return dst, nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	f, refusal := j.join(topic, v, m.Received)
	switch {
	case refusal != nil:
		return dst, refusal
	case f != nil:
		return append(dst, *f), nil
	}
	return dst, nil
}

// scalar reads a topic of one value, unless a rule of the user is for it.
func (j *Joiner) scalar(topic string) (scalarTopic, bool) {
	if _, ruled := firstMatch(j.inner.Load().router.rules, topic); ruled {
		return scalarTopic{}, false
	}
	return readScalarTopic(topic)
}

// TopicOwner is [Decoder.TopicOwner], for topics of one value too.
func (j *Joiner) TopicOwner(topic string) (telemetry.TenantID, telemetry.VehicleID) {
	if s, ok := j.scalar(topic); ok && idFault(string(s.vehicle)) == "" {
		return telemetry.DefaultTenant, s.vehicle
	}
	return j.inner.Load().TopicOwner(topic)
}

// Explain says how a message is understood, without taking part in the joining.
func (j *Joiner) Explain(m telemetry.Message) Explanation {
	topic, ok := j.scalar(m.Topic)
	if !ok {
		return j.inner.Load().Explain(m)
	}
	e := Explanation{Codec: topic.world, How: "by the topic, which holds one value that is joined with the others of its burst"}
	if _, refusal := topic.read(m); refusal != nil {
		e.Refusals = []*telemetry.Refusal{refusal}
	}
	return e
}

// join takes a value, and returns the fix that it completes. The caller holds mu.
func (j *Joiner) join(topic scalarTopic, v scalarValue, at time.Time) (*telemetry.Fix, *telemetry.Refusal) {
	b := j.burst(topic.vehicle)
	if topic.field == lockScalar {
		b.noLock = v.truth == telemetry.No
		return nil, nil
	}
	if since := at.Sub(b.began); since < 0 || since > j.o.Burst || b.holds(topic.field) {
		b.begin(at)
	}
	b.put(topic.field, v)
	if b.told || !b.have[latScalar] || !b.have[lonScalar] {
		return nil, nil
	}
	b.told = true
	switch {
	case b.noLock:
		return nil, telemetry.Refuse(telemetry.ReasonNoFix, "gpslock", "no: the place is the last one that was known")
	case b.fix.Point == [2]float64{}:
		return nil, telemetry.Refuse(telemetry.ReasonNoFix, "", "0,0 is what a tracker sends that has no position")
	}
	f := b.fix
	f.Received = time.UnixMicro(at.UnixMicro()).UTC()
	return &f, nil
}

// burst finds or begins what is known of a vehicle, and makes it the last one heard.
func (j *Joiner) burst(vehicle telemetry.VehicleID) *burst {
	if e, ok := j.vehicles[vehicle]; ok {
		j.order.MoveToFront(e)
		return e.Value.(*burst)
	}
	if j.order.Len() >= j.o.MaxVehicles {
		oldest := j.order.Back()
		delete(j.vehicles, j.order.Remove(oldest).(*burst).vehicle)
	}
	b := &burst{vehicle: telemetry.VehicleID(strings.Clone(string(vehicle)))}
	j.vehicles[b.vehicle] = j.order.PushFront(b)
	return b
}

// holds reports whether the burst has that value already.
func (b *burst) holds(f scalarField) bool {
	if f == locationScalar {
		return b.have[latScalar] || b.have[lonScalar]
	}
	return b.have[f]
}

func (b *burst) begin(at time.Time) {
	b.began, b.told, b.have = at, false, [scalarFields]bool{}
	b.fix = telemetry.NewFix(telemetry.DefaultTenant, b.vehicle, time.UnixMilli(at.UnixMilli()).UTC(), [2]float64{})
}

func (b *burst) put(f scalarField, v scalarValue) {
	b.have[f] = true
	switch f {
	case latScalar:
		b.fix.Point[1] = v.number
	case lonScalar:
		b.fix.Point[0] = v.number
	case locationScalar:
		b.fix.Point, b.have[latScalar], b.have[lonScalar] = v.point, true, true
	case speedScalar:
		b.fix.Speed = v.number
	case headingScalar:
		b.fix.Heading = northIsZero(v.number)
	case altitudeScalar:
		b.fix.Altitude = v.number
	case hdopScalar:
		b.fix.HDOP = v.number
	case timeScalar:
		b.fix.Time = v.time
	}
}

// scalarValue is the value of one topic, in SI units.
type scalarValue struct {
	kind   scalarField
	number float64
	point  [2]float64
	time   time.Time
	truth  telemetry.Tristate
}

// unknown reports whether the vehicle said that it does not know.
func (v *scalarValue) unknown() bool {
	switch v.kind {
	case locationScalar:
		return math.IsNaN(v.point[0])
	case timeScalar:
		return v.time.IsZero()
	case lockScalar:
		return v.truth == telemetry.UnknownState
	}
	return math.IsNaN(v.number)
}
