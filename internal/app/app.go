package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"outrider/chat"
	"outrider/console"
	"outrider/console/ui"
	"outrider/geofence"
	"outrider/identity"
	"outrider/identity/facebook"
	"outrider/internal/cluster"
	"outrider/internal/config"
	"outrider/internal/graph"
	"outrider/internal/pipeline"
	"outrider/internal/tracing"
	"outrider/notify"
	"outrider/notify/card"
	"outrider/notify/channel"
	"outrider/notify/messenger"
	"outrider/store"
	"outrider/store/sqlstore"
	"outrider/telemetry"
	"outrider/telemetry/codec"
	"outrider/telemetry/mqtt"
)

// Options is what a gateway is made of. Only Config is required.
type Options struct {
	Config  config.Config
	Now     func() time.Time // nil: the machine's clock
	Logger  *slog.Logger     // nil: nothing is logged
	Version string           // shown by the API; empty: "dev"
	// Registry gets every metric; nil: a new one.
	Registry *prometheus.Registry
	// Graph makes the calls to Meta; nil: one with sensible time-outs.
	Graph *http.Client
	// Listener hears what people say to the pages; nil: the dialog that the setting chat.mode names.
	Listener notify.Listener
	// Streets is GeoJSON that lies under the console's map; nil: none.
	Streets []byte
	// OnSent is told of every message that Meta took: the delivery, and when its request began. It must not block.
	OnSent func(notify.Delivery, time.Time)
	// Level is the level of Logger, for a reload to change; nil: it stays.
	Level *slog.LevelVar
	// PollEvery is how often a process that shares work asks for what others did, in case it did not hear of it; zero: a second.
	PollEvery time.Duration
	// SelfAddressed: without http.public_url, pictures and the login have the address that is listened on. For demos and tests.
	SelfAddressed bool
}

// App is a gateway.
type App struct {
	o         Options
	logger    *slog.Logger
	adminKey  identity.Token
	generated bool
	registry  *prometheus.Registry

	sealer     *identity.Sealer
	signet     identity.Signet
	dialog     *chat.Dialog
	store      *sqlstore.Store
	rulebook   *notify.Rulebook
	rules      *notify.Rules
	journal    keeper
	directory  *identity.Directory
	follower   *identity.Follower
	pipeline   *pipeline.Pipeline
	keeper     *messenger.TemplateKeeper
	meta       *graph.Client
	login      *facebook.Flow
	pages      *facebook.Keeper
	listener   notify.Listener               // nil: nobody hears what people say
	reader     atomic.Pointer[notify.Reader] // nil without a listener, and before it is started
	dispatcher *notify.Dispatcher
	tracer     *tracing.Tracer // nil: nothing is traced
	refresher  *refresher
	lanes      *cluster.Keeper // nil: every partition is this process's, or none
	senders    *cluster.Keeper // nil: every page is this process's, or none
	groups     *groups         // the same
	changes    *changes        // nil when there are no other processes
	bell       *bell           // the same
	decoder    *codec.Joiner
	retention  atomic.Int64   // store.retention in force, nanoseconds
	pruneNow   chan struct{}  // capacity 1: retention changed
	endpoint   *mqtt.Endpoint // nil when no device can connect
	devices    *devices       // nil without endpoint
	client     *mqtt.Client   // nil when mqtt.url is empty
	http       *httpServer
	signer     card.Signer
	cards      *cards

	feed   *console.Feed // what people who look on are told
	recent *recent       // the end of the log

	undo []step // what Stop does, in reverse
}

// afterCrash is how many times longer than alerts.settle the echoes of the last process's messages are waited for.
const afterCrash = 5

// step is one thing to end.
type step struct {
	name string
	stop func(context.Context) error
}

// New checks the options and makes nothing yet.
func New(o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	c := o.Config
	if err := checkRoles(c); err != nil {
		return nil, err
	}
	if slices.Contains(c.Roles, roleIngest) && !c.MQTT.Open() && c.MQTT.URL == "" {
		return nil, errors.New("app: no fixes can come in: set mqtt.listen, mqtt.url or both")
	}
	end := &recent{}
	a := &App{
		o: o, logger: slog.New(remember(o.Logger.Handler(), end)), recent: end, registry: o.Registry, feed: console.NewFeed(),
		pruneNow: make(chan struct{}, 1),
	}
	a.retention.Store(int64(c.Store.Retention))
	if a.shared() {
		a.changes = &changes{app: a, nudge: make(chan struct{}, 1)}
		a.bell = &bell{app: a, wanted: make(chan struct{}, 1), what: map[string]bool{}}
	}
	if a.shared() && a.has(roleNotify) {
		a.groups = &groups{app: a, mine: map[int]bool{}}
	}
	return a, nil
}

