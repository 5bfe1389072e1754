package people

import (
	"time"

	"outrider/identity"
)

// UserID is with what a person signs in: a short name or a mail address, in lower case. It is unique over all tenants.
type UserID string

// User is a person who signs in at the console.
type User struct {
	ID       UserID
	Tenant   identity.TenantID
	Name     string
	Role     identity.Role
	Password string // hash in PHC form; empty: no password opens it
	Disabled bool
	Created  time.Time
	Updated  time.Time
	Used     time.Time // last sign-in; zero: never
}
