package app_test

import (
	"fmt"
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
