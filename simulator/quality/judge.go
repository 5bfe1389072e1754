package quality

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"
)

// Told is a crossing as an engine told it.
type Told struct {
	Fence   string
	Enter   bool // false: exit
	At      time.Time
	Emitted time.Time
	Late    bool
}

// Score counts what was right and wrong. Add sums scores up.
type Score struct {
	Told, Right, False, Duplicate int
	Required, Found               int
	Passes, PassesFound           int // required crossings shown by no fix inside
	LateMistakes                  int
	FalseParked                   int
	Days, ParkedDays              float64
	TimeErrors                    []float64 // seconds
	Delays                        []float64 // seconds from the first good fix that shows it
	Mistakes                      []Mistake // for people
}

// Mistake is one thing an engine got wrong, in words, and where.
type Mistake struct {
	Text  string
	Fence string
	At    float64 // second of the path
}

// Add sums s and o.
func (s *Score) Add(o *Score) {
	s.Told, s.Right, s.False, s.Duplicate = s.Told+o.Told, s.Right+o.Right, s.False+o.False, s.Duplicate+o.Duplicate
	s.Required, s.Found = s.Required+o.Required, s.Found+o.Found
	s.Passes, s.PassesFound = s.Passes+o.Passes, s.PassesFound+o.PassesFound
	s.LateMistakes, s.FalseParked = s.LateMistakes+o.LateMistakes, s.FalseParked+o.FalseParked
	s.Days, s.ParkedDays = s.Days+o.Days, s.ParkedDays+o.ParkedDays
	s.TimeErrors = append(s.TimeErrors, o.TimeErrors...)
	s.Delays = append(s.Delays, o.Delays...)
	s.Mistakes = append(s.Mistakes, o.Mistakes...)
}

// Precision is the share of what was told that is true, in percent.
func (s *Score) Precision() float64 { return percent(s.Right, s.Told) }

// Recall is the share of what is required that was told, in percent.
func (s *Score) Recall() float64 { return percent(s.Found, s.Required) }

// PassRecall is the recall of visits that no fix shows.
func (s *Score) PassRecall() float64 { return percent(s.PassesFound, s.Passes) }

// FalsePerDay is false alerts per vehicle-day; duplicates are not among them.
func (s *Score) FalsePerDay() float64 { return float64(s.False) / max(s.Days, 1e-9) }

// FalsePerParkedDay is false alerts while standing per day of standing.
func (s *Score) FalsePerParkedDay() float64 { return float64(s.FalseParked) / max(s.ParkedDays, 1e-9) }

// TableHead heads the lines of String.
const TableHead = "precision  recall    pass  false/d parked/d  dup   time p50/p95    delay p50/p95  late!"

// String returns one line of figures.
func (s *Score) String() string {
	return fmt.Sprintf("%8.2f %8.2f %7.1f %8.3f %8.3f %4d %6.2f /%6.2f %7.1f /%6.1f %5d",
		s.Precision(), s.Recall(), s.PassRecall(), s.FalsePerDay(), s.FalsePerParkedDay(), s.Duplicate,
		Quantile(s.TimeErrors, 0.5), Quantile(s.TimeErrors, 0.95),
		Quantile(s.Delays, 0.5), Quantile(s.Delays, 0.95), s.LateMistakes)
}

func percent(a, b int) float64 {
	if b == 0 {
		return 100
	}
	return 100 * float64(a) / float64(b)
}

// Quantile returns the q-quantile of v, NaN of nothing.
func Quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

