package codec

// ThingsBoard is telemetry as devices send it to that platform: {"ts":1767225600000,"values":{…}}, the values alone,
// or an array of either:
//
//	{"ts":1767225600000,"values":{"latitude":48.13743,"longitude":11.57549,"altitude":519,"bearing":270}}
//
// ts is unix milliseconds; without it the time of arrival counts, as it does there. The names of the values are the
// device's own: latitude and longitude, or lat and lon, are read. A speed is not, because nothing says its unit; a
// mapping can. Records without a position are common.
var thingsBoard = &format{name: ThingsBoard, form: thingsBoardForm(), marks: [][]string{{"ts", "values"}}}

func thingsBoardForm() *form {
	f := mustForm(field{role: timeRole, path: "ts"}, field{role: timeRole, clock: arrivalClock})
	for _, p := range [...]string{"values.", ""} {
		mustAdd(f,
			field{role: latRole, path: p + "latitude"}, field{role: latRole, path: p + "lat"},
			field{role: lonRole, path: p + "longitude"}, field{role: lonRole, path: p + "lon"},
			field{role: accuracyRole, path: p + "accuracy"},
			field{role: headingRole, path: p + "bearing"}, field{role: headingRole, path: p + "heading"},
			field{role: altitudeRole, path: p + "altitude"},
			field{role: hdopRole, path: p + "hdop"}, field{role: satellitesRole, path: p + "satellites"},
		)
	}
	f.quiet = true
	return f
}