// Start sets the gateway going and returns when it takes fixes and requests. After an error everything that
// had begun is ended again.
func (a *App) Start(ctx context.Context) error {
	for _, begin := range []func(context.Context) error{
		a.startKeeping, a.prepareSending, a.startDeciding, a.startServing, a.startSending, a.startListening,
	} {
		if err := begin(ctx); err != nil {
			return errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
		}
	}
	for _, sentence := range missingSecrets(a.o.Config.Facebook) {
		a.logger.Warn("messenger is not set up", "cause", sentence)
	}
	return nil
}

// startKeeping opens what is durable: directory, keys, store, journal.
func (a *App) startKeeping(ctx context.Context) error {
	c := a.o.Config
	if err := os.MkdirAll(c.Data.Dir, 0o700); err != nil {
		return fmt.Errorf("app: data.dir: %w", err)
	}
	key, err := dataKey(c.Data)
	if err != nil {
		return err
	}
	sealer, err := identity.NewSealer(key)
	if err != nil {
		return err
	}
	a.signer = card.NewSigner(key)
	if a.signet, err = identity.NewSignet(key); err != nil {
		return fmt.Errorf("app: derive the key of buttons: %w", err)
	}
	a.sealer = sealer
	if a.adminKey, a.generated, err = adminKey(c); err != nil {
		return err
	}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if c.NATS.URL.Empty() {
		j, err := openFiles(c, a.logger.With("part", "journal"), a.registry)
		if err != nil {
			return err
		}
		a.journal = j
		a.onStop("journal", func(context.Context) error { return j.Close() })
	}
	a.store, err = openStore(ctx, c, storeOptions{
		sealer: sealer, now: a.o.Now, registerer: a.registry,
	})
	if err != nil {
		return err
	}
	a.onStop("store", func(context.Context) error { return a.store.Close() })
	if err := a.openJournal(ctx); err != nil {
		return err
	}
	a.directory, a.rulebook = identity.NewDirectory(), notify.NewRulebook()
	a.follower = identity.NewFollower(a.directory, a.store)
	if a.has(roleNotify) {
		a.registry.MustRegister(notify.NewBacklogCollector(a.store, a.directory.AllPages, a.o.Now))
	}
	return errors.Join(a.reloadDirectory(ctx), a.reloadRules(ctx))
}

