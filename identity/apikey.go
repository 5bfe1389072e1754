package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Role is what a caller of the API may do. Each role may do what the one before it may.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // reads
	Operator Role = "operator" // changes geofences, vehicles, owners and rules
	Admin    Role = "admin"    // changes pages, keys and trackers' credentials
)

// RoleNames returns every role, the one that may least first.
func RoleNames() []Role { return []Role{Viewer, Operator, Admin} }

// May reports whether somebody with role r may do what takes the role least. An unknown role may nothing.
func (r Role) May(least Role) bool {
	have := slices.Index(RoleNames(), r)
	return have >= 0 && have >= slices.Index(RoleNames(), least)
}

// APIKey lets a program or a person call the API, in one tenant. The key itself is not kept.
type APIKey struct {
	ID      string // shown, and the beginning of the key after "or_"
	Tenant  TenantID
	Name    string // what people call it
	Role    Role
	Hash    string // of the whole key: SHA-256 in hex
	Created time.Time
	Expires time.Time // zero: never
	Used    time.Time // last call, kept to the hour; zero: never
}

// keyPrefix begins every key, so that one which got into the wrong hands is known for what it is.
const keyPrefix = "or_"

// NewAPIKey makes a key, which is shown once. It has 130 random bits, so that one plain hash protects it. life 0 is for
// ever.
func NewAPIKey(tenant TenantID, name string, role Role, now time.Time, life time.Duration) (APIKey, Token) {
	text := strings.ToLower(rand.Text())
	id := strings.ToLower(rand.Text()[:8])
	k := APIKey{ID: id, Tenant: tenant, Name: name, Role: role, Created: now}
	if life > 0 {
		k.Expires = now.Add(life)
	}
	key := keyPrefix + id + "_" + text
	k.Hash = HashAPIKey(key)
	return k, NewToken(key)
}

// HashAPIKey is how a key is kept and looked for.
func HashAPIKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Expired reports whether the key is over.
func (k *APIKey) Expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }
