package console_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkAPI measures one request through everything but the network and the store.
func BenchmarkAPI(b *testing.B) {
	for _, c := range []struct{ name, method, path, body string }{
		{"health", "GET", "/healthz", ""},
		{"get-geofence", "GET", "/api/v1/geofences/depot", ""},
		{"put-geofence", "PUT", "/api/v1/geofences/depot", depot},
		{"put-vehicle", "PUT", "/api/v1/vehicles/van%2F1", `{"name":"Van","owner":"anna","tags":["north"]}`},
		{"refused", "PUT", "/api/v1/vehicles/van%2F1", `{"nmae":"Van"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := seed(setup(b))
			g.store.fixes = nil
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
				r.Header.Set("Authorization", "Bearer "+adminKey)
				g.handler.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
