package console_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"outrider/console"
	"outrider/store"
	"outrider/telemetry"
)

// Long answers of the API come compressed to those who take that, and are the same; short ones, and those who do not, are
// left alone.
func TestListsAreCompressed(t *testing.T) {
	g := setup(t)
	for i := range 50 {
		g.must(201, "PUT", fmt.Sprintf("/api/v1/vehicles/van%d", i), `{"name":"A van with a name"}`)
	}
	get := func(path, accepts string) (answer, string) {
		a := g.call(http.MethodGet, path, "", "Accept-Encoding: "+accepts)
		body := io.Reader(strings.NewReader(a.body))
		if a.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return a, string(text)
	}
	plain, want := get("/api/v1/vehicles", "")
	packed, got := get("/api/v1/vehicles", "gzip")
	if plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" || got != want {
		t.Errorf("encodings %q and %q, the same content: %t", plain.Header.Get("Content-Encoding"), packed.Header.Get("Content-Encoding"), got == want)
	}
	if !strings.Contains(packed.Header.Get("Vary"), "Accept-Encoding") {
		t.Errorf("Vary is %q", packed.Header.Get("Vary"))
	}
	if short, _ := get("/api/v1/vehicles/van1", "gzip"); short.Header.Get("Content-Encoding") != "" {
		t.Error("a short answer is compressed")
	}
}

// The live stream comes compressed to those who take that, each event when it happens.
func TestTheStreamIsCompressed(t *testing.T) {
	t.Parallel()
	for accepts, want := range map[string]string{
		"gzip": "gzip", "br, gzip;q=0.5": "gzip", "*": "", "identity": "", "gzip;q=0": "", "deflate, br": "",
	} {
		feed := console.NewFeed()
		g := setup(t, func(o *console.Options) { o.Feed = feed })
		s := openStream(t, g, "", "Accept-Encoding: "+accepts)
		if s.encoding != want {
			t.Errorf("who takes %q gets %q, want %q", accepts, s.encoding, want)
		}
		for _, id := range []telemetry.VehicleID{"van1", "van2"} {
			feed.Committed(store.Commit{LastFixes: []telemetry.Fix{telemetry.NewFix("default", id, g.now, orb.Point{11, 48})}})
			if event, data := s.next(); event != "fixes" || !strings.Contains(data, string(id)) {
				t.Errorf("who takes %q is told %s %s", accepts, event, data)
			}
		}
	}
}
