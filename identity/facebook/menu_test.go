package facebook_test

import (
	"net/http"
	"testing"

	"outrider/identity/facebook"
	"outrider/internal/graph"
)

// pageMenu is the menu that the keepers of tests put.
var pageMenu = facebook.Menu{{Locale: "default", Items: []facebook.MenuItem{{Type: "postback", Title: "Where is it?", Payload: "WHERE:"}}}}

// A page gets the menu; an older one of ours is replaced, and somebody else's stays.
func TestMenuIsSet(t *testing.T) {
	t.Parallel()
	other := func(payload string) facebook.Menu {
		return facebook.Menu{{Locale: "default", Items: []facebook.MenuItem{{Type: "postback", Title: "Other", Payload: payload}}}}
	}
	for _, x := range []struct {
		name         string
		before, want facebook.Menu
	}{
		{"none", nil, pageMenu},
		{"ours of before", other("STATUS:"), pageMenu},
		{"somebody else's", other("BUY_NOW"), other("BUY_NOW")},
		{"a link", facebook.Menu{{Locale: "default", Items: []facebook.MenuItem{{Type: "postback", Title: "Shop", Payload: "https://shop"}}}}, nil},
	} {
		b := setup(t, nil)
		page, _ := b.directory.Page("500")
		if x.before != nil {
			must(t, b.api.Do(t.Context(), graph.Call{Method: http.MethodPost, Node: "500", Edge: "messenger_profile", Token: page.AccessToken,
				Body: map[string]any{"get_started": map[string]string{"payload": "GET_STARTED"}, "persistent_menu": x.before}}, nil))
		}
		if x.want == nil {
			x.want = x.before
		}
		b.keep(t)
		if s := b.subscription(t); !s.Menu.Equal(x.want) || !s.GetStarted {
			t.Errorf("%s: %+v", x.name, s.Menu)
		}
	}
}
