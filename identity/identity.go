package identity

import (
	"sync"
	"time"
)

// TenantID names a tenant.
type TenantID string

// VehicleID names a vehicle inside its tenant.
type VehicleID string

// OwnerID names an owner inside its tenant.
type OwnerID string

// PageID is Facebook's id of a page.
type PageID string

// PSID is the page-scoped id under which one page, and only that page, can reach one person.
type PSID string

// Vehicle is a registered vehicle.
type Vehicle struct {
	Tenant TenantID
	ID     VehicleID
	Name   string // what messages call it; empty: the id
	Owners []OwnerID
	Tags   []string
	// Device is the id under which its tracker publishes; empty: the vehicle's own id.
	Device  string
	Updated time.Time
}

// Title is what messages call the vehicle.
func (v Vehicle) Title() string {
	if v.Name != "" {
		return v.Name
	}
	return string(v.ID)
}

// Owner is a person who wants to know.
type Owner struct {
	Tenant   TenantID
	ID       OwnerID
	Name     string
	Locale   string // BCP 47 or Facebook's form, "de" or "de_DE"; empty: "en"
	TimeZone string // IANA name; empty: "UTC"
	Contacts []Contact
	Fallback Token // shoutrrr URL of another channel, a secret since it holds passwords
	// Mutes are the silences that the owner asked for. They are theirs: PutOwner does not change them.
	Mutes []Mute
	// Quiet and Once are, too, what the owner asked for.
	Quiet   Quiet
	Once    []Once
	Updated time.Time
}

// Contact is a way to one person through one page.
type Contact struct {
	Page PageID
	PSID PSID
}

// Location returns the owner's time zone, UTC when it is empty or unknown.
func (o Owner) Location() *time.Location {
	if o.TimeZone == "" {
		return time.UTC
	}
	if loc, ok := zones.Load(o.TimeZone); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(o.TimeZone)
	if err != nil {
		return time.UTC // validated when it was stored; an older time zone database may have lost it
	}
	zones.Store(o.TimeZone, loc)
	return loc
}

// zones remembers the zones that were read. It only grows, to as many as there are.
//
// PERF: reading one costs 20 µs, and a message asks for its zone several times.
var zones sync.Map

// Page is a Facebook page through which messages go. Its id is unique over all tenants.
type Page struct {
	Tenant      TenantID
	ID          PageID
	Name        string
	AccessToken Token
	// Tag is the message tag to try outside the window where Graph still accepts one; empty: none.
	Tag string
	// Templates names the page's own templates by kind of event ("enter", "exit"); a kind without one uses
	// the gateway's own template, which it creates. A template of the page's takes the same parameters: {{1}}
	// vehicle, {{2}} fence, {{3}} time, and one postback button, whose payload may hold {{1}}, the vehicle's id.
	Templates map[string]string
	// Routes is the order in which ways of sending are tried, of "window", "utility", "tag", "human" and "fallback";
	// a way that is left out is not used. Empty: in that order.
	Routes []string
	// Blocked is when Meta's policy enforcement stopped the page; zero: it did not, or it ended that. BlockReason is
	// Meta's word for why.
	Blocked     time.Time
	BlockReason string
	Updated     time.Time
}

// Records is everything a Directory holds.
type Records struct {
	Vehicles []Vehicle
	Owners   []Owner
	Pages    []Page
	Texts    map[TenantID]Texts
}
