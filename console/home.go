package console

import (
	"bytes"
	_ "embed" // the start page is part of the binary
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

var (
	//go:embed home.html
	homeHTML string
	//go:embed home.css
	homeCSS []byte
)

// home serves /api: what this is, and every operation of the API.
type home struct{ page []byte }

func newHome(r *router, version string) (*home, error) {
	t, err := template.New("home").Parse(homeHTML)
	if err != nil {
		return nil, fmt.Errorf("console: start page: %w", err)
	}
	var page bytes.Buffer
	err = t.Execute(&page, struct {
		Version    string
		Operations []*huma.Operation
	}{version, operations(r.api.OpenAPI())})
	if err != nil {
		return nil, fmt.Errorf("console: start page: %w", err)
	}
	return &home{page.Bytes()}, nil
}

func (h *home) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /api", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		writeText(w, "text/html; charset=utf-8", h.page)
	})
	mux.HandleFunc("GET /home.css", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, "text/css; charset=utf-8", homeCSS)
	})
}

// writeText answers with a text that is known beforehand.
func writeText(w http.ResponseWriter, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text) // fails only when the client has gone
}
