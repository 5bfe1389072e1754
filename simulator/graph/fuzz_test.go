package graph_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"outrider/simulator/graph"
)

// FuzzRequest sends anything to the edges that read a body: the answer is JSON, and an error names its code.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{goodUtility, goodTemplate, update("7001", `{"text":"hi"}`), `[]`, `null`, `{"message":null}`,
		`recipient={"id":7001}&message={"text":"hi"}&messaging_type=UPDATE`, `{"components":[{"type":"BODY","text":"{{"}]}`} {
		f.Add("500/messages", body, true)
		f.Add("500/message_templates", body, true)
		f.Add("500/messenger_profile", body, false)
	}
	f.Fuzz(func(t *testing.T, edge, body string, isJSON bool) {
		b := setup(t, graph.Options{Rate: -1})
		b.do(t, "POST", "500/message_templates", goodTemplate)
		req, err := http.NewRequest("POST", "http://graph.test/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Path = "/v26.0/" + edge
		req.URL.RawQuery = "access_token=page-token&appsecret_proof=" + graph.Proof("secret", "page-token")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if isJSON {
			req.Header.Set("Content-Type", "application/json")
		}
		if r := b.run(t, req); r.Status != 200 && r.Error.Code == 0 {
			t.Errorf("answered %d %s", r.Status, r.Raw)
		}
	})
}

// FuzzText sends any text to a phone and back: what a person says arrives unharmed through the escapes.
func FuzzText(f *testing.F) {
	for _, s := range []string{"hello", "ä👍", `a\b"/c`, "\u2028</script>", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain := mustJSON(t, text)
		raw := graph.Escape([]byte(plain))
		for _, c := range raw {
			if c >= 0x80 {
				t.Fatalf("%q holds a byte outside ASCII", raw)
			}
		}
		var want, back string
		if err := errors.Join(json.Unmarshal([]byte(plain), &want), json.Unmarshal(raw, &back)); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if back != want {
			t.Fatalf("%q became %q", want, back)
		}
	})
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
