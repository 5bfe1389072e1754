package storetest

import (
	"testing"
	"time"

	"outrider/identity"
	"outrider/store"
)

var talkTests = map[string]func(*testing.T, *bench){
	"what an owner asked for is theirs":                 ownerAsks,
	"a wish to be told one time ends with its delivery": onceEnds,
	"who saw an alert is recorded once":                 acknowledgeOnce,
	"a person has one open question, for a while":       questionEnds,
}

func ownerAsks(t *testing.T, b *bench) {
	ctx := t.Context()
	wantError(t, b.SetQuiet(ctx, "acme", "ann", identity.Quiet{}), store.ErrNotFound)
	wantError(t, b.SetOnce(ctx, "acme", "ann", nil), store.ErrNotFound)
	o := identity.Owner{Tenant: "acme", ID: "ann"}
	ok(t, b.PutOwner(ctx, o))
	quiet := identity.Quiet{From: 1320, To: 420}
	once := []identity.Once{{ID: "1", Vehicle: "van", Kind: "exit", Fence: "depot", Since: epoch, Until: epoch.Add(time.Hour)}}
	ok(t, b.SetQuiet(ctx, "acme", "ann", quiet))
	ok(t, b.SetOnce(ctx, "acme", "ann", once))
	ok(t, b.PutOwner(ctx, o))
	b.reopen(t)
	stored := must(b.Identities(ctx))(t).Owners[0]
	same(t, "quiet hours", stored.Quiet, quiet)
	same(t, "wishes", stored.Once, once)
}

func onceEnds(t *testing.T, b *bench) {
	ctx := t.Context()
	ok(t, b.PutOwner(ctx, identity.Owner{Tenant: "acme", ID: "ann"}))
	ok(t, b.SetOnce(ctx, "acme", "ann", []identity.Once{{ID: "1", Vehicle: "van"}, {ID: "2", Vehicle: "van"}}))
	d := delivery("d", "p", "u", epoch)
	d.Alert.Once = "1"
	queue(t, b, delivery("other", "p", "u", epoch), d)
	left := must(b.Identities(ctx))(t).Owners[0].Once
	same(t, "wishes left", left, []identity.Once{{ID: "2", Vehicle: "van"}})
	same(t, "told as", b.delivery(t, "d").Alert.Once, "1")
}

func acknowledgeOnce(t *testing.T, b *bench) {
	ctx := t.Context()
	queue(t, b, delivery("d", "p", "u", epoch), delivery("e", "p", "u", epoch))
	ann := identity.Contact{Page: "p", PSID: "u"}
	for _, x := range []struct {
		tenant identity.TenantID
		id     string
		who    identity.Contact
		want   bool
	}{
		{"acme", "d", identity.Contact{Page: "p", PSID: "other"}, false}, {"other", "d", ann, false}, {"acme", "none", ann, false},
		{"acme", "d", ann, true}, {"acme", "d", ann, true},
	} {
		b.clock.advance(time.Second)
		same(t, "acknowledged", must(b.Acknowledge(ctx, x.tenant, x.id, x.who, "ACK", b.clock.now()))(t), x.want)
	}
	d := b.delivery(t, "d")
	same(t, "when", d.Acknowledged, epoch.Add(4*time.Second))
	same(t, "how", d.AcknowledgedBy, "ACK")
	want := []store.Acknowledgement{{Delivery: "d", Event: "event of d", Owner: "ann", At: epoch.Add(4 * time.Second), By: "ACK"}}
	same(t, "of events", must(b.Acknowledged(ctx, "acme", []string{"event of e", "event of d", "none"}))(t), want)
	same(t, "of another tenant", len(must(b.Acknowledged(ctx, "other", []string{"event of d"}))(t)), 0)
}

func questionEnds(t *testing.T, b *bench) {
	ctx := t.Context()
	q := store.Question{Person: identity.Contact{Page: "p", PSID: "u"}, Text: "HERE::100:Home", Until: epoch.Add(time.Minute)}
	asked := func(person identity.Contact, after time.Duration) store.Question {
		t.Helper()
		got, open, err := b.Asked(ctx, person, epoch.Add(after))
		if err != nil || open != (got.Text != "") {
			t.Fatalf("%+v %v %v", got, open, err)
		}
		return got
	}
	same(t, "nothing", asked(q.Person, 0), store.Question{})
	ok(t, b.Ask(ctx, store.Question{Person: q.Person, Text: "before", Until: epoch.Add(time.Hour)}))
	ok(t, b.Ask(ctx, q))
	b.reopen(t)
	same(t, "after a restart", asked(q.Person, 0), q)
	same(t, "another person", asked(identity.Contact{Page: "p", PSID: "v"}, 0), store.Question{})
	same(t, "later", asked(q.Person, time.Minute), store.Question{})
	ok(t, b.Ask(ctx, store.Question{Person: q.Person}))
	same(t, "closed", asked(q.Person, 0), store.Question{})
}
