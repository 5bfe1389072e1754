package fencejson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outrider/geofence"
	"outrider/internal/fencejson"
)

// ruled is a circle with rules.
func ruled(rules string) string { return feature(point, `{"radius_m":5,"rules":`+rules+`}`) }

func TestRules(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		rules string
		dwell time.Duration
		watch *geofence.Watch
	}{
		"none":    {rules: `null`},
		"empty":   {rules: `{}`},
		"dwell":   {rules: `{"dwell_s":300}`, dwell: 5 * time.Minute},
		"nulls":   {rules: `{"dwell_s":null,"absent":null}`},
		"speed":   {rules: `{"speed_limit_kmh":36,"speed_for_s":2.5}`, watch: &geofence.Watch{Limit: 10, LimitFor: 2500 * time.Millisecond}},
		"stopped": {rules: `{"stopped_s":600}`, watch: &geofence.Watch{Stopped: 10 * time.Minute}},
		"silent":  {rules: `{"silent_s":1800,"dwell_s":60}`, dwell: time.Minute, watch: &geofence.Watch{Silent: 30 * time.Minute}},
		"absent":  {rules: `{"absent":{"by":"18:30"}}`, watch: &geofence.Watch{Absent: &geofence.Absence{By: 18*time.Hour + 30*time.Minute}}},
		"absent of some": {
			rules: `{"absent":{"by":"06:00","time_zone":"Europe/Berlin","days":["mon","sun"],"vehicles":["a","b"]}}`,
			watch: &geofence.Watch{Absent: &geofence.Absence{By: 6 * time.Hour, Zone: berlin, Days: []time.Weekday{1, 0}, Vehicles: []string{"a", "b"}}},
		},
		"expires": {rules: `{"expires":"1970-01-01T01:00:01+01:00"}`, watch: &geofence.Watch{Expires: 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := fencejson.Parse([]byte(ruled(tt.rules)))
			if err != nil {
				t.Fatal(err)
			}
			fence, err := f.Fence(1)
			if err != nil {
				t.Fatal(err)
			}
			zones := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })
			if diff := cmp.Diff(tt.watch, fence.Watch, zones); diff != "" || fence.Dwell != tt.dwell {
				t.Errorf("dwell %v, %s", fence.Dwell, diff)
			}
		})
	}
}

func TestRulesRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ rules, field, detail string }{
		"array":         {`[]`, "", "expected an object"},
		"misspelt":      {`{"dwel_s":3}`, ".dwel_s", "is not known; expected absent, dwell_s"},
		"zero":          {`{"dwell_s":0}`, ".dwell_s", "is 0; expected seconds above 0"},
		"too long":      {`{"silent_s":1e9}`, ".silent_s", "at most a year"},
		"text":          {`{"stopped_s":"5m"}`, ".stopped_s", "expected a number"},
		"speed":         {`{"speed_limit_kmh":-3}`, ".speed_limit_kmh", "is -3; expected km/h"},
		"for alone":     {`{"speed_for_s":3}`, ".speed_for_s", "without speed_limit_kmh"},
		"no time":       {`{"absent":{}}`, ".absent.by", "is missing"},
		"bad time":      {`{"absent":{"by":"6 pm"}}`, ".absent.by", `is "6 pm"`},
		"bad zone":      {`{"absent":{"by":"18:00","time_zone":"Mars"}}`, ".absent.time_zone", `is "Mars"`},
		"local zone":    {`{"absent":{"by":"18:00","time_zone":"Local"}}`, ".absent.time_zone", `is "Local"`},
		"bad day":       {`{"absent":{"by":"18:00","days":["mon","noday"]}}`, ".absent.days[1]", `is "noday"`},
		"absent member": {`{"absent":{"at":"18:00"}}`, ".absent.at", "is not known; expected by, days"},
		"expiry":        {`{"expires":"tomorrow"}`, ".expires", `is "tomorrow"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := fencejson.Parse([]byte(ruled(tt.rules)))
			e, ok := errors.AsType[*fencejson.Error](err)
			if !ok || e.Field != "properties.rules"+tt.field || !strings.Contains(e.Detail, tt.detail) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, err := fencejson.Parse([]byte(feature(line, `{"shape":"tripwire","rules":{"dwell_s":3}}`)))
	if err == nil || !strings.Contains(err.Error(), "no inside") {
		t.Errorf("got %v", err)
	}
	if _, err := fencejson.Parse([]byte(feature(line, `{"shape":"tripwire","rules":{"expires":"2030-01-01T00:00:00Z"}}`))); err != nil {
		t.Error(err)
	}
}

func ExampleFeature_ReadRules() {
	f, err := fencejson.Parse([]byte(`{"type": "Feature", "id": "school",
		"geometry": {"type": "Point", "coordinates": [11.5755, 48.1374]},
		"properties": {"radius_m": 300, "rules": {"speed_limit_kmh": 30, "stopped_s": 600}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := f.ReadRules()
	fmt.Printf("%.2f m/s, %v, %v\n", rules.Watch.Limit, rules.Watch.Stopped, err)
	// Output: 8.33 m/s, 10m0s, <nil>
}
