package codec

import (
	"fmt"
	"math"
	"strings"
	"time"

	"outrider/telemetry"
)

// Explanation says for people how a message was understood, or why it was not.
type Explanation struct {
	// Codec is the format the payload was read as; empty when the message was refused before.
	Codec Codec
	// How says in words why that format: by which topic, by which rule, or by the payload.
	How string
	// Fixes are what was understood, in SI units and degrees, in device time order.
	Fixes []telemetry.Fix
	// Refusals are what was not.
	Refusals []*telemetry.Refusal
}

// Explain decodes a message and says what it found. It is slower than Decode and meant for an inspector.
func (d *Decoder) Explain(m telemetry.Message) Explanation {
	fixes, at, err := d.decode(nil, m)
	e := Explanation{Codec: at.codec, Fixes: fixes, Refusals: telemetry.Refusals(err)}
	switch named, _ := d.router.route(m.Topic); {
	case named.codec != at.codec && named.rule != "":
		e.How = "the topic rule " + named.rule + " leaves it to the payload, which looks like it"
	case named.codec != at.codec && !named.foreign:
		e.How = "the topic leaves it to the payload, which looks like it"
	case named.codec != at.codec:
		e.How = "no topic rule matches, and the payload looks like it"
	case at.rule != "":
		e.How = "by the topic rule " + at.rule
	case at.ownTracks:
		e.Codec, e.How = OwnTracks, "by the topic owntracks/{user}/{device}"
	case at.codec == Native:
		e.How = "by the topic fleet/{tenant}/{vehicle}/fix"
	case at.codec != "":
		e.How = "by the topic fleet/{tenant}/{vehicle}/" + string(at.codec)
	}
	return e
}

// String writes the explanation as lines of text, the last one without a line end.
func (e Explanation) String() string {
	var lines []string
	if e.Codec != "" {
		lines = append(lines, fmt.Sprintf("format   %s (%s)", e.Codec, e.How))
	}
	for _, f := range e.Fixes {
		lines = append(lines, "fix      "+tell(f))
	}
	for _, r := range e.Refusals {
		where := string(r.Reason)
		if r.Field != "" {
			where += " " + r.Field
		}
		lines = append(lines, "refused  "+where+": "+r.Detail)
	}
	if len(e.Fixes)+len(e.Refusals) == 0 {
		lines = append(lines, "nothing  understood, and it holds no position")
	}
	return strings.Join(lines, "\n")
}

// tell writes a fix with its units.
func tell(f telemetry.Fix) string {
	b := fmt.Appendf(nil, "%s/%s at %s: latitude %.6f, longitude %.6f", f.Tenant, f.Vehicle, f.Time.Format(time.RFC3339Nano), f.Point.Lat(), f.Point.Lon())
	for _, n := range []struct {
		form  string
		value float64
	}{
		{", accuracy %.1f m", f.Accuracy}, {", speed %.2f m/s", f.Speed}, {", heading %.1f°", f.Heading},
		{", altitude %.1f m", f.Altitude}, {", HDOP %.1f", f.HDOP}, {", battery %.0f %%", f.Battery},
	} {
		if !math.IsNaN(n.value) {
			b = fmt.Appendf(b, n.form, n.value)
		}
	}
	switch f.Ignition {
	case telemetry.Yes:
		b = append(b, ", ignition on"...)
	case telemetry.No:
		b = append(b, ", ignition off"...)
	}
	if f.Retained {
		b = append(b, ", a kept copy"...)
	}
	return string(b)
}
