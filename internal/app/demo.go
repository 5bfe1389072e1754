package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
	"outrider/internal/config"
	"outrider/notify"
	"outrider/simulator"
	"outrider/simulator/graph"
	"outrider/telemetry"
)

// The demo's page, its people and its secrets: all of them mean something to the sandbox only.
const (
	demoPage      = "100200300"
	demoPageName  = "Outrider Demo Fleet"
	demoPageToken = "demo-page-token"
	demoZone      = "Europe/Berlin"
	demoManager   = "9000000000000001"
	demoKnown     = "9000000000000003"
	demoKnownPSID = "70009999"
	demoNewcomer  = "newcomer" // an owner whom nobody has linked yet

	// HandVehicle is the demo's vehicle that nobody simulates: it is for positions published by hand.
	HandVehicle = "my-car"
)

// DemoOptions is what a demo is made of.
type DemoOptions struct {
	Config   config.Config // its Graph, Facebook and Alerts settings are replaced by the sandbox's
	Logger   *slog.Logger
	Version  string
	Vehicles int    // default 20
	Seed     uint64 // default: a new one each time
}

// Demo is a gateway with everything it needs around it: a Graph sandbox, and a fleet whose owners are linked.
type Demo struct {
	o         DemoOptions
	app       *App
	sandbox   *graph.Sandbox
	graphHTTP *httpServer
	fleet     *simulator.Fleet
	publisher *simulator.Publisher
	login     string // where the newcomer begins
	temporary string // directory to be removed at the end; empty: none
	undo      []step

	mu      sync.Mutex // guards what follows
	told    []simulator.Observed
	waits   []time.Duration // from publish to the request to Meta
	byHand  int             // alerts of the vehicle that nobody simulates
	newest  string          // text of the newest message
	unlinks func()
}

