package codec

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"outrider/telemetry"
)

// maxID is the longest tenant or vehicle id, in bytes.
const maxID = 128

// Topics returns the topic filters that cover everything the decoder recognises by its topic without a rule of the
// user, for a subscription at a broker. They include the topics that hold one value each and need a [Joiner].
func Topics() []string {
	topics := []string{"fleet/+/+/fix"}
	for _, f := range formats() {
		topics = append(topics, "fleet/+/+/"+string(f.name))
	}
	topics = append(topics, "fleet/+/+/"+string(Auto), "owntracks/+/+")
	for _, r := range standard.standard {
		topics = append(topics, r.subscription())
	}
	return append(topics, scalarTopics()...)
}

// TopicOwner says whom a topic names, without looking at a payload and without rules of the user; two empty ids
// when it names nobody. A topic that leaves the vehicle to the payload names nobody.
func TopicOwner(topic string) (telemetry.TenantID, telemetry.VehicleID) { return standard.owner(topic) }

// standard knows the topics of the formats' own worlds.
var standard = &router{standard: standardRules(), known: codecNames(nil)}

// standardRules are the topics under which gateways and brokers publish by themselves.
func standardRules() []*rule {
	var rules []*rule
	for _, r := range []Rule{
		{Filter: "+/+/teltonika/{vehicle}/data", Codec: Teltonika},
		{Filter: "/hfp/v2/journey/ongoing/vp/+/{vehicle}/{vehicle}/#", Codec: HFP},
		{Filter: "jt808/+/{vehicle}/up", Codec: JT808},
		{Filter: "flespi/message/gw/#", Codec: Flespi},
		{Filter: "v1/devices/me/telemetry", Codec: ThingsBoard},
		{Filter: "msh/+/2/json/+/+", Codec: "meshtastic"},
		{Filter: "spBv1.0/{vehicle}/NBIRTH/{vehicle}", Codec: Sparkplug},
		{Filter: "spBv1.0/{vehicle}/NDATA/{vehicle}", Codec: Sparkplug},
		{Filter: "spBv1.0/{vehicle}/NDEATH/{vehicle}", Codec: Sparkplug},
		{Filter: "spBv1.0/{vehicle}/DBIRTH/{vehicle}/{vehicle}", Codec: Sparkplug},
		{Filter: "spBv1.0/{vehicle}/DDATA/{vehicle}/{vehicle}", Codec: Sparkplug},
		{Filter: "spBv1.0/{vehicle}/DDEATH/{vehicle}/{vehicle}", Codec: Sparkplug},
	} {
		c, err := compileRule(r)
		if err != nil {
			panic("codec: " + err.Error())
		}
		rules = append(rules, c)
	}
	return rules
}

// route is what a topic says about its messages.
type route struct {
	tenant    telemetry.TenantID
	vehicle   telemetry.VehicleID // empty: the payload has to name it
	codec     Codec               // empty or Auto: the payload has to show it
	rule      string              // the filter that matched, "" for the topics of this gateway and for no match
	ownTracks bool                // objects have to say their _type
	silent    bool                // nothing published here holds a position
	foreign   bool                // nothing is known about the topic
}

// router reads topics. It is immutable.
type router struct {
	rules      []*rule // the user's
	standard   []*rule
	known      map[Codec]bool
	topicsOnly bool
}

func (rt *router) owner(topic string) (telemetry.TenantID, telemetry.VehicleID) {
	r, refusal := rt.route(topic)
	if refusal != nil || r.vehicle == "" {
		return "", ""
	}
	return r.tenant, r.vehicle
}

// route reads a topic. The ids of the route share its memory.
func (rt *router) route(topic string) (route, *telemetry.Refusal) {
	r, ok := rt.find(topic)
	if !ok {
		return route{}, refuseTopic(topic)
	}
	if r.tenant == "" && r.rule != "" || r.foreign {
		r.tenant = telemetry.DefaultTenant
	}
	if fault := idFault(string(r.tenant)); fault != "" {
		return route{}, telemetry.Refuse(telemetry.ReasonTopic, "tenant", "%s %s", quote(string(r.tenant)), fault)
	}
	if fault := idFault(string(r.vehicle)); fault != "" && !r.anonymous() {
		return route{}, telemetry.Refuse(telemetry.ReasonTopic, "vehicle", "%s %s", quote(string(r.vehicle)), fault)
	}
	return r, nil
}

// anonymous reports whether the topic leaves the vehicle to the payload.
func (r *route) anonymous() bool {
	return r.vehicle == "" && (r.foreign || r.rule != "" && !strings.Contains(r.rule, "{vehicle}"))
}

func refuseTopic(topic string) *telemetry.Refusal {
	return telemetry.Refuse(telemetry.ReasonTopic, "",
		"%s is neither fleet/{tenant}/{vehicle}/fix nor owntracks/{user}/{device}", quote(topic))
}

func (rt *router) find(topic string) (r route, ok bool) {
	if r, ok = firstMatch(rt.rules, topic); ok {
		return r, true
	}
	switch head, rest, _ := strings.Cut(topic, "/"); head {
	case "fleet":
		return rt.fleetRoute(rest)
	case "owntracks":
		return ownTracksRoute(rest)
	}
	if r, ok = firstMatch(rt.standard, topic); ok {
		return r, true
	}
	return route{foreign: true}, !rt.topicsOnly && !strings.HasPrefix(topic, "$") && topic != ""
}

func firstMatch(rules []*rule, topic string) (route, bool) {
	for _, rule := range rules {
		if r, ok := rule.match(topic); ok {
			return r, true
		}
	}
	return route{}, false
}

// fleetRoute reads {tenant}/{vehicle}/fix, and the name of a codec in place of fix.
func (rt *router) fleetRoute(rest string) (route, bool) {
	tenant, rest, _ := strings.Cut(rest, "/")
	vehicle, last, _ := strings.Cut(rest, "/")
	r := route{tenant: telemetry.TenantID(tenant), vehicle: telemetry.VehicleID(vehicle), codec: Native}
	if last != "fix" {
		r.codec = Codec(last)
	}
	return r, tenant != "" && vehicle != "" && (last == "fix" || rt.known[r.codec])
}

// idFault says what is wrong with an id that came from outside, "" when it is good.
func idFault(id string) string {
	switch {
	case isPlain(id):
		return ""
	case id == "":
		return "is empty"
	case len(id) > maxID:
		return "is longer than 128 bytes"
	case !utf8.ValidString(id):
		return "is not UTF-8"
	case strings.ContainsFunc(id, unicode.IsControl):
		return "holds a control character"
	case strings.ContainsAny(id, "+#"):
		return "holds a topic wildcard"
	}
	return ""
}

// isPlain reports whether an id is good at first sight: of printable ASCII and not too long.
func isPlain(id string) bool {
	if len(id) == 0 || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c < ' ' || c > '~' || c == '+' || c == '#' {
			return false
		}
	}
	return true
}
