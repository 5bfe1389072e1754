package console

import (
	"net/http"

	"outrider/console/ui"
	"outrider/internal/people"
)

// New returns the handler of every path the gateway serves. It is safe for many goroutines.
func New(o Options) (http.Handler, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	slow := newThrottles(o)
	api := newRouter(mux, o, slow)

	newFences(o).register(api)
	(&ogc{newFences(o), api, o.Now}).register(mux)
	newRegistry(o).register(api)
	newRecords(o).register(api)
	(&rules{o: o}).register(api)
	(&access{o.Store, o.Now, api.keys.forget}).register(api)
	hasher := people.NewHasher(o.PasswordCost)
	registerUsers(api, o, hasher)
	registerSignOn(mux, o, registerSessions(api, o, hasher), slow)
	auditLog{o.Store}.register(api)
	registerInspect(api, o.Inspect, o.Watch)
	registerDevices(api, o.Devices)
	events{feed: o.Feed, store: o.Store}.register(api)
	description, err := api.description()
	if err != nil {
		return nil, err
	}
	front, err := newHome(api, o.Version)
	if err != nil {
		return nil, err
	}
	front.register(mux)
	if err := ui.Register(mux, o.Map); err != nil {
		return nil, err
	}
	health{ready: o.Ready, keys: api.keys}.register(mux)
	mux.Handle("GET /openapi.json", description)
	if o.Gatherer != nil {
		mux.Handle("GET /metrics", figures(o, api.keys))
	}
	serveDebug(o.Debug, api.keys, mux)
	if o.Login != nil {
		mux.Handle(loginPath, slow.wrap(loginPath, loginPace, o.Login))
	}
	if o.Fulfilment != nil {
		mux.Handle("POST "+lexPath, slow.wrap(lexPath, lexPace, o.Fulfilment))
	}
	if o.Webhook != nil {
		mux.Handle(webhookPath, slow.wrap(webhookPath, webhookPace, o.Webhook))
	}
	if o.Cards != nil {
		mux.Handle("GET /card/{id}", o.Cards)
	}
	return newServer(mux, api, slow, o)
}
