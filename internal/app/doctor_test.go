package app_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/config"
)

// examine runs the doctor beside the rig's gateway; settings change what it is told.
func (r *rig) examine(t *testing.T, settings map[string]string) []app.Diagnosis {
	t.Helper()
	flags := maps.Clone(r.flags)
	flags["http.listen"], flags["mqtt.listen"] = r.app.HTTPAddr().String(), r.app.MQTTAddr().String()
	flags["http.public_url"] = r.url("")
	maps.Copy(flags, settings)
	c, err := config.Load(config.Source{Flags: flags})
	must(t, err)
	found := app.Doctor(t.Context(), c, nil)
	for _, d := range found {
		for _, secret := range []string{token, key, "app-secret-of-the-test", "verify-token-of-the-test"} {
			if strings.Contains(d.Text+d.Advice, secret) {
				t.Errorf("a secret shows: %+v", d)
			}
		}
	}
	return found
}

// healthy prepares everything at Meta as it should be.
func healthy(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, map[string]string{"chat.mode": "builtin"})
	r.own(t, "van-1", "ann", "7001")
	eventually(t, "the page has templates, its button and its menu", func() bool {
		for _, d := range r.examine(t, nil) {
			if d.Health != app.Fine && d.Name != "http.public_url" {
				return false
			}
		}
		return true
	})
	return r
}

func TestDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	r := healthy(t)
	names := map[string]bool{}
	for _, d := range r.examine(t, nil) {
		names[d.Name] = true
		if d.Health == app.Fine && d.Advice != "" {
			t.Errorf("advice without need: %+v", d)
		}
	}
	for _, name := range []string{"settings", "data.dir", "store", "clock", "secret", "webhook", "webhook fields", "token", "permissions", "subscription", "menu", "templates", "business", "linked"} {
		if !names[name] {
			t.Errorf("nothing was said of %s", name)
		}
	}
}

// Each illness is found, and nothing else with it.
func TestDoctorFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := healthy(t)
	healed := func(restore func()) func() { return restore }
	for _, c := range []struct {
		what     string
		fall     func() (heal func())
		settings map[string]string
		name     string
		health   app.Health
		says     string
	}{
		{"permission", func() func() {
			r.sandbox.Grant("pages_messaging", "pages_manage_metadata")
			return healed(func() {
				r.sandbox.Grant("pages_messaging", "pages_manage_metadata", "page_utility_messaging")
			})
		}, nil, "permissions", app.Broken, "missing: pages_utility_messaging"},
		{"the other spelling", func() func() { return func() {} }, nil, "permissions", app.Fine, "all granted"},
		{"token", func() func() {
			r.sandbox.RevokeToken(token, 460)
			return func() { r.sandbox.RestoreToken(token) }
		}, nil, "token", app.Broken, "changed their password"},
		{"business", func() func() {
			must(t, r.sandbox.SetBusiness(page, "901"))
			return func() { must(t, r.sandbox.SetBusiness(page, "900")) }
		}, nil, "business", app.Worries, "business 901 and the app to 900"},
		{"no business", func() func() {
			must(t, r.sandbox.SetBusiness(page, ""))
			return func() { must(t, r.sandbox.SetBusiness(page, "900")) }
		}, nil, "business", app.Worries, "belongs to no business"},
		{"webhook address", func() func() {
			r.sandbox.SetWebhook("https://elsewhere.test/hook")
			return func() { r.sandbox.SetWebhook(r.url("/webhook/messenger")) }
		}, nil, "webhook", app.Broken, "goes to https://elsewhere.test/hook"},
		{"no webhook", func() func() {
			r.sandbox.SetWebhook("")
			return func() { r.sandbox.SetWebhook(r.url("/webhook/messenger")) }
		}, nil, "webhook", app.Broken, "has no webhook for pages"},
		{"subscription", func() func() { must(t, r.sandbox.Unsubscribe(page)); return func() {} }, nil, "subscription", app.Broken, "not subscribed to the app"},
		{"app secret", func() func() { return func() {} }, map[string]string{"facebook.app_secret": "another-secret-of-the-test"}, "secret", app.Broken, ""},
		{"app id", func() func() { return func() {} }, map[string]string{"facebook.app_id": ""}, "facebook.app_id", app.Broken, "not set"},
		{"Graph", func() func() { return func() {} }, map[string]string{"graph.url": "http://127.0.0.1:1"}, "graph.url", app.Broken, "refused"},
	} {
		heal := c.fall()
		found := false
		for _, d := range r.examine(t, c.settings) {
			if d.Name == c.name && d.Health == c.health && strings.Contains(d.Text, c.says) {
				found = true
				if c.health != app.Fine && d.Part != "this machine" && d.Advice == "" {
					t.Errorf("%s: no advice: %+v", c.what, d)
				}
			}
		}
		if !found {
			t.Errorf("%s was not found: %+v", c.what, r.examine(t, c.settings))
		}
		heal()
	}
}

// A clock that differs from Meta's is found: windows, codes and signatures are judged by both.
func TestDoctorComparesClocks(t *testing.T) {
	t.Parallel()
	for off, want := range map[time.Duration]app.Health{0: app.Fine, 20 * time.Second: app.Worries, -time.Hour: app.Broken} {
		meta := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		}))
		c, err := config.Load(config.Source{Flags: map[string]string{"data.dir": t.TempDir(), "graph.url": meta.URL, "http.listen": "127.0.0.1:0", "mqtt.listen": "127.0.0.1:0"}})
		must(t, err)
		for _, d := range app.Doctor(t.Context(), c, nil) {
			if d.Name == "clock" && d.Health != want {
				t.Errorf("%s off: %+v, want %s", off, d, want)
			}
		}
		meta.Close()
	}
}

func TestDoctorBeforeTheFirstStart(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Source{Flags: map[string]string{"data.dir": t.TempDir(), "graph.url": "http://127.0.0.1:1", "http.listen": "127.0.0.1:0", "mqtt.listen": "127.0.0.1:0"}})
	must(t, err)
	text := ""
	for _, d := range app.Doctor(t.Context(), c, http.DefaultClient) {
		text += d.Name + ": " + d.Text + "\n"
	}
	if !strings.Contains(text, "the gateway was never started") || !strings.Contains(text, "nothing at Meta can be looked at") {
		t.Error(text)
	}
}
