package codec

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"outrider/telemetry"
)

// Options say how to decode. The zero value is good.
type Options struct {
	// MaxPayload is the longest payload that is read, in bytes. 0: 256 KiB.
	MaxPayload int
	// Topics say for topics of your own which codec reads them and where the ids stand. The first rule that matches
	// counts; they come before the topics that the decoder knows by itself.
	Topics []Rule
	// Mappings are formats beside those that come with the gateway. A name that exists already is replaced. Their
	// topics come behind Topics.
	Mappings []Mapping
	// TopicsOnly refuses topics that no rule matches. Otherwise such a message is recognised by its payload, which
	// then has to hold the id of the vehicle: with devices that are not trusted this lets one speak for another.
	TopicsOnly bool
	// LocalTime is the zone of formats that send local time without saying so, which is JT/T 808. nil: UTC+8.
	LocalTime *time.Location
}

// Validate says what is wrong with options that came from outside; the error names the rule or topic.
func (o Options) Validate() error {
	_, err := o.router()
	return err
}

// router makes the rules ready.
func (o Options) router() (*router, error) {
	rt := &router{standard: standard.standard, known: codecNames(o.Mappings), topicsOnly: o.TopicsOnly}
	all := slices.Clone(o.Topics)
	for _, m := range o.Mappings {
		for _, filter := range m.Topics {
			all = append(all, Rule{Filter: filter, Codec: m.Name})
		}
	}
	for _, r := range all {
		c, err := compileRule(r)
		if err != nil {
			return nil, fmt.Errorf("codec: %w", err)
		}
		if r.Codec != "" && !rt.known[r.Codec] {
			return nil, fmt.Errorf("codec: filter %s: codec %s is not known", quote(r.Filter), quote(string(r.Codec)))
		}
		rt.rules = append(rt.rules, c)
	}
	return rt, nil
}

const (
	defaultMaxPayload = 256 << 10
	// maxRefusals bounds what one message can refuse: the rest of a long bad array is told as a number.
	maxRefusals = 16
)

// Decoder recognises and decodes payloads. It has no state and is safe for many goroutines.
type Decoder struct {
	maxPayload int
	router     *router
	formats    map[Codec]*format
	recogniser *recogniser
	zone       *time.Location
}

var _ telemetry.Decoder = (*Decoder)(nil)

// New returns a decoder. It panics on options that [Options.Validate] refuses.
func New(o Options) *Decoder {
	rt, err := o.router()
	if err != nil {
		panic(err)
	}
	d := &Decoder{
		maxPayload: o.MaxPayload, router: rt, formats: map[Codec]*format{}, zone: cmp.Or(o.LocalTime, chinaTime),
	}
	if d.maxPayload <= 0 {
		d.maxPayload = defaultMaxPayload
	}
	all := formats()
	for _, m := range o.Mappings {
		all = append(all, m.format)
	}
	for _, f := range all {
		d.formats[f.name] = f
	}
	all = slices.DeleteFunc(all, func(f *format) bool { return d.formats[f.name] != f }) // replaced
	d.recogniser = newRecogniser(all)
	return d
}

// TopicOwner says whom a topic names, by the decoder's rules; two empty ids when it names nobody.
func (d *Decoder) TopicOwner(topic string) (telemetry.TenantID, telemetry.VehicleID) {
	return d.router.owner(topic)
}

// Topics returns the filters to subscribe to: those of the rules and mappings, and those of [Topics].
func (d *Decoder) Topics() []string {
	var topics []string
	for _, r := range d.router.rules {
		topics = append(topics, r.subscription())
	}
	for _, topic := range Topics() {
		if !slices.Contains(topics, topic) {
			topics = append(topics, topic)
		}
	}
	return topics
}

// Decode implements [telemetry.Decoder]. The ids of the fixes may share memory with m.Topic, nothing shares
// memory with m.Payload. A message that is understood and holds no position (an OwnTracks transition, say)
// gives no fix and no error.
func (d *Decoder) Decode(dst []telemetry.Fix, m telemetry.Message) ([]telemetry.Fix, error) {
	fixes, _, err := d.decode(dst, m)
	return fixes, err
}

