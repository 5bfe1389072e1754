package console

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// health serves what a supervisor asks: whether the process lives, and whether it can do its work.
type health struct {
	ready func(context.Context) map[string]error
	keys  keys
}

func (h health) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", h.alive)
	mux.HandleFunc("GET /livez", h.alive)
	mux.HandleFunc("GET /readyz", h.readiness)
}

func (h health) alive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, mediaJSON, map[string]string{"status": "ok"})
}

// notReady is a problem document that names the checks.
type notReady struct {
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail"`
	Checks map[string]string `json:"checks"`
}

// readiness tells everyone which part fails, and why only to a caller with a key: causes may name files and hosts.
func (h health) readiness(w http.ResponseWriter, r *http.Request) {
	checks := map[string]string{}
	var failing []string
	results := h.ready(r.Context())
	for _, name := range slices.Sorted(maps.Keys(results)) {
		checks[name] = "ok"
		if err := results[name]; err != nil {
			failing = append(failing, name)
			checks[name] = "failing"
			if h.keys.good(r) {
				checks[name] = err.Error()
			}
		}
	}
	if len(failing) == 0 {
		writeJSON(w, http.StatusOK, mediaJSON, map[string]any{"status": "ready", "checks": checks})
		return
	}
	writeJSON(w, http.StatusServiceUnavailable, "application/problem+json", notReady{
		Title: http.StatusText(http.StatusServiceUnavailable), Status: http.StatusServiceUnavailable,
		Detail: "not ready: " + strings.Join(failing, ", "), Checks: checks,
	})
}
