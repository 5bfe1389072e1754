package codec_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

// asyncAPI is docs/asyncapi.yaml.
type asyncAPI struct {
	Channels map[string]struct {
		Address    string
		Parameters map[string]struct{ Enum []string }
	}
	Components struct {
		Messages map[string]struct {
			Examples []struct {
				Name    string
				Payload any
			}
		}
	}
}

// readAsyncAPI returns the document, the same as a value for schemas to judge, and a compiler that knows it.
func readAsyncAPI(t *testing.T) (asyncAPI, any, *jsonschema.Compiler) {
	t.Helper()
	text, err := os.ReadFile("../../docs/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var (
		doc   asyncAPI
		plain any
	)
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	value := asJSON(t, plain)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("asyncapi.yaml", value); err != nil {
		t.Fatal(err)
	}
	return doc, value, c
}

// asJSON is a value as it comes out of JSON.
func asJSON(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// AsyncAPI's own schema accepts the document.
func TestAsyncAPIIsWellFormed(t *testing.T) {
	t.Parallel()
	_, value, c := readAsyncAPI(t)
	f, err := os.Open("testdata/asyncapi-3.0.0.json.gz") // the specification's, Apache-2.0
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("http://asyncapi.com/definitions/3.0.0/asyncapi.json", schema); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("http://asyncapi.com/definitions/3.0.0/asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("%v", err)
	}
}

// The document names the topics that the decoder knows, and its formats.
func TestAsyncAPIHasTheTopics(t *testing.T) {
	t.Parallel()
	doc, _, _ := readAsyncAPI(t)
	var formats []string
	for _, name := range codec.Codecs() {
		formats = append(formats, string(name))
	}
	documented := doc.Channels["format"].Parameters["codec"].Enum
	slices.Sort(formats)
	slices.Sort(documented)
	if diff := cmp.Diff(formats, documented); diff != "" {
		t.Errorf("formats (-decoder +document):\n%s", diff)
	}
	fill := strings.NewReplacer("{tenant}", "acme", "{vehicle}", "van-1", "{user}", "jane", "{device}", "phone", "{codec}", "native")
	owners := map[string]string{"fix": "acme van-1", "format": "acme van-1", "owntracks": "default jane/phone"}
	for name, want := range owners {
		tenant, vehicle := codec.TopicOwner(fill.Replace(doc.Channels[name].Address))
		if got := fmt.Sprint(tenant, " ", vehicle); got != want {
			t.Errorf("%s is of %q, want %q", doc.Channels[name].Address, got, want)
		}
	}
	commands := []string{fill.Replace(doc.Channels["command"].Address), fill.Replace(doc.Channels["ownTracksCommand"].Address)}
	got := slices.Concat(codec.CommandTopics("acme", "van-1"), codec.CommandTopics("default", "jane/phone"))
	for _, topic := range commands {
		if !slices.Contains(got, topic) {
			t.Errorf("the document has %s for commands, the gateway %v", topic, got)
		}
	}
}

// refusedBy says what the decoder finds wrong with a payload; empty: nothing.
func refusedBy(topic string, payload []byte) string {
	fixes, err := codec.New(codec.Options{}).Decode(nil, telemetry.Message{Topic: topic, Payload: payload})
	if err != nil {
		return err.Error()
	}
	if len(fixes) == 0 {
		return "it holds no position"
	}
	return ""
}

// Whatever the document's schemas accept, the decoder understands: every payload of the golden files, and the document's
// examples.
func TestWhatAsyncAPIAcceptsIsUnderstood(t *testing.T) {
	t.Parallel()
	doc, _, c := readAsyncAPI(t)
	for file, of := range map[string]struct{ message, topic string }{
		"testdata/native.txt":    {"fixes", "fleet/acme/van-1/fix"},
		"testdata/owntracks.txt": {"locations", "owntracks/jane/phone"},
	} {
		s, err := c.Compile("asyncapi.yaml#/components/messages/" + of.message + "/payload")
		if err != nil {
			t.Fatal(err)
		}
		both, neither := 0, 0
		for _, g := range readGolden(t, file) {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(g.payload))
			accepted := err == nil && s.Validate(value) == nil
			refused := refusedBy(of.topic, []byte(g.payload))
			switch {
			case accepted && refused != "":
				t.Errorf("%s: the document accepts what the decoder refuses: %s: %s", g.name, g.payload, refused)
			case accepted:
				both++
			case refused != "":
				neither++
			}
		}
		if both < 5 || neither < 5 {
			t.Errorf("%s: %d payloads accepted by both, %d by neither", file, both, neither)
		}
		examples := doc.Components.Messages[of.message].Examples
		if len(examples) == 0 {
			t.Errorf("%s has no examples", of.message)
		}
		for _, e := range examples {
			payload, err := json.Marshal(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(asJSON(t, e.Payload)); err != nil {
				t.Errorf("%s: %v", e.Name, err)
			}
			if refused := refusedBy(of.topic, payload); refused != "" {
				t.Errorf("%s: %s: %s", e.Name, payload, refused)
			}
		}
	}
}

// Document and decoder agree on every member, at the limits that the document names and beyond them.
func TestAsyncAPIAgreesWithTheDecoder(t *testing.T) {
	t.Parallel()
	_, _, c := readAsyncAPI(t)
	s, err := c.Compile("asyncapi.yaml#/components/messages/fixes/payload")
	if err != nil {
		t.Fatal(err)
	}
	edges := []any{
		nil, true, false, "x", []any{}, -1, 0, 1, 0.5, -90, -90.5, 90, 90.5, -180, -180.5, 180, 180.5, 360, 361, -12000, -12001, 1e4, 10001, 1e6, 1000001,
		1e7, 10000001, 1767225600.5, 9.9e13, 1e14, 1.1e14, -9.9e13, -1e14, 1e15, "2026-01-01T00:00:00.5Z", "2026-01-01T01:00:00+01:00", "2026-01-01", "2026-13-01T00:00:00Z",
	}
	for _, member := range []string{"t", "lat", "lon", "acc", "spd", "hdg", "alt", "hdop", "batt", "ign", "other"} {
		for _, edge := range edges {
			fix := map[string]any{"t": 1767225600, "lat": 48.1, "lon": 11.5}
			fix[member] = edge
			payload, err := json.Marshal(fix)
			if err != nil {
				t.Fatal(err)
			}
			invalid, refused := s.Validate(asJSON(t, fix)), refusedBy("fleet/acme/van-1/fix", payload)
			if (invalid == nil) != (refused == "") {
				t.Errorf("%s: the document says %v, the decoder %q", payload, invalid, refused)
			}
		}
	}
	for _, missing := range []string{"t", "lat", "lon"} {
		fix := map[string]any{"t": 1767225600, "lat": 48.1, "lon": 11.5}
		delete(fix, missing)
		if s.Validate(asJSON(t, fix)) == nil {
			t.Errorf("the document accepts a fix without %s", missing)
		}
	}
}
