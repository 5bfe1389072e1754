package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"outrider/store"
)

// What the rules of a fence ask for is recorded, by fixes and by the clock; only enter and exit raise alerts.
func TestTheRulesOfAFenceAreRecorded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	yard := orb.Point{11.5, 48.1}
	feature := fmt.Sprintf(`{"type":"Feature","id":"yard","geometry":{"type":"Point","coordinates":[%v,%v]},
		"properties":{"radius_m":100,"rules":{"speed_limit_kmh":30,"dwell_s":3600,"silent_s":7200}}}`, yard.Lon(), yard.Lat())
	_, err := r.store.PutGeofence(t.Context(), store.Geofence{Tenant: "default", ID: "yard", Feature: []byte(feature)}, 0)
	must(t, err)
	must(t, r.pipeline.FencesChanged(t.Context()))
	r.drive(t, topic, south(yard, 300), begin, 25) // ends inside
	want := "[van enter yard van overspeed yard van dwell yard van silent yard]"
	if got := r.crossings(t, 4); fmt.Sprint(got) != want {
		t.Errorf("got %q, want %s", got, want)
	}
	list, err := r.store.Deliveries(t.Context(), store.Query{Tenant: "default"})
	must(t, err)
	if len(list) != 1 || list[0].Alert.Kind != "enter" {
		t.Errorf("deliveries are %+v", list)
	}
}

// An exit tells how long the vehicle had been inside, also when the gateway was restarted meanwhile; an enter does not.
func TestAnExitTellsHowLongItWasInside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	yard := orb.Point{11.5, 48.1}
	r.fence(t, "yard", yard)
	r.drive(t, topic, south(yard, 300), begin, 25) // ends inside
	r.crossings(t, 1)
	r.close(t)
	r.open(t)
	r.drive(t, topic, south(yard, -50), begin.Add(25*time.Second), 60) // goes on to the north
	r.crossings(t, 2)
	list, err := r.store.Deliveries(t.Context(), store.Query{Tenant: "default"})
	must(t, err)
	if len(list) != 2 || list[0].Alert.Kind != "exit" || list[1].Alert.Inside != 0 {
		t.Fatalf("deliveries are %+v", list)
	}
	want := list[0].Alert.At.Sub(list[1].Alert.At)
	if got := list[0].Alert.Inside; got != want || want <= 0 {
		t.Errorf("inside for %s, want %s", got, want)
	}
}
