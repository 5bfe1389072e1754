package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"outrider/identity"
	"outrider/internal/cluster"
	"outrider/internal/config"
	"outrider/journal"
	"outrider/store"
	"outrider/telemetry"
)

// Roles of a process.
const (
	roleIngest = "ingest" // takes what trackers send into the journal
	roleEngine = "engine" // evaluates partitions
	roleNotify = "notify" // sends, looks after pages, and answers people
	roleAPI    = "api"    // serves the API, the console and Meta's webhook
)

// How pages are divided among the processes that send.
const (
	pageWork   = store.Work("page")
	pageGroups = 64
)

// showEvery is how often those who watch the console are shown where vehicles are.
const showEvery = time.Second

// has reports whether the process has a role.
func (a *App) has(role string) bool { return slices.Contains(a.o.Config.Roles, role) }

// shared reports whether other processes may work on the same store and journal.
func (a *App) shared() bool { return !a.o.Config.NATS.URL.Empty() && !a.o.Config.Store.URL.Empty() }

// pollEvery is how often the process asks for what others did; zero when there are no others.
func (a *App) pollEvery() time.Duration {
	if !a.shared() {
		return 0
	}
	return cmp.Or(a.o.PollEvery, time.Second)
}

// checkRoles refuses a part of the roles where no other process could do the rest.
func checkRoles(c config.Config) error {
	every := slices.Compact(slices.Sorted(slices.Values(c.Roles)))
	if len(every) == len(config.Roles()) {
		return nil
	}
	var lacks []string
	if c.NATS.URL.Empty() {
		lacks = append(lacks, "nats.url, a journal that other processes reach")
	}
	if c.Store.URL.Empty() {
		lacks = append(lacks, "store.url, a PostgreSQL that other processes reach")
	}
	var problems []error
	for _, l := range lacks {
		problems = append(problems, fmt.Errorf("app: roles: a process with a part of the roles needs %s", l))
	}
	return errors.Join(problems...)
}

// shareLanes takes this process's share of the partitions.
func (a *App) shareLanes(ctx context.Context) error {
	if !a.shared() || !a.has(roleEngine) {
		return nil
	}
	a.lanes = a.newKeeper(store.LaneWork, a.journal.Partitions(), a.pipeline)
	if err := a.lanes.Start(ctx); err != nil {
		return err
	}
	a.onStop("partitions", a.lanes.Stop)
	return nil
}

func (a *App) newKeeper(work store.Work, parts int, h cluster.Holder) *cluster.Keeper {
	return cluster.NewKeeper(cluster.Options{
		Shares: a.store, Work: work, Parts: parts, Holder: h, Lease: a.o.Config.Cluster.Lease,
		Logger: a.logger.With("part", "cluster"), Registerer: a.registry,
	})
}

// laneTaken brings up to date what a lane asks, before it goes on where another process's lane ended.
func (a *App) laneTaken(ctx context.Context, partition int) error {
	a.rules.Forget(func(tenant identity.TenantID, vehicle identity.VehicleID) bool {
		return journal.PartitionOf(telemetry.TenantID(tenant), telemetry.VehicleID(vehicle), a.journal.Partitions()) == partition
	})
	return a.changes.catchUp(ctx)
}

// groups are the pages that this process looks after, by group. It is safe for many goroutines.
type groups struct {
	app  *App
	mu   sync.Mutex // guards mine
	mine map[int]bool
}

var _ cluster.Holder = (*groups)(nil)

func groupOf(page identity.PageID) int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, string(page))
	return int(h.Sum32() % pageGroups)
}

func (g *groups) has(page identity.PageID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mine[groupOf(page)]
}

// Take implements cluster.Holder: the group's pages are looked at, and what waits for them is sent.
func (g *groups) Take(_ context.Context, group int, _ store.ProcessID) error {
	g.mu.Lock()
	g.mine[group] = true
	g.mu.Unlock()
	for _, p := range g.app.directory.AllPages() {
		if groupOf(p.ID) == group {
			g.app.keeper.Ensure(p.ID)
			g.app.pages.Ask(p.ID)
			g.app.dispatcher.Wake(p.ID)
		}
	}
	return nil
}

// Give implements cluster.Holder. Messages under way are finished; each is claimed in the store, so nobody sends it again.
func (g *groups) Give(_ context.Context, group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.mine, group)
}

