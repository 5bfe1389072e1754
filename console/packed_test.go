package console_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
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