// NewDemo checks the options and starts nothing yet.
func NewDemo(o DemoOptions) (*Demo, error) {
	if o.Vehicles <= 0 {
		o.Vehicles = 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	if o.Config.MQTT.Listen == "" {
		return nil, errors.New("app: the demo needs mqtt.listen: its vehicles publish there")
	}
	return &Demo{o: o}, nil
}

// Start begins everything; after an error all of it is ended again.
func (d *Demo) Start(ctx context.Context) error {
	for _, begin := range []func(context.Context) error{d.startSandbox, d.startGateway, d.register, d.startFleet} {
		if err := begin(ctx); err != nil {
			return errors.Join(err, d.Stop(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

func (d *Demo) startSandbox(context.Context) error {
	d.sandbox = graph.New(graph.Options{
		AppSecret: "demo-app-secret", VerifyToken: "demo-verify-token", Version: d.o.Config.Graph.Version, Seed: d.o.Seed,
		ReadAtOnce: true, ApproveAfter: 2 * time.Second, Logger: d.o.Logger.With("part", "sandbox"),
	})
	d.sandbox.AddPage(demoPage, demoPageName, demoPageToken)
	d.sandbox.AddUser(demoManager, "Mia, who manages the page", demoPage)
	d.sandbox.AddUser("9000000000000002", "Noah, an owner")
	d.sandbox.AddUser(demoKnown, "Lea, an owner whom Graph knows")
	d.onStop("sandbox", func(context.Context) error { return d.sandbox.Close() })
	var err error
	if d.graphHTTP, err = serveHTTP(config.HTTP{Listen: "127.0.0.1:0"}, d.sandbox, d.o.Logger); err != nil {
		return err
	}
	d.onStop("sandbox http", d.graphHTTP.Stop)
	d.unlinks = d.sandbox.Subscribe(d.received)
	return nil
}

func (d *Demo) startGateway(ctx context.Context) error {
	c := d.o.Config
	if c.Data.Dir == config.DefaultDataDir {
		dir, err := os.MkdirTemp("", "outrider-demo-")
		if err != nil {
			return fmt.Errorf("app: directory of the demo: %w", err)
		}
		d.temporary, c.Data.Dir = dir, dir
		d.onStop("directory", func(context.Context) error { return os.RemoveAll(dir) })
	}
	c.Graph.URL = "http://" + d.graphHTTP.Addr().String()
	c.Facebook.DialogURL, c.Facebook.LinkURL = c.Graph.URL, c.Graph.URL+"/m.me"
	c.Facebook.LoginConnect = true
	c.HTTP.Cert, c.HTTP.Key = "", "" // the sandbox beside it knows no authority that would vouch for them
	c.Facebook.AppID = d.sandbox.AppID()
	c.Facebook.AppSecret = identity.NewToken(d.sandbox.AppSecret())
	c.Facebook.VerifyToken = identity.NewToken(d.sandbox.VerifyToken())
	var err error
	d.app, err = New(Options{
		Config: c, Logger: d.o.Logger, Version: d.o.Version, Streets: simulator.NewCity(d.o.Seed).Streets(), OnSent: d.sent, SelfAddressed: true,
	})
	if err != nil {
		return err
	}
	if err := d.app.Start(ctx); err != nil {
		return err
	}
	d.onStop("gateway", d.app.Stop)
	base := "http://" + d.app.HTTPAddr().String() + facebook.Path
	d.sandbox.SetCallbacks(base+"deauthorize", base+"deletion")
	d.sandbox.SetWebhook("http://" + d.app.HTTPAddr().String() + "/webhook/messenger")
	if err := d.sandbox.VerifyWebhook(ctx); err != nil {
		return fmt.Errorf("app: the sandbox could not verify the webhook: %w", err)
	}
	return nil
}

// register sets the fleet up as an admin would, through the API. Every other owner has written to the page just
// now, so that their alerts go out inside the 24 hour window; the others get utility templates.
func (d *Demo) register(ctx context.Context) error {
	d.fleet = simulator.NewFleet(simulator.NewCity(d.o.Seed), simulator.FleetOptions{
		Vehicles: d.o.Vehicles, Seed: d.o.Seed, Start: time.Now(),
	})
	admin := d.app.admin()
	if err := admin.put(ctx, "pages/"+demoPage, map[string]any{"name": demoPageName, "access_token": demoPageToken}); err != nil {
		return err
	}
	for _, f := range d.fleet.City().Fences {
		if err := admin.putFeature(ctx, f.ID, f.GeoJSON()); err != nil {
			return err
		}
	}
	for i, vehicle := range append(d.fleet.Vehicles(), HandVehicle) {
		if err := d.registerOwner(ctx, admin, i, vehicle); err != nil {
			return err
		}
	}
	return d.registerNewcomer(ctx, admin)
}

// registerNewcomer adds an owner whom nobody can reach yet, and makes a link for whoever plays them: with it the
// vehicle driven by hand becomes theirs, too.
func (d *Demo) registerNewcomer(ctx context.Context, admin *apiClient) error {
	err := errors.Join(d.sandbox.AddPerson(demoPage, demoKnownPSID, "Lea"), d.sandbox.Link(demoKnown, demoPage, demoKnownPSID))
	if err != nil {
		return err
	}
	if err := admin.put(ctx, "owners/"+demoNewcomer, map[string]any{"name": "You", "time_zone": demoZone}); err != nil {
		return err
	}
	offer, err := d.app.login.Offer(ctx, identity.LinkWish{
		Tenant: "default", Owner: demoNewcomer, Page: demoPage, Vehicle: HandVehicle, ValidFor: 24 * time.Hour,
	})
	d.login = offer.LoginURL
	return err
}

func (d *Demo) registerOwner(ctx context.Context, admin *apiClient, i int, vehicle telemetry.VehicleID) error {
	var (
		psid  = fmt.Sprintf("7000%04d", i+1)
		owner = fmt.Sprintf("owner-%03d", i+1)
		name  = fmt.Sprintf("Van %d", i+1)
	)
	if vehicle == HandVehicle {
		name = "My car"
	}
	if err := d.sandbox.AddPerson(demoPage, psid, "Owner of "+name); err != nil {
		return err
	}
	err := admin.put(ctx, "owners/"+owner, map[string]any{
		"name": "Owner of " + name, "locale": demoLocale(i), "time_zone": demoZone,
		"contacts": []any{map[string]any{"page": demoPage, "psid": psid}},
	})
	if err != nil {
		return err
	}
	if err := admin.put(ctx, "vehicles/"+string(vehicle), map[string]any{"name": name, "owner": owner}); err != nil {
		return err
	}
	if i%2 == 0 {
		_, err = d.sandbox.Say(demoPage, psid, "Hello, is my van on its way?")
	}
	return err
}

// demoLocale lets every other owner speak another language than English, each in turn.
func demoLocale(i int) string {
	if all := notify.Languages(); i%2 == 1 {
		return all[1+i/2%(len(all)-1)]
	}
	return "en"
}

func (d *Demo) startFleet(context.Context) error {
	var err error
	d.publisher, err = simulator.NewPublisher(d.fleet, simulator.PublisherOptions{
		URL: "tcp://" + d.app.MQTTAddr().String(), Logger: d.o.Logger.With("part", "fleet"),
	})
	if err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.Background())
	go func() { _ = d.publisher.Run(run) }() // its end is awaited by Drain
	d.onStop("fleet", func(ctx context.Context) error {
		defer cancel()
		return d.publisher.Drain(ctx)
	})
	return nil
}

func (d *Demo) onStop(name string, stop func(context.Context) error) {
	d.undo = append(d.undo, step{name, stop})
}

// Stop ends the fleet first, then the gateway, then the sandbox.
func (d *Demo) Stop(ctx context.Context) error {
	var problems []error
	for _, s := range slices.Backward(d.undo) {
		if err := s.stop(ctx); err != nil {
			problems = append(problems, fmt.Errorf("app: stop %s: %w", s.name, err))
		}
	}
	d.undo = nil
	if d.unlinks != nil {
		d.unlinks()
	}
	return errors.Join(problems...)
}

// Failed gives the error of a part that cannot go on.
func (d *Demo) Failed() <-chan error { return d.app.Failed() }

// App is the gateway.
func (d *Demo) App() *App { return d.app }

// GraphURL is where the sandbox listens.
func (d *Demo) GraphURL() string { return "http://" + d.graphHTTP.Addr().String() }

// LoginURL is where somebody who plays an owner becomes reachable, as a fleet's web site would send them.
func (d *Demo) LoginURL() string { return d.login }

// HandRoute is a way due north into the fence “Depot”, for a vehicle driven by hand: 150 m in 15 steps of a
// ten-thousandth of a degree.
func (d *Demo) HandRoute() (south, north, lon string) {
	const perDegree, step, before = 111_200.0, 0.0001, 7
	depot, _ := d.fleet.City().Fence("depot")
	boundary := depot.Center.Lat() - depot.Radius/perDegree
	from := boundary - before*step
	text := func(v float64) string { return strconv.FormatFloat(v, 'f', 5, 64) }
	return text(from), text(from + 14*step), text(depot.Center.Lon())
}

// Sandbox is Meta's side.
func (d *Demo) Sandbox() *graph.Sandbox { return d.sandbox }

// sent notes how long a simulated vehicle's alert took, from the publication of the fix that decided it to the
// beginning of the request to Meta.
func (d *Demo) sent(delivery notify.Delivery, began time.Time) {
	a := delivery.Alert
	if a.Kind == notify.Reply {
		return // an answer tells of no crossing
	}
	_, published, ok := d.publisher.LastPublished(telemetry.VehicleID(a.Vehicle), a.Received)
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Vehicle == HandVehicle {
		d.byHand++
		return
	}
	d.told = append(d.told, simulator.Observed{
		Vehicle: telemetry.VehicleID(a.Vehicle), Fence: a.Fence, Kind: simulator.Kind(a.Kind), Time: a.At,
	})
	if ok {
		d.waits = append(d.waits, began.Sub(published))
	}
}

func (d *Demo) received(m graph.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newest = m.Text
}

// Counts is how a demo stands.
type Counts struct {
	Fixes     int              // published and acknowledged
	Crossings int              // true ones, according to the simulator: all but those of the last seconds that were not told yet
	Delivered int              // alerts that Meta took, of simulated vehicles
	ByHand    int              // alerts that Meta took, of the vehicle that nobody simulates
	Report    simulator.Report // the truth compared with what was delivered
	P50, P99  time.Duration    // from publish to send; 0: nothing was sent
	Newest    string           // text of the newest message
}

// matchWithin is how far the time of an alert may be from the truth.
const matchWithin = 15 * time.Second

// Counts returns the counts until now.
func (d *Demo) Counts() Counts {
	stats, truth := d.publisher.Stats(), d.publisher.Truth()
	d.mu.Lock()
	defer d.mu.Unlock()
	c := Counts{Fixes: stats.Acknowledged, Delivered: len(d.told), ByHand: d.byHand, Newest: d.newest}
	c.Report = simulator.Match(truth, d.told, matchWithin)
	c.Crossings = c.Report.Matched + len(c.Report.Missing)
	c.P50, c.P99 = quantile(d.waits, 0.50), quantile(d.waits, 0.99)
	return c
}

// quantile is the nearest-rank quantile; 0 of nothing.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
