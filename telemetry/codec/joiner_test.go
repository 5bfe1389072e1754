package codec_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

// A story is a line per message: milliseconds, topic, payload; "kept" before the topic is a retained copy. What
// comes out of it are the fixes and refusals, each behind the milliseconds of the message that gave it.
func tell(t *testing.T, j telemetry.Decoder, story string) (out []string) {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for line := range strings.SplitSeq(strings.TrimSpace(story), "\n") {
		var ms int
		words := strings.Fields(line)
		if _, err := fmt.Sscan(words[0], &ms); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		kept := words[1] == "kept"
		if kept {
			words = words[1:]
		}
		m := telemetry.Message{
			Topic: words[1], Payload: []byte(strings.Join(words[2:], " ")), Retained: kept,
			Received: start.Add(time.Duration(ms) * time.Millisecond),
		}
		for _, said := range describe(j.Decode(nil, m)) {
			out = append(out, words[0]+" "+said)
		}
	}
	return out
}

func TestJoiner(t *testing.T) {
	t.Parallel()
	const v, w = "ovms/jane/car/metric/v/p/", "ovms/joe/car/metric/v/p/"
	for name, c := range map[string]struct {
		story string
		want  []string
	}{
		"one burst": {
			"0 " + v + "altitude 519\n1 " + v + "direction 270\n2 " + v + "gpshdop 0.9\n3 " + v + "gpsspeed 36\n4 " + v + "latitude 48.1\n5 " + v + "longitude 11.5\n6 " + v + "odometer 1234",
			[]string{"5 = default jane/car 2026-01-01T00:00:00Z 11.5 48.1 spd=10 hdg=270 alt=519 hdop=0.9"},
		},
		"longitude first": {
			"0 " + v + "longitude 11.5\n10 " + v + "latitude 48.1", []string{"10 = default jane/car 2026-01-01T00:00:00Z 11.5 48.1"},
		},
		"a value behind the fix does not tell it again": {
			"0 " + v + "latitude 48.1\n1 " + v + "longitude 11.5\n2 " + v + "altitude 519", []string{"1 = default jane/car 2026-01-01T00:00:00Z 11.5 48.1"},
		},
		"the vehicle's own time": {
			"100 " + v + "gpstime 1767225599\n101 " + v + "latitude 48.1\n102 " + v + "longitude 11.5",
			[]string{"102 = default jane/car 2025-12-31T23:59:59Z 11.5 48.1"},
		},
		"halves of two bursts": {
			"0 " + v + "latitude 48.1\n501 " + v + "longitude 11.5", nil,
		},
		"at the edge of a burst": {
			"0 " + v + "latitude 48.1\n500 " + v + "longitude 11.5", []string{"500 = default jane/car 2026-01-01T00:00:00Z 11.5 48.1"},
		},
		"the longitude of the first is lost": {
			"0 " + v + "latitude 48.1\n100 " + v + "latitude 48.2\n101 " + v + "longitude 11.6",
			[]string{"101 = default jane/car 2026-01-01T00:00:00.1Z 11.6 48.2"},
		},
		"two bursts that arrive at once": {
			"0 " + v + "latitude 48.1\n0 " + v + "longitude 11.5\n1 " + v + "latitude 48.2\n1 " + v + "longitude 11.6",
			[]string{"0 = default jane/car 2026-01-01T00:00:00Z 11.5 48.1", "1 = default jane/car 2026-01-01T00:00:00.001Z 11.6 48.2"},
		},
		"speed of the burst before is not taken over": {
			"0 " + v + "speed 36\n1 " + v + "latitude 48.1\n2 " + v + "longitude 11.5\n1000 " + v + "latitude 48.2\n1001 " + v + "longitude 11.6",
			[]string{"2 = default jane/car 2026-01-01T00:00:00Z 11.5 48.1 spd=10", "1001 = default jane/car 2026-01-01T00:00:01Z 11.6 48.2"},
		},
		"two vehicles between each other": {
			"0 " + v + "latitude 48.1\n1 " + w + "latitude 50.1\n2 " + v + "longitude 11.5\n3 " + w + "longitude 8.5",
			[]string{"2 = default jane/car 2026-01-01T00:00:00Z 11.5 48.1", "3 = default joe/car 2026-01-01T00:00:00.001Z 8.5 50.1"},
		},
		"kept copies": {"0 kept " + v + "latitude 48.1\n1 kept " + v + "longitude 11.5", nil},
		"a kept half": {"0 kept " + v + "latitude 48.1\n1 " + v + "longitude 11.5", nil},
		"no lock, and later a lock": {
			"0 " + v + "gpslock no\n1 " + v + "latitude 48.1\n2 " + v + "longitude 11.5\n60000 " + v + "gpslock yes\n60001 " + v + "latitude 48.1\n60002 " + v + "longitude 11.5",
			[]string{"2 ! no_fix gpslock: no: the place is the last one that was known", "60002 = default jane/car 2026-01-01T00:01:00.001Z 11.5 48.1"},
		},
		"zeros":            {"0 " + v + "latitude 0\n1 " + v + "longitude 0", []string{"1 ! no_fix: 0,0 is what a tracker sends that has no position"}},
		"unknown":          {"0 " + v + "latitude\n1 " + v + "longitude 11.5", nil},
		"no number":        {"0 " + v + "latitude north", []string{`0 ! type: "north" is no number, expected degrees`}},
		"outside":          {"0 " + v + "latitude 91", []string{"0 ! range: 91 is outside -90 to 90 degrees"}},
		"a clock set back": {"1000 " + v + "latitude 48.1\n0 " + v + "longitude 11.5", nil},
		"TeslaMate": {
			`0 teslamate/cars/1/speed 36` + "\n" + `1 teslamate/cars/1/heading 270` + "\n" + `2 teslamate/cars/1/elevation 519` + "\n" +
				`3 teslamate/cars/1/location {"latitude":48.1,"longitude":11.5}` + "\n" + `4 teslamate/cars/1/state driving` + "\n" +
				`5 teslamate/cars/1/latitude 48.1` + "\n" + `6 teslamate/cars/1/geofence Home` + "\n" +
				`1000 teslamate/cars/1/location {"latitude":48.2,"longitude":11.6}`,
			[]string{
				"3 = default teslamate/1 2026-01-01T00:00:00Z 11.5 48.1 spd=10 hdg=270 alt=519",
				"1000 = default teslamate/1 2026-01-01T00:00:01Z 11.6 48.2",
			},
		},
		"TeslaMate, two places in a moment": {
			"0 teslamate/cars/1/location {\"latitude\":48.1,\"longitude\":11.5}\n1 teslamate/cars/1/location {\"latitude\":48.2,\"longitude\":11.6}",
			[]string{"0 = default teslamate/1 2026-01-01T00:00:00Z 11.5 48.1", "1 = default teslamate/1 2026-01-01T00:00:00.001Z 11.6 48.2"},
		},
		"TeslaMate, null": {"0 teslamate/cars/1/location null", nil},
		"others go on":    {`0 fleet/acme/van-1/fix {"t":1767225600,"lat":48.1,"lon":11.5}`, []string{"0 = acme van-1 2026-01-01T00:00:00Z 11.5 48.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := codec.NewJoiner(codec.New(codec.Options{}), codec.JoinerOptions{})
			if diff := cmp.Diff(c.want, tell(t, j, c.story)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", c.story, diff)
			}
		})
	}
}

