package messenger_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrider/notify"
	sandbox "outrider/simulator/graph"
)

// Every row of Meta's errors, from Graph's answer over the wire to what becomes of the delivery. Columns: code and
// subcode; "page" when the whole page waits, "one" when this person or message alone does; state and reason at once;
// when to look again, and what the delivery is then. Both pages and people recover after the one error.
const faults = `
-1              one  pending temporary       3s    sent window
1               one  pending temporary       3s    sent window
1/99            one  pending temporary       3s    sent window
2               one  failed temporary        1h    failed temporary
2t              one  pending temporary       3s    sent window
1200            one  pending temporary       3s    sent window
1/1357046       one  settling ambiguous      3m    unknown ambiguous
3               page held permission         31m   sent window
4               page pending throttled       5s    sent window
17              page pending throttled       5s    sent window
32              page pending throttled       5s    sent window
341             page pending throttled       5s    sent window
613             page pending throttled       5s    sent window
613/2534040     page pending throttled       5s    sent window
80006           page pending throttled       5s    sent window
4/2018022       one  failed bad_request      1h    failed bad_request
9/2018352       one  failed bad_request      1h    failed bad_request
613/1893016     one  failed bad_request      1h    failed bad_request
4/2018354       one  failed bad_request      1h    failed bad_request
613/2018338     one  held throttled          5h    held throttled
613/2018338     one  held throttled          7h    sent window
10/2018278      one  sent utility            1h    sent utility
10/2534022      one  sent utility            1h    sent utility
10/2018065      one  sent utility            1h    sent utility
10/2018108      one  held unreachable        61m   sent window
10/1893015      one  held unreachable        61m   sent window
10/1893063      page held policy             29m   held policy
10/1893063      page held policy             31m   sent window
10/1404170      page held permission         31m   sent window
10              page held permission         31m   sent window
100/2018001     one  held no_such_person     61m   sent window
100/1893029     one  held template_shape     2h    sent window
100             one  failed bad_request      1h    failed bad_request
100t            one  pending temporary       3s    sent window
100/2018047     one  sent window             1h    sent window
100/2018008     one  sent window             1h    sent window
100/2018074     one  sent window             1h    sent window
100/2018109     one  sent window             1h    sent window
100/2018294     one  sent window             1h    sent window
100/33          page held permission         31m   sent window
190             page held token_invalid      31m   sent window
190/458         page held token_invalid      31m   sent window
190/459         page held token_invalid      31m   sent window
190/460         page held token_invalid      31m   sent window
190/463         page held token_invalid      31m   sent window
190/464         page held token_invalid      31m   sent window
190/467         page held token_invalid      31m   sent window
190/492         page held token_invalid      31m   sent window
200             page held permission         31m   sent window
200/2018028     page held permission         31m   sent window
200/2018027     page held permission         31m   sent window
200/1545041     one  held unreachable        61m   sent window
551             one  held unreachable        61m   sent window
551/1545041     one  held unreachable        61m   sent window
551/1893047     one  held unreachable        61m   sent window
230             one  held unreachable        20h   held unreachable
368             page held policy             119m  held policy
368             page held policy             121m  sent window
2022            page held policy             121m  sent window
10303           one  failed bad_request      1h    failed bad_request
2018300         one  held unreachable        16m   sent window
10/2018300      one  held unreachable        16m   sent window
2018321         one  held unreachable        16m   sent window
100/2534037     one  held unreachable        16m   sent window
506             one  failed bad_request      1h    failed bad_request
10900           one  failed bad_request      1h    failed bad_request
10903           one  failed bad_request      1h    failed bad_request
9000001         one  failed bad_request      1h    failed bad_request
`

func TestEveryFaultOverTheWire(t *testing.T) {
	t.Parallel()
	for i, line := range strings.Split(strings.TrimSpace(faults), "\n") {
		f := strings.Fields(line)
		t.Run(fmt.Sprint(i, " ", f[0]), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { oneFault(t, f) })
		})
	}
}

func oneFault(t *testing.T, f []string) {
	w := newWhole(t, sandbox.Options{})
	w.person("7001")
	w.person("7002")
	pass(10 * time.Second) // templates are there
	for _, psid := range []string{"7001", "7002"} {
		if _, err := w.meta.Say("111", psid, "hello"); err != nil {
			t.Fatal(err)
		}
	}
	pass(time.Second)
	e := &sandbox.Error{Status: 400, Type: "OAuthException", Message: "(#" + f[0] + ") refused"}
	code := f[0]
	if strings.HasSuffix(code, "t") {
		e.Transient, code = true, strings.TrimSuffix(code, "t")
	}
	if n, err := fmt.Sscanf(code, "%d/%d", &e.Code, &e.Subcode); n == 0 {
		t.Fatal(err)
	}
	w.meta.FailNext("111", "7001", 1, e)
	first := w.alert(1, "7001")
	synctest.Wait()
	check := func(state, what string) {
		t.Helper()
		d := w.outbox.Delivery(first)
		if got := string(d.Reason); d.State == notify.Sent {
			got = string(d.Route)
			if string(d.State) != state || got != what {
				t.Errorf("%s %s, want %s %s", d.State, got, state, what)
			}
		} else if string(d.State) != state || got != what {
			t.Errorf("%s %s (%s), want %s %s", d.State, got, d.Detail, state, what)
		}
	}
	check(f[2], f[3])
	other := w.alert(2, "7002")
	synctest.Wait()
	if d := w.outbox.Delivery(other); (d.State == notify.Sent) != (f[1] == "one") {
		t.Errorf("another person's: %s %s, and the error concerns the %s", d.State, d.Reason, f[1])
	}
	later, err := time.ParseDuration(f[4])
	if err != nil {
		t.Fatal(err)
	}
	pass(later)
	check(f[5], f[6])
	if n := len(w.meta.Refusals()); n != 1 {
		t.Errorf("%d refused requests for one error", n)
	}
	told := 0
	for _, m := range w.meta.Messages() {
		if m.Metadata == first {
			told++
		}
	}
	if want := f[5] == "sent"; told > 1 || (told == 1) != want {
		t.Errorf("told %d times", told)
	}
	if trace := w.outbox.Trace(first); len(trace) == 0 || trace[0].Code != e.Code || trace[0].Subcode != e.Subcode ||
		!strings.Contains(trace[0].Request, first) || !strings.Contains(trace[0].Response, "refused") {
		t.Errorf("trace %+v", trace)
	}
}
