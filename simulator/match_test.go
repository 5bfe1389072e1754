package simulator_test

import (
	"testing"
	"time"

	"outrider/simulator"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	truth := func(seconds ...int) (all []simulator.Crossing) {
		for _, s := range seconds {
			all = append(all, simulator.Crossing{Vehicle: "v", Fence: "f", Kind: simulator.Enter, Time: start.Add(time.Duration(s) * time.Second)})
		}
		return all
	}
	told := func(seconds ...int) (all []simulator.Observed) {
		for _, s := range seconds {
			o := simulator.Observed{Vehicle: "v", Fence: "f", Kind: simulator.Enter}
			if s >= 0 {
				o.Time = start.Add(time.Duration(s) * time.Second)
			}
			all = append(all, o)
		}
		return all
	}
	unsettled := truth(100, 200)
	unsettled[1].Unsettled = true
	wrongKind := told(100)
	wrongKind[0].Kind = simulator.Exit
	const noTime = -1
	cases := []struct {
		name                                        string
		truth                                       []simulator.Crossing
		told                                        []simulator.Observed
		expected, matched, missing, doubled, untrue int
	}{
		{"exact", truth(100, 200), told(100, 200), 2, 2, 0, 0, 0},
		{"in another order", truth(100, 200), told(201, 99), 2, 2, 0, 0, 0},
		{"missing", truth(100, 200), told(200), 2, 1, 1, 0, 0},
		{"doubled", truth(100), told(100, 101), 1, 1, 0, 1, 0},
		{"false", truth(100), told(100, 150), 1, 1, 0, 0, 1},
		{"too far off is both missing and false", truth(100), told(150), 1, 0, 1, 0, 1},
		{"the nearest pairs first", truth(100, 104), told(103, 99), 2, 2, 0, 0, 0},
		{"another kind", truth(100), wrongKind, 1, 0, 1, 0, 1},
		{"unsettled may be told", unsettled, told(100, 200), 1, 2, 0, 0, 0},
		{"unsettled may be missing", unsettled, told(100), 1, 1, 0, 0, 0},
		{"without times", truth(100, 200), told(noTime, noTime), 2, 2, 0, 0, 0},
		{"without times, one too many", truth(100), told(noTime, noTime), 1, 1, 0, 1, 0},
		{"nothing at all", nil, nil, 0, 0, 0, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := simulator.Match(c.truth, c.told, 10*time.Second)
			if r.Expected != c.expected || r.Matched != c.matched || len(r.Missing) != c.missing ||
				len(r.Doubled) != c.doubled || len(r.False) != c.untrue {
				t.Errorf("%s", r)
			}
			if r.Exact() != (c.missing+c.doubled+c.untrue == 0) {
				t.Error("Exact disagrees with the counts")
			}
		})
	}
}

func TestMatchMeasuresTime(t *testing.T) {
	t.Parallel()
	r := simulator.Match(
		[]simulator.Crossing{{Vehicle: "v", Fence: "f", Kind: simulator.Exit, Time: start}},
		[]simulator.Observed{{Vehicle: "v", Fence: "f", Kind: simulator.Exit, Time: start.Add(-700 * time.Millisecond)}},
		time.Second)
	if r.WorstError() != 700*time.Millisecond {
		t.Errorf("worst error %s", r.WorstError())
	}
}
