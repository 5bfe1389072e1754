package fencetest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"outrider/geofence"
)

// Scenario is a story in a text file: fences, what the trackers said, and what is expected to be told.
//
//	# A car comes home.                          the first line says what the story is about
//	preset balanced                              balanced, strict or calm
//	origin 11.575 48.137                         lon lat of 0,0; positions are metres east and north of it
//	fence home circle 0 0 100                    x y radius
//	fence yard polygon 0 0, 80 0, 80 60, 0 60    corners; "hole x y, …" begins a hole
//	fence road corridor 20 0 0, 500 0            full width, then the line
//	fence gate tripwire 0 -10, 0 10              the line; passes are "pass-left" and "pass-right"
//	fence dock circle 0 0 50 dwell=30m           tells a dwell after 30 minutes; other terms:
//	  limit=30km/h for=10s                       overspeed: faster than that for so long
//	  stopped=10m silent=30m                     standing, or not heard of, for so long
//	  absent=18:00 zone=Europe/Berlin who=a,b    not inside at that time of day; zone and who may be left out
//	  days=mon,fri expires=1/09:00:00            of those days only; the fence ends, here the day after
//	car 08:01:00 -300 0 speed=14 acc=5           vehicle, device time, x y, what else the tracker said
//	car 08:01:10 -160 0                          nothing is expected
//	car 08:01:20 -20 0 => enter home 08:01:14±2  expected with this line, exactly; several are joined by ";"
//	car 08:00:50 … rx=08:03:00 => late …         arrival time; without it one second after the device's
//	at 08:30:00 => dwell home                    only the clock moves on
//	delete home                                  the fence is gone from here on; "fence home …" again edits it
//	restart                                      snapshot, new tracker, restore
//	restart from-store                           no snapshot survived: only the memberships are known
//	inside car home yard                         the car is known to be inside of these and no others
//
// An expectation is "[late] kind fence [time[±seconds]]", with the vehicle in front as "vehicle:" when it is
// another one than the line's. Empty lines and lines that begin with # are for the reader.
type Scenario struct {
	About  string
	preset geofence.Preset
	grid   grid
	steps  []step
}

// step is one line that does something.
type step struct {
	line int
	text string
	do   func(*player) error
	want []expectation
}

// expectation is one crossing that must be told with a step.
type expectation struct {
	vehicle, kind, fence string
	late                 bool
	at                   int64 // Unix milliseconds, 0 any
	within               int64 // milliseconds
}

// ParseScenario reads a scenario. Errors name the line.
func ParseScenario(text string) (*Scenario, error) {
	s := &Scenario{grid: gridAt(orb.Point{11.575, 48.137})}
	for i, raw := range strings.Split(text, "\n") {
		line := strings.TrimSpace(raw)
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, "#"):
			if s.About == "" {
				s.About = strings.TrimSpace(strings.TrimLeft(line, "# "))
			}
			continue
		case s.About == "":
			return nil, fmt.Errorf("line %d: the first line must be a comment that says what the story is about", i+1)
		}
		if err := s.add(i+1, line); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", i+1, line, err)
		}
	}
	return s, nil
}

// add takes one line.
func (s *Scenario) add(number int, line string) error {
	said, expected, _ := strings.Cut(line, "=>")
	words := strings.Fields(said)
	if len(words) == 0 {
		return fmt.Errorf("nothing before =>")
	}
	st := step{line: number, text: line}
	var err error
	switch words[0] {
	case "preset":
		s.preset, err = geofence.ParsePreset(strings.Join(words[1:], " "))
		return err
	case "origin":
		return s.setOrigin(words[1:])
	case "fence":
		st.do, err = s.fence(words[1:])
	case "delete":
		st.do, err = deletion(words[1:])
	case "restart":
		st.do, err = restarting(words[1:])
	case "inside":
		st.do, err = insideOf(words[1:])
	case "at":
		st.do, err = clockStep(words[1:])
	default:
		st.do, err = s.fix(words)
	}
	if err != nil {
		return err
	}
	st.want, err = expectations(words[0], expected)
	s.steps = append(s.steps, st)
	return err
}

func (s *Scenario) setOrigin(words []string) error {
	n, err := numbers(words)
	if err != nil || len(n) != 2 {
		return fmt.Errorf("origin wants longitude and latitude")
	}
	s.grid = gridAt(orb.Point{n[0], n[1]})
	return nil
}