// mine reports whether this process sends for a page, and looks after it.
func (a *App) mine(page identity.PageID) bool {
	return a.has(roleNotify) && (a.groups == nil || a.groups.has(page))
}

// sharePages takes this process's share of the pages.
func (a *App) sharePages(ctx context.Context) error {
	if a.groups == nil {
		return nil
	}
	a.senders = a.newKeeper(pageWork, pageGroups, a.groups)
	if err := a.senders.Start(ctx); err != nil {
		return err
	}
	a.onStop("pages' groups", a.senders.Stop)
	return nil
}

// changes takes over what other processes change: vehicles, owners, pages, texts, rules and fences.
type changes struct {
	app   *App
	nudge chan struct{} // sent when there may be some, capacity 1, never closed

	mu                 sync.Mutex // guards the revisions that are taken over; held while others are
	identities, fences uint64
}

// follow takes changes over when they are rung, and asks for them now and then, until ctx ends.
func (c *changes) follow(ctx context.Context) {
	ticker := time.NewTicker(c.app.pollEvery())
	defer ticker.Stop()
	for {
		if err := c.catchUp(ctx); err != nil && ctx.Err() == nil {
			c.app.logger.Warn("changes of other processes not taken over", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.nudge:
		}
	}
}

// look makes follow look soon. It never blocks.
func (c *changes) look() {
	select {
	case c.nudge <- struct{}{}:
	default:
	}
}

func (c *changes) catchUp(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(
		overtaken(ctx, &c.identities, c.app.store.IdentitiesRevision, c.app.identitiesFollowed),
		overtaken(ctx, &c.fences, c.app.store.Revision, c.app.rulesChanged),
	)
}

// overtaken calls do when a revision is not the known one, and then knows it.
func overtaken(ctx context.Context, known *uint64, revision func(context.Context) (uint64, error), do func(context.Context) error) error {
	now, err := revision(ctx)
	if err != nil || now == *known {
		return err
	}
	if err := do(ctx); err != nil {
		return err
	}
	*known = now
	return nil
}

// identitiesFollowed reloads the directory and lets pages go on that were changed.
func (a *App) identitiesFollowed(ctx context.Context) error {
	before := map[identity.PageID]identity.Page{}
	for _, p := range a.directory.AllPages() {
		before[p.ID] = p
	}
	if err := a.reloadDirectory(ctx); err != nil {
		return err
	}
	for _, p := range a.directory.AllPages() {
		if old, known := before[p.ID]; !known || !old.Updated.Equal(p.Updated) || old.Blocked != p.Blocked {
			a.pageChanged(p.ID)
		}
	}
	return nil
}

// showPositions tells those who watch the console live where vehicles are whose lanes are in other processes, until ctx ends.
// Crossings and messages they find in the record.
func (a *App) showPositions(ctx context.Context) {
	ticker := time.NewTicker(showEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, tenant := range a.feed.Watched() {
			if err := a.showTenant(ctx, tenant); err != nil && ctx.Err() == nil {
				a.logger.Warn("positions not shown", "cause", err)
			}
		}
	}
}

// showMost is how many positions are read at a time.
const showMost = 1000

func (a *App) showTenant(ctx context.Context, tenant identity.TenantID) error {
	since := a.o.Now().Add(-3 * showEvery)
	for after := identity.VehicleID(""); ; {
		fixes, err := a.store.LastFixes(ctx, tenant, after, showMost)
		if err != nil || len(fixes) == 0 {
			return err
		}
		after = identity.VehicleID(fixes[len(fixes)-1].Vehicle)
		full := len(fixes) == showMost
		a.feed.Committed(store.Commit{LastFixes: slices.DeleteFunc(fixes, func(f telemetry.Fix) bool { return f.Received.Before(since) })})
		if !full {
			return nil
		}
	}
}

// partial is what a process without the role api serves: whether it lives, and its metrics.
func partial(whole http.Handler) http.Handler {
	mux := http.NewServeMux()
	for _, path := range []string{"/livez", "/readyz", "/healthz", "/metrics", "/debug/"} {
		mux.Handle(path, whole)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this process does not have the role api", http.StatusNotFound)
	})
	return mux
}
