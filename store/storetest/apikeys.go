package storetest

import (
	"testing"
	"time"

	"outrider/identity"
	"outrider/store"
)

var keyTests = map[string]func(*testing.T, *bench){
	"an API key is found by its hash until it is dropped": keyRoundTrip,
}

func keyRoundTrip(t *testing.T, b *bench) {
	ctx := t.Context()
	k, secret := identity.NewAPIKey("acme", "CI", identity.Operator, epoch, time.Hour)
	other, _ := identity.NewAPIKey("acme", "", identity.Viewer, epoch.Add(time.Second), 0)
	for _, k := range []identity.APIKey{other, k} {
		ok(t, b.PutAPIKey(ctx, k))
	}
	wantError(t, b.PutAPIKey(ctx, k), store.ErrConflict)
	same(t, "key", must(b.APIKey(ctx, identity.HashAPIKey(secret.Reveal())))(t), k)
	_, err := b.APIKey(ctx, identity.HashAPIKey("or_wrong"))
	wantError(t, err, store.ErrNotFound)
	ok(t, b.APIKeyUsed(ctx, k.ID, epoch.Add(time.Minute)))
	k.Used = epoch.Add(time.Minute)
	same(t, "keys", must(b.APIKeys(ctx, "acme"))(t), []identity.APIKey{k, other})
	same(t, "keys of another tenant", must(b.APIKeys(ctx, "other"))(t), nil)
	wantError(t, b.DropAPIKey(ctx, "other", k.ID), store.ErrNotFound)
	ok(t, b.DropAPIKey(ctx, "acme", k.ID))
	wantError(t, b.DropAPIKey(ctx, "acme", k.ID), store.ErrNotFound)
	same(t, "keys left", must(b.APIKeys(ctx, "acme"))(t), []identity.APIKey{other})
}
