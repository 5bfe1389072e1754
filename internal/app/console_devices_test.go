package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"outrider/internal/browsertest"
)

// Whoever connects a tracker makes its password on the vehicle's page, sees what it sends, and takes the password back.
func TestConsoleLetsATrackerIn(t *testing.T) {
	t.Parallel()
	r, p := consoleRig(t, 1280, 900)
	p.Go(r.url("/#/vehicles/van"))
	p.WaitText("section.sheet", "Tracker's access")
	p.Click(`.access button.make`)
	p.WaitText(".secret", "Shown once")
	user := browsertest.Eval[string](p, `document.querySelectorAll('.secret code')[0].textContent`)
	password := browsertest.Eval[string](p, `document.querySelectorAll('.secret code')[1].textContent`)

	c := signIn(t, "tcp://"+r.app.MQTTAddr().String(), user, password)
	if c == nil {
		t.Fatal("the password of the page does not let the tracker in")
	}
	publish(t, c, "fleet/default/van/fix", fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5,"spd":7.5}`, time.Now().Unix()))
	publish(t, c, "fleet/default/bus/fix", `{"t":1795700000,"lat":48.1,"lon":11.5}`)
	p.WaitText("section.sheet", "the topic is another vehicle's")
	p.WaitText("section.sheet", "native (by the topic")
	p.Shot("tracker")

	p.Click(`.access li button.danger`)
	p.WaitText(".access", "None.")
	eventually(t, "it is put out", func() bool { return !c.IsConnected() })
	if list := r.items(t, "vehicles/van/credentials"); len(list) != 0 {
		t.Errorf("still there: %v", list)
	}
	r.call(t, http.MethodGet, "inspect/bus", nil, http.StatusNotFound)
}
