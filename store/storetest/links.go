package storetest

import (
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

var linkTests = map[string]func(*testing.T, *bench){
	"a code links its owner to whoever brings it":        linkByCode,
	"a code that is not good changes nothing":            linkBadCodes,
	"a code counts at the time of the event":             linkEventTime,
	"open codes of an account":                           linkOpenCodes,
	"a code works once":                                  linkOnce,
	"using a code uses the one it was made from":         linkParents,
	"codes are forgotten a while after they expired":     linkCodesForgotten,
	"an owner without contact gets what was held":        linkAddresses,
	"an owner put with a contact gets what was held":     linkAddressesPut,
	"what a lane commits late is addressed, too":         linkAddressesLate,
	"another person on the same page takes over":         linkReplaces,
	"a contact on another page comes behind":             linkSecondPage,
	"a link gives its vehicle to the owner":              linkVehicle,
	"one person may be several owners":                   linkSharedPerson,
	"a link without code needs the owner":                linkDirect,
	"an unlinked owner is nobody in Messenger":           unlinkOwner,
	"an unlinked owner leaves others theirs":             unlinkShared,
	"a block stops a page and an unblock frees it":       policyBlocks,
	"an older word on a page is ignored":                 policyOrder,
	"an older word on a template is ignored":             templateOrder,
	"what people said waits in order until it was heard": saidWaits,
}

func putOwner(t *testing.T, b *bench, id string, contacts ...identity.Contact) {
	t.Helper()
	ok(t, b.PutOwner(t.Context(), identity.Owner{Tenant: "acme", ID: identity.OwnerID(id), Contacts: contacts}))
}

// offer keeps an open code for an owner on page p.
func offer(t *testing.T, b *bench, code, owner string, change func(*identity.LinkCode)) identity.LinkCode {
	t.Helper()
	c := identity.LinkCode{
		Hash: identity.HashCode(code), Tenant: "acme", Owner: identity.OwnerID(owner), Page: "p",
		Created: epoch, Expires: epoch.Add(10 * time.Minute),
	}
	if change != nil {
		change(&c)
	}
	ok(t, b.PutLinkCode(t.Context(), c))
	return c
}

// bring tells the store that a person came with a code.
func bring(t *testing.T, b *bench, code, page, psid string, after time.Duration) notify.Received {
	t.Helper()
	e := notify.ThreadEvent{
		Key: code + page + psid + after.String(), Page: identity.PageID(page), PSID: identity.PSID(psid), Time: epoch.Add(after),
		Kind: notify.ThreadAction, Code: identity.HashCode(code),
	}
	return must(b.Receive(t.Context(), []notify.ThreadEvent{e}))(t)
}

func contactsOf(t *testing.T, b *bench, owner string) []identity.Contact {
	t.Helper()
	for _, o := range must(b.Identities(t.Context()))(t).Owners {
		if o.ID == identity.OwnerID(owner) {
			return o.Contacts
		}
	}
	t.Fatalf("no owner %q", owner)
	return nil
}

func contact(page, psid string) identity.Contact {
	return identity.Contact{Page: identity.PageID(page), PSID: identity.PSID(psid)}
}

// homeless is a delivery held because its owner has no contact.
func homeless(id, owner string) notify.Delivery {
	d := delivery(id, "", "", epoch)
	d.Alert.Owner, d.State, d.Route, d.Reason, d.NextAt = identity.OwnerID(owner), notify.Held, notify.RouteHold, notify.ReasonNoContact, time.Time{}
	return d
}

func linkByCode(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	c := offer(t, b, "c", "ann", func(c *identity.LinkCode) { c.ASID = "as1" })
	same(t, "code", must(b.LinkCode(t.Context(), c.Hash))(t), c)
	r := bring(t, b, "c", "p", "u", time.Minute)
	want := identity.Link{Tenant: "acme", Owner: "ann", Page: "p", PSID: "u", ASID: "as1", Via: identity.ViaCode, At: epoch.Add(time.Minute)}
	same(t, "linked", r.Linked, []identity.Link{want})
	same(t, "links", must(b.Links(t.Context(), "acme", "ann"))(t), []identity.Link{want})
	same(t, "contacts", contactsOf(t, b, "ann"), []identity.Contact{contact("p", "u")})
	c.Used, c.PSID = epoch.Add(time.Minute), "u"
	same(t, "used", must(b.LinkCode(t.Context(), c.Hash))(t), c)
	same(t, "window", must(b.LastAction(t.Context(), "p", "u"))(t), epoch.Add(time.Minute))
}

func linkBadCodes(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	offer(t, b, "c", "ann", nil)
	offer(t, b, "gone", "nobody", nil)
	_, err := b.LinkCode(t.Context(), identity.HashCode("unknown"))
	wantError(t, err, store.ErrNotFound)
	for _, x := range []struct {
		what, code, page, psid string
		verdict                identity.Verdict
	}{
		{"unknown", "unknown", "p", "u", identity.CodeUnknown},
		{"of another page", "c", "q", "u", identity.CodeElsewhere},
		{"without a person", "c", "p", "", identity.CodeElsewhere},
		{"of an owner who is gone", "gone", "p", "u", identity.CodeOwnerGone},
	} {
		r := bring(t, b, x.code, x.page, x.psid, 0)
		same(t, x.what, r.Linked, nil)
		same(t, x.what, r.Codes, []identity.Verdict{x.verdict})
		same(t, x.what+": contacts", contactsOf(t, b, "ann"), nil)
	}
	same(t, "still good", len(bring(t, b, "c", "p", "u", time.Second).Linked), 1)
}

func linkEventTime(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	offer(t, b, "a", "ann", nil)
	offer(t, b, "b", "ann", nil)
	b.clock.advance(time.Hour) // Meta repeats a webhook for so long
	late := bring(t, b, "a", "p", "u", 10*time.Minute)
	same(t, "came too late", late.Linked, nil)
	same(t, "verdict", late.Codes, []identity.Verdict{identity.CodeTooLate})
	same(t, "told late", len(bring(t, b, "b", "p", "u", 9*time.Minute).Linked), 1)
}

func linkOnce(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	offer(t, b, "c", "ann", nil)
	for i, x := range []struct {
		psid    string
		verdict identity.Verdict
		links   int
	}{{"u", identity.CodeLinked, 1}, {"u", identity.CodeAgain, 0}, {"w", identity.CodeTaken, 0}} {
		r := bring(t, b, "c", "p", x.psid, time.Duration(i)*time.Second)
		same(t, "links", len(r.Linked), x.links)
		same(t, "verdict", r.Codes, []identity.Verdict{x.verdict})
	}
	same(t, "contacts", contactsOf(t, b, "ann"), []identity.Contact{contact("p", "u")})
}

func linkParents(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	parent := offer(t, b, "parent", "ann", nil)
	child := offer(t, b, "child", "ann", func(c *identity.LinkCode) { c.Parent = parent.Hash })
	same(t, "child", must(b.LinkCode(t.Context(), child.Hash))(t), child)
	sister := offer(t, b, "sister", "ann", func(c *identity.LinkCode) { c.Parent = parent.Hash })
	other := offer(t, b, "other", "ann", nil)
	grown := offer(t, b, "grown", "ann", func(c *identity.LinkCode) { c.Parent = other.Hash })
	bring(t, b, "child", "p", "u", time.Second)
	state := func(c identity.LinkCode) identity.CodeState {
		return must(b.LinkCode(t.Context(), c.Hash))(t).State(epoch.Add(time.Minute))
	}
	same(t, "states", []identity.CodeState{state(parent), state(child), state(sister), state(other), state(grown)},
		[]identity.CodeState{"used", "used", "used", "open", "open"})
	same(t, "the parent again", bring(t, b, "parent", "p", "w", 2*time.Second).Codes, []identity.Verdict{identity.CodeTaken})
	ok(t, b.Link(t.Context(), identity.Link{Tenant: "acme", Owner: "ann", Page: "p", PSID: "u", Via: identity.ViaMatching, At: epoch, Code: other.Hash}))
	same(t, "by a link without code", []identity.CodeState{state(other), state(grown)}, []identity.CodeState{"used", "used"})
}

func linkOpenCodes(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	of := func(asid string, created time.Duration) func(*identity.LinkCode) {
		return func(c *identity.LinkCode) {
			c.ASID, c.Created = identity.ASID(asid), epoch.Add(created)
			c.Expires = c.Created.Add(10 * time.Minute)
		}
	}
	offer(t, b, "old", "ann", of("as", -time.Hour))
	offer(t, b, "used", "ann", of("as", 0))
	offer(t, b, "nobody's", "ann", of("", 0))
	first := offer(t, b, "first", "ann", of("as", time.Second))
	second := offer(t, b, "second", "ann", of("as", 2*time.Second))
	bring(t, b, "used", "p", "u", 0)
	same(t, "open", must(b.OpenCodes(t.Context(), "as"))(t), []identity.LinkCode{second, first})
	same(t, "of nobody", must(b.OpenCodes(t.Context(), ""))(t), nil)
}

func linkCodesForgotten(t *testing.T, b *bench) {
	offer(t, b, "old", "ann", nil)
	b.clock.advance(10*time.Minute + store.CodesKept)
	offer(t, b, "new", "ann", func(c *identity.LinkCode) { c.Expires = b.clock.now() })
	must(b.LinkCode(t.Context(), identity.HashCode("old")))(t)
	b.clock.advance(time.Second)
	offer(t, b, "newer", "ann", func(c *identity.LinkCode) { c.Expires = b.clock.now() })
	_, err := b.LinkCode(t.Context(), identity.HashCode("old"))
	wantError(t, err, store.ErrNotFound)
}

// addressed checks that a delivery went from nowhere to p/u, due now.
func addressed(t *testing.T, b *bench, id string) {
	t.Helper()
	d := b.delivery(t, id)
	same(t, id, []string{string(d.Page), string(d.PSID), string(d.State), string(d.Reason), d.Detail}, []string{"p", "u", "pending", "", ""})
	same(t, id+": due", d.NextAt, b.clock.now())
}

func linkAddresses(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	other := homeless("other", "ann")
	other.Alert.Tenant = "another"
	queue(t, b, homeless("a", "ann"), homeless("b", "bob"), homeless("c", "ann"), other)
	offer(t, b, "c", "ann", nil)
	b.clock.advance(time.Minute)
	bring(t, b, "c", "p", "u", 0)
	addressed(t, b, "a")
	addressed(t, b, "c")
	same(t, "of another owner", b.delivery(t, "b").State, notify.Held)
	same(t, "claimed in order", b.one(t, "p", time.Minute).Alert.ID, "a")
}

func linkAddressesPut(t *testing.T, b *bench) {
	queue(t, b, homeless("a", "ann"))
	putOwner(t, b, "ann")
	same(t, "without contact", b.delivery(t, "a").State, notify.Held)
	putOwner(t, b, "ann", contact("p", "u"), contact("q", "w"))
	addressed(t, b, "a")
}

func linkAddressesLate(t *testing.T, b *bench) {
	putOwner(t, b, "ann", contact("p", "u"))
	queue(t, b, homeless("a", "ann"))
	addressed(t, b, "a")
}

func linkReplaces(t *testing.T, b *bench) {
	putOwner(t, b, "ann", contact("q", "first"), contact("p", "old"))
	putOwner(t, b, "bob", contact("p", "old"))
	mine, held, sent, theirs := delivery("mine", "p", "old", epoch), delivery("held", "p", "old", epoch), delivery("sent", "p", "old", epoch), delivery("theirs", "p", "old", epoch)
	for _, d := range []*notify.Delivery{&mine, &held, &sent} {
		d.Alert.Owner = "ann"
	}
	theirs.Alert.Owner = "bob"
	held.State, held.Reason = notify.Held, notify.ReasonNoSuchPerson
	sent.State = notify.Sent
	queue(t, b, mine, held, sent, theirs)
	offer(t, b, "c", "ann", nil)
	bring(t, b, "c", "p", "new", 0)
	same(t, "contacts", contactsOf(t, b, "ann"), []identity.Contact{contact("q", "first"), contact("p", "new")})
	same(t, "of bob", contactsOf(t, b, "bob"), []identity.Contact{contact("p", "old")})
	for id, want := range map[string]identity.PSID{"mine": "new", "held": "new", "sent": "old", "theirs": "old"} {
		same(t, id, b.delivery(t, id).PSID, want)
	}
	same(t, "held is due", b.delivery(t, "held").State, notify.Pending)
	same(t, "links", len(must(b.Links(t.Context(), "acme", "ann"))(t)), 1)
}

func linkSecondPage(t *testing.T, b *bench) {
	putOwner(t, b, "ann", contact("q", "x"))
	offer(t, b, "c", "ann", nil)
	bring(t, b, "c", "p", "u", 0)
	same(t, "contacts", contactsOf(t, b, "ann"), []identity.Contact{contact("q", "x"), contact("p", "u")})
}

func linkVehicle(t *testing.T, b *bench) {
	putOwner(t, b, "ann")
	ok(t, b.PutVehicle(t.Context(), identity.Vehicle{Tenant: "acme", ID: "van", Name: "Van", Device: "imei", Owners: []identity.OwnerID{"bob"}}))
	for _, v := range []string{"van", "new", "van"} {
		ok(t, b.Link(t.Context(), identity.Link{Tenant: "acme", Owner: "ann", Page: "p", PSID: "u", Vehicle: identity.VehicleID(v), At: epoch}))
	}
	same(t, "vehicles", must(b.Identities(t.Context()))(t).Vehicles, []identity.Vehicle{
		{Tenant: "acme", ID: "new", Owners: []identity.OwnerID{"ann"}, Updated: epoch},
		{Tenant: "acme", ID: "van", Name: "Van", Device: "imei", Owners: []identity.OwnerID{"bob", "ann"}, Updated: epoch},
	})
}

func linkSharedPerson(t *testing.T, b *bench) {
	for _, id := range []string{"ann", "bob"} {
		putOwner(t, b, id)
		offer(t, b, id, id, nil)
		bring(t, b, id, "p", "u", 0)
		same(t, id, contactsOf(t, b, id), []identity.Contact{contact("p", "u")})
	}
}

func linkDirect(t *testing.T, b *bench) {
	l := identity.Link{Tenant: "acme", Owner: "ann", Page: "p", PSID: "u", ASID: "as", Via: identity.ViaMatching, At: epoch}
	wantError(t, b.Link(t.Context(), l), store.ErrNotFound)
	putOwner(t, b, "ann")
	ok(t, b.Link(t.Context(), l))
	l.ASID, l.Via, l.At = "", identity.ViaCode, epoch.Add(time.Minute)
	ok(t, b.Link(t.Context(), l))
	l.ASID = "as" // who logged in stays known
	same(t, "links", must(b.Links(t.Context(), "acme", "ann"))(t), []identity.Link{l})
}

func unlinkOwner(t *testing.T, b *bench) {
	_, err := b.Unlink(t.Context(), "acme", "ann")
	wantError(t, err, store.ErrNotFound)
	putOwner(t, b, "ann", contact("q", "put"))
	offer(t, b, "used", "ann", nil)
	open := offer(t, b, "open", "ann", nil)
	bring(t, b, "used", "p", "u", 0)
	putOwner(t, b, "ann", contact("q", "put")) // the admin took the contact away, the link is still known
	sent, held := delivery("sent", "p", "u", epoch), delivery("held", "q", "put", epoch)
	sent.Alert.Owner, sent.State, sent.MessageID = "ann", notify.Sent, "m_1"
	held.Alert.Owner, held.State, held.Reason = "ann", notify.Held, notify.ReasonTemplateMissing
	queue(t, b, sent, held)
	got := must(b.Unlink(t.Context(), "acme", "ann"))(t)
	same(t, "done", got, identity.Erasure{Known: true, Contacts: 1, Deliveries: 2})
	same(t, "contacts", contactsOf(t, b, "ann"), nil)
	same(t, "links", must(b.Links(t.Context(), "acme", "ann"))(t), nil)
	same(t, "window", must(b.LastAction(t.Context(), "p", "u"))(t), time.Time{})
	_, err = b.LinkCode(t.Context(), open.Hash)
	wantError(t, err, store.ErrNotFound)
	for id, state := range map[string]notify.State{"sent": notify.Sent, "held": notify.Held} {
		d := b.delivery(t, id)
		same(t, id, []string{string(d.PSID), d.MessageID, string(d.State)}, []string{"", "", string(state)})
	}
	same(t, "why", b.delivery(t, "held").Reason, notify.ReasonNoContact)
}

func unlinkShared(t *testing.T, b *bench) {
	putOwner(t, b, "ann", contact("p", "u"))
	putOwner(t, b, "bob", contact("p", "u"), contact("q", "bob"))
	b.receive(t, action(time.Second))
	mine, theirs := delivery("mine", "p", "u", epoch), delivery("theirs", "p", "u", epoch)
	mine.Alert.Owner, theirs.Alert.Owner = "ann", "bob"
	queue(t, b, mine, theirs)
	same(t, "done", must(b.Unlink(t.Context(), "acme", "ann"))(t), identity.Erasure{Known: true, Contacts: 1, Deliveries: 1})
	same(t, "of ann", contactsOf(t, b, "ann"), nil)
	same(t, "of bob", contactsOf(t, b, "bob"), []identity.Contact{contact("p", "u"), contact("q", "bob")})
	same(t, "ann's", b.delivery(t, "mine").PSID, "")
	same(t, "bob's", b.delivery(t, "theirs").PSID, "u")
	same(t, "window", must(b.LastAction(t.Context(), "p", "u"))(t), epoch.Add(time.Second))
}

func policy(action notify.PolicyAction, after time.Duration) notify.ThreadEvent {
	return notify.ThreadEvent{
		Key: string(action) + after.String(), Page: "100", Time: epoch.Add(after), Kind: notify.ThreadPolicy,
		Policy: notify.Policy{Action: action, Reason: "spam"},
	}
}

func blocked(t *testing.T, b *bench) (time.Time, string) {
	t.Helper()
	p := must(b.Identities(t.Context()))(t).Pages[0]
	return p.Blocked, p.BlockReason
}

func policyBlocks(t *testing.T, b *bench) {
	putAll(t, b, registryRecords())
	held, other := delivery("a", "100", "u", epoch), delivery("b", "100", "w", epoch)
	for _, d := range []*notify.Delivery{&held, &other} {
		d.State, d.NextAt = notify.Held, epoch.Add(time.Hour)
	}
	held.Reason, other.Reason = notify.ReasonPageBlocked, notify.ReasonUnreachable
	queue(t, b, held, other)
	tell := func(e notify.ThreadEvent) []identity.PageID {
		return must(b.Receive(t.Context(), []notify.ThreadEvent{e}))(t).Pages
	}
	same(t, "warned", tell(policy(notify.PolicyWarning, 0)), nil)
	same(t, "pages", tell(policy(notify.PolicyBlock, time.Microsecond)), []identity.PageID{"100"})
	ok(t, b.PutPage(t.Context(), registryRecords().Pages[0])) // the admin's record does not end it
	at, why := blocked(t, b)
	same(t, "blocked", at, epoch.Add(time.Microsecond))
	same(t, "why", why, "spam")
	same(t, "held", b.delivery(t, "a").State, notify.Held)
	same(t, "pages", tell(policy(notify.PolicyUnblock, time.Second)), []identity.PageID{"100"})
	at, why = blocked(t, b)
	same(t, "unblocked", at, time.Time{})
	same(t, "no reason", why, "")
	same(t, "freed", b.delivery(t, "a").State, notify.Pending)
	same(t, "held for something else", b.delivery(t, "b").State, notify.Held)
	e := policy(notify.PolicyBlock, time.Minute)
	e.Page = "unregistered"
	same(t, "a page nobody registered", tell(e), nil)
}

func policyOrder(t *testing.T, b *bench) {
	putAll(t, b, registryRecords())
	for _, e := range []notify.ThreadEvent{policy(notify.PolicyUnblock, time.Minute), policy(notify.PolicyBlock, time.Second)} {
		must(b.Receive(t.Context(), []notify.ThreadEvent{e}))(t)
	}
	at, _ := blocked(t, b)
	same(t, "blocked", at, time.Time{})
}

func templateOrder(t *testing.T, b *bench) {
	word := func(status notify.TemplateStatus, after time.Duration) notify.Template {
		return notify.Template{Page: "p", Name: "enter", Language: "en", ID: "1", Status: status, Params: 3, Buttons: 1, Checked: epoch.Add(after)}
	}
	for _, x := range []notify.Template{word(notify.TemplateApproved, time.Minute), word(notify.TemplatePending, time.Second)} {
		b.receive(t, notify.ThreadEvent{Key: string(x.Status), Page: "p", Time: x.Checked, Kind: notify.ThreadTemplate, Template: x})
	}
	same(t, "templates", must(b.Templates(t.Context(), "p"))(t), []notify.Template{word(notify.TemplateApproved, time.Minute)})
}

func saidWaits(t *testing.T, b *bench) {
	words := []notify.Said{
		{Page: "p", PSID: "u", Kind: notify.SaidText, MessageID: "m1", Text: "where is my van? 🚚", At: epoch},
		{Page: "p", PSID: "u", Kind: notify.SaidPostback, Text: "Where now?", Payload: "WHERE:van", At: epoch.Add(time.Second)},
		{Page: "q", PSID: "w", Kind: notify.SaidQuickReply, Text: "Yes", Payload: "YES", At: epoch},
	}
	for i := range words {
		said := words[i]
		e := notify.ThreadEvent{Key: said.Text, Page: said.Page, PSID: said.PSID, Time: said.At, Kind: notify.ThreadAction, Said: &said}
		same(t, "told", must(b.Receive(t.Context(), []notify.ThreadEvent{e, e}))(t).Said, 1)
		words[i].Received = epoch
	}
	all := must(b.Unheard(t.Context(), 0, 10))(t)
	same(t, "how many", len(all), len(words))
	for i := range all {
		words[i].Seq = all[i].Seq
	}
	same(t, "unheard", all, words)
	same(t, "the next", must(b.Unheard(t.Context(), all[0].Seq, 1))(t), words[1:2])
	ok(t, b.Heard(t.Context(), all[0].Seq, all[2].Seq))
	same(t, "left", must(b.Unheard(t.Context(), 0, 10))(t), words[1:2])
}
