package codec

import (
	"math"

	"outrider/telemetry"
)

// measured are the numbers of a fix by role, as binary formats have them; NaN where there is none.
type measured [roles]float64

func newMeasured() (m measured) {
	for i := range m {
		m[i] = math.NaN()
	}
	return m
}

// measuredQuantities say which numbers may be.
var measuredQuantities = func() (all [roles]quantity) {
	for of, name := range map[role]string{
		latRole: "latitude", lonRole: "longitude", accuracyRole: "accuracy", speedRole: "speed", headingRole: "heading",
		altitudeRole: "altitude", hdopRole: "hdop", batteryRole: "battery",
	} {
		all[of] = quantityOf(of, name, "", 1)
	}
	return all
}()

// fix writes the numbers into a fix, or says why they are no position.
func (m *measured) fix(f *telemetry.Fix) (refusal *telemetry.Refusal) {
	if truthOf(m[validRole]) == telemetry.No {
		return telemetry.Refuse(telemetry.ReasonNoFix, "", "the tracker says it has no position")
	}
	if m[satellitesRole] == 0 {
		return telemetry.Refuse(telemetry.ReasonNoFix, "", "0 satellites: the place is the last one that was known")
	}
	for i, of := range [...]role{lonRole, latRole} {
		q := &measuredQuantities[of]
		if math.IsNaN(m[of]) {
			return telemetry.Refuse(telemetry.ReasonMissing, q.name, "absent, expected degrees")
		}
		if f.Point[i], refusal = q.limit(m[of]); refusal != nil {
			return refusal
		}
	}
	if f.Point == [2]float64{} {
		return telemetry.Refuse(telemetry.ReasonNoFix, "", "0,0 is what a tracker sends that has no position")
	}
	for _, n := range [...]struct {
		of   role
		into *float64
	}{
		{accuracyRole, &f.Accuracy}, {speedRole, &f.Speed}, {headingRole, &f.Heading}, {altitudeRole, &f.Altitude}, {hdopRole, &f.HDOP},
	} {
		if *n.into, refusal = measuredQuantities[n.of].limit(m[n.of]); refusal != nil {
			return refusal
		}
	}
	f.Heading = northIsZero(f.Heading)
	if n, refusal := measuredQuantities[batteryRole].limit(m[batteryRole]); refusal == nil {
		f.Battery = n
	}
	if on := truthOf(m[ignitionRole]); on != telemetry.UnknownState {
		f.Ignition = on
	}
	return nil
}

func truthOf(n float64) telemetry.Tristate {
	if math.IsNaN(n) {
		return telemetry.UnknownState
	}
	return telemetry.Truth(n != 0)
}
