package store

import (
	"context"
	"errors"
	"time"

	"github.com/paulmach/orb"

	"outrider/geofence"
	"outrider/identity"
	"outrider/journal"
	"outrider/notify"
	"outrider/telemetry"
)

// ErrNotFound says that the asked record does not exist in the tenant.
var ErrNotFound = errors.New("store: not found")

// ErrConflict says that a record is not at the revision the caller expected, or exists already.
var ErrConflict = errors.New("store: conflict")

// ErrFenced says that another process owns the partition now: nothing was committed.
var ErrFenced = errors.New("store: partition is owned by another process")

// Store is everything. All methods of all its parts are safe for many goroutines.
type Store interface {
	Geofences
	Registry
	Lanes
	Shares
	Bell
	Journals
	Records
	Links
	Credentials
	APIKeys
	Audit
	Replies
	People
	Sessions
	Accounts
	PageHealths
	Acknowledgements
	Questions
	Rules
	notify.Talk
	notify.Outbox
	notify.Enqueuer
	notify.Templates
	notify.Inbox

	// Ping reports whether the store can be read and written.
	Ping(ctx context.Context) error
	Close() error
}

// Geofence is one version of a fence. Versions are numbered by one revision counter for all tenants, and
// superseded versions are kept until ForgetGeofences, so that the fences of an earlier moment can be had again.
type Geofence struct {
	Tenant   identity.TenantID
	ID       geofence.FenceID
	Revision uint64 // of this version; its ETag
	Name     string
	Feature  []byte // GeoJSON Feature, canonical form
	Bound    orb.Bound
	Deleted  bool
	Updated  time.Time
}

// Geofences keeps fences.
type Geofences interface {
	// PutGeofence stores a new version and returns it with its Revision and Updated set. expect 0: no
	// condition; ExpectAbsent: it must not exist; otherwise: the current revision must be expect. ErrConflict.
	PutGeofence(ctx context.Context, g Geofence, expect uint64) (Geofence, error)
	// PutGeofences stores new versions of many fences of one tenant in one transaction, whatever their revisions were, and
	// returns how many there are: all of them or, with an error, none. An id may come once.
	PutGeofences(ctx context.Context, all []Geofence) (int, error)
	// DeleteGeofence stores a deleted version. ErrNotFound, ErrConflict.
	DeleteGeofence(ctx context.Context, tenant identity.TenantID, id geofence.FenceID, expect uint64) (Geofence, error)
	// Geofence returns the current version, ErrNotFound if there is none or it is deleted.
	Geofence(ctx context.Context, tenant identity.TenantID, id geofence.FenceID) (Geofence, error)
	// Geofences lists current versions of a tenant in order of id, after the id given.
	Geofences(ctx context.Context, tenant identity.TenantID, after geofence.FenceID, limit int) ([]Geofence, error)
	// GeofencesAt returns every fence of every tenant as it was at the revision; Latest for now. It also
	// returns the revision itself.
	GeofencesAt(ctx context.Context, revision uint64) ([]Geofence, uint64, error)
	// GeofenceChanges returns versions with a revision above since, deleted ones included, in order.
	GeofenceChanges(ctx context.Context, since uint64) ([]Geofence, error)
	// Revision returns the newest revision of all geofences and rules.
	Revision(ctx context.Context) (uint64, error)
	// ForgetGeofences drops superseded versions of geofences and rules that no revision >= keep needs.
	ForgetGeofences(ctx context.Context, keep uint64) error
}

// ExpectAbsent and Latest are special revisions.
const (
	ExpectAbsent uint64 = 1<<63 - 1
	Latest       uint64 = 1<<63 - 1
)

