package codec

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"outrider/telemetry"
)

// maxSlots is how many fields a form may have.
const maxSlots = 32

// form says where the records of a JSON format hold what a fix needs. It is immutable once it is built.
type form struct {
	layout  layout
	slots   int
	sources [roles][]source // by role; of several the first that has a value counts

	// each are members that may hold the records in an array; inner is the form of those records, nil the same.
	each  []source
	inner *form

	// quiet forms have records without a position as a matter of course.
	quiet bool
	// skip says of a record that it is understood and holds no position. It may be nil.
	skip func(r *recordReader) bool
	// point reads the place where latitude and longitude are not members of their own. It may be nil.
	point func(r *recordReader, f *telemetry.Fix) *telemetry.Refusal
	// refine is the last word on a fix. It may be nil.
	refine func(r *recordReader, f *telemetry.Fix) *telemetry.Refusal
}

// mustForm builds a form that stands in this package; its faults are ours.
func mustForm(fields ...field) *form {
	f := &form{}
	mustAdd(f, fields...)
	return f
}

func mustAdd(f *form, fields ...field) {
	for _, x := range fields {
		if err := f.add(x); err != nil {
			panic("codec: " + err.Error())
		}
	}
}

func (f *form) add(x field) error {
	s := source{path: x.path, name: strings.NewReplacer("['", "", "']", "").Replace(x.path), slot: -1, clock: x.clock, zone: x.zone}
	factor, ok := perUnit(x.role, x.unit)
	if !ok {
		return fmt.Errorf("unit %s is not known here", quote(x.unit))
	}
	s.quantity = quantityOf(x.role, s.name, x.unit, factor)
	if x.role != timeRole || x.clock != arrivalClock {
		var err error
		if s.slot, err = f.slot(x.path); err != nil {
			return err
		}
	}
	f.sources[x.role] = append(f.sources[x.role], s)
	return nil
}

// slot wants a path.
func (f *form) slot(text string) (int, error) {
	p, err := parsePath(text)
	if err != nil {
		return 0, err
	}
	slot := f.layout.add(p, f.slots)
	if slot == f.slots {
		f.slots++
	}
	if f.slots > maxSlots {
		return 0, fmt.Errorf("more than %d paths", maxSlots)
	}
	return slot, nil
}

// list wants the array at a path as the records.
func (f *form) list(text string) error {
	slot, err := f.slot(text)
	f.each = append(f.each, source{slot: slot, name: text})
	return err
}

// listed is list for the forms of this package.
func (f *form) listed(texts ...string) *form {
	for _, text := range texts {
		if err := f.list(text); err != nil {
			panic("codec: " + err.Error())
		}
	}
	return f
}

// interpret turns the record in the slots into a fix, if it holds one.
func (r *recordReader) interpret() *telemetry.Refusal {
	if r.form.skip != nil && r.form.skip(r) || r.form.quiet && !r.hasPlace() {
		return nil
	}
	f := r.model
	for _, step := range [...]func(*recordReader, *telemetry.Fix) *telemetry.Refusal{
		(*recordReader).vehicle, (*recordReader).validity, (*recordReader).time, (*recordReader).point,
		(*recordReader).numbers, (*recordReader).refine,
	} {
		if refusal := step(r, &f); refusal != nil {
			return refusal
		}
	}
	r.fixes = append(r.fixes, f)
	return nil
}

// first returns the first value of a role that is neither absent nor null, with its source; otherwise the first
// that is null, and otherwise nil.
func (r *recordReader) first(of role) (*value, *source) {
	var null *value
	var nullSource *source
	for i := range r.form.sources[of] {
		s := &r.form.sources[of][i]
		if s.slot < 0 {
			continue
		}
		switch v := &r.values[s.slot]; v.kind {
		case absent:
		case nullKind:
			if null == nil {
				null, nullSource = v, s
			}
		default:
			return v, s
		}
	}
	return null, nullSource
}

// other returns the nth value that the format looks at by itself.
func (r *recordReader) other(n int) *value { return &r.values[r.form.sources[otherRole][n].slot] }

