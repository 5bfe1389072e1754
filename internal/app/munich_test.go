package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"outrider/simulator"
)

// traced is one position of a recorded track.
type traced struct {
	at    time.Time
	point orb.Point
}

// munich reads one car's track of 20 minutes at 1 Hz, moved in time so that it begins now.
func munich(t *testing.T) []traced {
	t.Helper()
	const path = "../../../shared/data/munich-car-1hz.json"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the recorded track is not here: %v", err)
	}
	var rows []struct{ Point, Time string }
	must(t, json.Unmarshal(raw, &rows))
	var all []traced
	for _, row := range rows {
		at, err := time.Parse("2006-01-02 15:04:05-0700", row.Time)
		must(t, err)
		var p orb.Point
		_, err = fmt.Sscanf(row.Point, "POINT(%f %f)", &p[0], &p[1])
		must(t, err)
		all = append(all, traced{at, p})
	}
	shift := time.Now().Truncate(time.Second).Sub(all[0].at)
	for i := range all {
		all[i].at = all[i].at.Add(shift)
	}
	return all
}

// visit is a stay inside a circle.
type visit struct{ enter, exit time.Time }

// visits finds the stays of a track inside a circle with nothing but distances on the sphere. ok says that
// nobody can argue about them: every stay goes 30 m deep, and the track comes nowhere near the boundary else.
func visits(track []traced, center orb.Point, radius float64) (all []visit, ok bool) {
	var (
		inside  bool
		extreme float64 // how far from the boundary on this side
		begun   time.Time
	)
	ok = true
	for i, fix := range track {
		depth := radius - geo.DistanceHaversine(fix.point, center)
		if now := depth >= 0; i > 0 && now != inside {
			ok = ok && extreme >= 30
			if now {
				begun = fix.at
			} else {
				all = append(all, visit{begun, fix.at})
			}
			extreme, inside = 0, now
		} else if i == 0 {
			inside = now
		}
		extreme = max(extreme, math.Abs(depth))
	}
	return all, ok && !inside && extreme >= 30
}

// TestARecordedTrackThroughMosquittoPub publishes a real car's track, as the OwnTracks app would, with
// mosquitto's own client, through fences laid along its way.
func TestARecordedTrackThroughMosquittoPub(t *testing.T) {
	t.Parallel()
	pub, err := exec.LookPath("mosquitto_pub")
	if err != nil {
		t.Skip("mosquitto_pub is not installed (Debian package mosquitto-clients)")
	}
	track := munich(t)
	const speed = 60
	var clock atomic.Int64 // Unix milliseconds: the time of the newest published position
	clock.Store(track[0].at.UnixMilli())
	r := newRigAt(t, map[string]string{"alerts.settle": "1h"}, func() time.Time { return time.UnixMilli(clock.Load()) })
	r.own(t, "munich%2Fcar", "ann", "70001")

	var truth []simulator.Crossing
	fences := 0
	for i := 60; i < len(track)-60; i += 25 {
		stays, ok := visits(track, track[i].point, 100)
		if !ok || len(stays) == 0 {
			continue
		}
		id := fmt.Sprintf("way-%04d", i)
		r.circle(t, id, track[i].point.Lon(), track[i].point.Lat())
		fences++
		for _, v := range stays {
			truth = append(truth,
				simulator.Crossing{Vehicle: "munich/car", Fence: id, Kind: simulator.Enter, Time: v.enter},
				simulator.Crossing{Vehicle: "munich/car", Fence: id, Kind: simulator.Exit, Time: v.exit})
		}
	}
	if fences < 10 {
		t.Fatalf("only %d fences along the way", fences)
	}

	host, port, _ := strings.Cut(r.app.MQTTAddr().String(), ":")
	cmd := exec.CommandContext(t.Context(), pub, "-h", host, "-p", port, "-q", "1", "-t", "owntracks/munich/car", "-l")
	lines, err := cmd.StdinPipe()
	must(t, err)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	must(t, cmd.Start())
	began := time.Now()
	for i, fix := range track {
		// At the pace of the recording, and never far ahead of what the gateway has evaluated.
		time.Sleep(time.Until(began.Add(fix.at.Sub(track[0].at) / speed)))
		if i%20 == 0 {
			eventually(t, "the gateway keeps up", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) >= float64(i-40) })
		}
		clock.Store(fix.at.UnixMilli())
		_, err := fmt.Fprintf(lines, `{"_type":"location","tst":%d,"lat":%.7f,"lon":%.7f,"acc":5,"tid":"mc"}`+"\n", fix.at.Unix(), fix.point.Lat(), fix.point.Lon())
		must(t, err)
	}
	must(t, lines.Close())
	if err := cmd.Wait(); err != nil {
		t.Fatalf("mosquitto_pub: %v\n%s", err, said.String())
	}

	var report simulator.Report
	waitFor(30*time.Second, func() bool {
		clock.Add(1000) // what waits for time to pass gets it
		var seen []simulator.Observed
		at := map[any]map[string]any{}
		for _, d := range r.items(t, "deliveries?limit=1000") {
			at[d["id"]] = d
		}
		for _, m := range r.sandbox.Messages() {
			if d, ok := at[m.Metadata]; ok {
				when, err := time.Parse(time.RFC3339Nano, d["at"].(string))
				must(t, err)
				seen = append(seen, simulator.Observed{Vehicle: "munich/car", Fence: d["fence"].(string), Kind: simulator.Kind(d["kind"].(string)), Time: when})
			}
		}
		report = simulator.Match(truth, seen, 10*time.Second)
		return len(report.Missing) == 0
	})
	if !report.Exact() {
		t.Errorf("%v", report)
	}
	t.Logf("%d fences, %v, worst time error %v", fences, report, report.WorstError())
}
