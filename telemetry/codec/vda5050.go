package codec

import "outrider/telemetry"

// VDA5050 is the interface between automated guided vehicles and their control. It is known in order to be refused by name: its places
// are metres on a map of the plant, and nothing in its messages says where on earth that map lies.
var vda5050 = &format{name: VDA5050, form: mustForm(), marks: [][]string{{"headerId", "manufacturer", "serialNumber"}}, read: func(r *recordReader) {
	r.refusals.add(telemetry.Refuse(telemetry.ReasonUnsupported, "",
		"VDA 5050: x and y are metres on a map of the plant, expected latitude and longitude: convert them, and publish native JSON"))
}}
