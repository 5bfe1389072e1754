package app_test

import (
	"net/http"
	"testing"
)

// The setting metrics.key closes /metrics, and nothing else.
func TestMetricsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"metrics.key": "the key of the figures"})
	for path, want := range map[string]int{"/metrics": http.StatusUnauthorized, "/livez": http.StatusOK} {
		res, err := http.Get(r.url(path))
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url("/metrics"), nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer the key of the figures")
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("with its key: %s", res.Status)
	}
}