// prepareSending makes what sends; the lanes and the webhook need it.
func (a *App) prepareSending(ctx context.Context) error {
	c := a.o.Config
	meta, err := graph.New(graph.Options{
		URL: c.Graph.URL, Version: c.Graph.Version, AppSecret: c.Facebook.AppSecret, HTTP: a.o.Graph, Now: a.o.Now,
		OnUsage: func(node string, u graph.Usage) { a.dispatcher.Usage(identity.PageID(node), u.Percent, u.Regain) },
	})
	if err != nil {
		return err
	}
	a.keeper, err = messenger.NewTemplateKeeper(messenger.TemplateKeeperOptions{
		Graph: meta, Directory: a.directory, Templates: a.store, Outbox: a.store, Now: a.o.Now,
		Wake:   func(page identity.PageID) { a.dispatcher.Wake(page) },
		Mine:   a.mine,
		Logger: a.logger.With("part", "templates"), Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	sender, err := channel.NewSender(channel.Options{
		Messenger: messenger.NewClient(meta, a.directory), Directory: a.directory, Now: a.o.Now,
		Guard: channel.Guard{Allow: c.Channels.AllowPrivate}, Timeout: c.Channels.Timeout, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	if err := a.startTracing(ctx); err != nil {
		return err
	}
	a.dispatcher, err = notify.NewDispatcher(notify.DispatcherOptions{
		OnTried: a.tried(), Mine: a.mine, Tick: a.pollEvery(), Outbox: a.store, Templates: a.store, Directory: a.directory, Sender: sender,
		Now: a.o.Now, Grace: c.Alerts.Settle, NeedTemplates: a.keeper.Need, OnSent: a.sent, Picture: a.picture,
		PageStopped: a.pageStopped, Argument: notify.SignedArgument(a.signet, a.o.Now),
		Logger: a.logger.With("part", "dispatcher"), Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	if err := a.keeper.Start(ctx); err != nil {
		return err
	}
	a.onStop("templates", a.keeper.Stop)
	a.meta = meta
	if err := a.preparePages(); err != nil {
		return err
	}
	a.refresher = newRefresher(func(ctx context.Context) error { return a.identitiesHere(ctx) }, a.identitiesChanged, a.logger)
	a.onStop("refresher", a.refresher.stop)
	a.refresher.also(a.prune)
	a.onStop("dispatcher", a.dispatcher.Stop) // after the lanes have ended, which hand it their last deliveries
	return nil
}

// startDeciding recovers the lanes.
func (a *App) startDeciding(ctx context.Context) error {
	c := a.o.Config
	preset, err := geofence.ParsePreset(c.Engine.Preset)
	if err != nil {
		return fmt.Errorf("app: engine.preset: %w", err)
	}
	a.rules = notify.NewRules(a.directory, a.rulebook)
	a.rules.MaxAge, a.rules.Recent = c.Alerts.MaxAge, a.recentlyTold
	if a.decoder, err = newDecoder(c.MQTT); err != nil {
		return err
	}
	lasting := time.Duration(0)
	if !c.NATS.URL.Empty() {
		lasting = surely
	}
	a.pipeline, err = pipeline.New(ctx, pipeline.Options{
		Lasting: lasting, Journal: a.journal, Store: a.store, Decoder: a.decoder, Devices: a.directory,
		Rules: a.rules, TopicOwner: a.decoder.TopicOwner, Wake: a.wake, OnCommit: a.committed,
		Shared: a.shared() || !a.has(roleEngine), OnTake: a.laneTaken, OnLost: func(partition int) { a.lanes.Lost(partition) },
		Preset: preset, SnapshotEvery: c.Engine.Snapshot, Now: a.o.Now,
		Logger: a.logger.With("part", "pipeline"), Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	if err := a.pipeline.Start(ctx); err != nil {
		return err
	}
	a.onStop("pipeline", a.pipeline.Stop)
	if err := a.shareLanes(ctx); err != nil {
		return err
	}
	if a.shared() {
		for _, do := range []func(context.Context){a.changes.follow, a.bell.tell, a.bell.hear, a.showPositions} {
			a.refresher.also(do)
		}
	}
	return a.prepareEndpoint()
}

// startServing opens the API and the webhook.
func (a *App) startServing(ctx context.Context) error {
	c := a.o.Config
	a.cards = newCards(cards{
		base: a.publicURL, life: c.Alerts.CardLife, signer: a.signer, store: a.store, journal: a.journal, near: a.pipeline.Near,
		texts: a.directory.Texts, directory: a.directory, now: a.o.Now, logger: a.logger.With("part", "cards"),
		owned: func(tenant telemetry.TenantID, id geofence.FenceID) identity.OwnerID {
			return ownedBy(a.pipeline.Fences().Index(tenant), id)
		},
	}, a.registry)
	if err := a.prepareLogin(); err != nil {
		return err
	}
	if err := a.prepareDialog(ctx); err != nil {
		return err
	}
	a.prepareTalk()
	fulfilment, err := a.fulfilment()
	if err != nil {
		return err
	}
	options := console.Options{
		SecureCookies: strings.HasPrefix(c.HTTP.PublicURL, "https://"), PublicURL: c.HTTP.PublicURL, Store: a.store, Directory: a.directory, Feed: a.feed, Reload: a.identitiesHere, FencesChanged: a.fencesHere,
		Rulebook: a.rulebook, Rules: a.rules, RulesChanged: a.rulesHere, Rehearse: a.pipeline.Rehearse, FenceTags: a.pipeline.FenceTags, PageChanged: a.pageChanged,
		Links: a.login, Messages: a.store, Wake: a.wake, Login: a.login, Health: a.store, AdminKey: a.adminKey, Ready: a.ready, Gatherer: a.registry, MetricsKey: c.Metrics.Key, Registerer: a.registry,
		Webhook: messenger.NewWebhook(messenger.WebhookOptions{
			VerifyToken: c.Facebook.VerifyToken, AppSecret: c.Facebook.AppSecret, Inbox: a.store, Wake: a.heard,
			Received: a.received, Hears: a.listener != nil, Now: a.o.Now, Logger: a.logger.With("part", "webhook"), Registerer: a.registry,
		}),
		Debug: map[string]console.DebugFunc{"log": a.recent.dump, "goroutines": goroutines},
		Map:   ui.Options{Tiles: c.Console.Tiles, PMTiles: c.Console.PMTiles, Attribution: c.Console.Attribution, Streets: a.o.Streets},
		Cards: a.cards, Fulfilment: fulfilment, Inspect: a.inspect, Watch: a.watch, CheckChannel: channel.Check, Logger: a.logger.With("part", "api"), Now: a.o.Now, Version: a.o.Version,
	}
	if a.devices != nil {
		options.Devices = a.devices
	}
	if options.SignOn, err = a.signOn(); err != nil {
		return err
	}
	handler, err := console.New(options)
	if err != nil {
		return err
	}
	if !a.has(roleAPI) {
		handler = partial(handler)
	}
	a.http, err = serveHTTP(c.HTTP, handler, a.logger)
	if err != nil {
		return err
	}
	a.onStop("http", a.http.Stop)
	a.onStop("feed", func(context.Context) error { a.feed.Close(); return nil })
	return nil
}

// startSending begins with what the outbox holds.
//
// ORDER: the webhook is open before. A delivery that was being sent when the last process ended may have gone out,
// and its echo will tell; what is sent now is judged by its echo, too.
//
// Such an echo met a closed webhook and comes with one of Meta's next tries, so it is waited for longer.
func (a *App) startSending(ctx context.Context) error {
	if !a.has(roleNotify) {
		return nil
	}
	if err := a.pages.Start(ctx); err != nil { // repairs subscriptions, which needs the webhook to be open
		return err
	}
	a.onStop("pages", a.pages.Stop)
	if err := a.startReading(ctx); err != nil {
		return err
	}
	if a.groups == nil { // else what is being sent is another process's, or its lease ends
		if _, err := a.store.AbandonAll(ctx, a.o.Now(), afterCrash*a.o.Config.Alerts.Settle); err != nil {
			return err
		}
	}
	if err := a.dispatcher.Start(ctx); err != nil {
		return err
	}
	return a.sharePages(ctx)
}

// startListening lets fixes in, last, when everything behind them is ready.
func (a *App) startListening(ctx context.Context) error {
	c := a.o.Config.MQTT
	if !a.has(roleIngest) {
		return nil
	}
	if a.endpoint != nil {
		if err := a.endpoint.Start(ctx); err != nil {
			return err
		}
		a.onStop("endpoint", a.endpoint.Stop)
		a.refresher.also(a.devices.watchRevoked)
	}
	if c.URL == "" {
		return nil
	}
	secure, err := brokerTLS(c)
	if err != nil {
		return err
	}
	a.client, err = mqtt.NewClient(mqtt.ClientOptions{
		URL: c.URL, TLS: secure, Username: c.Username, Password: c.Password.Reveal, ClientID: c.ClientID, Topics: c.Topics, Share: c.Share,
		Connections: c.Connections, Sink: a.pipeline.Intake(), Now: a.o.Now, Logger: a.logger.With("part", "mqtt"), Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	if err := a.client.Start(ctx); err != nil {
		return err
	}
	a.onStop("mqtt", a.client.Stop)
	return nil
}

func (a *App) onStop(name string, stop func(context.Context) error) {
	a.undo = append(a.undo, step{name, stop})
}

// Stop ends everything in the reverse order of its beginning: first nothing comes in, then what has come in
// is decided and committed, then what is being sent is finished. ctx is the deadline of it all.
func (a *App) Stop(ctx context.Context) error {
	if j, ok := a.journal.(interface{ Hurry() }); ok {
		j.Hurry()
	}
	var problems []error
	for _, s := range slices.Backward(a.undo) {
		if err := s.stop(ctx); err != nil {
			problems = append(problems, fmt.Errorf("app: stop %s: %w", s.name, err))
		}
	}
	a.undo = nil
	return errors.Join(problems...)
}

// Failed gives, of an app that was started, the error of a part that cannot go on. The process should stop then and
// be started again.
func (a *App) Failed() <-chan error { return a.pipeline.Failed() }

// HTTPAddr is where the API listens.
func (a *App) HTTPAddr() net.Addr { return a.http.Addr() }

// MQTTAddr is where the device endpoint listens; nil when there is none.
func (a *App) MQTTAddr() net.Addr {
	if a.endpoint == nil {
		return nil
	}
	return a.endpoint.Addr()
}

// AdminKey is the bootstrap API key; generated says that this start made it.
func (a *App) AdminKey() (key identity.Token, generated bool) { return a.adminKey, a.generated }

// Registry holds every metric.
func (a *App) Registry() *prometheus.Registry { return a.registry }

// reloadDirectory takes over everybody.
func (a *App) reloadDirectory(ctx context.Context) error { return a.follower.Follow(ctx) }

// reloadRules puts the stored rules in force.
func (a *App) reloadRules(ctx context.Context) error {
	rules, err := a.store.Rules(ctx)
	if err != nil {
		return fmt.Errorf("app: load rules: %w", err)
	}
	a.rulebook.Load(rules)
	return nil
}

// rulesChanged puts the stored rules in force, the way they have geofences read included.
func (a *App) rulesChanged(ctx context.Context) error {
	if err := a.reloadRules(ctx); err != nil {
		return err
	}
	return a.pipeline.FencesChanged(ctx)
}

// recentMost is how many deliveries of a vehicle are looked at for what was told before a restart.
const recentMost = 200

// recentlyTold returns what a vehicle's people were told lately.
func (a *App) recentlyTold(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]notify.Delivery, error) {
	records, err := a.store.Deliveries(ctx, store.Query{Tenant: tenant, Vehicle: vehicle, Limit: recentMost})
	all := make([]notify.Delivery, len(records))
	for i := range records {
		all[i] = records[i].Delivery
	}
	return all, err
}

// identitiesChanged lets pages go on whose owners or standing changed.
func (a *App) identitiesChanged(pages []identity.PageID) {
	for _, page := range pages {
		a.wake(page)
	}
}

// publicURL is under which address others reach this gateway; empty: they do not, as far as we know.
func (a *App) publicURL() string {
	if url := a.o.Config.HTTP.PublicURL; url != "" {
		return strings.TrimRight(url, "/")
	}
	if a.o.SelfAddressed && a.http != nil {
		return a.o.Config.HTTP.Scheme() + "://" + a.http.Addr().String()
	}
	return ""
}

// committed is told what a lane made durable: who looks on sees it, and a wish that was told is over.
func (a *App) committed(c store.Commit) {
	a.feed.Committed(c)
	a.traceCommit(c)
	for i := range c.Deliveries {
		if c.Deliveries[i].Alert.Once != "" {
			a.refresher.ask()
			return
		}
	}
}

// picture is the address of a delivery's picture; empty: it has none. Nothing is sent before the cards are there.
func (a *App) picture(d notify.Delivery) string { return a.cards.picture(d) }

// sent passes on that Meta took a message.
func (a *App) sent(d notify.Delivery, began time.Time) {
	a.feed.Changed(d.Alert.Tenant)
	if a.o.OnSent != nil {
		a.o.OnSent(d, began)
	}
}

// heard is told of a page whose people did something.
func (a *App) heard(page identity.PageID) {
	a.wake(page)
	if p, ok := a.directory.Page(page); ok {
		a.feed.Changed(p.Tenant)
	}
}

// pageStopped has a page looked at whose token died: it may be fetched anew.
func (a *App) pageStopped(page identity.PageID, reason notify.Reason) {
	if reason == notify.ReasonTokenInvalid && a.pages != nil {
		a.pages.Ask(page)
	}
}

// pageChanged lets a page with a new token go on at once.
func (a *App) pageChanged(page identity.PageID) {
	a.keeper.Ensure(page)
	a.pages.Ask(page)
	a.dispatcher.PageChanged(page)
}

// ready says for each part why it cannot do its work, nil where it can.
func (a *App) ready(ctx context.Context) map[string]error {
	checks := map[string]error{
		"store":    a.store.Ping(ctx),
		"journal":  a.journal.Health(),
		"pipeline": a.pipeline.Ready(),
	}
	for name, k := range map[string]*cluster.Keeper{"partitions": a.lanes, "pages": a.senders} {
		if k != nil {
			checks[name] = k.Ready()
		}
	}
	if a.client != nil {
		checks["mqtt"] = nil
		if !a.client.Connected() {
			checks["mqtt"] = errors.New("not connected to the broker")
		}
	}
	return checks
}