// Judge compares what an engine told about the world with the truth.
func (w *World) Judge(told []Told) *Score {
	s := &Score{Days: w.Hours() / 24, ParkedDays: w.ParkedHours() / 24}
	good := slices.Clone(w.Fixes)
	good = slices.DeleteFunc(good, func(f Fix) bool { return !f.good })
	slices.SortStableFunc(good, func(a, b Fix) int {
		if a.t != b.t {
			return cmpFloat(a.t, b.t)
		}
		return a.Received.Compare(b.Received)
	})
	for _, f := range w.Fences {
		var mine []Told
		for _, t := range told {
			if t.Fence == f.ID {
				mine = append(mine, t)
			}
		}
		w.judgeFence(s, f, w.turnings(f, good), mine, good)
	}
	return s
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// judgeFence matches what was told of one fence with its turnings, the nearest pairs first.
func (w *World) judgeFence(s *Score, f *Fence, ts []turning, told []Told, good []Fix) {
	type pair struct {
		told, turn int
		off        float64
	}
	var pairs []pair
	for i, c := range told {
		for j := range ts {
			if off, ok := w.match(&ts[j], &c, good); ok {
				if !ts[j].required {
					off += 1e6 // required ones are matched first
				}
				pairs = append(pairs, pair{i, j, off})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmpFloat(a.off, b.off) })
	by := make([]int, len(told))
	for i := range by {
		by[i] = -1
	}
	near := make([]bool, len(told))
	for _, p := range pairs {
		near[p.told] = true
		if by[p.told] < 0 && ts[p.turn].matched == 0 {
			by[p.told], ts[p.turn].matched = p.turn, 1
		}
	}
	for i, c := range told {
		s.Told++
		switch {
		case by[i] >= 0:
			s.Right++
			w.judgeMatch(s, f, &ts[by[i]], &c, good)
		case near[i]:
			s.Duplicate++
			s.mistake(w, f, "duplicate", c.Enter, w.Second(c.At))
		default:
			s.False++
			if w.parkedAt(w.Second(c.At)) {
				s.FalseParked++
			}
			s.mistake(w, f, "false", c.Enter, w.Second(c.At))
		}
	}
	w.countRequired(s, f, ts, good)
}

// countRequired counts what had to be told.
func (w *World) countRequired(s *Score, f *Fence, ts []turning, good []Fix) {
	for i := range ts {
		t := &ts[i]
		if !t.required {
			continue
		}
		s.Required++
		found := t.matched > 0
		if found {
			s.Found++
		} else {
			s.mistake(w, f, "missed", t.enter, t.from)
		}
		if w.unseen(f, t, good) {
			s.Passes++
			if found {
				s.PassesFound++
			}
		}
	}
}

// unseen reports whether no good fix lies inside during the visit that t begins or ends.
func (w *World) unseen(f *Fence, t *turning, good []Fix) bool {
	from := sort.Search(len(good), func(i int) bool { return good[i].t >= t.before })
	for i := from; i < len(good); i++ {
		if good[i].t == t.after && t.enter || good[i].t == t.before && !t.enter {
			return f.depth(w.path.where(good[i].t)) < 0
		}
	}
	return false
}

// match returns how far c is from t in seconds, and whether it can be meant: what was told across a silence
// may lie anywhere in it, as nobody could know better then.
func (w *World) match(t *turning, c *Told, good []Fix) (float64, bool) {
	if t.enter != c.Enter {
		return 0, false
	}
	at, slack := w.Second(c.At), 30+w.device.interval
	off := math.Inf(1)
	for _, x := range t.at {
		off = min(off, math.Abs(at-x))
	}
	if at >= t.from-slack && at <= t.to+slack {
		return off, true
	}
	if math.Abs(at-t.from) > 7200 {
		return off, false
	}
	before, after := w.known(t, c, good)
	silent := after-before >= 120 && !math.IsInf(after-before, 1)
	return off, silent && at >= before-slack && at <= after+slack
}

// silence returns the seconds between the good fixes around t that had arrived when c was told.
func (w *World) silence(t *turning, c *Told, good []Fix) float64 {
	before, after := w.known(t, c, good)
	return after - before
}

func (w *World) known(t *turning, c *Told, good []Fix) (before, after float64) {
	before, after = math.Inf(-1), math.Inf(1)
	for i := range good {
		switch g := &good[i]; {
		case g.Received.After(c.Emitted):
		case g.t <= t.from:
			before = max(before, g.t)
		case g.t > t.to:
			after = min(after, g.t)
		}
	}
	return before, after
}

// judgeMatch notes the errors of a right crossing.
func (w *World) judgeMatch(s *Score, f *Fence, t *turning, c *Told, good []Fix) {
	if !t.required {
		return
	}
	off, _ := w.match(t, c, good)
	if w.silence(t, c, good) < 300 {
		s.TimeErrors = append(s.TimeErrors, off)
		if off > 15 {
			s.mistake(w, f, fmt.Sprintf("time off by %.0f s", off), c.Enter, w.Second(c.At))
		}
	}
	emitted := w.Second(c.Emitted)
	age := t.arrived - t.after
	if !c.Late {
		s.Delays = append(s.Delays, emitted-t.arrived)
	}
	// What only later fixes decide, which the tracker kept for minutes, is history by then, however fresh the first was.
	fresh := age < 30 && t.gap < 100 && emitted-t.arrived < 100
	if age > 300 && !c.Late && emitted >= t.arrived || fresh && c.Late {
		s.LateMistakes++
		s.mistake(w, f, fmt.Sprintf("late=%v at an age of %.0f s", c.Late, age), c.Enter, w.Second(c.At))
	}
}

// Second turns a time into seconds of the path.
func (w *World) Second(t time.Time) float64 { return t.Sub(w.start).Seconds() }

func (w *World) parkedAt(t float64) bool {
	return slices.ContainsFunc(w.path.stops, func(s stop) bool { return t >= float64(s.from) && t < float64(s.to) })
}

func (s *Score) mistake(w *World, f *Fence, what string, enter bool, at float64) {
	kind := "exit"
	if enter {
		kind = "enter"
	}
	text := fmt.Sprintf("%s/%d %.0f s: %s %s %s at %.1f depth %.1f speed %.1f", w.Kind, w.Seed, w.device.interval, what,
		kind, f.ID, at, f.depth(w.path.where(at)), w.path.speed[min(max(int(at), 0), len(w.path.speed)-1)])
	s.Mistakes = append(s.Mistakes, Mistake{Text: text, Fence: f.ID, At: at})
}

// Around returns what happened around a second of the path, for people who look at a mistake.
func (w *World) Around(fence string, at, seconds float64) string {
	var b strings.Builder
	for _, f := range w.Fences {
		if f.ID != fence {
			continue
		}
		for _, x := range w.Fixes {
			if math.Abs(x.t-at) <= seconds {
				truth := w.path.where(x.t)
				seen := w.unplace(f, x)
				fmt.Fprintf(&b, "  %8.1f rx %8.1f depth true %7.1f seen %7.1f off %6.1f speed %5.1f acc %5.1f good %v\n",
					x.t, w.Second(x.Received), f.depth(truth), f.depth(seen), seen.distance(truth), x.Speed, x.Accuracy, x.good)
			}
		}
	}
	return b.String()
}

// unplace turns a fix back into metres.
func (w *World) unplace(_ *Fence, x Fix) Point {
	d := x.Point[0] - w.frame.origin[0]
	switch {
	case d > 180:
		d -= 360
	case d < -180:
		d += 360
	}
	return Point{d * w.frame.x, (x.Point[1] - w.frame.origin[1]) * w.frame.y}
}
