package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// figures serves /metrics, to everybody or to who has its key. They are of all tenants, so that a tenant's key does not
// open them.
func figures(o Options, k keys) http.Handler {
	page := promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{})
	if o.MetricsKey.Empty() {
		return page
	}
	own := sha256.Sum256([]byte(o.MetricsKey.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := bearer(r)
		f := friend{addressOf(r), sha256.Sum256([]byte(key))}
		if key != "" && k.bearers.meet(f) != nil {
			refuse(w, problem(http.StatusTooManyRequests, "too many wrong keys came from this address; wait "+strangerWait+" s"))
			return
		}
		opens := subtle.ConstantTimeCompare(f.key[:], own[:])|subtle.ConstantTimeCompare(f.key[:], k.admin[:]) == 1
		if key != "" {
			k.bearers.judge(f, opens)
		}
		if !opens {
			refuse(w, problem(http.StatusUnauthorized, "expected the header \"Authorization: Bearer <key>\" with the key of the setting metrics.key"))
			return
		}
		page.ServeHTTP(w, r)
	})
}
