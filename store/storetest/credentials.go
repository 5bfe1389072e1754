package storetest

import (
	"slices"
	"testing"
	"time"

	"outrider/identity"
	"outrider/store"
)

var credentialTests = map[string]func(*testing.T, *bench){
	"credentials come back as they were put":         credentialRoundTrip,
	"a credential is dropped by its own tenant only": credentialDropped,
	"everybody learns of a credential's end":         credentialRevoked,
}

func putCredential(t *testing.T, b *bench, tenant identity.TenantID, vehicle identity.VehicleID, after time.Duration) identity.Credential {
	t.Helper()
	c, _ := identity.NewCredential(tenant, vehicle, epoch.Add(after))
	ok(t, b.PutCredential(t.Context(), c))
	return c
}

func credentialRoundTrip(t *testing.T, b *bench) {
	second := putCredential(t, b, "acme", "van", time.Second)
	first := putCredential(t, b, "acme", "van", 0)
	putCredential(t, b, "acme", "car", 0)
	putCredential(t, b, "other", "van", 0)
	wantError(t, b.PutCredential(t.Context(), first), store.ErrConflict)

	first.Used = epoch.Add(time.Hour)
	ok(t, b.CredentialUsed(t.Context(), first.ID, first.Used))
	ok(t, b.CredentialUsed(t.Context(), "nobody", first.Used))
	same(t, "of the van", must(b.Credentials(t.Context(), "acme", "van"))(t), []identity.Credential{first, second})
	same(t, "the first", must(b.Credential(t.Context(), first.ID))(t), first)
	same(t, "of nobody", must(b.Credentials(t.Context(), "acme", "bus"))(t), nil)
	_, err := b.Credential(t.Context(), "nobody")
	wantError(t, err, store.ErrNotFound)
}

func credentialDropped(t *testing.T, b *bench) {
	c := putCredential(t, b, "acme", "van", 0)
	wantError(t, b.DropCredential(t.Context(), "other", "van", c.ID), store.ErrNotFound)
	wantError(t, b.DropCredential(t.Context(), "acme", "car", c.ID), store.ErrNotFound)
	ok(t, b.DropCredential(t.Context(), "acme", "van", c.ID))
	wantError(t, b.DropCredential(t.Context(), "acme", "van", c.ID), store.ErrNotFound)
	_, err := b.Credential(t.Context(), c.ID)
	wantError(t, err, store.ErrNotFound)
}

func credentialRevoked(t *testing.T, b *bench) {
	ctx := t.Context()
	begin := epoch.AddDate(-1, 0, 0)
	same(t, "before any", must(b.RevokedCredentials(ctx, begin))(t), nil)
	first, second := putCredential(t, b, "acme", "van", 0), putCredential(t, b, "other", "car", 0)
	wantError(t, b.DropCredential(ctx, "acme", "van", second.ID), store.ErrNotFound)
	ok(t, b.DropCredential(ctx, "acme", "van", first.ID))
	ok(t, b.DropCredential(ctx, "other", "car", second.ID))
	got := must(b.RevokedCredentials(ctx, begin))(t)
	slices.Sort(got)
	want := []identity.CredentialID{first.ID, second.ID}
	slices.Sort(want)
	same(t, "both", got, want)
	same(t, "later", must(b.RevokedCredentials(ctx, time.Now().AddDate(100, 0, 0)))(t), nil)
}
