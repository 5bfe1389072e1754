package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"outrider/console"
	"outrider/identity"
)

// The handler is mounted in a server; a fleet admin draws a fence around the depot, and reads it again.
func ExampleNew() {
	directory := identity.NewDirectory()
	handler, err := console.New(console.Options{
		Store: newFakeStore(time.Now), Directory: directory, AdminKey: identity.NewToken("key"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	call := func(method, path, body string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer key")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, http.StatusText(w.Code), w.Header().Get("ETag"))
	}
	call("PUT", "/api/v1/geofences/depot", `{"type": "Feature",
		"geometry": {"type": "Point", "coordinates": [11.5755, 48.1374]},
		"properties": {"name": "Depot", "shape": "circle", "radius_m": 150}}`)
	call("GET", "/api/v1/geofences/depot", "")
	call("DELETE", "/api/v1/geofences/depot", "")
	// Output:
	// 201 Created "1"
	// 200 OK "1"
	// 204 No Content
}

// An error says which field is meant and what was expected there.
func ExampleNew_errors() {
	handler, err := console.New(console.Options{
		Store: newFakeStore(time.Now), Directory: identity.NewDirectory(), AdminKey: identity.NewToken("key"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("PUT", "/api/v1/owners/anna", strings.NewReader(`{"time_zone": "Berlin", "locale": "de_DE"}`))
	r.Header.Set("Authorization", "Bearer key")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Content-Type"))
	fmt.Print(w.Body)
	// Output:
	// application/problem+json
	// {"title":"Unprocessable Entity","status":422,"detail":"body.time_zone: expected the IANA name of a time zone, such as Europe/Berlin","errors":[{"message":"expected the IANA name of a time zone, such as Europe/Berlin","location":"body.time_zone","value":"Berlin"}]}
}
