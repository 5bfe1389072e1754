package codec

import (
	"fmt"
	"time"

	"outrider/telemetry"
)

// recordReader reads the records of one payload by a form.
//
// PERF: it is a type of its own because calling through a form moves it to the heap, which the two formats of the
// fast path, read by reader alone, do not do: they allocate nothing.
type recordReader struct {
	reader
	topic  string
	format *format
	zone   *time.Location // of clocks in local time
	form   *form
	values [maxSlots]value // the record that is being read, by slot
	list   string          // the member that holds the records being read, "" the payload itself
	nested bool
}

// alone is the number of a record that is the whole payload.
const alone = -1

// records reads one object or an array of them.
func (r *recordReader) records() {
	switch r.peek() {
	case '{':
		if !r.record() || !r.end() {
			r.malformed("")
			return
		}
		r.take(alone)
	case '[':
		n := r.elements()
		if !r.end() {
			r.malformed(fmt.Sprintf("[%d]", n))
		}
	default:
		r.refuseShape()
	}
}

// record reads an object into the slots.
func (r *recordReader) record() bool {
	clear(r.values[:r.form.slots])
	return r.pick(&r.form.layout, r.values[:])
}

// elements reads an array and returns how many elements it read. Those before a fault count.
func (r *recordReader) elements() (n int) {
	for first := r.enter(); r.more(']', first); first = false {
		if r.peek() == '{' {
			if !r.record() {
				return n
			}
			r.take(n)
		} else {
			var v value
			if !r.value(&v) {
				return n
			}
			r.refuse(n, telemetry.Refuse(telemetry.ReasonType, "", "%s, expected an object", v.kind))
		}
		n++
	}
	if r.fault == "" && n == 0 {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonEmpty, r.list, "the array is empty, expected positions"))
	}
	return n
}

// take makes of the record in the slots what it holds: a fix, or the records of an array inside.
func (r *recordReader) take(n int) {
	if !r.nested {
		for i := range r.form.each {
			if v := r.values[r.form.each[i].slot]; v.kind == arrayKind {
				r.within(n, &v, r.form.each[i].name)
				return
			}
		}
	}
	if refusal := r.interpret(); refusal != nil {
		r.refuse(n, refusal)
	}
}

// within reads the records of an array inside record n. An id outside the array is that of all its records.
func (r *recordReader) within(n int, array *value, name string) {
	kept := *r
	if v, _ := r.first(vehicleRole); v != nil {
		if refusal := r.vehicle(&r.model); refusal != nil {
			r.refuse(n, refusal)
			return
		}
	}
	if n != alone {
		name = fmt.Sprintf("[%d].%s", n, name)
	}
	r.scanner, r.list, r.nested = scanner{b: array.raw}, name, true
	if r.form.inner != nil {
		r.form = r.form.inner
	}
	r.elements() // well-formed, since it has been read once
	r.scanner, r.list, r.nested, r.form, r.model = kept.scanner, kept.list, false, kept.form, kept.model
}

// refuse refuses record n.
func (r *recordReader) refuse(n int, refusal *telemetry.Refusal) {
	if r.refusals.full() {
		r.refusals.add(refusal)
		return
	}
	where := r.list
	if n != alone {
		where += fmt.Sprintf("[%d]", n)
	}
	if where != "" && refusal.Field != "" {
		where += "."
	}
	refusal.Field = where + refusal.Field
	r.refusals.add(refusal)
}
