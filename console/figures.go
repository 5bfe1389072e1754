package console

import (
	"crypto/sha256"
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
		if k.opens(w, r, "the key of the setting metrics.key", own, k.admin) {
			page.ServeHTTP(w, r)
		}
	})
}
