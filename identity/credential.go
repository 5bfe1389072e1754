package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"
)

// CredentialID names a credential; it is the user name with which a tracker signs in.
type CredentialID string

// Credential lets the tracker of one vehicle in at the device endpoint. The password itself is not kept.
type Credential struct {
	ID      CredentialID
	Tenant  TenantID
	Vehicle VehicleID
	Hash    string // of the password: SHA-256 in hex
	Created time.Time
	Used    time.Time // last sign-in, kept to the hour; zero: never
}

// NewCredential makes a credential and its password, which is shown once. The password has 128 random bits, so that
// one plain hash protects it; both are short and of small letters and digits, for trackers that take no more.
func NewCredential(tenant TenantID, vehicle VehicleID, now time.Time) (Credential, Token) {
	password := strings.ToLower(rand.Text())
	c := Credential{
		ID: CredentialID("d-" + strings.ToLower(rand.Text()[:14])), Tenant: tenant, Vehicle: vehicle,
		Hash: hashPassword(password), Created: now,
	}
	return c, NewToken(password)
}

// Opens reports whether the password is this credential's. It takes the same time for every wrong one.
func (c *Credential) Opens(password []byte) bool {
	given := hashPassword(string(password))
	return subtle.ConstantTimeCompare([]byte(given), []byte(c.Hash)) == 1
}

func hashPassword(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}
