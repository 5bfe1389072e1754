package storetest

import (
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

var accountTests = map[string]func(*testing.T, *bench){
	"accounts come back as they were put":             accountRoundTrip,
	"a forgotten token leaves the account":            accountForgetsToken,
	"an erased account leaves nothing of its people":  eraseEverything,
	"an erasure of a stranger is kept all the same":   eraseStranger,
	"what an erased owner waits for goes to the next": eraseNextContact,
	"what was tried forgets the person, too":          eraseTrace,
	"an answer to somebody forgotten is given up":     eraseAnswer,
	"a consent is remembered for a day":               optInKept,
	"a page's health comes back as it was put":        healthRoundTrip,
}

func accountRoundTrip(t *testing.T, b *bench) {
	full := identity.Account{
		ASID: "10", Token: identity.NewToken("EAAuser"), Expires: epoch.Add(60 * 24 * time.Hour),
		Pages: []identity.PageID{"100", "101"}, LoginID: "login", Updated: epoch,
	}
	bare := identity.Account{ASID: "2", Updated: epoch}
	for _, a := range []identity.Account{bare, {ASID: "10", Token: identity.NewToken("older")}, full} {
		ok(t, b.PutAccount(t.Context(), a))
	}
	same(t, "accounts", must(b.Accounts(t.Context()))(t), []identity.Account{full, bare})
}

func accountForgetsToken(t *testing.T, b *bench) {
	ok(t, b.PutAccount(t.Context(), identity.Account{ASID: "10", Token: identity.NewToken("EAAuser"), LoginID: "login"}))
	for _, want := range []bool{true, false} {
		same(t, "had one", must(b.ForgetToken(t.Context(), "10"))(t), want)
	}
	same(t, "of a stranger", must(b.ForgetToken(t.Context(), "11"))(t), false)
	same(t, "accounts", must(b.Accounts(t.Context()))(t), []identity.Account{{ASID: "10", LoginID: "login", Updated: epoch}})
}

// erasable is an account that was linked as p/u, with a delivery in every state and everything else a person leaves.
func erasable(t *testing.T, b *bench) {
	t.Helper()
	ok(t, b.PutAccount(t.Context(), identity.Account{ASID: "10", Token: identity.NewToken("EAAuser")}))
	putOwner(t, b, "ann")
	putOwner(t, b, "bob", contact("p", "other"))
	ok(t, b.Link(t.Context(), identity.Link{Tenant: "acme", Owner: "ann", Page: "p", PSID: "u", ASID: "10", Via: identity.ViaMatching, At: epoch}))
	b.receive(t, notify.ThreadEvent{Page: "p", Time: epoch, Kind: notify.ThreadLogin, Login: "10"})
	offer(t, b, "unused", "ann", func(c *identity.LinkCode) { c.ASID = "10" })
	offer(t, b, "used", "ann", nil)
	bring(t, b, "used", "p", "u", 0)
	said := notify.Said{Page: "p", PSID: "u", Kind: notify.SaidText, Text: "hello", At: epoch}
	b.receive(t, notify.ThreadEvent{Page: "p", PSID: "u", Time: epoch.Add(time.Second), Kind: notify.ThreadAction, Said: &said})
	ok(t, b.Ask(t.Context(), store.Question{Person: contact("p", "u"), Text: "HERE", Until: epoch.Add(time.Hour)}))
	for _, state := range notify.States() {
		d := delivery(string(state), "p", "u", epoch)
		d.Alert.Owner, d.Alert.MaxAge, d.State = "ann", time.Hour, state
		queue(t, b, d)
	}
	tried := []notify.Try{{At: epoch, Request: `{"recipient":{"id":"u"}}`}}
	ok(t, b.Settle(t.Context(), []notify.Outcome{{ID: string(notify.Sent), State: notify.Failed, Tries: tried}}))
	same(t, "trace", len(must(b.Delivery(t.Context(), "acme", string(notify.Sent)))(t).Trace), 1)
	d := delivery("bob's", "p", "other", epoch)
	d.Alert.Owner = "bob"
	queue(t, b, d)
}

func eraseEverything(t *testing.T, b *bench) {
	erasable(t, b)
	b.clock.advance(time.Minute)
	asked := identity.Erasure{Hash: identity.HashCode("confirm"), Requested: epoch}
	got := must(b.Erase(t.Context(), "10", asked))(t)
	want := asked
	want.Done, want.Known, want.Contacts, want.Deliveries = b.clock.now(), true, 1, len(notify.States())
	same(t, "erasure", got, want)
	same(t, "kept", must(b.Erasure(t.Context(), asked.Hash))(t), want)

	same(t, "accounts", must(b.Accounts(t.Context()))(t), nil)
	same(t, "contacts", contactsOf(t, b, "ann"), nil)
	same(t, "links", must(b.Links(t.Context(), "acme", "ann"))(t), nil)
	same(t, "window", must(b.LastAction(t.Context(), "p", "u"))(t), time.Time{})
	same(t, "consents", must(b.OptIns(t.Context(), "10"))(t), nil)
	_, open, err := b.Asked(t.Context(), contact("p", "u"), epoch)
	same(t, "question", open || err != nil, false)
	same(t, "words", must(b.Unheard(t.Context(), 0, 10))(t), nil)
	for _, code := range []string{"unused", "used"} {
		_, err := b.LinkCode(t.Context(), identity.HashCode(code))
		wantError(t, err, store.ErrNotFound)
	}
	for _, state := range notify.States() {
		d := b.delivery(t, string(state))
		same(t, string(state)+": person", d.PSID, "")
		same(t, string(state)+": trace", must(b.Delivery(t.Context(), "acme", string(state)))(t).Trace, nil)
		if state == notify.Pending || state == notify.Held {
			same(t, string(state)+": waits", []any{d.Page, d.State, d.Reason, d.NextAt},
				[]any{identity.PageID(""), notify.Held, notify.ReasonNoContact, epoch.Add(time.Hour)})
		}
	}
	same(t, "of bob", contactsOf(t, b, "bob"), []identity.Contact{contact("p", "other")})
	same(t, "bob's delivery", b.delivery(t, "bob's").PSID, "other")
}

func eraseStranger(t *testing.T, b *bench) {
	erasable(t, b)
	asked := identity.Erasure{Hash: identity.HashCode("confirm"), Requested: epoch}
	want := asked
	want.Done = epoch
	same(t, "erasure", must(b.Erase(t.Context(), "99", asked))(t), want)
	same(t, "kept", must(b.Erasure(t.Context(), asked.Hash))(t), want)
	same(t, "contacts", contactsOf(t, b, "ann"), []identity.Contact{contact("p", "u")})
	_, err := b.Erasure(t.Context(), identity.HashCode("never"))
	wantError(t, err, store.ErrNotFound)
}

func eraseTrace(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	ok(t, b.Link(t.Context(), identity.Link{Tenant: "acme", Owner: "ann", Page: "p", PSID: "u", ASID: "10", At: epoch}))
	queue(t, b, delivery("sent", "p", "u", epoch))
	c := b.one(t, "p", 0)
	ok(t, b.Settle(t.Context(), []notify.Outcome{{
		ID: "sent", Lease: c.Lease, State: notify.Sent, SentAt: epoch, MessageID: "m_1", Tries: []notify.Try{{At: epoch, Request: `{"recipient":{"id":"u"}}`}},
	}}))
	same(t, "trace", len(must(b.Delivery(t.Context(), "acme", "sent"))(t).Trace), 1)
	must(b.Erase(t.Context(), "10", identity.Erasure{Hash: "h"}))(t)
	same(t, "trace", must(b.Delivery(t.Context(), "acme", "sent"))(t).Trace, nil)
}

// eraseAnswer: what was said to a person is theirs, and must not go to whoever is the owner's next contact.
func eraseAnswer(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	ok(t, b.Link(t.Context(), identity.Link{Tenant: "acme", Owner: "ann", Page: "p", PSID: "u", ASID: "10", At: epoch}))
	queue(t, b, notify.NewReply("answer", "acme", "p", "u", notify.Say{Text: "Your van is at home"}, epoch))
	got := must(b.Erase(t.Context(), "10", identity.Erasure{Hash: "h"}))(t)
	same(t, "counted", got.Deliveries, 1)
	d := b.delivery(t, "answer")
	same(t, "answer", []string{string(d.State), string(d.Reason), string(d.PSID)}, []string{"expired", "no_contact", ""})
	if d.Alert.Say != nil {
		t.Errorf("what was said is still there: %+v", d.Alert.Say)
	}
}

func eraseNextContact(t *testing.T, b *bench) {
	erasable(t, b)
	ok(t, b.Link(t.Context(), identity.Link{Tenant: "acme", Owner: "ann", Page: "q", PSID: "second", At: epoch}))
	must(b.Erase(t.Context(), "10", identity.Erasure{Hash: "h"}))(t)
	d := b.delivery(t, string(notify.Pending))
	same(t, "pending", []string{string(d.Page), string(d.PSID), string(d.State)}, []string{"q", "second", "pending"})
}

func optInKept(t *testing.T, b *bench) {
	for i, page := range []identity.PageID{"p", "q", "p"} {
		e := notify.ThreadEvent{Key: numbered("k", i), Page: page, Time: epoch.Add(time.Duration(i) * time.Second), Kind: notify.ThreadLogin, Login: "l"}
		same(t, "logins", must(b.Receive(t.Context(), []notify.ThreadEvent{e}))(t).Logins, []identity.OptIn{{Page: page, Login: "l", At: e.Time}})
	}
	want := []identity.OptIn{{Page: "p", Login: "l", At: epoch.Add(2 * time.Second)}, {Page: "q", Login: "l", At: epoch.Add(time.Second)}}
	same(t, "consents", must(b.OptIns(t.Context(), "l"))(t), want)
	b.clock.advance(store.OptInsKept + time.Second)
	same(t, "a day later", must(b.OptIns(t.Context(), "l"))(t), want[:1])
	same(t, "of a stranger", must(b.OptIns(t.Context(), "m"))(t), nil)
}

func healthRoundTrip(t *testing.T, b *bench) {
	same(t, "never checked", must(b.PageHealth(t.Context(), "100"))(t), identity.PageHealth{Page: "100"})
	h := identity.PageHealth{
		Page: "100", Checked: epoch, Valid: true, Expires: epoch.Add(time.Hour), DataExpires: epoch.Add(time.Minute),
		Missing: []string{"pages_messaging"}, Problem: "no", Subscribed: epoch, Subscription: "fine",
	}
	ok(t, b.PutPageHealth(t.Context(), identity.PageHealth{Page: "100", Problem: "older"}))
	ok(t, b.PutPageHealth(t.Context(), h))
	same(t, "health", must(b.PageHealth(t.Context(), "100"))(t), h)
}
