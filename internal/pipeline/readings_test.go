package pipeline_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
	"outrider/telemetry/codec"
)

var place = orb.Point{11.5, 48.1}

// rule puts a rule in force.
func (r *rig) rule(t *testing.T, rule notify.Rule) {
	t.Helper()
	rule.Tenant = "default"
	_, err := r.store.PutRule(t.Context(), rule, 0)
	must(t, err)
	r.reload(t)
	must(t, r.pipeline.FencesChanged(t.Context()))
}

// told waits until so many deliveries are there and returns them, oldest first: kind, rule and seconds since begin.
func (r *rig) told(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	eventually(t, fmt.Sprintf("%d deliveries", n), func() bool {
		list, err := r.store.Deliveries(t.Context(), store.Query{Tenant: "default", Limit: 1000})
		must(t, err)
		all = nil
		for _, d := range slices.Backward(list) {
			all = append(all, fmt.Sprintf("%s %s %d", d.Alert.Kind, d.Alert.Rule, int(d.Alert.At.Sub(begin).Round(time.Second).Seconds())))
		}
		return len(all) >= n
	})
	return all
}

// stand publishes a standing vehicle, a fix every ten seconds.
func (r *rig) stand(t *testing.T, at orb.Point, start time.Time, seconds int) {
	t.Helper()
	for i := 0; i < seconds; i += 10 {
		f := telemetry.NewFix("", "", start.Add(time.Duration(i)*time.Second), at)
		f.Speed = 0
		r.accept(t, topic, codec.AppendNative(nil, f), f.Time)
	}
}

func only(k ...notify.Kind) []notify.Kind { return k }

// A rule's own thresholds hold for what it tells; the fence's own go on for everybody else.
func TestARuleHasThresholdsOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	feature := fmt.Sprintf(`{"type":"Feature","id":"yard","geometry":{"type":"Point","coordinates":[%v,%v]},
		"properties":{"radius_m":100,"rules":{"speed_limit_kmh":30,"dwell_s":60,"stopped_s":100}}}`, place.Lon(), place.Lat())
	_, err := r.store.PutGeofence(t.Context(), store.Geofence{Tenant: "default", ID: "yard", Feature: []byte(feature)}, 0)
	must(t, err)
	r.rule(t, notify.Rule{ID: notify.DefaultRule, Disabled: true, Events: only(notify.Enter)})
	r.rule(t, notify.Rule{ID: "fence", Events: only(notify.Dwell, notify.Stopped, notify.Overspeed)})
	r.rule(t, notify.Rule{ID: "early", Events: only(notify.Dwell), Reading: notify.Reading{Dwell: 30}})
	r.rule(t, notify.Rule{ID: "fast", Events: only(notify.Overspeed), Reading: notify.Reading{Limit: 90}})
	r.rule(t, notify.Rule{ID: "parked", Events: only(notify.Stopped, notify.Dwell), Reading: notify.Reading{Stopped: 50}})
	r.drive(t, topic, south(place, 300), begin, 30) // inside from 20 s on, ends at its middle
	r.stand(t, place, begin.Add(31*time.Second), 200)
	got := r.told(t, 5)
	seen := map[string]int{}
	for _, line := range got {
		var kind, rule string
		var at int
		if _, err := fmt.Sscan(line, &kind, &rule, &at); err != nil {
			t.Fatal(line, err)
		}
		seen[kind+" "+rule] = at
	}
	// The van's 36 km/h are above the fence's limit and below the rule's; a rule that names no dwell has the fence's.
	want := map[string]int{"overspeed fence": 20, "dwell early": 50, "dwell parked": 80, "stopped parked": seen["stopped parked"], "stopped fence": seen["stopped parked"] + 50}
	if fmt.Sprint(seen) != fmt.Sprint(want) || len(got) != len(want) || seen["stopped parked"] < 75 {
		t.Errorf("told %v, want %v", seen, want)
	}
}

