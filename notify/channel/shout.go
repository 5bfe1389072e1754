package channel

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"outrider/notify"
)

// service is one that shoutrrr serves and that is offered.
type service struct {
	hosted bool   // the URL names the server; else it is the vendor's
	title  string // parameter of the title; empty: it has none
}

// services lists what is offered. Not offered are generic and logger: webhooks are ours, since they must be signed and
// guarded.
func services() map[string]service {
	return map[string]service{
		"smtp": {true, "subject"}, "ntfy": {true, "title"}, "gotify": {true, "title"}, "bark": {true, "title"},
		"matrix": {true, ""}, "mattermost": {true, ""}, "rocketchat": {true, ""}, "zulip": {true, ""}, "signal": {true, ""},
		"lark": {true, "title"}, "teams": {true, "title"}, "opsgenie": {true, ""}, "pagerduty": {true, ""},
		"discord": {false, "title"}, "googlechat": {false, ""}, "ifttt": {false, ""}, "join": {false, "title"},
		"notifiarr": {false, ""}, "pushbullet": {false, "title"}, "pushover": {false, "title"}, "slack": {false, "title"},
		"telegram": {false, "title"}, "wecom": {false, ""},
	}
}

// stuckMost is how many sends may be under way, those that nobody waits for any more included.
const stuckMost = 256

// shout sends by shoutrrr, which knows no context: each send has a goroutine of its own, which is left behind when the
// deadline passes and ends when the library's own time-outs do.
type shout struct {
	guard  Guard
	client *http.Client
	stuck  chan struct{} // one element for each goroutine
}

// hosts are the servers that a URL names: as host, or as the parameter that some services read instead.
func hosts(u *url.URL) []string {
	var list []string
	for _, h := range []string{u.Host, u.Query().Get("host")} {
		if h != "" {
			list = append(list, h)
		}
	}
	return list
}

func (s *shout) send(ctx context.Context, u *url.URL, m notify.Message, title string) *notify.Error {
	known := services()[u.Scheme]
	if known.hosted {
		for _, h := range hosts(u) {
			if err := s.guard.host(ctx, h); err != nil {
				return &notify.Error{Reason: notify.ReasonChannel, Retry: !errors.Is(err, ErrPrivate), Text: u.Scheme + ": " + plain(err)}
			}
		}
	}
	select {
	case s.stuck <- struct{}{}:
	default:
		return &notify.Error{Reason: notify.ReasonChannel, Retry: true, Text: u.Scheme + ": too many sends hang"}
	}
	done := make(chan error, 1)
	go func() { // ends with the library's own time-outs
		defer func() { <-s.stuck }()
		target, err := s.service(u, known, title) // some services log in here
		if err == nil {
			err = target.Send(m.Text, &types.Params{})
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			return nil
		}
		return &notify.Error{Reason: notify.ReasonChannel, Retry: true, Text: u.Scheme + ": " + cut(err.Error(), u)}
	case <-ctx.Done():
		return &notify.Error{Reason: notify.ReasonAmbiguous, Text: u.Scheme + ": no answer in time"}
	}
}

// service makes the library's sender, with a title where the URL has none and the service shows one.
func (s *shout) service(u *url.URL, known service, title string) (types.Service, error) {
	with := *u
	if q := with.Query(); known.title != "" && title != "" && q.Get(known.title) == "" {
		q.Set(known.title, title)
		with.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	}
	r := &router.ServiceRouter{}
	target, err := r.Locate(with.String())
	if err != nil {
		return nil, err
	}
	if c, ok := target.(interface{ SetHTTPClient(*http.Client) }); ok {
		c.SetHTTPClient(s.client) // guarded
	}
	return target, nil
}