// fix reads "car 08:01:00 x y key=value …".
func (s *Scenario) fix(words []string) (func(*player) error, error) {
	if len(words) < 4 {
		return nil, fmt.Errorf("a position reads: vehicle time x y")
	}
	at, err := clockTime(words[1])
	if err != nil {
		return nil, err
	}
	xy, err := numbers(words[2:4])
	if err != nil {
		return nil, err
	}
	nan := float32(math.NaN())
	f := geofence.Fix{
		Time: at, Received: at + 1000, Point: s.grid.point(xy[0], xy[1]),
		Accuracy: nan, Speed: nan, Heading: nan, HDOP: nan,
	}
	for _, w := range words[4:] {
		if err := setField(&f, w); err != nil {
			return nil, err
		}
	}
	return func(p *player) error { p.observe(words[0], f); return nil }, nil
}

// setField reads one key=value of a fix.
func setField(f *geofence.Fix, word string) error {
	key, value, _ := strings.Cut(word, "=")
	if key == "rx" {
		at, err := clockTime(value)
		f.Received = at
		return err
	}
	n, err := strconv.ParseFloat(value, 32)
	if err != nil {
		return fmt.Errorf("%s wants a number", key)
	}
	fields := map[string]*float32{"acc": &f.Accuracy, "speed": &f.Speed, "heading": &f.Heading, "hdop": &f.HDOP}
	if fields[key] == nil {
		return fmt.Errorf("unknown %q: expected speed, acc, heading, hdop or rx", key)
	}
	*fields[key] = float32(n)
	return nil
}

// fence reads "id shape numbers".
func (s *Scenario) fence(words []string) (func(*player) error, error) {
	if len(words) < 3 {
		return nil, fmt.Errorf("a fence reads: fence id shape numbers")
	}
	words, terms, err := cutTerms(words)
	if err != nil {
		return nil, err
	}
	shape, err := s.shape(words[1], strings.Join(words[2:], " "))
	if err != nil {
		return nil, err
	}
	f := geofence.Fence{ID: geofence.FenceID(words[0]), Name: words[0], Shape: shape, Dwell: terms.dwell, Watch: terms.watch}
	return func(p *player) error { p.put(f); return nil }, nil
}

func (s *Scenario) shape(kind, text string) (geofence.Shape, error) {
	switch kind {
	case "circle":
		n, err := numbers(strings.Fields(text))
		if err != nil || len(n) != 3 {
			return nil, fmt.Errorf("a circle wants x y radius")
		}
		return geofence.NewCircle(s.grid.point(n[0], n[1]), n[2])
	case "polygon":
		var rings orb.Polygon
		for _, ring := range strings.Split(text, "hole") {
			points, err := s.points(ring)
			if err != nil {
				return nil, err
			}
			rings = append(rings, orb.Ring(append(points, points[0])))
		}
		shape, _, err := geofence.NewPolygon(orb.MultiPolygon{rings})
		return shape, err
	case "corridor":
		width, rest, _ := strings.Cut(text, " ")
		w, err := strconv.ParseFloat(width, 64)
		if err != nil {
			return nil, fmt.Errorf("a corridor wants its width first")
		}
		points, err := s.points(rest)
		if err != nil {
			return nil, err
		}
		return geofence.NewCorridor(orb.MultiLineString{points}, w)
	}
	if kind == "tripwire" {
		points, err := s.points(text)
		if err != nil {
			return nil, err
		}
		return geofence.NewTripwire(orb.MultiLineString{points})
	}
	return nil, fmt.Errorf("unknown shape %q: expected circle, polygon, corridor or tripwire", kind)
}

// points reads "x y, x y, …".
func (s *Scenario) points(text string) ([]orb.Point, error) {
	var points []orb.Point
	for _, pair := range strings.Split(strings.Trim(strings.TrimSpace(text), ","), ",") {
		n, err := numbers(strings.Fields(pair))
		if err != nil || len(n) != 2 {
			return nil, fmt.Errorf("%q is not a pair of x and y", strings.TrimSpace(pair))
		}
		points = append(points, s.grid.point(n[0], n[1]))
	}
	return points, nil
}

func deletion(words []string) (func(*player) error, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("delete wants one fence")
	}
	return func(p *player) error { p.remove(geofence.FenceID(words[0])); return nil }, nil
}

