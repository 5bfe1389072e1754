package facebook_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrider/identity"
	"outrider/identity/facebook"
	graphapi "outrider/internal/graph"
	"outrider/simulator/graph"
)

// memory is a facebook.KeeperStore without accounts.
type memory struct {
	mu      sync.Mutex // guards the rest
	health  identity.PageHealth
	checked []time.Time // when tokens were
}

func (m *memory) PutPageHealth(_ context.Context, h identity.PageHealth) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !h.Checked.Equal(m.health.Checked) {
		m.checked = append(m.checked, h.Checked)
	}
	m.health = h
	return nil
}

func (m *memory) PageHealth(context.Context, identity.PageID) (identity.PageHealth, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.health, nil
}

func (m *memory) PutPage(context.Context, identity.Page) error             { return nil }
func (m *memory) PutAccount(context.Context, identity.Account) error       { return nil }
func (m *memory) Accounts(context.Context) ([]identity.Account, error)     { return nil, nil }
func (m *memory) ForgetToken(context.Context, identity.ASID) (bool, error) { return false, nil }
func (m *memory) seen() (health identity.PageHealth, checks int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.health, len(m.checked)
}

// A subscription that Meta ends is back within the hour; a token is looked at once a day; a page that was put is looked
// at at once.
func TestKeeperByTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sandbox := graph.New(graph.Options{AppSecret: secretText})
		defer sandbox.Close()
		sandbox.AddPage("500", "Fleet", pageToken)
		api, err := graphapi.New(graphapi.Options{URL: "http://graph.test", Version: "v26.0", AppSecret: identity.NewToken(secretText), HTTP: &http.Client{Transport: sandbox.Transport()}})
		must(t, err)
		directory := identity.NewDirectory()
		page := identity.Page{Tenant: "acme", ID: "500", AccessToken: identity.NewToken(pageToken)}
		directory.Load(identity.Records{Pages: []identity.Page{page, {Tenant: "acme", ID: "501"}}}) // the other has no token
		store := &memory{health: identity.PageHealth{Page: "500"}}
		keeper, err := facebook.NewKeeper(facebook.KeeperOptions{
			Graph: api, Directory: directory, Store: store, Now: time.Now, AppID: "1000", AppSecret: identity.NewToken(secretText),
		})
		must(t, err)
		must(t, keeper.Start(t.Context()))
		defer keeper.Stop(context.Background())
		subscribed := func() bool {
			s, err := facebook.InspectSubscription(t.Context(), api.Do, page, "1000")
			must(t, err)
			return len(s.Missing()) == 0 && s.GetStarted
		}
		synctest.Wait()
		if h, checks := store.seen(); !h.Valid || checks != 1 || !subscribed() {
			t.Fatalf("at first: %+v, %d checks", h, checks)
		}
		for hour := range 23 {
			must(t, sandbox.Unsubscribe("500"))
			time.Sleep(time.Hour - time.Minute)
			synctest.Wait()
			if hour == 0 && subscribed() {
				t.Error("looked at before its time")
			}
			time.Sleep(4*time.Minute + time.Second)
			synctest.Wait()
			if !subscribed() {
				t.Fatalf("not repaired in hour %d", hour)
			}
		}
		if _, checks := store.seen(); checks != 1 {
			t.Errorf("the token was checked %d times within a day", checks)
		}
		sandbox.RevokeToken(pageToken, 460)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if h, checks := store.seen(); checks != 2 || h.Valid || h.Problem == "" {
			t.Errorf("a day later: %+v, %d checks", h, checks)
		}
		sandbox.RestoreToken(pageToken)
		keeper.Ask("500")
		synctest.Wait()
		if h, checks := store.seen(); checks != 3 || !h.Valid {
			t.Errorf("asked for: %+v, %d checks", h, checks)
		}
	})
}
