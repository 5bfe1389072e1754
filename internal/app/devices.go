package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"outrider/console"
	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
	"outrider/telemetry/codec"
	"outrider/telemetry/mqtt"
)

const (
	// maxCredentials is how many a vehicle may have.
	maxCredentials = 20
	// usedWithin is how exactly the last use of a credential is kept.
	usedWithin = time.Hour
	// revokedEvery is how often revocations by other processes are looked for, and revokedSlack how far their clocks may be
	// behind ours.
	revokedEvery = 2 * time.Second
	revokedSlack = 10 * time.Minute
)

// devices knows the trackers: it lets them in at the endpoint, and is the API's way to them.
type devices struct {
	store     store.Credentials
	directory *identity.Directory
	owner     func(topic string) (telemetry.TenantID, telemetry.VehicleID)
	endpoint  *mqtt.Endpoint
	now       func() time.Time
	logger    *slog.Logger
}

var (
	_ mqtt.Gatekeeper = (*devices)(nil)
	_ console.Devices = (*devices)(nil)
)

// SignIn implements mqtt.Gatekeeper. A certificate that was verified counts before a user name.
func (d *devices) SignIn(ctx context.Context, s mqtt.SignIn) (mqtt.Device, error) {
	if s.Certificate != nil {
		return certified(s)
	}
	c, err := d.store.Credential(ctx, identity.CredentialID(s.Username))
	if errors.Is(err, store.ErrNotFound) {
		return mqtt.Device{}, mqtt.ErrDenied
	}
	if err != nil {
		return mqtt.Device{}, err
	}
	if !c.Opens(s.Password) {
		return mqtt.Device{}, mqtt.ErrDenied
	}
	if now := d.now(); now.Sub(c.Used) >= usedWithin {
		if err := d.store.CredentialUsed(ctx, c.ID, now); err != nil {
			d.logger.Warn("sign-in of a tracker not noted", "credential", string(c.ID), "cause", err)
		}
	}
	return mqtt.Device{Tenant: telemetry.TenantID(c.Tenant), Vehicle: telemetry.VehicleID(c.Vehicle), Credential: string(c.ID)}, nil
}

// certified is whom a certificate names.
func certified(s mqtt.SignIn) (mqtt.Device, error) {
	subject := s.Certificate.Subject
	d := mqtt.Device{Tenant: telemetry.DefaultTenant, Vehicle: telemetry.VehicleID(subject.CommonName)}
	if len(subject.Organization) > 0 {
		d.Tenant = telemetry.TenantID(subject.Organization[0])
	}
	if d.Vehicle == "" {
		return mqtt.Device{}, mqtt.ErrDenied
	}
	return d, nil
}

// MayPublish implements mqtt.Gatekeeper: on topics that name the vehicle, or nobody, which then means the vehicle.
func (d *devices) MayPublish(device mqtt.Device, topic string) bool {
	tenant, named := d.owner(topic)
	return named == "" || d.same(device, tenant, named)
}

// MayHear implements mqtt.Gatekeeper. Who needs not say who they are may hear any vehicle's commands.
func (d *devices) MayHear(device mqtt.Device, topic string) bool {
	tenant, named := codec.CommandOwner(topic)
	return named != "" && (device.Vehicle == "" || d.same(device, tenant, named))
}

// same reports whether a topic's ids mean the device's vehicle.
func (d *devices) same(device mqtt.Device, tenant telemetry.TenantID, named telemetry.VehicleID) bool {
	return tenant == device.Tenant && d.directory.Resolve(identity.TenantID(tenant), string(named)) == identity.VehicleID(device.Vehicle)
}

// Admit implements console.Devices.
func (d *devices) Admit(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) (identity.Credential, identity.Token, error) {
	all, err := d.store.Credentials(ctx, tenant, vehicle)
	if err != nil {
		return identity.Credential{}, identity.Token{}, err
	}
	if len(all) >= maxCredentials {
		return identity.Credential{}, identity.Token{}, console.ErrTooMany
	}
	c, password := identity.NewCredential(tenant, vehicle, d.now())
	return c, password, d.store.PutCredential(ctx, c)
}

// Credentials implements console.Devices.
func (d *devices) Credentials(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID) ([]identity.Credential, error) {
	return d.store.Credentials(ctx, tenant, vehicle)
}

// Revoke implements console.Devices.
//
// ORDER: the store, then the connections, so that nobody comes in between the two and stays.
func (d *devices) Revoke(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, id identity.CredentialID) error {
	if err := d.store.DropCredential(ctx, tenant, vehicle, id); err != nil {
		return err
	}
	if d.endpoint != nil {
		d.endpoint.Dismiss(string(id))
	}
	return nil
}

// watchRevoked ends the connections of credentials that other processes revoke in the same store, until ctx ends.
func (d *devices) watchRevoked(ctx context.Context) {
	ticker := time.NewTicker(revokedEvery)
	defer ticker.Stop()
	since, known := d.now(), map[identity.CredentialID]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		began := d.now()
		revoked, err := d.store.RevokedCredentials(ctx, since.Add(-revokedSlack))
		if err != nil {
			if ctx.Err() == nil {
				d.logger.Warn("revoked credentials not looked for", "cause", err)
			}
			continue // from the same time on
		}
		since, known = began, d.dismiss(revoked, known)
	}
}

// dismiss ends the connections of revoked credentials that are not known to be, and returns those that are now.
func (d *devices) dismiss(revoked []identity.CredentialID, known map[identity.CredentialID]bool) map[identity.CredentialID]bool {
	now := make(map[identity.CredentialID]bool, len(revoked))
	for _, id := range revoked {
		if now[id] = true; !known[id] {
			d.endpoint.Dismiss(string(id))
		}
	}
	return now
}

// Command implements console.Devices: on the topics of the vehicle's own id, and of the id under which it publishes. It
// reaches the trackers that are connected to this process.
func (d *devices) Command(tenant identity.TenantID, vehicle identity.VehicleID, payload []byte) (topics []string, sent int) {
	topics = codec.CommandTopics(telemetry.TenantID(tenant), telemetry.VehicleID(vehicle))
	if v, ok := d.directory.Vehicle(tenant, vehicle); ok && v.Device != "" && v.Device != string(vehicle) {
		topics = append(topics, codec.CommandTopics(telemetry.TenantID(tenant), telemetry.VehicleID(v.Device))...)
	}
	if d.endpoint == nil {
		return topics, 0
	}
	for _, topic := range topics {
		sent += d.endpoint.Command(topic, payload)
	}
	return topics, sent
}