// restarting reads what survives a restart.
func restarting(words []string) (func(*player) error, error) {
	switch strings.Join(words, " ") {
	case "":
		return (*player).restart, nil
	case "from-store":
		return (*player).restartFromStore, nil
	}
	return nil, fmt.Errorf("a restart is nothing more, or from-store")
}

// insideOf reads "vehicle fence …".
func insideOf(words []string) (func(*player) error, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("inside wants a vehicle")
	}
	want := slices.Sorted(slices.Values(words[1:]))
	return func(p *player) error {
		if got := p.inside(words[0]); !slices.Equal(got, want) {
			return fmt.Errorf("%s is inside %v", words[0], got)
		}
		return nil
	}, nil
}

func clockStep(words []string) (func(*player) error, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("at wants one time")
	}
	at, err := clockTime(words[0])
	return func(p *player) error { p.advance(at); return nil }, err
}

// expectations reads what stands behind =>.
func expectations(vehicle, text string) ([]expectation, error) {
	var all []expectation
	for _, part := range strings.Split(text, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		e := expectation{vehicle: vehicle}
		if v, ok := strings.CutSuffix(words[0], ":"); ok {
			e.vehicle, words = v, words[1:]
		}
		if len(words) > 0 && words[0] == "late" {
			e.late, words = true, words[1:]
		}
		if len(words) < 2 || len(words) > 3 {
			return nil, fmt.Errorf("%q: an expectation reads: [late] kind fence [time[±seconds]]", strings.TrimSpace(part))
		}
		e.kind, e.fence = words[0], words[1]
		if len(words) == 3 {
			if err := e.setTime(words[2]); err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	return all, nil
}

func (e *expectation) setTime(text string) error {
	clock, within, has := strings.Cut(text, "±")
	at, err := clockTime(clock)
	if err != nil {
		return err
	}
	e.at, e.within = at, 1000
	if has {
		seconds, err := strconv.ParseFloat(within, 64)
		if err != nil {
			return fmt.Errorf("%q: the seconds after ± are no number", text)
		}
		e.within = int64(seconds * 1000)
	}
	return nil
}

// String returns the expectation as it is written in a file.
func (e expectation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", e.vehicle)
	if e.late {
		b.WriteString("late ")
	}
	fmt.Fprintf(&b, "%s %s", e.kind, e.fence)
	if e.at != 0 {
		fmt.Fprintf(&b, " %s", clockText(e.at))
	}
	if e.within != 0 {
		fmt.Fprintf(&b, "±%g", float64(e.within)/1000)
	}
	return b.String()
}

// day is the day on which all stories happen.
var day = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// clockTime reads "08:01:02.5", or "2 08:01:02" written as "2/08:01:02" for a later day.
func clockTime(text string) (int64, error) {
	days := 0
	if d, rest, ok := strings.Cut(text, "/"); ok {
		n, err := strconv.Atoi(d)
		if err != nil {
			return 0, fmt.Errorf("%q: the day before / is no number", text)
		}
		days, text = n, rest
	}
	at, err := time.Parse("15:04:05", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time like 08:01:02", text)
	}
	since := at.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
	return day.AddDate(0, 0, days).Add(since).UnixMilli(), nil
}

func clockText(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04:05.0") }

func numbers(words []string) ([]float64, error) {
	all := make([]float64, len(words))
	for i, w := range words {
		n, err := strconv.ParseFloat(strings.TrimSuffix(w, ","), 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", w)
		}
		all[i] = n
	}
	return all, nil
}

// grid turns metres into degrees around an origin.
type grid struct {
	origin orb.Point
	x, y   float64 // metres per degree
}

// gridAt returns a grid on the WGS84 ellipsoid.
func gridAt(origin orb.Point) grid {
	const a, e2 = 6378137.0, 6.69437999014e-3
	sin, cos := math.Sincos(origin[1] * math.Pi / 180)
	w := math.Sqrt(1 - e2*sin*sin)
	return grid{origin: origin, x: math.Pi / 180 * a * cos / w, y: math.Pi / 180 * a * (1 - e2) / (w * w * w)}
}

func (g grid) point(x, y float64) orb.Point {
	lon := g.origin[0] + x/g.x
	if lon > 180 {
		lon -= 360
	}
	if lon < -180 {
		lon += 360
	}
	return orb.Point{lon, g.origin[1] + y/g.y}
}
