package messenger_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrider/identity"
	"outrider/notify"
	sandbox "outrider/simulator/graph"
)

// A page gets templates in the languages of its owners, of further kinds when they are needed, and in a tenant's own
// words when it has some; Meta's rules take all of them.
func TestTemplatesFollowTheOwners(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		meta := newSandbox(t, sandbox.Options{Unsubscribed: true})
		calls := &log{RoundTripper: meta.Transport()}
		c := newCare(t, calls, page(pageToken))
		load := func(texts map[identity.TenantID]identity.Texts, locales ...string) {
			var owners []identity.Owner
			for i, locale := range locales {
				owners = append(owners, identity.Owner{ID: identity.OwnerID(fmt.Sprint(i)), Locale: locale, Contacts: []identity.Contact{{Page: "111", PSID: "7001"}}})
			}
			c.directory.Load(identity.Records{Pages: []identity.Page{page(pageToken)}, Owners: owners, Texts: texts})
			c.keeper.Ensure("111")
			pass(10 * time.Second)
		}
		load(nil, "de_AT", "pt_PT", "fr_FR", "")
		c.want("outrider_enter_v2 de APPROVED", "outrider_enter_v2 en APPROVED", "outrider_enter_v2 pt_BR APPROVED",
			"outrider_exit_v2 de APPROVED", "outrider_exit_v2 en APPROVED", "outrider_exit_v2 pt_BR APPROVED")
		c.keeper.Need("111", notify.Stopped, "vi_VN")
		pass(10 * time.Second)
		names := c.names()
		for _, want := range []string{"outrider_stopped_v2 vi", "outrider_stopped_v2 en", "outrider_stopped_v2 de", "outrider_exit_v2 vi"} {
			if !slices.Contains(names, want) {
				t.Errorf("%s is missing in %v", want, names)
			}
		}
		load(map[identity.TenantID]identity.Texts{"": {"de": {"exit_template": "Achtung, der Wagen {vehicle} hat die Zone {fence} verlassen, und zwar um {time} Uhr Ortszeit."}}}, "de")
		own := slices.IndexFunc(c.names(), func(s string) bool { return strings.HasPrefix(s, "outrider_exit_t") })
		if own < 0 || !strings.HasSuffix(c.names()[own], " de") || len(c.names()) != len(names)+1 {
			t.Errorf("own words: %v", c.names())
		}
	})
}

// names lists "name language" of the approved templates that take what the gateway gives.
func (c *care) names() []string {
	templates, err := c.outbox.Templates(c.t.Context(), "111")
	if err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, t := range templates {
		if t.Status == notify.TemplateApproved && t.Params == 3 && t.Buttons == 3 {
			names = append(names, t.Name+" "+t.Language)
		}
	}
	return names
}

// Every template of every kind and language passes the sandbox's review.
func TestEveryTemplateIsApproved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		meta := newSandbox(t, sandbox.Options{Unsubscribed: true})
		c := newCare(t, meta.Transport(), page(pageToken))
		for _, language := range notify.Languages() {
			for _, kind := range notify.Kinds() {
				c.keeper.Need("111", kind, language)
			}
		}
		pass(30 * time.Second)
		if n := len(c.names()); n != len(notify.Languages())*len(notify.Kinds()) {
			t.Errorf("%d approved: %v", n, c.names())
		}
	})
}

// A page's own templates are taken in the shape that they have; one that cannot be filled says why.
func TestShapesOfForeignTemplates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := `{"data":[
			{"id":"1","name":"bare","language":"en","status":"APPROVED","components":[{"type":"BODY","text":"Something happened to your vehicle."}]},
			{"id":"2","name":"link","language":"en","status":"APPROVED","components":[{"type":"BODY","text":"See {{1}} there."},{"type":"BUTTONS","buttons":[{"type":"URL","url":"https://x.test/{{1}}"}]}]},
			{"id":"3","name":"long","language":"en","status":"APPROVED","components":[{"type":"BODY","text":"A {{1}} b {{2}} c {{3}} d {{4}} e"}]},
			{"id":"4","name":"head","language":"en","status":"APPROVED","components":[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"A {{1}} b"}]},
			{"id":"5","name":"untold","language":"en","status":"APPROVED"}]}`
		p := page(pageToken)
		p.Templates = map[string]string{"enter": "bare", "exit": "link", "pass": "long", "dwell": "head", "stopped": "untold"}
		c := newCare(t, handler{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })}, p)
		for kind := range p.Templates {
			c.keeper.Need("111", notify.Kind(kind), "en")
		}
		pass(20 * time.Second)
		c.want("bare en APPROVED", "head en REJECTED the gateway cannot fill it: its header has a place or an image",
			"link en REJECTED the gateway cannot fill it: it has a button that is no postback",
			"long en REJECTED the gateway cannot fill it: its body has more places than vehicle, fence and time", "untold en APPROVED")
		templates, _ := c.outbox.Templates(t.Context(), "111")
		for _, x := range templates {
			if x.Name == "bare" && (x.Params != 0 || x.Buttons != 0) || x.Name == "untold" && (x.Params != 3 || x.Buttons != 1) {
				t.Errorf("%s takes %d and %d", x.Name, x.Params, x.Buttons)
			}
		}
	})
}
