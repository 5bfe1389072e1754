package messenger

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"outrider/internal/graph"
	"outrider/notify"
)

// verdicts holds what each answer of Graph's means: code/subcode, what else matters of it, "=>" the reason, and what
// follows: retry, page (the whole page is concerned), a time to wait.
//
//	route:R  the message went by that route     type:T  Graph's type
//	yes, no  is_transient                       http:N  status
const verdicts = `
# Meta's own trouble
-1                        => temporary retry
1                         => temporary retry
1/99                      => temporary retry
2                         => temporary retry
1200                      => temporary retry
2/2018344 no              => temporary
1/1357046                 => ambiguous
1/1357046 yes             => ambiguous

# limits
4                         => throttled retry page
17                        => throttled retry page
32                        => throttled retry page
341                       => throttled retry page
613                       => throttled retry page
613/2534040               => throttled retry page
613 no                    => throttled retry page
80006                     => throttled retry page
613/2018338               => throttled 6h
613/1893016               => bad_request
9/2018352                 => bad_request
4/2018354                 => bad_request
4/2018022                 => bad_request
0 http:429                => throttled retry page
77777 http:429            => throttled retry page

# window
10/2018278                => window_closed
10/2534022                => window_closed
10/2018065                => window_closed

# person
10/2018108                => unreachable
10/1893015                => unreachable
551                       => unreachable
551/1545041               => unreachable
551/1893047               => unreachable
551/1893047 no            => unreachable
551/1893047 yes           => temporary retry
200/1545041               => unreachable
230                       => unreachable 168h
100/2018001               => no_such_person
100/2018001 route:tag     => no_such_person
100/2018001 route:utility => no_such_person

# another app has the conversation
2018300                   => unreachable 15m
10/2018300                => unreachable 15m
2018321                   => unreachable 15m
100/2018321               => unreachable 15m
100/2534037               => unreachable 15m

# page, app, set-up
10/1893063                => policy page
368                       => policy page 2h
2022                      => policy page 2h
3                         => permission page
10                        => permission page
10/1404170                => permission page
200                       => permission page
200/2018028               => permission page
100/2018027               => permission page
100/2018028               => permission page
100/33                    => permission page
100 type:GraphMethodException => permission page
100/33 route:utility      => permission page
101                       => permission page
12                        => permission page
2500                      => permission page
2635                      => permission page

# token
190                       => token_invalid page
190/458                   => token_invalid page
190/460                   => token_invalid page
190/463                   => token_invalid page
102                       => token_invalid page
104                       => token_invalid page

# message
100                       => bad_request
100 route:tag             => tag_dead
100/2534084 route:tag     => tag_dead
100 route:utility         => template_shape
100/1893029 route:utility => template_shape
100/2018047               => attachment
100/2018008               => attachment
100/2018074               => attachment
100/2018109               => attachment
100/2018294               => attachment
100/4711                  => bad_request
100/4711 route:utility    => bad_request
506                       => bad_request
10900                     => bad_request
10903                     => bad_request
10303                     => bad_request
9000001                   => bad_request

# nothing known
77777                     => bad_request
77777 yes                 => temporary retry
77777 http:500            => temporary retry
0 http:404                => bad_request
`

func TestEveryVerdict(t *testing.T) {
	t.Parallel()
	table := actionTable()
	hit := make([]bool, len(table))
	for line := range strings.Lines(verdicts) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		condition, want, _ := strings.Cut(line, "=>")
		route, e := answer(t, strings.Fields(condition))
		if got := actionText(actionFor(route, e)); got != strings.TrimSpace(want) {
			t.Errorf("%s got %q", line, got)
		}
		for i, r := range table {
			if r.fits(route, e) {
				hit[i] = true
				break
			}
		}
	}
	for i, ok := range hit {
		if !ok {
			t.Errorf("no verdict above comes from row %d, %d/%d %s: a row before it takes all", i, table[i].code, table[i].subcode, table[i].reason)
		}
	}
}

// answer builds the error that the words describe.
func answer(t *testing.T, words []string) (notify.Route, *graph.Error) {
	t.Helper()
	route, e := notify.RouteWindow, &graph.Error{Status: 400}
	code, subcode, _ := strings.Cut(words[0], "/")
	var err error
	if e.Code, err = strconv.Atoi(code); err != nil {
		t.Fatal(err)
	}
	e.Subcode, _ = strconv.Atoi(subcode)
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, ":")
		switch key {
		case "route":
			route = notify.Route(value)
		case "type":
			e.Type = value
		case "http":
			e.Status, _ = strconv.Atoi(value)
		case "yes", "no":
			transient := key == "yes"
			e.Transient = &transient
		default:
			t.Fatalf("unknown word %q", w)
		}
	}
	return route, e
}

func actionText(a action) string {
	text := string(a.reason)
	if a.retry {
		text += " retry"
	}
	if a.page {
		text += " page"
	}
	if a.after > 0 {
		text += " " + strings.TrimSuffix(strings.TrimSuffix(a.after.String(), "0s"), "0m")
	}
	return text
}

func TestRequestsWithoutAnswer(t *testing.T) {
	t.Parallel()
	if got := actionText(actionFor(notify.RouteWindow, &graph.Error{NotSent: true})); got != "network retry page" {
		t.Errorf("not sent: %s", got)
	}
	if got := actionText(actionFor(notify.RouteWindow, &graph.Error{Ambiguous: true, Status: 502})); got != "ambiguous" {
		t.Errorf("lost: %s", got)
	}
}

func TestMeaningKeepsWhatOperatorsNeed(t *testing.T) {
	t.Parallel()
	e := meaning(notify.RouteWindow, &graph.Error{Status: 400, Code: 80006, Message: "too fast", TraceID: "Atr", After: 3 * time.Minute})
	if e.Reason != notify.ReasonThrottled || e.After != 3*time.Minute || e.Code != 80006 || e.Text != "too fast (trace Atr)" {
		t.Errorf("%+v", e)
	}
	if e := meaning(notify.RouteWindow, &graph.Error{Code: 551, After: time.Hour}); e.After != 0 {
		t.Errorf("a person who is away does not wait for the page's limits: %+v", e)
	}
	if e := meaning(notify.RouteWindow, fmt.Errorf("who knows")); e.Reason != notify.ReasonAmbiguous {
		t.Errorf("an error of unknown making: %+v", e)
	}
}
