package console_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"outrider/console"
	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
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

// BenchmarkServed measures what the API itself costs: validated writes by 16 clients through a real HTTP server, over a store
// that does nothing. Bare is such a server that only decodes and encodes JSON, to compare with.
func BenchmarkServed(b *testing.B) {
	for _, c := range []struct{ name, method, path, body string }{
		{"bare", "POST", "/bare", `{"name":"Van","owner":"anna","tags":["north","cold"],"device":"imei-1"}`},
		{"get-vehicle", "GET", "/api/v1/vehicles/v", ""},
		{"put-vehicle", "PUT", "/api/v1/vehicles/v", `{"name":"Van","owner":"anna","tags":["north","cold"],"device":"imei-1"}`},
		{"post-geofence", "POST", "/api/v1/geofences", strings.Replace(depot, `"id":"depot",`, "", 1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := setup(b, func(o *console.Options) {
				o.Store, o.Reload, o.Logger = idleStore{o.Store}, nil, nil
				o.Directory.Load(identity.Records{Vehicles: []identity.Vehicle{{Tenant: "default", ID: "v"}}})
			})
			mux := http.NewServeMux()
			mux.HandleFunc("POST /bare", bare)
			mux.Handle("/", g.handler)
			server := httptest.NewServer(mux)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			b.SetParallelism(16 / runtime.GOMAXPROCS(0))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, _ := http.NewRequestWithContext(b.Context(), c.method, server.URL+c.path, strings.NewReader(c.body))
					r.Header.Set("Authorization", "Bearer "+adminKey)
					res, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					if res.StatusCode/100 != 2 {
						b.Error(res.Status)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

func bare(w http.ResponseWriter, r *http.Request) {
	var v struct {
		Name, Owner, Device string
		Tags                []string
	}
	if json.NewDecoder(r.Body).Decode(&v) != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	_ = json.NewEncoder(w).Encode(v)
}

// idleStore takes every write and does nothing.
type idleStore struct{ console.Store }

func (idleStore) PutVehicle(context.Context, identity.Vehicle) error { return nil }

func (idleStore) PutGeofence(_ context.Context, g store.Geofence, _ uint64) (store.Geofence, error) {
	return g, nil
}

func (idleStore) BeginEntry(context.Context, store.AuditEntry) (uint64, error) { return 1, nil }
func (idleStore) EndEntry(context.Context, uint64, int, json.RawMessage) error { return nil }
func (idleStore) LastFix(context.Context, identity.TenantID, identity.VehicleID) (telemetry.Fix, error) {
	return telemetry.Fix{}, store.ErrNotFound
}
