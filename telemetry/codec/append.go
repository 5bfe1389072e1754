package codec

import (
	"math"
	"strconv"

	"outrider/telemetry"
)

// AppendNative appends f as native JSON to dst. Times are in milliseconds, places to 1e-7 degrees; what is
// unknown is left out. The ids are not in the payload but in the topic.
func AppendNative(dst []byte, f telemetry.Fix) []byte {
	dst = append(dst, `{"t":`...)
	dst = strconv.AppendFloat(dst, float64(f.Time.UnixMilli())/1000, 'f', -1, 64)
	dst = appendNumber(dst, "lat", f.Point.Lat(), 7)
	dst = appendNumber(dst, "lon", f.Point.Lon(), 7)
	dst = appendNumber(dst, "acc", f.Accuracy, 2)
	dst = appendNumber(dst, "spd", f.Speed, 2)
	dst = appendNumber(dst, "hdg", f.Heading, 2)
	dst = appendNumber(dst, "alt", f.Altitude, 2)
	dst = appendNumber(dst, "hdop", f.HDOP, 2)
	dst = appendNumber(dst, "batt", f.Battery, 1)
	dst = appendTruth(dst, "ign", f.Ignition)
	return append(dst, '}')
}

// AppendOwnTracks appends f as an OwnTracks location to dst, as precisely as that format goes: whole seconds,
// and metres, km/h and degrees without fraction.
func AppendOwnTracks(dst []byte, f telemetry.Fix) []byte {
	dst = append(dst, `{"_type":"location","tst":`...)
	dst = strconv.AppendInt(dst, f.Time.Unix(), 10)
	dst = appendNumber(dst, "lat", f.Point.Lat(), 7)
	dst = appendNumber(dst, "lon", f.Point.Lon(), 7)
	dst = appendNumber(dst, "acc", math.Ceil(f.Accuracy), 0)
	dst = appendNumber(dst, "vel", f.Speed*3.6, 0)
	dst = appendNumber(dst, "cog", f.Heading, 0)
	dst = appendNumber(dst, "alt", f.Altitude, 0)
	dst = appendNumber(dst, "batt", f.Battery, 0)
	return append(dst, '}')
}

func appendName(dst []byte, name string) []byte {
	return append(append(append(dst, ',', '"'), name...), '"', ':')
}

// appendNumber appends a member with at most that many digits behind the point, unless v is unknown.
func appendNumber(dst []byte, name string, v float64, digits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return dst
	}
	scale := math.Pow10(digits)
	return strconv.AppendFloat(appendName(dst, name), math.Round(v*scale)/scale, 'f', -1, 64)
}

func appendTruth(dst []byte, name string, t telemetry.Tristate) []byte {
	if t == telemetry.UnknownState {
		return dst
	}
	return strconv.AppendBool(appendName(dst, name), t == telemetry.Yes)
}
