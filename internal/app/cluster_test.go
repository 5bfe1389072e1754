package app_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/natstest"
	"outrider/internal/postgrestest"
)

// join starts another gateway with the settings of the rig, but a directory of its own and these roles.
func (r *rig) join(t *testing.T, roles string) *rig {
	t.Helper()
	other := &rig{log: r.log, now: r.now, change: r.change, sandbox: r.sandbox, meta: r.meta, flags: maps.Clone(r.flags)}
	other.flags["data.dir"], other.flags["roles"] = t.TempDir(), roles
	c, err := config.Load(config.Source{Flags: other.flags})
	must(t, err)
	o := app.Options{
		Config: c, Now: r.now, SelfAddressed: true,
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})).With("process", roles),
	}
	for _, change := range r.change {
		change(&o)
	}
	other.app, err = app.New(o)
	must(t, err)
	must(t, other.app.Start(t.Context()))
	t.Cleanup(func() { other.stop(t) })
	return other
}

// kill ends a process without patience: what it has begun it does not finish.
func (r *rig) kill(t *testing.T) {
	t.Helper()
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	_ = r.app.Stop(cut)
}

// live watches the console's stream, and tells when it brings an event.
func (r *rig) live(t *testing.T, event string) <-chan struct{} {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url("/api/v1/events"), nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	seen := make(chan struct{})
	go func() {
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if lines.Text() == "event: "+event {
				close(seen)
				return
			}
		}
	}()
	return seen
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	eventually(t, what, func() bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	})
}

// shares waits until processes share parts of a work fairly.
func shares(t *testing.T, work string, parts int, all ...*rig) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d processes share the %ss", len(all), work), func() bool {
		sum, least, most := 0, parts, 0
		for _, r := range all {
			n := int(r.metric(t, fmt.Sprintf("outrider_cluster_parts{work=%q}", work)))
			sum, least, most = sum+n, min(least, n), max(most, n)
		}
		return sum == parts && most-least <= 1
	})
}

// One process serves the API, another one takes in what trackers send, two evaluate and two send. Some of them end and others
// come, in good order or not: whatever is set in one holds in all, every alert is told, and none twice.
func TestRolesAreSplitOverProcesses(t *testing.T) {
	t.Parallel()
	const vehicles, parts = 24, 8
	api := newRig(t, clusterSettings(t, parts))
	intake := api.join(t, "ingest")
	engine, engine2 := api.join(t, "engine"), api.join(t, "engine")
	sender, sender2 := api.join(t, "notify"), api.join(t, "notify")
	shares(t, "lane", parts, engine, engine2)
	shares(t, "page", 64, sender, sender2)

	for i := range vehicles {
		api.own(t, fmt.Sprint("van", i), fmt.Sprint("owner", i), fmt.Sprint(70000+i))
		_, err := api.sandbox.Say(page, fmt.Sprint(70000+i), "hello")
		must(t, err)
		api.hears(t, fmt.Sprint(70000+i), "") // an answer, of whichever process has the page
	}
	api.circle(t, "yard", 11.5, 48.1)
	eventually(t, "the fence is in force everywhere", func() bool {
		return engine.app.FenceRevision() == api.app.FenceRevision() && engine2.app.FenceRevision() == api.app.FenceRevision()
	})
	moved := api.live(t, "fixes")
	greetings := len(api.sandbox.Messages())

	drive := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			driveThrough(t, intake.connect(t, fmt.Sprint("box", i)), fmt.Sprintf("fleet/default/van%d/fix", i), 11.5, 48.1)
		}
	}
	drive(0, 6)
	wait(t, "who watches the console sees vehicles move", moved)
	engine.kill(t)
	drive(6, 12)
	engine3 := api.join(t, "engine")
	shares(t, "lane", parts, engine2, engine3)
	drive(12, 18)
	sender.kill(t)
	engine2.stop(t)
	shares(t, "lane", parts, engine3)
	drive(18, vehicles)
	all := api.join(t, strings.Join(config.Roles(), ","))
	shares(t, "lane", parts, engine3, all)
	shares(t, "page", 64, sender2, all)

	told := func() map[string]int {
		n := map[string]int{}
		for _, m := range api.sandbox.Messages()[greetings:] {
			n[m.Metadata]++
		}
		return n
	}
	eventually(t, "everybody is told twice", func() bool { return len(told()) >= 2*vehicles })
	for id, n := range told() {
		if n != 1 {
			t.Errorf("alert %s went out %d times", id, n)
		}
	}
	if n := len(api.items(t, "crossings?limit=200")); n != 2*vehicles {
		t.Errorf("%d crossings, want %d", n, 2*vehicles)
	}
	if code := intake.answers(t, "/api/v1/vehicles"); code != http.StatusNotFound {
		t.Errorf("the API of a process without the role: %d", code)
	}
	for _, r := range []*rig{api, intake, engine3, sender2, all} {
		if code := r.answers(t, "/readyz"); code != http.StatusOK {
			t.Errorf("a process with roles %s says %d to /readyz", r.flags["roles"], code)
		}
	}
}

// clusterSettings are those of a process that serves the API, and leaves the rest to others.
func clusterSettings(t *testing.T, partitions int) map[string]string {
	t.Helper()
	return map[string]string{
		"nats.url": natstest.Start(t, nil).URL(), "store.url": postgrestest.Start(t, false).URL(t), "roles": "api",
		"data.key": strings.Repeat("5a", 32), "journal.partitions": fmt.Sprint(partitions), "cluster.lease": "1s", "chat.mode": "builtin",
	}
}

// Processes that never ask hear of each other all the same: of fences and owners, of what people say, and of what is to be sent.
func TestProcessesHearOfEachOther(t *testing.T) {
	t.Parallel()
	api := newRig(t, clusterSettings(t, 2), func(o *app.Options) { o.PollEvery = time.Hour })
	sender, engine := api.join(t, "notify"), api.join(t, "ingest,engine")
	shares(t, "page", 64, sender)
	shares(t, "lane", 2, engine)
	api.own(t, "van", "ann", "70001")
	_, err := api.sandbox.Say(page, "70001", "hello")
	must(t, err)
	api.hears(t, "70001", "")
	api.circle(t, "yard", 11.5, 48.1)
	eventually(t, "the fence is in force", func() bool { return engine.app.FenceRevision() == api.app.FenceRevision() })
	driveThrough(t, engine.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	api.hears(t, "70001", "entered The yard")
	api.hears(t, "70001", "left The yard")
}

// A part of the roles is refused where nobody could do the rest.
func TestRolesThatNobodyCompletesAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		flags map[string]string
		want  []string
	}{
		{map[string]string{}, []string{"roles: ", "needs nats.url", "needs store.url"}},
		{map[string]string{"nats.url": "nats://127.0.0.1:4222"}, []string{"roles: ", "needs store.url"}},
		{map[string]string{"store.url": "postgres://127.0.0.1/x"}, []string{"roles: ", "needs nats.url"}},
	} {
		tc.flags["roles"] = "engine,engine"
		c, err := config.Load(config.Source{Flags: tc.flags})
		must(t, err)
		_, err = app.New(app.Options{Config: c})
		if err == nil {
			t.Fatalf("%v was accepted", tc.flags)
		}
		for _, part := range tc.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
	c, err := config.Load(config.Source{Flags: map[string]string{
		"roles": "engine", "nats.url": "nats://127.0.0.1:4222", "store.url": "postgres://127.0.0.1/x", "mqtt.listen": "",
	}})
	must(t, err)
	_, err = app.New(app.Options{Config: c})
	must(t, err)
}
