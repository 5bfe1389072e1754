package app_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"outrider/identity"
	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/postgrestest"
	"outrider/simulator/graph"
)

// apiClients is how many of BenchmarkWrites write at once, each over a connection of its own.
const apiClients = 64

var apiFleet = flag.Int("fleet", 10_000, "vehicles that BenchmarkWrites finds registered")

// BenchmarkWrites measures validated writes through a whole gateway's HTTP server: answered when they are in force, and on
// disk with the entries of the audit log before and after them.
//
//	go test ./internal/app -run '^$' -bench Writes -benchtime 5000x
func BenchmarkWrites(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			url := ""
			if engine == "postgres" {
				url = postgrestest.Start(b, true).URL(b)
			}
			a := writtenGateway(b, url)
			var n atomic.Int64
			b.Run("put-vehicle", func(b *testing.B) {
				write(b, a, http.MethodPut, func() (string, string) {
					i := n.Add(1)
					return fmt.Sprintf("vehicles/v%d", i%int64(*apiFleet)), fmt.Sprintf(`{"name":"Van %d","owner":"ann","tags":["north","cold"],"device":"imei-%d"}`, i, i)
				})
			})
			b.Run("post-geofence", func(b *testing.B) {
				write(b, a, http.MethodPost, func() (string, string) {
					i := n.Add(1)
					return "geofences", fmt.Sprintf(`{"type":"Feature","properties":{"name":"Yard %d","shape":"circle","radius_m":100,"tags":["yards"]},`+
						`"geometry":{"type":"Point","coordinates":[%.5f,%.5f]}}`, i, 5+float64(i%1000)/100, 45+float64(i/1000%1000)/100)
				})
			})
		})
	}
}

// writtenGateway is a gateway with a fleet, in a database or, without its address, in a file.
func writtenGateway(b *testing.B, url string) *app.App {
	b.Helper()
	sandbox := graph.New(graph.Options{AppSecret: "secret", VerifyToken: "word"})
	meta := httptest.NewServer(sandbox)
	b.Cleanup(func() { meta.Close(); _ = sandbox.Close() })
	c, err := config.Load(config.Source{Flags: map[string]string{
		"data.dir": b.TempDir(), "store.url": url, "http.listen": "127.0.0.1:0", "mqtt.listen": "127.0.0.1:0", "graph.url": meta.URL, "admin.key": key,
	}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := app.OpenStore(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	var putting sync.WaitGroup
	for worker := range apiClients {
		putting.Go(func() {
			for i := worker; i < *apiFleet; i += apiClients {
				v := identity.Vehicle{Tenant: "default", ID: identity.VehicleID(fmt.Sprint("v", i)), Owners: []identity.OwnerID{"ann"}}
				if err := s.PutVehicle(b.Context(), v); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	putting.Wait()
	_ = s.Close()
	a, err := app.New(app.Options{Config: c})
	if err == nil {
		err = a.Start(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Stop(context.Background()) })
	return a
}

// write sends what next says, from all clients.
func write(b *testing.B, a *app.App, method string, next func() (path, body string)) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: apiClients}}
	defer client.CloseIdleConnections()
	b.SetParallelism(apiClients / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			path, body := next()
			req, _ := http.NewRequestWithContext(b.Context(), method, fmt.Sprintf("http://%s/api/v1/%s", a.HTTPAddr(), path), strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+key)
			req.Header.Set("Content-Type", "application/json")
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			said, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode/100 != 2 {
				b.Errorf("%s %s: %s %s", method, path, res.Status, said)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
