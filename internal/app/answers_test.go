package app_test

import (
	"flag"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	// A figure worth writing down takes longer than a test should.
	answersFor = flag.Duration("answers", 2*time.Second, "how long people write in TestFiftyQuestionsASecond")
	// Each drive enters and leaves all of them: 28 alerts to one person.
	fencesAround = flag.Int("around", 14, "how many fences the vehicles of TestFiftyQuestionsASecond cross")
)

const (
	questionsASecond = 50
	askers           = 160 // each may say twenty things a minute
	drivers          = 20  // vehicles whose crossings are told meanwhile
)

// Fifty people a second ask where their vehicle is, while vehicles cross fences and their owners are told. Everybody gets
// every answer once; how long it takes from the tap on "send" until Meta has the answer is reported. Run
//
//	go test ./internal/app -run FiftyQuestions -v -count=1 -args -answers=1m
//
// for a figure.
func TestFiftyQuestionsASecond(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"chat.mode": "builtin"})
	for i := range *fencesAround {
		r.circle(t, fmt.Sprintf("depot%d", i), 11.5755, 48.1374)
	}
	for i := range askers {
		r.own(t, fmt.Sprintf("van%d", i), fmt.Sprintf("owner%d", i), fmt.Sprint(7000+i))
	}
	var driving sync.WaitGroup
	for i := range drivers {
		c := r.connect(t, fmt.Sprintf("tracker%d", i))
		driving.Go(func() { driveThrough(t, c, fmt.Sprintf("fleet/default/van%d/fix", i), 11.5755, 48.1374) })
	}
	asked := map[string][]time.Time{}
	n := int(answersFor.Seconds() * questionsASecond)
	began := time.Now()
	for i := range n {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / questionsASecond))) // the load itself
		psid := fmt.Sprint(7000 + i%askers)
		asked[psid] = append(asked[psid], time.Now())
		r.talk(t, psid, "where is my car?")
	}
	driving.Wait()
	var took []time.Duration
	eventually(t, "every question is answered", func() bool {
		took = took[:0]
		for psid, times := range asked {
			k := 0
			for _, m := range r.sandbox.Thread(page, psid) {
				if m.Type == "RESPONSE" && k < len(times) {
					took = append(took, m.Arrived.Sub(times[k]))
					k++
				}
			}
		}
		return len(took) == n
	})
	alerts := 0
	for psid, times := range asked {
		answers := 0
		for _, m := range r.sandbox.Thread(page, psid) {
			if m.Type == "RESPONSE" {
				answers++
			} else {
				alerts++
			}
		}
		if answers != len(times) {
			t.Errorf("%s asked %d times and got %d answers", psid, len(times), answers)
		}
	}
	slices.Sort(took)
	at := func(p float64) time.Duration {
		return took[min(len(took)-1, int(p*float64(len(took))))].Round(100 * time.Microsecond)
	}
	t.Logf("%d questions in %s beside %d alerts: p50 %s, p90 %s, p99 %s, worst %s", n, time.Since(began).Round(time.Second), alerts, at(.5), at(.9), at(.99), at(1))
	if alerts == 0 {
		t.Error("no alert went out meanwhile: nothing was measured against")
	}
	r.call(t, http.MethodGet, "deliveries?limit=1", nil, http.StatusOK)
}
