package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is what [Match] found.
type Report struct {
	Expected int             // crossings of the truth, unsettled ones left out
	Matched  int             // told once, unsettled ones included
	Missing  []Crossing      // never told
	Doubled  []Observed      // told again
	False    []Observed      // never happened
	Errors   []time.Duration // told minus true time, of every match, sorted
}

// Exact reports whether everything was told once and nothing else was told.
func (r Report) Exact() bool { return len(r.Missing)+len(r.Doubled)+len(r.False) == 0 }

// WorstError is the largest difference of times, either way.
func (r Report) WorstError() time.Duration {
	if len(r.Errors) == 0 {
		return 0
	}
	return max(r.Errors[len(r.Errors)-1].Abs(), r.Errors[0].Abs())
}

// String sums the report up in a sentence, with the first few faults.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d crossings told, %d missing, %d doubled, %d false", r.Matched, r.Expected,
		len(r.Missing), len(r.Doubled), len(r.False))
	const few = 5
	for _, c := range r.Missing[:min(few, len(r.Missing))] {
		fmt.Fprintf(&b, "\n  missing %s", words(Observed{c.Vehicle, c.Fence, c.Kind, c.Time}))
	}
	for _, o := range r.Doubled[:min(few, len(r.Doubled))] {
		fmt.Fprintf(&b, "\n  doubled %s", words(o))
	}
	for _, o := range r.False[:min(few, len(r.False))] {
		fmt.Fprintf(&b, "\n  false %s", words(o))
	}
	return b.String()
}

func words(o Observed) string {
	return fmt.Sprintf("%s %s %s at %s", o.Vehicle, o.Kind, o.Fence, o.Time.UTC().Format("15:04:05.000"))
}

// route is what crossings must share to be the same.
type route struct {
	vehicle, fence string
	kind           Kind
}

// Match pairs what was told with what happened: same vehicle, fence and kind, and times no further apart than
// the tolerance, the nearest first. Something told without a time pairs with the earliest crossing that nobody
// else told. What is left of the told is doubled when it lies within the tolerance of a crossing that was
// already told (or has no time), and false otherwise.
func Match(truth []Crossing, told []Observed, tolerance time.Duration) Report {
	groups := map[route]*matching{}
	group := func(r route) *matching {
		if groups[r] == nil {
			groups[r] = &matching{}
		}
		return groups[r]
	}
	for _, c := range truth {
		g := group(route{string(c.Vehicle), c.Fence, c.Kind})
		g.truth = append(g.truth, c)
	}
	for _, o := range told {
		g := group(route{string(o.Vehicle), o.Fence, o.Kind})
		g.told = append(g.told, o)
	}
	var r Report
	for _, g := range groups {
		g.match(tolerance)
		g.add(&r, tolerance)
	}
	r.sort()
	return r
}

func (r *Report) sort() {
	byTime := func(a, b Observed) int { return a.Time.Compare(b.Time) }
	slices.SortFunc(r.Missing, func(a, b Crossing) int { return a.Time.Compare(b.Time) })
	slices.SortFunc(r.Doubled, byTime)
	slices.SortFunc(r.False, byTime)
	slices.Sort(r.Errors)
}

// matching pairs the crossings of one route.
type matching struct {
	truth []Crossing
	told  []Observed
	pairs map[int]int // told → truth
	taken map[int]bool
}

// match pairs the nearest first, then what has no time.
func (m *matching) match(tolerance time.Duration) {
	m.pairs, m.taken = map[int]int{}, map[int]bool{}
	slices.SortFunc(m.truth, func(a, b Crossing) int { return a.Time.Compare(b.Time) })
	type candidate struct {
		told, truth int
		apart       time.Duration
	}
	var all []candidate
	for i, o := range m.told {
		for j, c := range m.truth {
			if d := o.Time.Sub(c.Time).Abs(); !o.Time.IsZero() && d <= tolerance {
				all = append(all, candidate{i, j, d})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return int(a.apart - b.apart) })
	for _, c := range all {
		m.pair(c.told, c.truth)
	}
	for i, o := range m.told {
		for j := 0; o.Time.IsZero() && j < len(m.truth); j++ {
			m.pair(i, j)
		}
	}
}

// pair pairs two that are both still free.
func (m *matching) pair(told, truth int) {
	if _, done := m.pairs[told]; !done && !m.taken[truth] {
		m.pairs[told], m.taken[truth] = truth, true
	}
}

// add writes the outcome into the report.
func (m *matching) add(r *Report, tolerance time.Duration) {
	for j, c := range m.truth {
		if !c.Unsettled {
			r.Expected++
		}
		if !m.taken[j] && !c.Unsettled {
			r.Missing = append(r.Missing, c)
		}
	}
	for i, o := range m.told {
		j, ok := m.pairs[i]
		switch {
		case ok:
			r.Matched++
			if !o.Time.IsZero() {
				r.Errors = append(r.Errors, o.Time.Sub(m.truth[j].Time))
			}
		case m.happened(o, tolerance):
			r.Doubled = append(r.Doubled, o)
		default:
			r.False = append(r.False, o)
		}
	}
}

func (m *matching) happened(o Observed, tolerance time.Duration) bool {
	return slices.ContainsFunc(m.truth, func(c Crossing) bool {
		return o.Time.IsZero() || o.Time.Sub(c.Time).Abs() <= tolerance
	})
}
