package pipeline

import (
	"cmp"
	"container/list"
	"slices"
	"sync"
	"time"

	"outrider/journal"
	"outrider/telemetry"
)

// How much the inspector remembers: at most about 2,000 × 12 × 2 KiB, and mostly a tenth of it.
const (
	inspectVehicles = 2000
	inspectPayloads = 12
	inspectBytes    = 2 << 10
	inspectFixes    = 5
)

// Inspector remembers the last payloads of the vehicles that were heard of last, raw and as they were understood, for
// people who connect a tracker. It lives in memory and is empty after a start. It is safe for many goroutines.
type Inspector struct {
	mu       sync.Mutex // guards what follows
	seq      uint64     // of the last message
	vehicles map[vehicleKey]*list.Element
	order    *list.List // of *inspected, the one heard of last first
}

// NewInspector returns an inspector that has seen nothing.
func NewInspector() *Inspector {
	return &Inspector{vehicles: map[vehicleKey]*list.Element{}, order: list.New()}
}

// inspected is one vehicle.
type inspected struct {
	key      vehicleKey
	payloads []Payload // a ring of up to inspectPayloads
	spans    [inspectPayloads]span
	newest   int // its place in the ring
	verdicts [telemetry.Implausible + 1]uint64
	doubts   map[telemetry.Reason]*Doubt // nil before the first
}

// span is where a payload's fixes stand in time, in microseconds; with it those of others are passed over quickly.
type span struct{ received, first, last int64 }

func spanOf(fixes []telemetry.Fix) span {
	if len(fixes) == 0 {
		return span{}
	}
	return span{fixes[0].Received.UnixMicro(), fixes[0].Time.UnixMicro(), fixes[len(fixes)-1].Time.UnixMicro()}
}

func (s *span) holds(received, at int64) bool {
	return s.received == received && s.first <= at && at <= s.last
}

// Payload is one message of a device.
type Payload struct {
	Seq      uint64 // grows from message to message, over all vehicles
	Topic    string
	Raw      []byte // its beginning
	Size     int    // of all of it
	Retained bool
	Received time.Time
	Fixes    []telemetry.Fix      // as it was understood, the first ones
	Rulings  []Ruling             // of Fixes, in their order
	Count    int                  // how many there were
	Refusals []*telemetry.Refusal // why it was not, or not all of it
}

// note remembers a message of a vehicle. The oldest one's memory is used again.
func (in *Inspector) note(key vehicleKey, m *telemetry.Message, fixes []telemetry.Fix, refusals []*telemetry.Refusal) {
	in.mu.Lock()
	defer in.mu.Unlock()
	v := in.vehicle(key)
	if len(v.payloads) < inspectPayloads {
		v.payloads = append(v.payloads, Payload{})
		v.newest = len(v.payloads) - 1
	} else {
		v.newest = (v.newest + 1) % inspectPayloads
	}
	p := &v.payloads[v.newest]
	in.seq++
	p.Seq = in.seq
	p.Topic, p.Retained, p.Received, p.Refusals = m.Topic, m.Retained, m.Received, refusals
	p.Raw = append(p.Raw[:0], m.Payload[:min(len(m.Payload), inspectBytes)]...)
	p.Size = max(m.Size, len(m.Payload))
	p.Fixes, p.Count = append(p.Fixes[:0], fixes[:min(len(fixes), inspectFixes)]...), len(fixes)
	p.Rulings = append(p.Rulings[:0], make([]Ruling, len(p.Fixes))...)
	v.spans[v.newest] = spanOf(p.Fixes)
}

// judged takes in what the gate said of entries, in their order: for all that a lane has read at once, since lanes and
// connections share the lock.
func (in *Inspector) judged(entries []journal.Entry, rulings []Ruling) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range rulings {
		f := &entries[i].Fix
		in.vehicle(vehicleKey{f.Tenant, f.Vehicle}).judge(f, rulings[i])
	}
}