func (r *recordReader) hasPlace() bool {
	for _, of := range [...]role{latRole, lonRole, placeRole} {
		if v, _ := r.first(of); v != nil {
			return true
		}
	}
	return false
}

// vehicle takes the id from the payload where the topic names none.
func (r *recordReader) vehicle(f *telemetry.Fix) *telemetry.Refusal {
	if f.Vehicle != "" {
		return nil
	}
	v, s := r.first(vehicleRole)
	if v == nil || v.kind == nullKind {
		return r.nobody()
	}
	id := strings.TrimSpace(string(v.text()))
	if v.kind != stringKind && v.kind != numberKind {
		return telemetry.Refuse(telemetry.ReasonType, s.name, "%s, expected the id of a vehicle", describe(v))
	}
	if fault := idFault(id); fault != "" {
		return telemetry.Refuse(telemetry.ReasonTopic, s.name, "%s %s", quote(id), fault)
	}
	f.Vehicle = telemetry.VehicleID(id)
	return nil
}

// nobody refuses what names no vehicle.
func (r *recordReader) nobody() *telemetry.Refusal {
	where := "and this format holds no id"
	if sources := r.form.sources[vehicleRole]; len(sources) > 0 {
		where = "and the payload has no " + sources[0].name
	}
	return telemetry.Refuse(telemetry.ReasonTopic, "", "the topic %s names no vehicle, %s: publish to fleet/{tenant}/{vehicle}/%s, or add a topic rule",
		quote(r.topic), where, r.format.name)
}

// validity refuses what the tracker itself calls no position. Its own flag, where there is one, counts more than
// the number of satellites.
func (r *recordReader) validity(*telemetry.Fix) *telemetry.Refusal {
	if v, s := r.first(validRole); v != nil {
		switch truth(v) {
		case telemetry.Yes:
			return nil
		case telemetry.No:
			return telemetry.Refuse(telemetry.ReasonNoFix, s.name, "%s: the tracker says it has no position", describe(v))
		}
	}
	if v, s := r.first(satellitesRole); v != nil {
		if n, refusal := s.quantity.number(v, true); refusal == nil && n == 0 {
			return telemetry.Refuse(telemetry.ReasonNoFix, s.name, "0 satellites: the place is the last one that was known")
		}
	}
	return nil
}

func (r *recordReader) time(f *telemetry.Fix) *telemetry.Refusal {
	sources := r.form.sources[timeRole]
	v, s := r.first(timeRole)
	if v != nil && v.kind != nullKind {
		var refusal *telemetry.Refusal
		f.Time, refusal = s.clock.read(v, s.name, cmp.Or(s.zone, r.zone))
		return refusal
	}
	switch last := &sources[len(sources)-1]; {
	case last.clock != arrivalClock:
		return telemetry.Refuse(telemetry.ReasonMissing, sources[0].name, "absent, expected %s", sources[0].clock.expected())
	case f.Retained:
		return telemetry.Refuse(telemetry.ReasonMissing, "", "the payload holds no time, and the age of a kept copy is not known")
	}
	f.Time = f.Received.Round(1e6)
	return nil
}

func (r *recordReader) point(f *telemetry.Fix) (refusal *telemetry.Refusal) {
	if r.form.point != nil {
		refusal = r.form.point(r, f)
	} else if v, s := r.first(placeRole); v != nil {
		refusal = latLon(v, s.name, f)
	} else if f.Point[1], refusal = r.coordinate(latRole); refusal == nil {
		f.Point[0], refusal = r.coordinate(lonRole)
	}
	if refusal == nil && f.Point == [2]float64{} {
		return telemetry.Refuse(telemetry.ReasonNoFix, "", "0,0 is what a tracker sends that has no position")
	}
	return refusal
}