// decode also says how the message was read, as far as it came.
func (d *Decoder) decode(dst []telemetry.Fix, m telemetry.Message) ([]telemetry.Fix, route, error) {
	at, refusal := d.router.route(m.Topic)
	if at.vehicle == "" && refusal == nil && m.Vehicle != "" {
		at.tenant, at.vehicle = m.Tenant, m.Vehicle
	}
	switch {
	case refusal != nil:
		return dst, at, refusal
	case at.silent:
		return dst, at, nil
	case len(m.Payload) > d.maxPayload:
		return dst, at, telemetry.Refuse(telemetry.ReasonTooLarge, "", "%d bytes, at most %d are read", len(m.Payload), d.maxPayload)
	case at.codec == Auto || at.codec == "" && !at.ownTracks:
		if at.codec, refusal = d.recogniser.recognise(m.Payload); refusal != nil {
			return dst, at, unrecognised(at, m.Topic, refusal)
		}
	}
	var err error
	if f := d.formats[at.codec]; f != nil && f.form != nil {
		dst, err = d.decodeRecords(dst, m, at, f)
	} else if at.vehicle == "" {
		err = refuseTopic(m.Topic)
	} else {
		dst, err = decodeFlat(dst, m, at)
	}
	return dst, at, err
}

// unrecognised says of a topic that nobody knows that it is the topic that is wrong.
func unrecognised(at route, topic string, refusal *telemetry.Refusal) *telemetry.Refusal {
	if _, scalar := readScalarTopic(topic); scalar {
		return telemetry.Refuse(telemetry.ReasonUnsupported, "", "%s holds one value of several, which have to be joined", quote(topic))
	}
	if !at.foreign {
		return refusal
	}
	r := refuseTopic(topic)
	r.Detail += ", and " + refusal.Detail
	return r
}

// decodeFlat reads the formats of the fast path.
func decodeFlat(dst []telemetry.Fix, m telemetry.Message, at route) ([]telemetry.Fix, error) {
	r := reader{scanner: scanner{b: m.Payload}, route: at, model: model(m, at), fixes: dst}
	r.payload()
	inOrder(r.fixes[len(dst):])
	return r.fixes, r.refusals.err()
}

// decodeRecords reads all other formats.
func (d *Decoder) decodeRecords(dst []telemetry.Fix, m telemetry.Message, at route, f *format) ([]telemetry.Fix, error) {
	r := &recordReader{topic: m.Topic, format: f, form: f.form, zone: d.zone}
	r.reader = reader{scanner: scanner{b: m.Payload}, route: at, model: model(m, at), fixes: dst}
	if f.read != nil {
		f.read(r)
	} else {
		r.records()
	}
	inOrder(r.fixes[len(dst):])
	return r.fixes, r.refusals.err()
}

// model is what every fix of a message begins as.
func model(m telemetry.Message, at route) telemetry.Fix {
	f := telemetry.NewFix(at.tenant, at.vehicle, time.Time{}, [2]float64{})
	f.Received = time.UnixMicro(m.Received.UnixMicro()).UTC()
	f.Retained = m.Retained
	return f
}

// inOrder sorts the fixes of one message by device time; trackers flush buffers newest first.
func inOrder(fixes []telemetry.Fix) {
	older := func(a, b telemetry.Fix) int { return a.Time.Compare(b.Time) }
	if !slices.IsSortedFunc(fixes, older) {
		slices.SortStableFunc(fixes, older)
	}
}

// refusals collects what was wrong with one message, up to a limit.
type refusals struct {
	all  []error
	more int
}

func (r *refusals) add(refusal *telemetry.Refusal) {
	if r.full() {
		r.more++
		return
	}
	r.all = append(r.all, refusal)
}

// full reports whether another refusal would only be counted.
func (r *refusals) full() bool { return len(r.all) == maxRefusals }

func (r *refusals) err() error {
	switch {
	case len(r.all) == 0:
		return nil
	case len(r.all) == 1:
		return r.all[0]
	case r.more > 0:
		return errors.Join(append(r.all, telemetry.Refuse(telemetry.ReasonMalformed, "", "and %d more elements were refused", r.more))...)
	}
	return errors.Join(r.all...)
}
