package codec_test

import (
	"slices"
	"testing"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

func TestCommandTopics(t *testing.T) {
	t.Parallel()
	for topic, want := range map[string][2]string{
		"fleet/acme/van/cmd":      {"acme", "van"},
		"owntracks/ann/phone/cmd": {"default", "ann/phone"},
		"fleet/acme/van/fix":      {},
		"fleet/acme/van/x/cmd":    {},
		"fleet//van/cmd":          {},
		"fleet/acme/+/cmd":        {},
		"fleet/acme/cmd":          {},
		"else/acme/van/cmd":       {},
		"":                        {},
	} {
		tenant, device := codec.CommandOwner(topic)
		if got := [2]string{string(tenant), string(device)}; got != want {
			t.Errorf("%s: %q, want %q", topic, got, want)
		}
		if device != "" && !slices.Equal(codec.CommandTopics(tenant, device), []string{topic}) {
			t.Errorf("%s: commands go to %q", topic, codec.CommandTopics(tenant, device))
		}
	}
	if got := codec.CommandTopics("acme", telemetry.VehicleID("ann/phone")); len(got) != 0 {
		t.Errorf("a device without a topic hears %q", got)
	}
}
