package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/internal/mosquittotest"
)

// TestAnExternalBrokerKeepsWhatIsPublishedWhileTheGatewayIsDown reads a real mosquitto with a persistent
// session: what was published during an outage of the gateway leads to its alerts after it.
func TestAnExternalBrokerKeepsWhatIsPublishedWhileTheGatewayIsDown(t *testing.T) {
	t.Parallel()
	url := mosquittotest.Start(t)
	r := newRig(t, map[string]string{"mqtt.listen": "", "mqtt.url": url})
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	eventually(t, "the gateway is ready", func() bool {
		return r.metric(t, "outrider_mqtt_connected") == 1
	})

	begin := time.Now().Add(-2 * time.Minute)
	send := func(from, to int) {
		for i := from; i < to; i++ {
			mosquittotest.Pub(t, "-L", strings.Replace(url, "tcp://", "mqtt://", 1)+"/fleet/default/van/fix", "-q", "1", "-m",
				fmt.Sprintf(`{"t":%d,"lat":%.7f,"lon":11.5,"spd":10,"hdg":0}`, begin.Unix()+int64(i), 48.1+float64(10*i-300)/111_195))
		}
	}
	send(0, 10)
	eventually(t, "the first fixes are in", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) == 10 })
	r.stop(t)
	send(10, 50) // enters at 20 and leaves at 40
	r.start(t)
	send(50, 60)
	eventually(t, "both alerts have arrived", func() bool { return len(r.sandbox.Messages()) >= 2 })
	eventually(t, "everything is evaluated", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) == 50 })
	if got := r.sandbox.Messages(); len(got) != 2 {
		t.Errorf("got %d messages, want 2: %+v", len(got), got)
	}
}

// TestOrderIsRestoredBehindASharedSubscription has a real mosquitto deal the positions of one drive out among four connections.
// They overtake each other on the way, some fifty of the eighty; what the drive shows is told once, in its order.
func TestOrderIsRestoredBehindASharedSubscription(t *testing.T) {
	t.Parallel()
	url := mosquittotest.Start(t)
	r := newRig(t, map[string]string{"mqtt.listen": "", "mqtt.url": url, "mqtt.topics": "fleet/#", "mqtt.share": "gateways", "mqtt.connections": "4"})
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	eventually(t, "all connections are there", func() bool { return r.metric(t, "outrider_mqtt_connected") == 4 })

	begin := time.Now().Add(-90 * time.Second)
	drive := &strings.Builder{}
	for i := range 80 { // enters at 20 and leaves at 40
		fmt.Fprintf(drive, `{"t":%d,"lat":%.7f,"lon":11.5,"spd":10,"hdg":0}`+"\n", begin.Unix()+int64(i), 48.1+float64(10*i-300)/111_195)
	}
	file := filepath.Join(t.TempDir(), "drive")
	must(t, os.WriteFile(file, []byte(drive.String()), 0o600))
	mosquittotest.PubLines(t.Context(), t, file, "-L", strings.Replace(url, "tcp://", "mqtt://", 1)+"/fleet/default/van/fix", "-q", "1")
	eventually(t, "everything is evaluated", func() bool {
		return r.metric(t, `outrider_fixes_total{verdict="admitted"}`)+r.metric(t, `outrider_fixes_total{verdict="late"}`) == 80
	})
	eventually(t, "both alerts have arrived", func() bool { return len(r.sandbox.Messages()) >= 2 })
	got := r.sandbox.Messages()
	if len(got) != 2 || !strings.Contains(got[0].Text, "entered") || !strings.Contains(got[1].Text, "left") {
		t.Errorf("got %+v, want that the van entered, and that it left", got)
	}
}
