package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"outrider/geofence"
	"outrider/telemetry"
)

// line is one line of input.
type line struct {
	RX      *float64        `json:"rx"`
	Vehicle string          `json:"vehicle"`
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload"`

	received time.Time
}

// parseLine reads a line and says in words what is wrong with it.
func parseLine(text []byte) (*line, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("not a JSON object of the form {\"rx\", \"vehicle\" or \"topic\", \"payload\"}: %w", err)
	}
	switch {
	case l.RX == nil:
		return nil, errors.New("rx is missing: the arrival in unix seconds")
	case math.Abs(*l.RX) > 1e11:
		return nil, fmt.Errorf("rx %v is no time in unix seconds", *l.RX)
	case l.Vehicle == "" && l.Topic == "":
		return nil, errors.New("vehicle is missing, and topic, which may name it")
	case len(l.Payload) == 0:
		return nil, errors.New("payload is missing")
	}
	l.received = time.UnixMicro(int64(math.Round(*l.RX * 1e6))).UTC()
	return &l, nil
}

// The topics of lines that name none: of the payload that OwnTracks sends, of the format that the payload shows, and of the
// gateway's own.
const (
	ownTracksTopic = "owntracks/replay/replay"
	anyTopic       = "fleet/default/replay/auto"
	nativeTopic    = "fleet/default/replay/fix"
)

// message returns the line as the MQTT message it stands for. A payload written as a JSON text stands for the
// bytes of that text, so that formats other than JSON can be replayed.
func (l *line) message() telemetry.Message {
	payload := []byte(l.Payload)
	var text string
	if payload[0] == '"' && json.Unmarshal(payload, &text) == nil {
		payload = []byte(text)
	}
	topic := l.Topic
	switch {
	case topic != "":
	case isOwnTracks(payload):
		topic = ownTracksTopic
	default:
		topic = anyTopic
	}
	return telemetry.Message{Topic: topic, Payload: payload, Received: l.received}
}

// decode appends the fixes of the line. Of a payload that looks like no format it is told what the native one lacks.
func (l *line) decode(d telemetry.Decoder, dst []telemetry.Fix) ([]telemetry.Fix, error) {
	m := l.message()
	fixes, err := d.Decode(dst, m)
	if err != nil && len(fixes) == len(dst) && m.Topic == anyTopic {
		m.Topic = nativeTopic
		fixes, err = d.Decode(dst, m)
	}
	if l.Vehicle != "" {
		for i := range fixes[len(dst):] {
			f := &fixes[len(dst)+i]
			f.Tenant, f.Vehicle = telemetry.DefaultTenant, telemetry.VehicleID(l.Vehicle)
		}
	}
	return fixes, err
}

// isOwnTracks reports whether the payload, or the first of an array, has OwnTracks' _type.
func isOwnTracks(payload []byte) bool {
	if !bytes.Contains(payload, []byte(`"_type"`)) {
		return false
	}
	type typed struct {
		Type *string `json:"_type"`
	}
	var one typed
	if json.Unmarshal(payload, &one) == nil {
		return one.Type != nil
	}
	var many []typed
	return json.Unmarshal(payload, &many) == nil && len(many) > 0 && many[0].Type != nil
}

// appendCrossing writes one line of output.
func appendCrossing(b []byte, t *geofence.Tracker, c *geofence.Crossing, number int, emitted int64) []byte {
	b = appendText(append(b, `{"vehicle":`...), t.ID(c.Vehicle))
	b = appendText(append(b, `,"fence":`...), string(c.Fence))
	b = appendText(append(b, `,"kind":`...), c.Kind.String())
	b = appendSeconds(append(b, `,"at":`...), c.Time)
	b = strconv.AppendInt(append(b, `,"line":`...), int64(number), 10)
	b = appendSeconds(append(b, `,"emitted":`...), emitted)
	b = strconv.AppendBool(append(b, `,"late":`...), c.Late)
	b = strconv.AppendUint(append(b, `,"confidence":`...), uint64(c.Confidence), 10)
	return append(b, "}\n"...)
}

// appendText writes s as a JSON text.
func appendText(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return append(b, `""`...)
	}
	return append(b, text...)
}

// appendSeconds writes Unix milliseconds as seconds.
func appendSeconds(b []byte, ms int64) []byte {
	return strconv.AppendFloat(b, float64(ms)/1000, 'f', -1, 64)
}
