package quality

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"outrider/geofence"
	"outrider/simulator/quality"
)

var (
	seeds    = flag.Int("seeds", 1, "worlds of each kind")
	first    = flag.Uint64("first", 1000, "first seed")
	only     = flag.String("kind", "", "only kinds whose name contains this")
	mistakes = flag.Bool("mistakes", false, "list every mistake with what was seen around it")
	window   = flag.Float64("window", 40, "seconds shown around a mistake")
)

// least is what is good enough for a run of one seed of each kind, with room for an unlucky seed. docs/quality.md
// says what many seeds give.
type least struct {
	required   int     // crossings, or the worlds are too empty to judge
	precision  float64 // percent, over all kinds
	recall     float64
	densely    float64 // percent of precision, where there is a fix every 10 s or more often
	seen       float64 // percent of recall there
	mostError  float64 // seconds, the median
	mostFalse  float64 // per vehicle-day
	duplicates int     // for each seed
}

var (
	dense   = least{1000, 98.3, 99.4, 99.2, 99.7, 0.7, 5, 20}
	working = least{800, 97.8, 98.9, 98.7, 99.3, 0.7, 0.8, 8}
)

// table collects scores from many goroutines.
type table struct {
	mu     sync.Mutex // guards the rest
	scores map[string]*quality.Score
	dense  quality.Score // worlds with a fix every 10 s or more often
	sparse quality.Score // all others
	base   quality.Score // inside or outside, fix by fix
	band   quality.Score // a fixed band of 15 m
	two    quality.Score // two fixes must agree
}

func (b *table) add(w *quality.World, engine, base, band, two *quality.Score) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.scores[w.Kind] == nil {
		b.scores[w.Kind] = &quality.Score{}
	}
	b.scores[w.Kind].Add(engine)
	if w.Interval() <= 10 {
		b.dense.Add(engine)
	} else {
		b.sparse.Add(engine)
	}
	b.base.Add(base)
	b.band.Add(band)
	b.two.Add(two)
}

// String is a line per kind, one for all, and one for the rule everybody begins with.
func (b *table) String() string {
	var text strings.Builder
	line := func(name string, s *quality.Score) { fmt.Fprintf(&text, "%-22s %s\n", name, s) }
	fmt.Fprintf(&text, "%-22s %s\n", "", quality.TableHead)
	for _, kind := range quality.Kinds() {
		if s := b.scores[kind]; s != nil {
			line(kind, s)
		}
	}
	line("ALL", b.all())
	line("up to 10 s", &b.dense)
	line("30 and 60 s", &b.sparse)
	line("inside/outside", &b.base)
	line("a band of 15 m", &b.band)
	line("two fixes agree", &b.two)
	return text.String()
}

func (b *table) all() *quality.Score {
	var all quality.Score
	for _, kind := range quality.Kinds() {
		if s := b.scores[kind]; s != nil {
			all.Add(s)
		}
	}
	return &all
}

func TestAlertQuality(t *testing.T) {
	t.Parallel()
	b := gather(t, quality.New)
	if *only == "" {
		check(t, b, dense)
	}
}

func TestAlertQualityOfDays(t *testing.T) {
	t.Parallel()
	b := gather(t, quality.NewDay)
	if *only == "" {
		check(t, b, working)
	}
}

// gather measures worlds of every kind.
func gather(t *testing.T, world func(kind string, seed uint64) *quality.World) *table {
	t.Helper()
	b := &table{scores: map[string]*quality.Score{}}
	t.Run("kinds", func(t *testing.T) {
		for _, kind := range quality.Kinds() {
			if !strings.Contains(kind, *only) {
				continue
			}
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(*seeds) {
					measure(t, b, world(kind, *first+seed))
				}
			})
		}
	})
	t.Log("\n" + b.String())
	return b
}

// measure plays a world to the engine and to the two simplest rules, and judges them.
func measure(t *testing.T, b *table, w *quality.World) {
	t.Helper()
	told, err := Engine(w, geofence.Balanced)
	if err != nil {
		t.Fatal(err)
	}
	simple, err := InsideOutside(w)
	if err != nil {
		t.Fatal(err)
	}
	band, err := Band(w, 15)
	if err != nil {
		t.Fatal(err)
	}
	two, err := TwoFixes(w)
	if err != nil {
		t.Fatal(err)
	}
	score := w.Judge(told)
	b.add(w, score, w.Judge(simple), w.Judge(band), w.Judge(two))
	if !*mistakes {
		return
	}
	for _, m := range score.Mistakes {
		t.Logf("%s (%s)\n%s", m.Text, w.Class(m.Fence, m.At), w.Around(m.Fence, m.At, *window))
	}
}

// check fails when the figures are worse than what was reached before.
func check(t *testing.T, b *table, want least) {
	t.Helper()
	s := b.all()
	atLeast := func(what string, got, least float64) {
		t.Helper()
		if got < least {
			t.Errorf("%s %.2f, want at least %v", what, got, least)
		}
	}
	atLeast("required crossings", float64(s.Required), float64(want.required))
	atLeast("precision", s.Precision(), want.precision)
	atLeast("recall", s.Recall(), want.recall)
	atLeast("precision where fixes are dense", b.dense.Precision(), want.densely)
	atLeast("recall where fixes are dense", b.dense.Recall(), want.seen)
	atLeast("median error of the time, negative,", -quality.Quantile(s.TimeErrors, 0.5), -want.mostError)
	atLeast("false alerts per vehicle-day, negative,", -s.FalsePerDay(), -want.mostFalse)
	atLeast("duplicates, negative,", -float64(s.Duplicate), -float64(want.duplicates**seeds))
	atLeast("late mistakes, negative,", -float64(s.LateMistakes), 0)
}

func TestWorldsAreAFunctionOfTheSeed(t *testing.T) {
	t.Parallel()
	a, b := quality.New("mixed", 7), quality.New("mixed", 7)
	if len(a.Fixes) != len(b.Fixes) || fmt.Sprint(a.Fixes[len(a.Fixes)/2]) != fmt.Sprint(b.Fixes[len(b.Fixes)/2]) {
		t.Error("two worlds of one seed differ")
	}
}

// The judge itself must be able to fail an engine, and to praise one.
func TestJudgeKnowsRightFromWrong(t *testing.T) {
	t.Parallel()
	w := quality.New("every 10 s", 5)
	told, err := Engine(w, geofence.Balanced)
	if err != nil {
		t.Fatal(err)
	}
	whole := w.Judge(told)
	if none := w.Judge(nil); none.Found != 0 || none.Required != whole.Required {
		t.Errorf("silence found %d of %d", none.Found, none.Required)
	}
	twice := w.Judge(append(told, told...))
	if twice.Duplicate < whole.Right*9/10 {
		t.Errorf("of %d told twice only %d are duplicates", whole.Right, twice.Duplicate)
	}
	for i := range told {
		told[i].At = told[i].At.Add(2 * time.Hour)
	}
	if wrong := w.Judge(told); wrong.Precision() > 20 {
		t.Errorf("crossings two hours off have a precision of %.0f %%", wrong.Precision())
	}
}
