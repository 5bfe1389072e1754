package codec

// Codec names a payload format.
type Codec string

// The formats that are code. The presets of mappings and the user's own mappings have names beside these.
const (
	Auto        Codec = "auto" // recognised by the payload
	Native      Codec = "native"
	OwnTracks   Codec = "owntracks"
	Teltonika   Codec = "teltonika"
	OsmAnd      Codec = "osmand"
	Traccar     Codec = "traccar"
	Flespi      Codec = "flespi"
	HFP         Codec = "hfp"
	GeoJSON     Codec = "geojson"
	NMEA        Codec = "nmea"
	JT808       Codec = "jt808"
	ThingsBoard Codec = "thingsboard"
	Queclink    Codec = "queclink"
	Sparkplug   Codec = "sparkplug"
	FleetWise   Codec = "fleetwise"
	VDA5050     Codec = "vda5050" // refused, with the reason

	GTFSRealtime Codec = "gtfs-realtime"
)

// format is one payload format.
type format struct {
	name Codec
	form *form // nil for the two formats of the fast path
	// read reads a payload that is not just records of form. It may be nil.
	read func(r *recordReader)
	// marks say how the format shows: each is a set of paths, and an object that has all of one set is of this
	// format. A format without marks is read only where a topic names it.
	marks [][]string
	// topics are the filters of a mapping.
	topics []string
}

// formats returns every format that comes with the gateway, presets last.
func formats() []*format {
	all := []*format{
		{name: Native, marks: [][]string{{"t", "lat", "lon"}}},
		{name: OwnTracks, marks: [][]string{{"_type"}}},
		teltonika, osmAnd, traccar, flespi, hfp, geoJSON, nmea, jt808, thingsBoard,
		queclink, sparkplug, gtfsRealtime, fleetWise, vda5050,
	}
	for _, m := range Presets() {
		all = append(all, m.format)
	}
	return all
}

// Codecs returns the names of the formats that come with the gateway, Auto first.
func Codecs() []Codec {
	names := []Codec{Auto}
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

func codecNames(more []Mapping) map[Codec]bool {
	known := map[Codec]bool{}
	for _, name := range Codecs() {
		known[name] = true
	}
	for _, m := range more {
		known[m.Name] = true
	}
	return known
}