// Who is told of enters by a rule of another preset is told once, by that rule, on the way in and out.
func TestARuleHasAPresetOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		depth float64 // metres into the fence beyond its southern boundary, and back out
		want  string
	}{
		"deep":    {60, "[enter calm exit calm]"},
		"shallow": {11, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.fence(t, "yard", place)
			r.rule(t, notify.Rule{ID: "calm", Events: only(notify.Enter, notify.Exit), Reading: notify.Reading{Preset: "calm"}})
			r.visit(t, c.depth)
			// What the van does at the sentinel is behind all of that.
			r.fence(t, "sentinel", orb.Point{11.6, 48.1})
			r.rule(t, notify.Rule{ID: "calm", Disabled: true, Events: only(notify.Enter)})
			r.drive(t, "fleet/default/van/fix", south(orb.Point{11.6, 48.1}, 300), begin.Add(time.Hour), 25)
			var got []string
			for _, line := range r.told(t, 1) {
				var kind, rule string
				var at int
				if n, _ := fmt.Sscanf(line, "%s %s %d", &kind, &rule, &at); n == 3 {
					got = append(got, kind, rule)
				}
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("told %v, want %v", got, c.want)
			}
			record, err := r.store.Crossings(t.Context(), store.Query{Tenant: "default", Fence: "yard"})
			must(t, err)
			n := 0
			for _, x := range record {
				if x.Reading == "" {
					n++
				}
			}
			if n != 2 {
				t.Errorf("the fence itself saw %d crossings, want 2: %+v", n, record)
			}
		})
	}
}

// visit drives north into the fence as deep as said, turns, and drives back.
func (r *rig) visit(t *testing.T, depth float64) {
	t.Helper()
	edge := south(place, 100)
	at := begin
	send := func(metres, heading float64) {
		f := telemetry.NewFix("", "", at, orb.Point{edge.Lon(), edge.Lat() + metres/111_195})
		f.Speed, f.Heading, f.Accuracy = 5, heading, 5
		r.accept(t, topic, codec.AppendNative(nil, f), f.Time)
		at = at.Add(time.Second)
	}
	for m := -100.0; m <= depth; m += 5 {
		send(m, 0)
	}
	for m := depth; m >= -100; m -= 5 {
		send(m, 180)
	}
}

// A rule that is made while a vehicle is inside knows that, also when the gateway is killed right after.
func TestARuleThatIsMadeDuringAStay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fence(t, "yard", place)
	r.drive(t, topic, south(place, 300), begin, 30)
	r.told(t, 1)
	r.rule(t, notify.Rule{ID: "calm", Events: only(notify.Exit, notify.Dwell), Reading: notify.Reading{Preset: "calm", Dwell: 90}})
	r.stand(t, place, begin.Add(30*time.Second), 30)
	r.crash(t)
	r.stand(t, place, begin.Add(60*time.Second), 60)
	r.told(t, 2)
	r.crash(t)
	r.drive(t, topic, place, begin.Add(2*time.Minute), 30)
	if got := r.told(t, 3); fmt.Sprint(got) != "[enter  20 dwell calm 110 exit calm 130]" {
		t.Errorf("told %q", got)
	}
	records, err := r.store.Crossings(t.Context(), store.Query{Tenant: "default"})
	must(t, err)
	for _, x := range records {
		own := x.Kind == "dwell" || x.Kind == "exit" && x.Reading != ""
		if own && x.Reading != `{"preset":"calm","dwell_s":90}` || x.FenceRev != 1 {
			t.Errorf("recorded %+v", x)
		}
	}
}

// Old versions of fences and rules go when no lane can need them.
func TestOldVersionsAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 3 {
		r.fence(t, "yard", place)
	}
	r.rule(t, notify.Rule{ID: "calm", Events: only(notify.Exit), Reading: notify.Reading{Preset: "calm"}})
	eventually(t, "the first versions are gone", func() bool {
		old, _, err := r.store.GeofencesAt(t.Context(), 1)
		must(t, err)
		return len(old) == 0
	})
	all, _, err := r.store.GeofencesAt(t.Context(), store.Latest)
	must(t, err)
	if len(all) != 1 {
		t.Errorf("%d fences are left", len(all))
	}
}
