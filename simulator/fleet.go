package simulator

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"outrider/telemetry"
)

// FleetOptions make a fleet. The zero value of each field is useful.
type FleetOptions struct {
	Vehicles int                                  // default 20
	Tenant   telemetry.TenantID                   // default "default"
	Name     func(number int) telemetry.VehicleID // default "van-001" and so on; number counts from 0
	Seed     uint64
	Start    time.Time     // when the journeys begin; default: the beginning of 2026, UTC
	Interval time.Duration // between two fixes of a vehicle, default 1 s

	// Noise is the deviation in metres of each axis of a fix; 0: 3 m, negative: none. The accuracy that fixes
	// claim is true.
	Noise float64

	// WholeSeconds puts every fix on a whole second, for formats that know no fractions. Otherwise each
	// vehicle reports at its own moment of the interval.
	WholeSeconds bool
}

func (o FleetOptions) withDefaults() FleetOptions {
	o.Vehicles = cmp.Or(o.Vehicles, 20)
	o.Tenant = cmp.Or(o.Tenant, telemetry.DefaultTenant)
	o.Interval = cmp.Or(o.Interval, time.Second)
	o.Noise = max(0, cmp.Or(o.Noise, 3))
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	o.Start = o.Start.Truncate(time.Millisecond)
	if o.WholeSeconds {
		o.Start = o.Start.Truncate(time.Second)
	}
	if o.Name == nil {
		o.Name = func(number int) telemetry.VehicleID { return telemetry.VehicleID(fmt.Sprintf("van-%03d", number+1)) }
	}
	return o
}

// Fleet is vehicles driving through a city. It is safe for many goroutines. Vehicles are numbered from 0.
type Fleet struct {
	city    *City
	options FleetOptions
	members []member
	numbers map[telemetry.VehicleID]int
}

// member is one vehicle of a fleet.
type member struct {
	id      telemetry.VehicleID
	journey *journey
	noise   noise
	phase   time.Duration // of its fixes within the interval
}

// NewFleet returns a fleet. Every vehicle begins outside all fences, standing at a crossroads.
func NewFleet(city *City, o FleetOptions) *Fleet {
	o = o.withDefaults()
	f := &Fleet{city: city, options: o, numbers: map[telemetry.VehicleID]int{}}
	for i := range o.Vehicles {
		r := rand.New(rand.NewPCG(o.Seed, 1<<32+uint64(i)))
		m := member{id: o.Name(i), journey: newJourney(city, o.Start, o.Seed, i), noise: newNoise(r, o.Noise)}
		if !o.WholeSeconds {
			m.phase = time.Duration(r.Int64N(int64(o.Interval))).Truncate(time.Millisecond)
		}
		f.numbers[m.id] = i
		f.members = append(f.members, m)
	}
	return f
}

// City returns the city the fleet drives in.
func (f *Fleet) City() *City { return f.city }

// Len is the number of vehicles.
func (f *Fleet) Len() int { return len(f.members) }

// Start is when the journeys begin.
func (f *Fleet) Start() time.Time { return f.options.Start }

// Interval is the time between two fixes of a vehicle.
func (f *Fleet) Interval() time.Duration { return f.options.Interval }

// Vehicle returns the id of a vehicle.
func (f *Fleet) Vehicle(number int) telemetry.VehicleID { return f.members[number].id }

// Vehicles lists the ids of all vehicles.
func (f *Fleet) Vehicles() []telemetry.VehicleID {
	ids := make([]telemetry.VehicleID, len(f.members))
	for i, m := range f.members {
		ids[i] = m.id
	}
	return ids
}

// number finds a vehicle.
func (f *Fleet) number(id telemetry.VehicleID) (int, bool) {
	i, ok := f.numbers[id]
	return i, ok
}

// FixTime is when a vehicle takes its nth fix; n counts from 0.
func (f *Fleet) FixTime(number, n int) time.Time {
	return f.options.Start.Add(f.members[number].phase + time.Duration(n)*f.options.Interval)
}

// At returns what a vehicle's receiver would report at a time, without noise.
func (f *Fleet) At(number int, t time.Time) telemetry.Fix {
	m := &f.members[number]
	s := m.journey.state(t)
	fix := telemetry.NewFix(f.options.Tenant, m.id, t, f.city.plane.point(s.at))
	fix.Speed, fix.Heading = s.speed, s.dir.heading()
	fix.Ignition = telemetry.Truth(!s.parked)
	fix.Accuracy = 1
	return fix
}

// Fix returns a vehicle's nth fix as its tracker reports it.
func (f *Fleet) Fix(number, n int) telemetry.Fix {
	m := &f.members[number]
	t := f.FixTime(number, n)
	fix := f.At(number, t)
	if m.noise.sigma == 0 {
		return fix
	}
	s := m.journey.state(t)
	fix.Point = f.city.plane.point(s.at.add(m.noise.at(t.Sub(f.options.Start).Seconds())))
	fix.Accuracy = math.Round(m.noise.sigma*accuracy68*10) / 10
	return fix
}

// Truth lists every crossing from the start of the journeys until a time, in order of time.
func (f *Fleet) Truth(until time.Time) []Crossing {
	same := func(int) time.Time { return until }
	return f.truth(same, same)
}

// truth lists crossings until a time of each vehicle's own. Those after its second time are unsettled.
func (f *Fleet) truth(until, settled func(number int) time.Time) []Crossing {
	var all []Crossing
	for i := range f.members {
		for _, c := range f.crossings(i, until(i)) {
			c.Unsettled = c.Time.After(settled(i))
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b Crossing) int { return a.Time.Compare(b.Time) })
	return all
}

func (f *Fleet) crossings(number int, until time.Time) []Crossing {
	m := &f.members[number]
	var all []Crossing
	for _, p := range m.journey.passages(until) {
		kind := Exit
		if p.enter {
			kind = Enter
		}
		at := f.options.Start.Add(time.Duration(p.at * float64(time.Second)))
		all = append(all, Crossing{Vehicle: m.id, Fence: f.city.Fences[p.fence].ID, Kind: kind, Time: at})
	}
	return all
}

// Settled returns the first moment from t on at which a vehicle has crossed nothing for the time before and
// will cross nothing for as long after: a good moment to stop it, since nobody can be in doubt about what it did.
func (f *Fleet) Settled(number int, t time.Time, around time.Duration) time.Time {
	for {
		moved := false
		for _, c := range f.crossings(number, t.Add(around)) {
			if d := c.Time.Sub(t); d > -around {
				t, moved = c.Time.Add(around), true
			}
		}
		if !moved {
			return t
		}
	}
}
