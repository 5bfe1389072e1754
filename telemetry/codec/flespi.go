package codec

// Flespi is the message of the flespi platform, one object or an array of them, newest first or last:
//
//	{"ident":"352094081234567","timestamp":1767225600.25,"position.latitude":48.13743,"position.longitude":11.57549,
//	 "position.speed":36,"position.direction":270,"position.satellites":11,"position.valid":true,"engine.ignition.status":true}
//
// The dots are part of the names. timestamp is unix seconds with a fraction, speed km/h. A message whose
// position.valid is false repeats the last place. Messages without a position are common.
var flespi = &format{name: Flespi, form: flespiForm(), marks: [][]string{{"['position.latitude']"}, {"ident", "timestamp"}}}

func flespiForm() *form {
	f := mustForm(
		field{role: vehicleRole, path: "ident"},
		field{role: timeRole, path: "timestamp"},
		field{role: validRole, path: "['position.valid']"},
		field{role: latRole, path: "['position.latitude']"},
		field{role: lonRole, path: "['position.longitude']"},
		field{role: speedRole, path: "['position.speed']", unit: "km/h"},
		field{role: headingRole, path: "['position.direction']"},
		field{role: altitudeRole, path: "['position.altitude']"},
		field{role: hdopRole, path: "['position.hdop']"},
		field{role: batteryRole, path: "['battery.level']"},
		field{role: satellitesRole, path: "['position.satellites']"},
		field{role: ignitionRole, path: "['engine.ignition.status']"},
	)
	f.quiet = true
	return f
}
