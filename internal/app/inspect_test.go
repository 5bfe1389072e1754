package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Whoever connects a tracker sees what it sends, how it was understood, and what is wrong with it.
func TestADeviceIsInspected(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.connect(t, "van")
	good := fmt.Sprintf(`{"t":%d,"lat":48.1,"lon":11.5,"spd":7.5}`, time.Now().Unix())
	publish(t, c, "fleet/default/van/fix", good)
	publish(t, c, "fleet/default/van/fix", good)
	publish(t, c, "fleet/default/van/fix", fmt.Sprintf(`[{"t":%d,"lat":48.1,"lon":11.5},{"t":4102444800,"lat":48.1,"lon":11.5}]`, time.Now().Unix()-60))
	publish(t, c, "fleet/default/van/fix", `{"t":1795700000,"lat":91,"lon":11.5}`)
	publish(t, c, "fleet/other/van/fix", good)
	for range 30 {
		publish(t, c, "fleet/default/chatty/fix", strings.Repeat("x", 5000))
	}

	var seen map[string]any
	eventually(t, "the gate has judged all", func() bool {
		seen = r.call(t, http.MethodGet, "inspect/van", nil, http.StatusOK)
		return seen["verdicts"].(map[string]any)["implausible"] == 1.0
	})
	items := seen["items"].([]any)
	verdicts := map[string]any{"admitted": 1.0, "duplicate": 1.0, "late": 1.0, "implausible": 1.0}
	if diff := cmp.Diff(verdicts, seen["verdicts"]); len(items) != 4 || diff != "" {
		t.Fatalf("%v%s", seen, diff)
	}
	rulings := []string{"<nil>", "[map[verdict:late] map[reason:future verdict:implausible]]", "[map[reason:duplicate verdict:duplicate]]", "[map[verdict:admitted]]"}
	for i, want := range rulings {
		if got := fmt.Sprint(items[i].(map[string]any)["gate"]); got != want {
			t.Errorf("message %d, newest first: the gate said %s, want %s", i, got, want)
		}
	}
	doubts := seen["doubts"].([]any)
	if len(doubts) != 2 {
		t.Fatalf("doubts: %v", doubts)
	}
	if d := doubts[1].(map[string]any); d["reason"] != "future" || d["count"] != 1.0 || !strings.Contains(d["detail"].(string), "device time 2100-01-01") {
		t.Errorf("of the clock that is ahead: %v", d)
	}
	newest, oldest := items[0].(map[string]any), items[3].(map[string]any)
	refused := newest["refused"].([]any)[0].(map[string]any)
	if refused["field"] != "lat" || refused["reason"] != "range" || newest["fixes"] != nil {
		t.Errorf("the refused one: %v", newest)
	}
	if oldest["payload"] != good || oldest["topic"] != "fleet/default/van/fix" || oldest["fixes"].([]any)[0].(map[string]any)["spd"] != 7.5 {
		t.Errorf("the good one: %v", oldest)
	}
	chatty := r.call(t, http.MethodGet, "inspect/chatty", nil, http.StatusOK)["items"].([]any)
	if len(chatty) != 12 || len(chatty[0].(map[string]any)["payload"].(string)) != 2048 || chatty[0].(map[string]any)["size"] != 5000.0 {
		t.Errorf("of a chatty device %d messages are kept: %v", len(chatty), chatty[0])
	}
	r.call(t, http.MethodGet, "inspect/nobody", nil, http.StatusNotFound)
}

// What the gate admits and the engine does not believe has its reason, too.
func TestAPositionThatIsNotBelievedHasItsReason(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	now := time.Now().Unix()
	publish(t, r.connect(t, "van"), "fleet/default/van/fix",
		fmt.Sprintf(`[{"t":%d,"lat":48.1,"lon":11.5,"acc":5},{"t":%d,"lat":49.1,"lon":11.5,"acc":5},{"t":%d,"lat":48.1,"lon":11.5,"acc":900}]`, now-20, now-10, now))

	var seen map[string]any
	eventually(t, "all are judged", func() bool {
		seen = r.call(t, http.MethodGet, "inspect/van", nil, http.StatusOK)
		return seen["verdicts"].(map[string]any)["admitted"] == 3.0
	})
	want := "[map[verdict:admitted] map[reason:jump verdict:admitted] map[reason:inaccurate verdict:admitted]]"
	if got := fmt.Sprint(seen["items"].([]any)[0].(map[string]any)["gate"]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	doubts := fmt.Sprint(seen["doubts"])
	for _, detail := range []string{"jump: no vehicle gets there in the time", "inaccurate: it says it may be off by 900 m"} {
		if !strings.Contains(doubts, detail) {
			t.Errorf("%q is missing: %s", detail, doubts)
		}
	}
	for _, reason := range []string{"jump", "inaccurate"} {
		if n := r.metric(t, `outrider_doubted_fixes_total{reason="`+reason+`"}`); n != 1 {
			t.Errorf("%s was counted %g times", reason, n)
		}
	}
}