// coordinate reads a latitude or longitude. A null is a tracker that has no position.
func (r *recordReader) coordinate(of role) (float64, *telemetry.Refusal) {
	v, s := r.first(of)
	if v == nil {
		return 0, telemetry.Refuse(telemetry.ReasonMissing, r.nameOf(of, placeRole), "absent, expected degrees")
	}
	q := &s.quantity
	n, known, refusal := q.raw(v, true)
	switch {
	case refusal != nil:
		return 0, refusal
	case !known:
		return 0, telemetry.Refuse(telemetry.ReasonNoFix, s.name, "empty: the tracker has no position")
	}
	n /= math.Round(1 / q.perUnit) // a division rounds once, a product by 1e-7 twice
	if n < q.min || n > q.max {
		return 0, telemetry.Refuse(telemetry.ReasonRange, s.name, "%v is outside %v to %v degrees", n, q.min, q.max)
	}
	return n, nil
}

// nameOf is the name of the first field of the first role that the form knows.
func (r *recordReader) nameOf(of ...role) string {
	for _, x := range of {
		if sources := r.form.sources[x]; len(sources) > 0 {
			return sources[0].name
		}
	}
	return ""
}

// latLon reads "48.1,11.5", latitude first.
func latLon(v *value, name string, f *telemetry.Fix) *telemetry.Refusal {
	if v.kind == nullKind {
		return telemetry.Refuse(telemetry.ReasonNoFix, name, "null: the tracker has no position")
	}
	lat, lon, two := strings.Cut(string(v.text()), ",")
	if v.kind != stringKind || !two {
		return telemetry.Refuse(telemetry.ReasonType, name, `%s, expected latitude and longitude such as "48.1,11.5"`, describe(v))
	}
	lon, _, _ = strings.Cut(lon, ",") // an altitude or accuracy behind them
	for _, c := range [...]struct {
		q    quantity
		text string
		into *float64
	}{{latitude, lat, &f.Point[1]}, {longitude, lon, &f.Point[0]}} {
		c.q.name = name
		n, refusal := c.q.required(&value{kind: stringKind, raw: []byte(c.text)}, true)
		if refusal != nil {
			return refusal
		}
		*c.into = n
	}
	return nil
}

// numbers reads what a fix may also have.
func (r *recordReader) numbers(f *telemetry.Fix) (refusal *telemetry.Refusal) {
	for _, n := range [...]struct {
		of   role
		into *float64
	}{
		{accuracyRole, &f.Accuracy}, {speedRole, &f.Speed}, {headingRole, &f.Heading},
		{altitudeRole, &f.Altitude}, {hdopRole, &f.HDOP},
	} {
		if math.IsNaN(*n.into) {
			if *n.into, refusal = r.number(n.of); refusal != nil {
				return refusal
			}
		}
	}
	f.Heading = northIsZero(f.Heading)
	if n, refusal := r.number(batteryRole); refusal == nil { // nobody loses a position for it
		f.Battery = n
	}
	if v, _ := r.first(ignitionRole); v != nil {
		f.Ignition = truth(v)
	}
	return nil
}

// number returns the first number of a role that is known.
func (r *recordReader) number(of role) (float64, *telemetry.Refusal) {
	for i := range r.form.sources[of] {
		s := &r.form.sources[of][i]
		n, refusal := s.quantity.number(&r.values[s.slot], true)
		if refusal != nil || !math.IsNaN(n) {
			return n, refusal
		}
	}
	return telemetry.Unknown(), nil
}

func (r *recordReader) refine(f *telemetry.Fix) *telemetry.Refusal {
	if r.form.refine == nil {
		return nil
	}
	return r.form.refine(r, f)
}

// truth reads a truth as trackers write it; what is not understood is unknown.
func truth(v *value) telemetry.Tristate {
	switch v.kind {
	case trueKind:
		return telemetry.Yes
	case falseKind:
		return telemetry.No
	case numberKind, stringKind:
		switch strings.ToLower(strings.TrimSpace(string(clip(v.raw)))) {
		case "1", "true", "yes", "on", "a":
			return telemetry.Yes
		case "0", "false", "no", "off", "v":
			return telemetry.No
		}
	}
	return telemetry.UnknownState
}
