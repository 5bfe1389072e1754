package quality

import (
	"math"
	"sort"
)

// lobe is a time a vehicle truly spent on one side of a fence, in seconds of the path.
type lobe struct {
	from, to float64
	inside   bool
	solid    bool // 15 m deep, or 10 m for 20 s
	shown    bool // good fixes show it

	deepFrom, deepTo float64 // 10 m deep between these seconds
}

// turning is a true change of side.
type turning struct {
	enter    bool
	from, to float64 // it is over between these seconds
	required bool
	matched  int
	at       []float64 // every moment in between at which the boundary was crossed this way
	gap      float64   // seconds between the good fixes around it
	before   float64   // second of the good fix before
	after    float64   // second of the good fix after
	arrived  float64   // when the first good fix after it arrived, in seconds of the path
}

// fastest is more than any vehicle of these worlds drives, in m/s.
const fastest = 45.0

// lobes cuts the path by f's boundary.
func (w *World) lobes(f *Fence) []lobe {
	var all []lobe
	d0 := f.depth(w.path.at[0])
	cur := lobe{inside: d0 >= 0}
	deepest, long := 0.0, 0
	for i := 1; i < len(w.path.at); i++ {
		d := f.depth(w.path.at[i])
		if (d >= 0) != cur.inside {
			cut := float64(i-1) + d0/(d0-d)
			cur.to = cut
			cur.solid = deepest >= 15 || long >= 20
			all = append(all, cur)
			cur = lobe{from: cut, inside: !cur.inside}
			deepest, long = 0, 0
		}
		deepest = max(deepest, math.Abs(d))
		if math.Abs(d) >= 10 {
			long++
		}
		if far := int((math.Abs(d) - 20) / fastest); far > 0 { // nothing happens for so many seconds
			i, long = min(i+far, len(w.path.at)-1), long+far
			d = f.depth(w.path.at[i])
		}
		d0 = d
	}
	cur.to, cur.solid = float64(len(w.path.at)), deepest >= 15 || long >= 20
	return append(all, cur)
}

// turnings returns every true change of side of f; required are those between solid sides that good fixes
// show. good is the good fixes by time.
func (w *World) turnings(f *Fence, good []Fix) []turning {
	all := w.lobes(f)
	for i := range all {
		all[i].shown = w.shows(f, &all[i], good)
	}
	var ts []turning
	w.narrow(f, all)
	last := -1
	for i := range all {
		if i > 0 {
			ts = append(ts, w.turning(all[i].inside, all[i].from, all[i].from, []float64{all[i].from}, good))
		}
		if !all[i].solid || !all[i].shown {
			continue
		}
		if last >= 0 && all[last].inside != all[i].inside && all[last].to > w.begins {
			ts = w.require(ts, all, last, i, good)
		}
		last = i
	}
	return ts
}

// require replaces the turnings between two solid lobes of different sides by one that is required.
func (w *World) require(ts []turning, all []lobe, a, b int, good []Fix) []turning {
	var at []float64
	for i := a + 1; i <= b; i++ {
		if all[i].inside == all[b].inside {
			at = append(at, all[i].from)
		}
	}
	t := w.turning(all[b].inside, all[a].deepTo, all[b].deepFrom, at, good)
	t.required = true
	if b == a+1 {
		ts[len(ts)-1] = t
		return ts
	}
	return append(ts, t) // the ones in between stay as optional
}

// narrow notes for each lobe between which seconds the vehicle was 10 m deep.
func (w *World) narrow(f *Fence, all []lobe) {
	for i := range all {
		l := &all[i]
		l.deepFrom, l.deepTo = l.from, l.to
		for l.deepFrom < l.to && math.Abs(f.depth(w.path.where(l.deepFrom))) < 10 {
			l.deepFrom++
		}
		for l.deepTo > l.from && math.Abs(f.depth(w.path.where(l.deepTo))) < 10 {
			l.deepTo--
		}
		if l.deepFrom >= l.to || l.deepTo <= l.from {
			l.deepFrom, l.deepTo = l.from, l.to
		}
	}
}

func (w *World) turning(enter bool, from, to float64, at []float64, good []Fix) turning {
	t := turning{enter: enter, from: from, to: to, at: at, arrived: math.Inf(1)}
	before, after := math.Inf(-1), math.Inf(1)
	first := sort.Search(len(good), func(i int) bool { return good[i].t > from })
	if first > 0 {
		before = good[first-1].t
	}
	for i := first; i < len(good); i++ {
		if good[i].t > to {
			after = good[i].t
			t.arrived = good[i].Received.Sub(w.start).Seconds()
			break
		}
	}
	t.gap, t.before, t.after = after-before, before, after
	return t
}

// shows reports whether good fixes lie in the lobe, or a straight way between two of them leads through it.
func (w *World) shows(f *Fence, l *lobe, good []Fix) bool {
	side := -1.0
	if l.inside {
		side = 1
	}
	first := sort.Search(len(good), func(i int) bool { return good[i].t >= l.from })
	for i := max(first-1, 0); i < len(good) && good[i].t <= l.to; i++ {
		t := good[i].t
		if t >= l.from && t <= l.to && side*f.depth(w.path.where(t)) >= 8 {
			return true
		}
		if t < l.from && i+1 < len(good) && good[i+1].t > l.to && good[i+1].t-t <= 300 {
			return w.leads(f, w.path.where(t), w.path.where(good[i+1].t), side)
		}
	}
	return false
}

// leads reports whether the straight way from a to b comes to a side of f, goes at least 15 m deep there and leaves
// it again. A way that only begins or ends on that side shows what lies around its end, not what came in between.
func (w *World) leads(f *Fence, a, b Point, side float64) bool {
	other, deep := false, false
	for i := range 101 {
		switch d := side * f.depth(mix(a, b, float64(i)/100)); {
		case d < 0 && deep:
			return true
		case d < 0:
			other = true
		case d >= 15 && other:
			deep = true
		}
	}
	return false
}
