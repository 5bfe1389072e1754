package codec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

const flespiFix = `{"ident":"352","timestamp":1767225600,"position.latitude":48.1,"position.longitude":11.5}`

func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rules, topic, want string }{
		{"plant/{vehicle}/up flespi", "plant/van-1/up", "= default van-1"},
		{"plant/{vehicle}/up flespi tenant=acme", "plant/van-1/up", "= acme van-1"},
		{"{tenant}/x/{vehicle} flespi", "acme/x/van-1", "= acme van-1"},
		{"{vehicle}/x/{vehicle} flespi", "a/x/b", "= default a/b"},
		{"plant/+/{vehicle}/# flespi", "plant/1/van-1/deep/er", "= default van-1"},
		{"plant/{vehicle}/# flespi", "plant/van-1", "= default van-1"},
		{"plant/# flespi", "plant/van-1", "= default 352"},
		{"plant/# auto", "plant/van-1", "= default 352"},
		{"# flespi", "any/thing", "= default 352"},
		{"fleet/{tenant}/{vehicle}/fix flespi", "fleet/acme/van-1/fix", "= acme van-1"},
		{"plant/a/# jt808\nplant/# flespi", "plant/b", "= default 352"},
		{"plant/# flespi; plant/b hfp", "plant/b", "= default 352"},
		{"plant/{vehicle} flespi", "plant/", "! topic vehicle"},
		{"plant/{vehicle} flespi", "plant/a+b", "! topic vehicle"},
		{"plant/{vehicle} flespi", "plant/a/b", "= default 352"}, // no rule: by the payload
		{"# flespi", "$SYS/broker", "! topic"},
		{"$SYS/# flespi", "$SYS/broker", "= default 352"},
	} {
		rules, err := codec.ParseRules(c.rules)
		if err != nil {
			t.Errorf("%s: %v", c.rules, err)
			continue
		}
		d := codec.New(codec.Options{Topics: rules})
		got := strings.Join(describe(d.Decode(nil, telemetry.Message{Topic: c.topic, Payload: []byte(flespiFix)})), "\n")
		if !strings.HasPrefix(got+" ", c.want+" ") && !strings.HasPrefix(got, c.want+":") {
			t.Errorf("%s, %s: %s, want %s", c.rules, c.topic, got, c.want)
		}
	}
}

func TestRulesThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plant/{vehicle}":                      `rule 1: "plant/{vehicle}" is a filter without a codec`,
		"a flespi\n\n b/{car} flespi":          `rule 2: filter "b/{car}": the level "{car}" is none of`,
		"a/#/b flespi":                         `the level "#"`,
		"a/b+ flespi":                          `the level "b+"`,
		"a flespi vehicle=7":                   `"vehicle=7" is not known`,
		"a flespi tenant=a+b":                  `tenant "a+b" holds a topic wildcard`,
		"a flespi tenant=" + "x\x01":           `control character`,
		"a flespi; b flespi; c flespi bad=one": "rule 3",
	} {
		if _, err := codec.ParseRules(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	o := codec.Options{Topics: []codec.Rule{{Filter: "a", Codec: "telex"}}}
	if err := o.Validate(); err == nil || !strings.Contains(err.Error(), `codec "telex" is not known`) {
		t.Errorf("%v", err)
	}
	if err := (codec.Options{Topics: []codec.Rule{{}}}).Validate(); err == nil {
		t.Error("an empty filter is taken")
	}
}

func TestTopicsOnly(t *testing.T) {
	t.Parallel()
	d := codec.New(codec.Options{TopicsOnly: true})
	m := telemetry.Message{Topic: "some/where", Payload: []byte(flespiFix)}
	if fixes, err := d.Decode(nil, m); len(fixes) != 0 || !hasReason(err, telemetry.ReasonTopic) {
		t.Errorf("%v %v", fixes, err)
	}
}

// Every filter that is subscribed to by default leads to a codec, and no two are the same.
func TestTopicsAreWellFormed(t *testing.T) {
	t.Parallel()
	topics := codec.Topics()
	for _, want := range []string{"fleet/+/+/fix", "owntracks/+/+", "+/+/teltonika/+/data", "jt808/+/+/up", "fleet/+/+/auto", "fleet/+/+/particle"} {
		if !slices.Contains(topics, want) {
			t.Errorf("%s is missing in %v", want, topics)
		}
	}
	slices.Sort(topics)
	if len(slices.Compact(slices.Clone(topics))) != len(topics) || strings.ContainsAny(strings.Join(topics, ""), "{}") {
		t.Errorf("%v", topics)
	}
	d := codec.New(codec.Options{Topics: []codec.Rule{{Filter: "plant/{vehicle}", Codec: codec.Auto}}})
	if got := d.Topics(); got[0] != "plant/+" || len(got) != len(topics)+1 {
		t.Errorf("%v", got)
	}
	if tenant, vehicle := d.TopicOwner("plant/van-1"); tenant != "default" || vehicle != "van-1" {
		t.Errorf("%q %q", tenant, vehicle)
	}
}

func TestTopicOwnerOfOtherWorlds(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, topic := range []string{
		"jt808/c/0139/up", "realm/c/teltonika/356/data", "/hfp/v2/journey/ongoing/vp/bus/0012/01234/x", "fleet/acme/van/flespi",
		"fleet/acme/van/telex", "flespi/message/gw/devices/1", "some/where",
	} {
		tenant, vehicle := codec.TopicOwner(topic)
		got[topic] = string(tenant) + " " + string(vehicle)
	}
	want := map[string]string{
		"jt808/c/0139/up": "default 0139", "realm/c/teltonika/356/data": "default 356",
		"/hfp/v2/journey/ongoing/vp/bus/0012/01234/x": "default 0012/01234", "fleet/acme/van/flespi": "acme van",
		"fleet/acme/van/telex": " ", "flespi/message/gw/devices/1": " ", "some/where": " ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add("plant/{vehicle}/up teltonika tenant=acme; bus/+/{vehicle} auto", "plant/a/up")
	f.Add("# flespi", "$SYS")
	f.Fuzz(func(t *testing.T, text, topic string) {
		rules, err := codec.ParseRules(text)
		if o := (codec.Options{Topics: rules}); err == nil && o.Validate() == nil {
			if tenant, vehicle := codec.New(o).TopicOwner(topic); (tenant == "") != (vehicle == "") {
				t.Fatalf("%q names %q %q", topic, tenant, vehicle)
			}
		}
	})
}

func ExampleParseRules() {
	rules, err := codec.ParseRules("plant/{vehicle}/up teltonika tenant=acme; bus/+/{vehicle} auto")
	fmt.Println(err)
	decoder := codec.New(codec.Options{Topics: rules})
	fmt.Println(decoder.TopicOwner("plant/van-7/up"))
	fmt.Println(decoder.Topics()[:2])
	// Output:
	// <nil>
	// acme van-7
	// [plant/+/up bus/+/+]
}