// judge counts a ruling and puts it beside its fix, if that is still there.
func (v *inspected) judge(f *telemetry.Fix, r Ruling) {
	v.verdicts[r.Verdict]++
	if r.Reason != "" {
		v.doubt(f, r.Reason)
	}
	received, at := f.Received.UnixMicro(), f.Time.UnixMicro()
	for i := range v.payloads {
		if v.spans[i].holds(received, at) && v.payloads[i].rule(at, r) {
			return
		}
	}
}

// rule puts a ruling beside the fix of that time, if it has none yet.
func (p *Payload) rule(at int64, r Ruling) bool {
	for k := range p.Fixes {
		if !p.Rulings[k].Judged && p.Fixes[k].Time.UnixMicro() == at {
			p.Rulings[k] = r
			return true
		}
	}
	return false
}

func (v *inspected) doubt(f *telemetry.Fix, reason telemetry.Reason) {
	d := v.doubts[reason]
	if d == nil {
		if v.doubts == nil {
			v.doubts = map[telemetry.Reason]*Doubt{}
		}
		d = &Doubt{Reason: reason}
		v.doubts[reason] = d
	}
	d.Count++
	d.last = *f
}

// vehicle finds or makes a vehicle's place and puts it in front. in.mu is held.
func (in *Inspector) vehicle(key vehicleKey) *inspected {
	if e, ok := in.vehicles[key]; ok {
		in.order.MoveToFront(e)
		return e.Value.(*inspected)
	}
	if in.order.Len() >= inspectVehicles {
		last := in.order.Back()
		delete(in.vehicles, in.order.Remove(last).(*inspected).key)
	}
	v := &inspected{key: key}
	in.vehicles[key] = in.order.PushFront(v)
	return v
}

// Inspection is what is remembered of a vehicle.
type Inspection struct {
	Payloads []Payload // newest first
	Verdicts map[telemetry.Verdict]uint64
	Doubts   []Doubt // by reason, the most frequent first
}

// SeenPayload is a message with the vehicle it was seen of; empty when nobody could be named.
type SeenPayload struct {
	Vehicle telemetry.VehicleID
	Payload
}

// Recent returns copies of what a tenant's vehicles sent after the message of that Seq, oldest first; when there is more
// than the limit, the newest.
func (in *Inspector) Recent(tenant telemetry.TenantID, after uint64, limit int) []SeenPayload {
	in.mu.Lock()
	defer in.mu.Unlock()
	var out []SeenPayload
	for e := in.order.Front(); e != nil; e = e.Next() {
		v := e.Value.(*inspected)
		if v.key.tenant != tenant {
			continue
		}
		for _, p := range v.payloads {
			if p.Seq > after {
				out = append(out, SeenPayload{v.key.vehicle, p})
			}
		}
	}
	slices.SortFunc(out, func(a, b SeenPayload) int { return cmp.Compare(a.Seq, b.Seq) })
	out = out[max(0, len(out)-limit):]
	for i := range out {
		out[i].keep()
	}
	return out
}

// Inspect returns copies of what is remembered of a vehicle; false if nothing is.
func (in *Inspector) Inspect(tenant telemetry.TenantID, vehicle telemetry.VehicleID) (Inspection, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	e, ok := in.vehicles[vehicleKey{tenant, vehicle}]
	if !ok {
		return Inspection{}, false
	}
	v := e.Value.(*inspected)
	out := Inspection{Verdicts: map[telemetry.Verdict]uint64{}}
	for verdict, n := range v.verdicts {
		out.Verdicts[telemetry.Verdict(verdict)] = n
	}
	for i := range v.payloads {
		p := v.payloads[(v.newest-i+len(v.payloads))%len(v.payloads)]
		p.keep()
		out.Payloads = append(out.Payloads, p)
	}
	for _, d := range v.doubts {
		out.Doubts = append(out.Doubts, *d)
	}
	slices.SortFunc(out.Doubts, func(a, b Doubt) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason)) })
	return out, true
}

// keep makes what p refers to its own.
func (p *Payload) keep() {
	p.Raw, p.Fixes, p.Rulings = slices.Clone(p.Raw), slices.Clone(p.Fixes), slices.Clone(p.Rulings)
}
