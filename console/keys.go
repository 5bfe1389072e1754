package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"outrider/identity"
	"outrider/telemetry"
)

// tenantHeader names the tenant that the bootstrap key acts on.
const tenantHeader = "Outrider-Tenant"

// keys knows who may call. Keys are kept and compared as hashes, in constant time.
type keys struct{ admin [sha256.Size]byte }

func newKeys(admin identity.Token) keys { return keys{sha256.Sum256([]byte(admin.Reveal()))} }

// middleware lets a request through to an operation of the API when its key is good, with the tenant in its
// context. Nothing of the body has been read before.
func (k keys) middleware(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	tenant, refusal := k.admit(r)
	if refusal != nil {
		if refusal.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="outrider"`)
		}
		writeProblem(w, refusal)
		return
	}
	next(huma.WithValue(ctx, tenantKey{}, tenant))
}

// admit returns the tenant that the request may act on, or the answer to a request that may not.
func (k keys) admit(r *http.Request) (identity.TenantID, *huma.ErrorModel) {
	if !k.known(r) {
		return "", problem(http.StatusUnauthorized, "expected the header \"Authorization: Bearer <key>\" with a key of this gateway")
	}
	name := r.Header.Get(tenantHeader)
	if name == "" {
		return identity.TenantID(telemetry.DefaultTenant), nil
	}
	if fault := idFault(name); fault != "" || strings.ContainsAny(name, "/+#") {
		return "", problem(http.StatusUnprocessableEntity, "the tenant's name is not acceptable", &huma.ErrorDetail{
			Location: "header." + tenantHeader, Value: name,
			Message: "expected 1 to 128 bytes of text without control characters, /, + and #",
		})
	}
	return identity.TenantID(name), nil
}

// known reports whether the request carries a key.
func (k keys) known(r *http.Request) bool {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(key)))
	same := subtle.ConstantTimeCompare(given[:], k.admin[:]) == 1
	return same && strings.EqualFold(scheme, "Bearer")
}

type tenantKey struct{}

// tenantOf returns the tenant of the request that ctx belongs to.
func tenantOf(ctx context.Context) identity.TenantID {
	tenant, _ := ctx.Value(tenantKey{}).(identity.TenantID)
	return tenant
}
