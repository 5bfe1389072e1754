package console_test

import (
	"cmp"
	"context"
	"strings"
	"testing"
	"time"

	"outrider/console"
	"outrider/identity"
)

// fakeLinks makes links that say what they are for.
type fakeLinks struct{ g *gateway }

func (l fakeLinks) Offer(_ context.Context, w identity.LinkWish) (identity.LinkOffer, error) {
	return identity.LinkOffer{
		Page: w.Page, URL: "https://m.me/" + string(w.Page) + "?ref=C0DE", Code: identity.NewToken("C0DE"),
		Expires:  l.g.clock().Add(cmp.Or(w.ValidFor, 10*time.Minute)).In(time.FixedZone("x", 3600)),
		LoginURL: "https://gw.test/" + string(w.Owner) + "/" + string(w.Vehicle) + "/",
	}, l.g.store.fail
}

func (l fakeLinks) Connect(_ identity.TenantID, page identity.PageID) (string, time.Time, error) {
	if page == "404" {
		return "", time.Time{}, identity.ErrNoLogin
	}
	return "https://gw.test/connect/" + string(page), l.g.clock().Add(time.Hour), nil
}

// fakeHealth tells the same of every page.
type fakeHealth struct{}

func (fakeHealth) PageHealth(_ context.Context, page identity.PageID) (identity.PageHealth, error) {
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	return identity.PageHealth{Page: page, Checked: at, Problem: "dead", Missing: []string{"pages_messaging"}, Subscribed: at}, nil
}

// Which page is meant is clear only when there is one.
func TestLinkNeedsToKnowThePage(t *testing.T) {
	t.Parallel()
	g := setup(t)
	g.must(201, "PUT", "/api/v1/owners/anna", `{"name":"Anna"}`)
	if r := g.must(422, "POST", "/api/v1/owners/anna/links", `{}`); !strings.Contains(r.body, "has none yet") {
		t.Errorf("without pages: %s", r.body)
	}
	g.must(201, "PUT", "/api/v1/pages/1001", `{}`)
	g.must(201, "POST", "/api/v1/owners/anna/links", `{}`)
	g.must(201, "PUT", "/api/v1/pages/1002", `{}`)
	if r := g.must(422, "POST", "/api/v1/owners/anna/links", `{}`); !strings.Contains(r.body, "the tenant has 2") {
		t.Errorf("with two pages: %s", r.body)
	}
	if strings.Contains(g.log.String(), "C0DE") {
		t.Error("a code is in the log")
	}
}

// A gateway without Facebook has no such paths.
func TestNoLinks(t *testing.T) {
	t.Parallel()
	g := setup(t, func(o *console.Options) { o.Links, o.Login, o.Health = nil, nil, nil })
	g.must(201, "PUT", "/api/v1/owners/anna", `{}`)
	g.must(404, "POST", "/api/v1/owners/anna/links", `{}`)
	g.must(404, "GET", "/auth/facebook/start", "")
}
