package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/console/ui"
	"outrider/geofence"
	"outrider/identity"
	"outrider/internal/people"
	"outrider/notify"
	"outrider/store"
	"outrider/telemetry"
)

// Geofences is what the API asks of the fences' store.
type Geofences interface {
	PutGeofence(ctx context.Context, g store.Geofence, expect uint64) (store.Geofence, error)
	PutGeofences(ctx context.Context, all []store.Geofence) (int, error)
	DeleteGeofence(ctx context.Context, tenant identity.TenantID, id geofence.FenceID, expect uint64) (store.Geofence, error)
	Geofence(ctx context.Context, tenant identity.TenantID, id geofence.FenceID) (store.Geofence, error)
	Geofences(ctx context.Context, tenant identity.TenantID, after geofence.FenceID, limit int) ([]store.Geofence, error)
}

// Registry is what the API asks of the store of vehicles, owners and pages; it reads them from the directory.
type Registry interface {
	PutVehicle(ctx context.Context, v identity.Vehicle) error
	PutOwner(ctx context.Context, o identity.Owner) error
	PutPage(ctx context.Context, p identity.Page) error
	Unlink(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID) (identity.Erasure, error)
	PutTexts(ctx context.Context, tenant identity.TenantID, language string, texts map[string]string) error
	LastFixes(ctx context.Context, tenant identity.TenantID, after identity.VehicleID, limit int) ([]telemetry.Fix, error)
	LastFix(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (telemetry.Fix, error)
}

// Rules is what the API asks of the store of rules; it reads those in force from the rulebook.
type Rules interface {
	PutRule(ctx context.Context, r notify.Rule, expect uint64) (notify.Rule, error)
	DeleteRule(ctx context.Context, tenant identity.TenantID, id string, expect uint64) error
	RulesDuring(ctx context.Context, tenant identity.TenantID, from, to time.Time) ([]store.RuleVersion, error)
}

// APIKeys is what the API asks of the store of keys.
type APIKeys interface {
	PutAPIKey(ctx context.Context, k identity.APIKey) error
	APIKey(ctx context.Context, hash string) (identity.APIKey, error)
	APIKeys(ctx context.Context, tenant identity.TenantID) ([]identity.APIKey, error)
	DropAPIKey(ctx context.Context, tenant identity.TenantID, id string) error
	APIKeyUsed(ctx context.Context, id string, at time.Time) error
}

// People is what the API asks of the store of who signs in.
type People interface {
	store.People
	store.Sessions
}

// Records is what the API asks of the record.
type Records interface {
	Crossings(ctx context.Context, q store.Query) ([]store.Crossing, error)
	Deliveries(ctx context.Context, q store.Query) ([]store.DeliveryRecord, error)
	Delivery(ctx context.Context, tenant identity.TenantID, id string) (store.DeliveryRecord, error)
	DeadLetters(ctx context.Context, q store.Query) ([]store.DeadLetter, error)
	Acknowledged(ctx context.Context, tenant identity.TenantID, events []string) ([]store.Acknowledgement, error)
}

// Store is everything the API asks of the store; a [store.Store] has it all.
type Store interface {
	Geofences
	Registry
	Rules
	APIKeys
	Audit
	Replies
	People
	Records
}

var _ Store = store.Store(nil)

// Options is what [New] needs. Store, Directory and AdminKey are required.
type Options struct {
	Store Store
	// Directory answers reads of vehicles, owners and pages.
	Directory *identity.Directory
	// AdminKey is the bootstrap key: it may do everything, in the tenant named by the Outrider-Tenant header.
	AdminKey identity.Token

	// SecureCookies: the console is reached over TLS that ends before this process. A request that comes in over TLS gets
	// such cookies anyway.
	SecureCookies bool
	// PasswordCost is what hashing a password costs; zero: people.DefaultCost.
	PasswordCost people.Cost

	// Reload brings the directory up to date with what the store has of the named records. It is called after each change
	// of a vehicle, owner, page or text, before the answer is sent. Nil: nothing is called.
	Reload func(context.Context, ...identity.Ref) error
	// FencesChanged puts the stored fences in force. It is called after each change of a fence, before the
	// answer is sent. Nil: nothing is called.
	FencesChanged func(context.Context) error
	// Rulebook answers reads of rules, and Rules says what they say of events. Nil: those of default rules.
	Rulebook *notify.Rulebook
	Rules    *notify.Rules
	// Rehearse looks at the positions since a time as a rule would have. Nil: there are none.
	Rehearse func(ctx context.Context, rule notify.Rule, from time.Time) (notify.Rehearsal, error)
	// RulesChanged puts the stored rules in force. It is called after each change of a rule, before the answer is sent.
	// Nil: nothing is called.
	RulesChanged func(context.Context) error
	// FenceTags returns the tags of a fence in force, and whose it is alone. Nil: there are none, and they are everybody's.
	FenceTags func(identity.TenantID, geofence.FenceID) (tags []string, owner identity.OwnerID)
	// PageChanged is told of a page that was put, after Reload. It must not block. Nil: nobody is told.
	PageChanged func(identity.PageID)

	// Map is what lies under the map of the web console.
	Map ui.Options

	// Links makes links for owners and pages. Nil: the operations do not exist.
	Links Links
	// Messages takes what operators type to owners, and Wake is told of the page it is to leave through. Nil: the
	// operation does not exist.
	Messages Messages
	Wake     func(identity.PageID)
	// SignOn is where people sign in besides; nil: with a password only.
	SignOn *SignOn
	// PublicURL is under which people reach the gateway; empty: what their requests say.
	PublicURL string
	// Login serves /auth/facebook/. Nil: the path does not exist.
	Login http.Handler
	// Health tells how pages stand at Meta. Nil: it is not shown.
	Health PageHealths

	// Feed is what /api/v1/events tells from. Nil: the stream looks at the record every two seconds, and has no positions.
	Feed *Feed

	// Devices is the way to the trackers. Nil: the operations do not exist.
	Devices Devices
	// Inspect tells what a device sent last, and Watch what all did. One nil: the operations do not exist.
	Inspect InspectFunc
	Watch   WatchFunc
	// Fulfilment serves /lex/fulfillment. Nil: the path does not exist.
	Fulfilment http.Handler

	// Webhook serves /webhook/messenger. Nil: the path does not exist.
	Webhook http.Handler
	// CheckChannel says why an owner's fallback is no channel's URL; its error does not repeat it. Nil: any URL is taken.
	CheckChannel func(identity.Token) error
	// Cards serves the pictures of alerts at /card/{id}, to whoever has a signed address. Nil: the path does not exist.
	Cards http.Handler
	// Ready says for each part of the gateway why it cannot do its work, nil where it can. Nil: always ready.
	Ready func(context.Context) map[string]error
	// Gatherer is served at /metrics. Nil: the path does not exist.
	Gatherer prometheus.Gatherer
	// MetricsKey is what /metrics asks for, as a bearer token; the bootstrap key opens it, too. Empty: nothing.
	MetricsKey identity.Token
	// Debug is served below /debug/ to who has the bootstrap key, by name.
	Debug map[string]DebugFunc
	// Registerer gets the API's own metrics. Nil: they are counted but not registered.
	Registerer prometheus.Registerer

	Logger  *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // measures durations; nil: they are zero
	Version string           // of the gateway, shown on the start page; empty: "dev"
}

// checked returns o with its defaults, or what is missing.
func (o Options) checked() (Options, error) {
	switch {
	case o.Store == nil:
		return o, errors.New("console: no store")
	case o.Directory == nil:
		return o, errors.New("console: no directory")
	case o.AdminKey.Empty():
		return o, errors.New("console: no admin key: an empty key would open the API to everyone")
	}
	if o.Messages != nil && (o.Wake == nil || o.Now == nil) {
		return o, errors.New("console: messages need Wake and Now")
	}
	if o.PasswordCost == (people.Cost{}) {
		o.PasswordCost = people.DefaultCost
	}
	if o.Rehearse == nil {
		o.Rehearse = func(context.Context, notify.Rule, time.Time) (notify.Rehearsal, error) {
			return notify.Rehearsal{}, nil
		}
	}
	if o.Reload == nil {
		o.Reload = func(context.Context, ...identity.Ref) error { return nil }
	}
	if o.FencesChanged == nil {
		o.FencesChanged = func(context.Context) error { return nil }
	}
	if o.Rulebook == nil {
		o.Rulebook = notify.NewRulebook()
	}
	if o.Rules == nil {
		o.Rules = notify.NewRules(o.Directory, o.Rulebook)
	}
	if o.RulesChanged == nil {
		o.RulesChanged = func(context.Context) error { return nil }
	}
	if o.FenceTags == nil {
		o.FenceTags = func(identity.TenantID, geofence.FenceID) ([]string, identity.OwnerID) { return nil, "" }
	}
	if o.Feed == nil {
		o.Feed = NewFeed()
	}
	if o.PageChanged == nil {
		o.PageChanged = func(identity.PageID) {}
	}
	if o.CheckChannel == nil {
		o.CheckChannel = func(identity.Token) error { return nil }
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) map[string]error { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Time{} }
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o, nil
}