func TestJoinerForgetsWhoWasSilentLongest(t *testing.T) {
	t.Parallel()
	j := codec.NewJoiner(codec.New(codec.Options{}), codec.JoinerOptions{MaxVehicles: 2})
	got := tell(t, j, `
0 ovms/u/a/metric/v/p/latitude 1
0 ovms/u/b/metric/v/p/latitude 2
1 ovms/u/a/metric/v/p/altitude 10
2 ovms/u/c/metric/v/p/latitude 3
3 ovms/u/a/metric/v/p/longitude 1
4 ovms/u/b/metric/v/p/longitude 2
5 ovms/u/c/metric/v/p/longitude 3`)
	want := []string{"3 = default u/a 2026-01-01T00:00:00Z 1 1 alt=10"} // b was forgotten for c, then c for b
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJoinerTakesManyGoroutines(t *testing.T) {
	t.Parallel()
	j := codec.NewJoiner(codec.New(codec.Options{}), codec.JoinerOptions{MaxVehicles: 4})
	var wg sync.WaitGroup
	fixes := make([]int, 4)
	for n := range fixes {
		wg.Go(func() {
			for range 200 {
				for _, axis := range []string{"latitude", "longitude"} {
					topic := fmt.Sprintf("ovms/u/%d/metric/v/p/%s", n, axis)
					got, err := j.Decode(nil, telemetry.Message{Topic: topic, Payload: []byte("1"), Received: time.Unix(0, 0)})
					if err != nil {
						t.Error(err)
					}
					fixes[n] += len(got)
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff([]int{200, 200, 200, 200}, fixes); diff != "" {
		t.Error(diff)
	}
}

func TestScalarsWithoutJoiner(t *testing.T) {
	t.Parallel()
	m := telemetry.Message{Topic: "ovms/u/a/metric/v/p/latitude", Payload: []byte("48.1")}
	if _, err := codec.New(codec.Options{}).Decode(nil, m); !hasReason(err, telemetry.ReasonUnsupported) {
		t.Error(err)
	}
	j := codec.NewJoiner(codec.New(codec.Options{}), codec.JoinerOptions{})
	if tenant, vehicle := j.TopicOwner(m.Topic); tenant != "default" || vehicle != "u/a" {
		t.Errorf("%q %q", tenant, vehicle)
	}
}

func FuzzJoiner(f *testing.F) {
	f.Add("latitude", []byte("48.1"), int64(0), "longitude", []byte("11.5"), int64(1))
	f.Add("gpstime", []byte("2026-01-01 00:00:00"), int64(0), "location", []byte(`{"latitude":1}`), int64(-1))
	f.Fuzz(func(t *testing.T, n1 string, p1 []byte, t1 int64, n2 string, p2 []byte, t2 int64) {
		j := codec.NewJoiner(codec.New(codec.Options{}), codec.JoinerOptions{})
		for _, prefix := range []string{"ovms/u/v/metric/v/p/", "teslamate/cars/1/"} {
			for _, m := range []telemetry.Message{
				{Topic: prefix + n1, Payload: p1, Received: time.UnixMilli(t1)}, {Topic: prefix + n2, Payload: p2, Received: time.UnixMilli(t2)},
			} {
				fixes, _ := j.Decode(nil, m)
				for _, fix := range fixes {
					checkFix(t, fix)
				}
			}
		}
	})
}

func ExampleJoiner() {
	joiner := codec.NewJoiner(codec.New(codec.Options{}), codec.JoinerOptions{})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, m := range []struct{ topic, value string }{
		{"ovms/jane/car/metric/v/p/gpsspeed", "36"}, {"ovms/jane/car/metric/v/p/latitude", "48.1"}, {"ovms/jane/car/metric/v/p/longitude", "11.5"},
	} {
		fixes, _ := joiner.Decode(nil, telemetry.Message{Topic: m.topic, Payload: []byte(m.value), Received: at})
		for _, f := range fixes {
			fmt.Println(f.Vehicle, f.Point, f.Speed)
		}
	}
	// Output: jane/car [11.5 48.1] 10
}