// Registry keeps vehicles, owners and pages. Puts replace the whole record and set Updated.
type Registry interface {
	PutVehicle(ctx context.Context, v identity.Vehicle) error
	// PutOwner also addresses what was held because the owner had no contact, when it has one now.
	PutOwner(ctx context.Context, o identity.Owner) error
	// SetMutes replaces the silences of an owner, and SetLocale the language; PutOwner changes no silences. ErrNotFound
	// if there is no such owner.
	SetMutes(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, mutes []identity.Mute) error
	SetLocale(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, locale string) error
	// SetQuiet replaces an owner's quiet hours, and SetOnce what they want to be told one time. A delivery whose alert
	// names such a wish ends it, in the transaction that stores the delivery. ErrNotFound if there is no such owner.
	SetQuiet(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, quiet identity.Quiet) error
	SetOnce(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID, once []identity.Once) error
	// PutPage stores a page with its token sealed. ErrConflict when another tenant has the page. Blocked and
	// BlockReason are not taken from p: they are Meta's, and come with events.
	PutPage(ctx context.Context, p identity.Page) error
	// PutTexts replaces what a tenant says in a language instead of the gateway, by name of the text.
	PutTexts(ctx context.Context, tenant identity.TenantID, language string, texts map[string]string) error
	// Identities returns everything, for the in-memory directory.
	Identities(ctx context.Context) (identity.Records, error)
	// IdentitiesOf returns those of the named records that there are.
	IdentitiesOf(ctx context.Context, refs ...identity.Ref) (identity.Records, error)
	// IdentitiesRevision grows with every change of what Identities returns, whichever process made it.
	IdentitiesRevision(ctx context.Context) (uint64, error)
	// LastFixes lists the newest known fix of every vehicle of a tenant, in order of id, after the id given.
	LastFixes(ctx context.Context, tenant identity.TenantID, after identity.VehicleID, limit int) ([]telemetry.Fix, error)
	// LastFix returns the newest known fix of a vehicle, ErrNotFound if there is none.
	LastFix(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (telemetry.Fix, error)
}

// Crossing is a crossing in the record.
type Crossing struct {
	Seq        uint64 // assigned by the store, grows: the order of the record
	ID         string // hash of tenant, vehicle, fence, revision, kind and time
	Tenant     identity.TenantID
	Vehicle    identity.VehicleID
	Fence      geofence.FenceID
	FenceRev   uint64
	FenceName  string
	Kind       string
	At         time.Time // event time, to the millisecond
	Point      orb.Point
	Confidence int       // 1 to 3
	Why        string    // reason of the confidence, from the engine's closed list
	Late       bool      // for the record only, nobody was alerted
	Reading    string    // the rule's own reading of the fence that it is of, see notify.Reading; empty: the fence's
	Received   time.Time // arrival of the fix that decided it
	Recorded   time.Time
}

// Membership is where a vehicle stands with a fence.
type Membership struct {
	Tenant  identity.TenantID
	Vehicle identity.VehicleID
	Fence   geofence.FenceID
	Inside  bool      // false: outside; the row of a fence that was left is removed
	Since   time.Time // event time
}

// Lane is how far a partition's lane has come.
type Lane struct {
	Next     journal.Position // the first position that is not committed
	Clock    time.Time        // arrival clock up to which timers have fired
	Revision uint64           // fence revision in force at Next
	Epoch    uint64           // of the owner
}

// Adoption says that from a position on a lane evaluated fixes with the fences of a revision.
type Adoption struct {
	At       journal.Position
	Revision uint64
}

// Commit is one step of a lane, all of it or nothing.
type Commit struct {
	Partition   int
	Epoch       uint64
	Next        journal.Position
	Clock       time.Time
	Revision    uint64
	Crossings   []Crossing        // already known ids are ignored
	Memberships []Membership      // changes only
	Deliveries  []notify.Delivery // already known ids are ignored
	LastFixes   []telemetry.Fix   // newer than what is stored, else ignored
	DeadLetters []DeadLetter

	Read time.Time // when the fixes were read from the journal, for those who look on; it is not stored
}

// Lanes keeps the lanes' progress.
type Lanes interface {
	// OwnLane starts a new epoch of a partition, after which commits of older epochs fail with ErrFenced, and returns how
	// far the partition has come. ErrFenced if the process does not own the partition, see Shares; one without a name is
	// the only process, and owns all.
	OwnLane(ctx context.Context, partition int, owner ProcessID) (Lane, error)
	// Memberships returns the stored memberships of the partition's vehicles, inside ones only.
	Memberships(ctx context.Context, partition int) ([]Membership, error)
	// Commit applies c in one durable transaction. A commit at a position before the lane's own, which only a
	// lane makes whose journal was lost, takes the lane back and drops the adoptions behind the position.
	Commit(ctx context.Context, c Commit) error
	// Adoptions returns the fence revisions a lane adopted, oldest first, beginning with the one in force at from.
	Adoptions(ctx context.Context, partition int, from journal.Position) ([]Adoption, error)
	// ForgetAdoptions drops those that are not needed from the position on.
	ForgetAdoptions(ctx context.Context, partition int, from journal.Position) error
	// OldestRevision is the oldest fence revision that any lane's adoptions still name.
	OldestRevision(ctx context.Context) (uint64, error)
}

// Journals knows which log the lanes' positions are of.
type Journals interface {
	// JournalStreams returns the JetStream streams that are known, by name, with when each was made. None: a journal in files.
	JournalStreams(ctx context.Context) (map[string]time.Time, error)
	// PutJournalStreams adds streams; those that are known stay as they are.
	PutJournalStreams(ctx context.Context, made map[string]time.Time) error
	// LanePositions returns how far each partition has come.
	LanePositions(ctx context.Context) (map[int]journal.Position, error)
	// AcceptJournal makes streams the known ones, instead of what is known, and gives each partition the position from which its
	// lane goes on in them. Lanes that run meanwhile are fenced.
	AcceptJournal(ctx context.Context, streams map[string]time.Time, next map[int]journal.Position) error
}

// DeadLetter is input that was refused.
type DeadLetter struct {
	Seq      uint64 // assigned by the store
	Tenant   identity.TenantID
	Vehicle  identity.VehicleID // empty when the topic did not say
	Topic    string
	Reason   telemetry.Reason
	Field    string
	Detail   string
	Payload  []byte // the first 4 KiB
	Size     int    // of the whole payload
	Received time.Time
}

// Query selects a page of a record, newest first.
type Query struct {
	Tenant  identity.TenantID
	Vehicle identity.VehicleID // empty: any
	Fence   geofence.FenceID   // empty: any
	State   notify.State       // deliveries only; empty: any
	Before  uint64             // cursor: only Seq below; 0: from the newest
	Limit   int                // at most; 0: 100
}

// DeliveryRecord is a delivery with its place in the record.
type DeliveryRecord struct {
	Seq uint64
	notify.Delivery
	Trace []notify.Try // of Delivery only, oldest first; lists leave it out
}

// Acknowledgement is an owner's word that they saw an alert.
type Acknowledgement struct {
	Delivery string // id
	Event    string // the crossing's id
	Owner    identity.OwnerID
	At       time.Time
	By       string // what they tapped: "ACK", "WHERE", …
}

// Acknowledgements keeps who saw which alert.
type Acknowledgements interface {
	// Acknowledge records that the person to whom a delivery is addressed saw it; the first time counts. It reports
	// whether there is such a delivery to them.
	Acknowledge(ctx context.Context, tenant identity.TenantID, delivery string, who identity.Contact, by string, at time.Time) (bool, error)
	// Acknowledged lists the acknowledgements of events, oldest first.
	Acknowledged(ctx context.Context, tenant identity.TenantID, events []string) ([]Acknowledgement, error)
}

// Question is something that a dialog asked a person, whose answer goes on with what they wanted.
type Question struct {
	Person identity.Contact
	Text   string // what is wanted, in the dialog's own form
	Until  time.Time
}

// Questions keeps the open question of each person, at most one.
type Questions interface {
	// Ask replaces the open question of a person; one without Text closes it.
	Ask(ctx context.Context, q Question) error
	// Asked returns the open question of a person that has not ended by now; false if there is none.
	Asked(ctx context.Context, person identity.Contact, now time.Time) (Question, bool, error)
}

// Records are what people look at.
type Records interface {
	Crossings(ctx context.Context, q Query) ([]Crossing, error)
	Deliveries(ctx context.Context, q Query) ([]DeliveryRecord, error)
	Delivery(ctx context.Context, tenant identity.TenantID, id string) (DeliveryRecord, error)
	// DeliveryCounts counts deliveries by state over all tenants.
	DeliveryCounts(ctx context.Context) (map[notify.State]int, error)
	notify.Backlogs
	DeadLetters(ctx context.Context, q Query) ([]DeadLetter, error)
	// Prune deletes up to so many of the oldest crossings that were recorded before a time, and as many deliveries that
	// were made before it and are done with. It returns how many went: 0 when none are left.
	Prune(ctx context.Context, before time.Time, most int) (int, error)
	// PutDeadLetters makes refused input durable, and keeps the newest 10,000 of each tenant.
	PutDeadLetters(ctx context.Context, letters []DeadLetter) error
}
