package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"outrider/simulator/graph"
)

// graphFlags are the flags of simulator graph.
type graphFlags struct {
	options graph.Options
	listen  string
	pages   []string
	people  []string
	users   []string
	gateway string
}

func runGraph(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	f, err := parseGraph(args, out)
	if err != nil {
		return err
	}
	sandbox := graph.New(f.options)
	defer sandbox.Close()
	if err := f.fill(sandbox); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen: %w; choose another address with --listen", err)
	}
	fmt.Fprintf(out, "Graph API sandbox on http://%s, version %s, app %s\n", listener.Addr(), f.options.Version, sandbox.AppID())
	fmt.Fprintf(out, "people remove the app and ask for their data to be deleted on http://%s/settings/apps\n", listener.Addr())
	fmt.Fprintf(out, "people act on http://%s/phone, or by lines such as: say 500 7001 where is my van?\n", listener.Addr())
	return sandbox.Serve(ctx, listener, in, out)
}

func parseGraph(args []string, out io.Writer) (*graphFlags, error) {
	f := &graphFlags{}
	o := &f.options
	set := flag.NewFlagSet("simulator graph", flag.ContinueOnError)
	set.SetOutput(out)
	set.StringVar(&f.listen, "listen", "127.0.0.1:8090", "`address` to answer on")
	set.StringVar(&o.Version, "version", "v26.0", "the only API `version` served")
	set.StringVar(&o.AppID, "app-id", "1000", "`id` of the app")
	set.StringVar(&o.AppSecret, "app-secret", "sandbox-secret", "`secret` of the app; a play secret, never a real one")
	set.StringVar(&o.VerifyToken, "verify-token", "sandbox-verify", "`token` of the webhook's handshake")
	set.StringVar(&o.WebhookURL, "webhook", "http://127.0.0.1:8080/webhook/messenger", "`URL` that gets the webhooks")
	set.DurationVar(&o.ApproveAfter, "approve-after", 3*time.Second, "how long templates stay pending")
	set.Uint64Var(&o.Seed, "seed", 1, "`number` that decides the faults")
	set.Float64Var(&o.Faults.LostAnswer, "lost-answers", 0, "`share` of accepted messages whose answer is lost")
	set.Float64Var(&o.Faults.Unavailable, "unavailable", 0, "`share` of messages refused with 551")
	set.Float64Var(&o.Faults.Duplicate, "duplicates", 0, "`share` of webhooks sent twice")
	set.Float64Var(&o.Faults.Reorder, "reordered", 0, "`share` of webhooks overtaken by the next one of the same conversation")
	set.Float64Var(&o.Faults.Seconds, "seconds", 0, "`share` of webhooks whose times are in seconds")
	set.Float64Var(&o.Faults.NumericIDs, "numeric-ids", 0, "`share` of webhooks whose ids are numbers")
	set.Float64Var(&o.Faults.LostEcho, "lost-echoes", 0, "`share` of echoes that never come")
	set.DurationVar(&o.Faults.Latency, "latency", 0, "before every answer")
	set.Func("page", "a page as `id:name:token`; may be repeated", appendTo(&f.pages))
	set.StringVar(&f.gateway, "gateway", "http://127.0.0.1:8080", "`address` of the gateway, for its callbacks")
	set.Func("user", "somebody who can log in, as `asid:name:page,page` of those they manage; may be repeated", appendTo(&f.users))
	set.Func("person", "a person as `page:psid:name`; may be repeated", appendTo(&f.people))
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	return f, nil
}

func appendTo(list *[]string) func(string) error {
	return func(s string) error {
		if strings.Count(s, ":") < 2 {
			return fmt.Errorf("want three parts with colons between, got %q", s)
		}
		*list = append(*list, s)
		return nil
	}
}

// fill adds pages and people; without any flags one of each.
func (f *graphFlags) fill(s *graph.Sandbox) error {
	if len(f.pages) == 0 {
		f.pages = []string{"500:Fleet:page-token"}
	}
	if len(f.people) == 0 {
		id, _, _ := strings.Cut(f.pages[0], ":")
		f.people = []string{id + ":7001:Ann"}
	}
	if len(f.users) == 0 {
		id, _, _ := strings.Cut(f.pages[0], ":")
		f.users = []string{"4200:Ann:", "4300:Mia, who manages the page:" + id}
	}
	for _, user := range f.users {
		u := strings.SplitN(user, ":", 3)
		s.AddUser(u[0], u[1], strings.FieldsFunc(u[2], func(r rune) bool { return r == ',' })...)
	}
	s.SetCallbacks(f.gateway+"/auth/facebook/deauthorize", f.gateway+"/auth/facebook/deletion")
	for _, page := range f.pages {
		p := strings.SplitN(page, ":", 3)
		s.AddPage(p[0], p[1], p[2])
	}
	for _, person := range f.people {
		p := strings.SplitN(person, ":", 3)
		if err := s.AddPerson(p[0], p[1], p[2]); err != nil {
			return err
		}
	}
	return nil
}
