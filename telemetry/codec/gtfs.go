package codec

import (
	"bytes"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"outrider/telemetry"
)

// GTFSRealtime is a feed of vehicle positions of public transport, a protobuf message that holds any number of vehicles:
//
//	FeedMessage{header{gtfs_realtime_version, timestamp}, entity{id, vehicle{position{latitude, longitude, bearing, odometer, speed},
//	 timestamp, vehicle{id, label}}}…}
//
// The vehicle is vehicle.vehicle.id; the id of an entity may change from feed to feed, and a label need not be of one vehicle. Places have
// the precision of a float, a metre or two. timestamp is unix seconds; a vehicle without one has that of the feed. A topic that names one
// vehicle may not bring several. Trip updates and alerts hold no position.
var gtfsRealtime = &format{name: GTFSRealtime, form: mustForm(field{role: vehicleRole, path: "vehicle.vehicle.id"}), read: (*recordReader).gtfs}

func (r *recordReader) gtfs() {
	if len(r.b) == 0 {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonEmpty, "", "the payload is empty, expected a FeedMessage"))
		return
	}
	var created uint64
	var only []byte // whom the message is about, where the topic names one vehicle
	n := 0
	feed := protobuf{b: r.b}
	for feed.next() {
		switch {
		case feed.message(1):
			header := protobuf{b: feed.bytes}
			for header.next() {
				if header.integer(3) {
					created = header.bits
				}
			}
			feed.bad = feed.bad || header.bad
		case feed.message(2):
			if refusal := r.gtfsEntity(feed.bytes, created, &only); refusal != nil {
				refusal.Field = strings.TrimSuffix(fmt.Sprintf("entity[%d].%s", n, refusal.Field), ".")
				r.refusals.add(refusal)
			}
			n++
		}
	}
	if feed.bad {
		r.refusals.add(telemetry.Refuse(telemetry.ReasonMalformed, fmt.Sprintf("entity[%d]", n), "not protobuf, or cut"))
	}
}

// gtfsEntity reads one entity of a feed.
func (r *recordReader) gtfsEntity(b []byte, created uint64, only *[]byte) *telemetry.Refusal {
	e := protobuf{b: b}
	var vehicle []byte
	deleted, has := false, false
	for e.next() {
		switch {
		case e.integer(2):
			deleted = e.bits != 0
		case e.message(4):
			vehicle, has = e.bytes, true
		}
	}
	if e.bad {
		return telemetry.Refuse(telemetry.ReasonMalformed, "", "not protobuf")
	}
	if deleted || !has {
		return nil
	}
	v := protobuf{b: vehicle}
	var id, position []byte
	placed := false
	at := created
	for v.next() {
		switch {
		case v.message(2):
			position, placed = v.bytes, true
		case v.integer(5) && v.bits != 0:
			at = v.bits
		case v.message(8):
			descriptor := protobuf{b: v.bytes}
			for descriptor.next() {
				if descriptor.message(1) {
					id = descriptor.bytes
				}
			}
			v.bad = v.bad || descriptor.bad
		}
	}
	switch {
	case v.bad:
		return telemetry.Refuse(telemetry.ReasonMalformed, "vehicle", "not protobuf")
	case !placed:
		return nil
	}
	return r.gtfsFix(position, at, id, only)
}

func (r *recordReader) gtfsFix(position []byte, at uint64, id []byte, only *[]byte) (refusal *telemetry.Refusal) {
	f := r.model
	switch {
	case f.Vehicle != "" && *only != nil && !bytes.Equal(id, *only):
		return telemetry.Refuse(telemetry.ReasonTopic, "vehicle.vehicle.id", "%s, and %s before: the topic names one vehicle, publish the feed to a topic that names none",
			quote(string(id)), quote(string(*only)))
	case f.Vehicle != "":
		*only = append([]byte{}, id...)
	case len(id) == 0:
		return r.nobody()
	default:
		if fault := idFault(string(id)); fault != "" {
			return telemetry.Refuse(telemetry.ReasonTopic, "vehicle.vehicle.id", "%s %s", quote(string(id)), fault)
		}
		f.Vehicle = telemetry.VehicleID(id)
	}
	if at == 0 {
		return telemetry.Refuse(telemetry.ReasonMissing, "vehicle.timestamp", "absent, in the header, too, expected unix seconds")
	}
	if f.Time, refusal = seconds(float64(at), "vehicle.timestamp"); refusal != nil {
		return refusal
	}
	m := newMeasured()
	p := protobuf{b: position}
	for p.next() {
		if p.kind != protowire.Fixed32Type {
			continue
		}
		switch p.number {
		case 1:
			m[latRole] = p.float()
		case 2:
			m[lonRole] = p.float()
		case 3:
			m[headingRole] = p.float()
		case 5:
			m[speedRole] = p.float()
		}
	}
	if p.bad {
		return telemetry.Refuse(telemetry.ReasonMalformed, "vehicle.position", "not protobuf")
	}
	if refusal = m.fix(&f); refusal == nil {
		r.fixes = append(r.fixes, f)
	}
	return refusal
}
