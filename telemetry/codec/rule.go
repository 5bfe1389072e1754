package codec

import (
	"fmt"
	"strings"

	"outrider/telemetry"
)

// Rule says for topics that match a filter which codec reads them and where the ids stand.
type Rule struct {
	// Filter is an MQTT topic filter in which the levels that hold the ids have a name in braces instead of +:
	//
	//	plant/{tenant}/+/{vehicle}/data
	//	/hfp/v2/journey/ongoing/vp/+/{vehicle}/{vehicle}/#
	//
	// Several levels of one name are joined by a slash. A filter that names no vehicle leaves it to the payload.
	Filter string
	// Codec names the format; empty or Auto: it is recognised by the payload.
	Codec Codec
	// Tenant is the tenant where the filter names none. Empty: the default tenant.
	Tenant telemetry.TenantID
}

// ParseRules reads rules as one text, as in a setting: rules are separated by line ends or semicolons, and each is a
// filter, a codec, and perhaps tenant=…, separated by white space:
//
//	plant/{vehicle}/up teltonika tenant=acme; bus/+/{vehicle} auto
//
// Errors name the rule by number, counted from 1.
func ParseRules(text string) ([]Rule, error) {
	var rules []Rule
	for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == '\n' || c == ';' }) {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		r, err := parseRule(words)
		if err != nil {
			return nil, fmt.Errorf("codec: rule %d: %w", len(rules)+1, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(words []string) (Rule, error) {
	if len(words) < 2 {
		return Rule{}, fmt.Errorf("%s is a filter without a codec, expected such as plant/{vehicle}/up teltonika", quote(words[0]))
	}
	r := Rule{Filter: words[0], Codec: Codec(words[1])}
	for _, word := range words[2:] {
		id, ok := strings.CutPrefix(word, "tenant=")
		if !ok {
			return Rule{}, fmt.Errorf("%s is not known, expected tenant=…", quote(word))
		}
		r.Tenant = telemetry.TenantID(id)
	}
	_, err := compileRule(r)
	return r, err
}

// rule is a Rule made ready for matching.
type rule struct {
	Rule
	levels []level
	names  bool // a level holds the vehicle
}

// level is one level of a filter.
type level struct {
	kind levelKind
	text string // of literalLevel
}

type levelKind byte

const (
	literalLevel levelKind = iota
	anyLevel
	tenantLevel
	vehicleLevel
	restLevel
)

func compileRule(r Rule) (*rule, error) {
	c := &rule{Rule: r}
	texts := strings.Split(r.Filter, "/")
	for i, text := range texts {
		l := level{kind: literalLevel, text: text}
		switch {
		case text == "+":
			l.kind = anyLevel
		case text == "#" && i == len(texts)-1:
			l.kind = restLevel
		case text == "{tenant}":
			l.kind = tenantLevel
		case text == "{vehicle}":
			l.kind, c.names = vehicleLevel, true
		case strings.ContainsAny(text, "+#{}"):
			return nil, fmt.Errorf("filter %s: the level %s is none of a text, +, {tenant}, {vehicle}, and # at the end", quote(r.Filter), quote(text))
		}
		c.levels = append(c.levels, l)
	}
	if r.Filter == "" {
		return nil, fmt.Errorf("the filter is empty")
	}
	if fault := idFault(string(r.Tenant)); r.Tenant != "" && fault != "" {
		return nil, fmt.Errorf("tenant %s %s", quote(string(r.Tenant)), fault)
	}
	return c, nil
}

// subscription is the filter as a broker understands it.
func (r *rule) subscription() string {
	return strings.NewReplacer("{tenant}", "+", "{vehicle}", "+").Replace(r.Filter)
}

// match reads a topic by the rule. The ids share the topic's memory unless one is joined of several levels.
func (r *rule) match(topic string) (at route, ok bool) {
	if strings.HasPrefix(topic, "$") && r.levels[0].kind != literalLevel {
		return at, false // as in MQTT: a wildcard is not meant for what the broker says
	}
	rest, more := topic, true
	for _, l := range r.levels {
		if l.kind == restLevel {
			more = false
			break
		}
		if !more {
			return at, false
		}
		var text string
		text, rest, more = strings.Cut(rest, "/")
		switch l.kind {
		case literalLevel:
			if text != l.text {
				return at, false
			}
		case tenantLevel:
			at.tenant = telemetry.TenantID(joinLevels(string(at.tenant), text))
		case vehicleLevel:
			at.vehicle = telemetry.VehicleID(joinLevels(string(at.vehicle), text))
		}
	}
	if more {
		return at, false
	}
	at.codec, at.rule = r.Codec, r.Filter
	if r.Tenant != "" {
		at.tenant = r.Tenant
	}
	return at, true
}

func joinLevels(before, text string) string {
	if before == "" {
		return text
	}
	return before + "/" + text
}
