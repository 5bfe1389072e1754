package geofence

import "slices"

// Numbers of a past. Times are milliseconds.
const (
	pastGap     = 120_000   // a silence of which a part may still come
	pastPinned  = 1_200_000 // so long after a silence or a late fix, by the arrival clock, more may come
	pastRotate  = 16        // fixes between two checkpoints where there was no silence
	pastLive    = 400       // fixes in order after which a silence is given up
	pastMost    = 4096      // fixes kept at most
	pastSettle  = 5_000     // late fixes are put in their place so long after the first of them …
	pastQuiet   = 2_000     // … and not before none came for so long
	pastNearest = 600_000   // crossings of the same kind farther apart are not the same
)

// past holds what is needed to put late fixes in their place: a copy of the state from before a silence, or
// from a few fixes ago, and every fix since. Only vehicles that were silent or sent out of order have one.
type past struct {
	base   state // before the first fix of log
	next   state // before log[mark], the base to come; valid if mark > 0
	log    []Fix // ascending by Time
	told   []toldCrossing
	mark   int
	until  int64 // kept until then, arrival clock
	silent bool  // base is from before a silence: do not rotate
	live   int   // fixes in order since the last late one
	dirty  bool  // late fixes wait in log
	heard  int64 // arrival of the last late fix
}

// toldCrossing is a crossing that was told since base.
type toldCrossing struct {
	fence FenceID
	at    int64
	kind  Kind
}

// record notes a fix that comes in order, before it is followed.
func (v *vehicle) record(f *Fix) {
	if !v.seen {
		return
	}
	if p := v.past; p != nil && p.over(f.Received) {
		v.past = nil
	}
	if f.Time-v.newest > pastGap {
		v.past = v.past.pin(&v.state, f.Received)
	}
	if p := v.past; p != nil {
		p.add(&v.state, f)
	}
}

// over reports whether nothing more is to be expected.
func (p *past) over(now int64) bool {
	return !p.dirty && (now > p.until || p.live > pastLive || len(p.log) >= pastMost)
}

// pin keeps the state s from before a silence, unless an older one is kept already.
func (p *past) pin(s *state, now int64) *past {
	if p == nil || !p.silent && !p.dirty {
		return p.begin(s, now, true)
	}
	p.silent, p.live, p.until = true, 0, now+pastPinned
	return p
}

// add notes a fix in order; s is the state before it.
func (p *past) add(s *state, f *Fix) {
	p.live++
	if !p.silent && !p.dirty && len(p.log)-p.mark >= pastRotate {
		p.rotate(s)
	}
	if len(p.log) < pastMost {
		p.log = append(p.log, *f)
	}
}

// begin returns a past that starts at s; p may be nil.
func (p *past) begin(s *state, now int64, silent bool) *past {
	if p == nil {
		p = &past{}
	}
	p.base.copy(s)
	p.log, p.told, p.mark = p.log[:0], p.told[:0], 0
	p.until, p.silent, p.live, p.dirty = now+pastPinned, silent, 0, false
	return p
}

// rotate forgets what is before the newer checkpoint and takes another one at s.
func (p *past) rotate(s *state) {
	if p.mark > 0 {
		p.base, p.next = p.next, p.base
		p.log = slices.Delete(p.log, 0, p.mark)
		from := p.base.newest
		p.told = slices.DeleteFunc(p.told, func(c toldCrossing) bool { return c.at < from-pastNearest })
	}
	p.next.copy(s)
	p.mark = len(p.log)
}

// copy makes s a copy of from that shares nothing with it.
func (s *state) copy(from *state) {
	ties := append(s.ties[:0], from.ties...)
	*s = *from
	s.ties = ties
	if from.aside != nil {
		a := *from.aside
		s.aside = &a
	}
}

// insert puts a late fix into the log; false if it is from before base or known.
func (p *past) insert(f *Fix) bool {
	if f.Time <= p.base.newest || len(p.log) >= pastMost {
		return false
	}
	i, known := slices.BinarySearchFunc(p.log, f.Time, func(a Fix, at int64) int {
		return int(max(min(a.Time-at, 1), -1))
	})
	if known {
		return false
	}
	p.log = slices.Insert(p.log, i, *f)
	if i < p.mark {
		p.mark = 0 // the newer checkpoint did not know it
	}
	return true
}

// hold drops from dst[start:] what was seen across a silence while late fixes are being put in their place: in
// seconds the past is lived again with them, and tells when and where it really was.
func (p *past) hold(dst []Crossing, start int) []Crossing {
	if !p.dirty || len(p.log) >= pastMost {
		return dst
	}
	kept := dst[:start]
	for _, c := range dst[start:] {
		if c.Why != WhyGap || c.Kind != Enter && c.Kind != Exit && c.Kind != Pass {
			kept = append(kept, c)
		}
	}
	return kept
}

// tell notes crossings that were told.
func (p *past) tell(cs []Crossing) {
	for i := range cs {
		p.told = append(p.told, toldCrossing{cs[i].Fence, cs[i].Time, cs[i].Kind})
	}
}
