package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var built embed.FS

// Options says what lies under the map, beside the countries that are always there. The zero value is good.
type Options struct {
	// Tiles is the template of a raster tile server, https://…/{z}/{x}/{y}.png; the browser loads from it.
	// Empty: nothing is loaded from elsewhere.
	Tiles string
	// PMTiles is the file of a tile archive (protomaps.com) that the gateway serves. Empty: none.
	PMTiles string
	// Attribution is what the makers of the tiles want to be said of them.
	Attribution string
	// Streets is a GeoJSON FeatureCollection of lines, such as the streets of a simulated city. Nil: none.
	Streets []byte
}

// Register adds the console's paths to mux: its page at /, and what it loads. It fails when o names a tile
// server that is no URL. The handlers are safe for many goroutines.
func Register(mux *http.ServeMux, o Options) error {
	policy, err := o.policy()
	if err != nil {
		return err
	}
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		return fmt.Errorf("ui: %w", err)
	}
	files, err := load(dist)
	if err != nil {
		return err
	}
	page := files["index.html"]
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-cache")
		page.serve(w, r)
	})
	for name, f := range files {
		if name != "index.html" {
			mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", lifetime(name))
				// The map's worker is a page of its own to the browser, with a policy of its own.
				w.Header().Set("Content-Security-Policy", policy)
				f.serve(w, r)
			})
		}
	}
	o.register(mux)
	return nil
}

// lifetime lets browsers keep files that carry their hash in their name.
func lifetime(name string) string {
	if strings.HasPrefix(name, "assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

// ground is /console/map.json.
type ground struct {
	Tiles       string `json:"tiles,omitempty"`
	PMTiles     string `json:"pmtiles,omitempty"`
	Streets     string `json:"streets,omitempty"`
	Attribution string `json:"attribution,omitempty"`
}

func (o Options) register(mux *http.ServeMux) {
	g := ground{Tiles: o.Tiles, Attribution: o.Attribution}
	if o.PMTiles != "" {
		g.PMTiles = "/console/basemap.pmtiles"
		mux.HandleFunc("GET "+g.PMTiles, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.pmtiles")
			http.ServeFile(w, r, o.PMTiles)
		})
	}
	if o.Streets != nil {
		g.Streets = "/console/streets.json"
		streets := newFile("streets.json", o.Streets)
		mux.HandleFunc("GET "+g.Streets, func(w http.ResponseWriter, r *http.Request) { streets.serve(w, r) })
	}
	text, _ := json.Marshal(g) // strings only: cannot fail
	mux.HandleFunc("GET /console/map.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // fails only when the client has gone
	})
}

// policy is the Content-Security-Policy of the console: everything from here, nothing inline; pictures may be made
// in the page, and tiles may come from the server that the operator named.
func (o Options) policy() (string, error) {
	images, connect := "'self' data: blob:", "'self'"
	if o.Tiles != "" {
		u, err := url.Parse(strings.NewReplacer("{z}", "0", "{x}", "0", "{y}", "0").Replace(o.Tiles))
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return "", fmt.Errorf("ui: console.tiles: expected https://…/{z}/{x}/{y}.png, got %q", o.Tiles)
		}
		origin := u.Scheme + "://" + u.Host
		images, connect = images+" "+origin, connect+" "+origin
	}
	return "default-src 'self'; img-src " + images + "; connect-src " + connect +
		"; style-src 'self'; script-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", nil
}

// file is one thing that is served, plain and compressed.
type file struct {
	media string
	tag   string
	plain []byte
	small func() []byte // compressed when it is first asked for
}

func load(dist fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(dist, name)
		files[name] = newFile(name, text)
		return err
	})
	if err == nil && files["index.html"] == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("ui: built files: %w", err)
	}
	return files, nil
}

func newFile(name string, text []byte) *file {
	sum := sha256.Sum256(text)
	media := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".js" {
		media = "text/javascript; charset=utf-8" // whatever the machine's own table says
	}
	return &file{media: media, tag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: text, small: sync.OnceValue(func() []byte { return squeeze(text) })}
}

func squeeze(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	_, _ = w.Write(text)                                  // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.media)
	h.Set("ETag", f.tag)
	h.Add("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	text := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		if small := f.small(); len(small) < len(text) {
			h.Set("Content-Encoding", "gzip")
			text = small
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text) // fails only when the client has gone
}
