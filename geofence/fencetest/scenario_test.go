package fencetest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// home is a story of a car that drives into a circle; the last line lacks its expectation.
const home = `# A car comes home.
fence home circle 0 0 100
car 08:00:00 -310 0 speed=14
car 08:00:10 -170 0 speed=14
car 08:00:20 -30 0 speed=14`

func TestWrongExpectationsAreShown(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ expected, diff string }{
		"right":        {" => enter home 08:00:15±1", ""},
		"nothing":      {"", "  too much  car: enter home 08:00:15.0\n"},
		"other kind":   {" => exit home", "  missing   car: exit home\n  too much  car: enter home 08:00:15.0\n"},
		"other fence":  {" => enter yard", "  missing   car: enter yard\n  too much  car: enter home 08:00:15.0\n"},
		"other time":   {" => enter home 08:00:18±2", "  missing   car: enter home 08:00:18.0±2\n  too much  car: enter home 08:00:15.0\n"},
		"late":         {" => late enter home", "  missing   car: late enter home\n  too much  car: enter home 08:00:15.0\n"},
		"one too many": {" => enter home; exit home", "  missing   car: exit home\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := ParseScenario(home + tt.expected)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.diff
			if want != "" {
				want = "line 5: car 08:00:20 -30 0 speed=14" + tt.expected + "\n" + want
			}
			if diff := cmp.Diff(want, s.Play()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseScenarioNamesTheLine(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ line, want string }{
		"shape":       {"fence a blob 1 2 3", "unknown shape"},
		"radius":      {"fence a circle 0 0 -5", ""},
		"time":        {"car 8 0 0", "no time"},
		"position":    {"car 08:00:00 0", "a position reads"},
		"number":      {"car 08:00:00 east 0", "no number"},
		"field":       {"car 08:00:00 0 0 colour=1", "unknown"},
		"preset":      {"preset wild", "unknown preset"},
		"expectation": {"car 08:00:00 0 0 => enter", "an expectation reads"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseScenario("# A story.\n" + tt.line)
			if err == nil || !strings.HasPrefix(err.Error(), "line 2: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := ParseScenario("car 08:00:00 0 0"); err == nil {
		t.Error("a story without a first comment was read")
	}
}
