package mqtt

import (
	"context"
	"crypto/x509"
	"errors"

	"outrider/telemetry"
)

// Device is who has signed in at an endpoint. The zero value is somebody who did not say.
type Device struct {
	Tenant     telemetry.TenantID
	Vehicle    telemetry.VehicleID
	Credential string // with what it signed in, such as a user name
}

// anonymous reports whether nobody knows who the device is.
func (d *Device) anonymous() bool { return d.Vehicle == "" }

// SignIn is what a device presents.
type SignIn struct {
	Named       bool // it gives a user name
	Username    string
	Password    []byte
	Certificate *x509.Certificate // verified; nil: it has none
}

// ErrDenied says that what a device presents does not let it in.
var ErrDenied = errors.New("mqtt: wrong user name, password or certificate")

// Gatekeeper knows the devices. It is safe for many goroutines.
type Gatekeeper interface {
	// SignIn says who a device is. Its error is [ErrDenied], or says why that cannot be told now; the device shall then
	// come again.
	SignIn(ctx context.Context, s SignIn) (Device, error)
	// MayPublish reports whether a device that signed in may publish on a topic.
	MayPublish(d Device, topic string) bool
	// MayHear reports whether a device may subscribe to a topic, which holds no wildcards.
	MayHear(d Device, topic string) bool
}

// signIn finds out who a device is.
func (e *Endpoint) signIn(c *conn, p *connect) *fault {
	s := SignIn{Named: p.named, Username: string(p.username), Password: p.password, Certificate: c.door.certificate(c.net)}
	switch {
	case c.door.open && (e.o.Gatekeeper == nil || !s.Named && s.Certificate == nil):
		return nil
	case !s.Named && s.Certificate == nil, e.o.Gatekeeper == nil:
		return faultf(endDenied, "neither user name nor certificate")
	}
	d, err := e.o.Gatekeeper.SignIn(e.ctx, s)
	switch {
	case errors.Is(err, ErrDenied):
		return faultf(endDenied, "wrong user name, password or certificate")
	case err != nil:
		return faultf(endUnavailable, "%v", err)
	}
	c.device = d
	return nil
}
