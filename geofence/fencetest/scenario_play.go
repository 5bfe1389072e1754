package fencetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outrider/geofence"
)

// RunScenarios plays every *.txt file of a folder, each as a subtest named after its file.
func RunScenarios(t *testing.T, folder string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario in %s: %v", folder, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParseScenario(string(text))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if diff := s.Play(); diff != "" {
				t.Errorf("%s: %s\n%s", file, s.About, diff)
			}
		})
	}
}

// Play plays the scenario and returns what differed from the expectations, line by line; empty if nothing.
func (s *Scenario) Play() string {
	p := newPlayer(s.preset)
	var diff strings.Builder
	for _, st := range s.steps {
		p.told = p.told[:0]
		if err := st.do(p); err != nil {
			fmt.Fprintf(&diff, "line %d: %s\n  %v\n", st.line, st.text, err)
			continue
		}
		st.compare(&diff, p.named())
	}
	return diff.String()
}

// compare writes what is missing and what is too much.
func (st *step) compare(diff *strings.Builder, told []expectation) {
	var missing []expectation
	for _, want := range st.want {
		if !takeOut(&told, want) {
			missing = append(missing, want)
		}
	}
	if len(missing)+len(told) == 0 {
		return
	}
	fmt.Fprintf(diff, "line %d: %s\n", st.line, st.text)
	for _, e := range missing {
		fmt.Fprintf(diff, "  missing   %s\n", e)
	}
	for _, e := range told {
		fmt.Fprintf(diff, "  too much  %s\n", e)
	}
}

// takeOut removes the first crossing that meets the expectation.
func takeOut(told *[]expectation, want expectation) bool {
	for i, got := range *told {
		same := got.vehicle == want.vehicle && got.kind == want.kind && got.fence == want.fence && got.late == want.late
		if same && (want.at == 0 || max(got.at-want.at, want.at-got.at) <= want.within) {
			*told = append((*told)[:i], (*told)[i+1:]...)
			return true
		}
	}
	return false
}

// player holds the tracker of a running scenario.
type player struct {
	options  geofence.Options
	index    *geofence.Index
	tracker  *geofence.Tracker
	revision uint64
	now      int64
	told     []geofence.Crossing
}

func newPlayer(preset geofence.Preset) *player {
	p := &player{options: geofence.Options{Preset: preset}, index: geofence.NewIndex(nil)}
	p.tracker = geofence.NewTracker(p.index, p.options)
	return p
}

func (p *player) observe(vehicle string, f geofence.Fix) {
	f.Vehicle = p.tracker.Vehicle(vehicle)
	f.Received = max(f.Received, p.now)
	p.now = f.Received
	p.told = p.tracker.Observe(p.told, f)
}

func (p *player) advance(at int64) {
	p.now = max(p.now, at)
	p.told = p.tracker.Advance(p.told, p.now)
}

func (p *player) put(f geofence.Fence) {
	p.revision++
	f.Revision = p.revision
	p.setIndex(p.index.With([]geofence.Fence{f}, nil))
}

func (p *player) remove(id geofence.FenceID) {
	p.setIndex(p.index.With(nil, []geofence.FenceID{id}))
}

func (p *player) setIndex(ix *geofence.Index) {
	p.index = ix
	p.told = p.tracker.SetIndex(p.told, ix, p.now)
}

// restart stands for a crash and a restart: only the snapshot survives.
func (p *player) restart() error {
	var b bytes.Buffer
	if err := p.tracker.Snapshot(&b); err != nil {
		return err
	}
	p.tracker = geofence.NewTracker(p.index, p.options)
	return p.tracker.Restore(&b)
}

// restartFromStore stands for a restart after which only the stored memberships are known.
func (p *player) restartFromStore() error {
	members := p.tracker.Members(nil)
	old := p.tracker
	p.tracker = geofence.NewTracker(p.index, p.options)
	for _, m := range members {
		p.tracker.SetMember(p.tracker.Vehicle(old.ID(m.Vehicle)), m.Fence, m.Membership, m.Since)
	}
	return nil
}

// inside returns the fences that a vehicle is known to be inside of, in order.
func (p *player) inside(vehicle string) []string {
	var all []string
	for _, m := range p.tracker.Members(nil) {
		if p.tracker.ID(m.Vehicle) == vehicle {
			all = append(all, string(m.Fence))
		}
	}
	slices.Sort(all)
	return all
}

// named returns what was told in the words of a scenario file.
func (p *player) named() []expectation {
	var all []expectation
	for _, c := range p.told {
		kind := c.Kind.String()
		if c.Side != geofence.NoSide {
			kind += "-" + c.Side.String()
		}
		all = append(all, expectation{
			vehicle: p.tracker.ID(c.Vehicle), kind: kind, fence: string(c.Fence), late: c.Late, at: c.Time,
		})
	}
	return all
}
