package facebook

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"outrider/identity"
)

// bodyLimit bounds what is read of a callback, in bytes.
const bodyLimit = 64 << 10

// signed reads the signed request of a callback; it answers what is wrong and reports false.
func (f *Flow) signed(w http.ResponseWriter, r *http.Request) (SignedRequest, bool) {
	if f.o.AppSecret.Empty() {
		http.Error(w, "facebook.app_secret is not set: nothing can be verified", http.StatusForbidden)
		return SignedRequest{}, false
	}
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	s, err := ParseSignedRequest(r.PostFormValue("signed_request"), f.o.AppSecret, f.o.Now())
	if err != nil {
		f.o.Logger.Warn("callback refused", "path", r.URL.Path, "cause", err)
		http.Error(w, "signed_request is not valid", http.StatusBadRequest)
		return s, false
	}
	return s, true
}

// deauthorize drops the token of a person who removed the app: it is dead. Their links stay, since Messenger knows
// nothing of the app's login; whoever wants those gone asks for deletion, or blocks the page.
func (f *Flow) deauthorize(w http.ResponseWriter, r *http.Request) {
	s, ok := f.signed(w, r)
	if !ok {
		return
	}
	managed := f.managedBy(r.Context(), s.User)
	had, err := f.o.Store.ForgetToken(r.Context(), s.User)
	if err != nil {
		f.o.Logger.Error("deauthorised, token not dropped", "cause", err)
		http.Error(w, "not done, try again", http.StatusInternalServerError)
		return
	}
	f.o.Logger.Info("a person removed the app", "had_token", had)
	w.WriteHeader(http.StatusOK)
	for _, page := range managed {
		f.o.PageChanged(page) // its token may have died with the consent: somebody should look now, not tomorrow
	}
}

// managedBy lists the pages that an account manages, as far as it is known.
func (f *Flow) managedBy(ctx context.Context, asid identity.ASID) []identity.PageID {
	accounts, err := f.o.Store.Accounts(ctx)
	if err != nil {
		f.o.Logger.Error("accounts not read", "cause", err)
	}
	for _, a := range accounts {
		if a.ASID == asid {
			return a.Pages
		}
	}
	return nil
}

// delete deletes everything about a person, and answers where they can read that it was done.
func (f *Flow) delete(w http.ResponseWriter, r *http.Request) {
	s, ok := f.signed(w, r)
	if !ok {
		return
	}
	// Not cut when Meta hangs up: what was asked for is done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 30*time.Second)
	defer cancel()
	code := identity.NewCode()
	e := identity.Erasure{Hash: identity.HashCode(code.Reveal()), Requested: f.o.Now()}
	done, err := f.o.Store.Erase(ctx, s.User, e)
	if err == nil {
		err = f.o.Reload(ctx)
	}
	if err != nil {
		f.o.Logger.Error("data not deleted", "cause", err)
		http.Error(w, "not done, try again", http.StatusInternalServerError)
		return
	}
	f.o.Logger.Info("a person's data was deleted", "known", done.Known, "contacts", done.Contacts, "deliveries", done.Deliveries)
	base := cmp.Or(f.o.PublicURL(), "https://"+r.Host)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{ // fails only when Meta has gone
		"url": base + Path + "deletion?code=" + code.Reveal(), "confirmation_code": code.Reveal(),
	})
}

// deletion is the page that tells what became of a wish to be forgotten.
func (f *Flow) deletion(w http.ResponseWriter, r *http.Request) {
	e, err := f.o.Store.Erasure(r.Context(), identity.HashCode(r.URL.Query().Get("code")))
	status := http.StatusOK
	if err != nil {
		status = http.StatusNotFound
	}
	f.pages.show(w, status, f.pages.deletionView(r.Header.Get("Accept-Language"), e, err == nil))
}
