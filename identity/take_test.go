package identity

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever is taken over one after the other, in any order, the directory answers as one that loads what is left at once.
func TestTakeIsAsLoad(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stored := map[Ref]Records{}
		d := NewDirectory()
		for range rapid.IntRange(1, 40).Draw(t, "changes") {
			change := map[Ref]Records{}
			for range rapid.IntRange(1, 3).Draw(t, "together") {
				ref, r := drawRecord(t)
				change[ref] = r
			}
			maps.Copy(stored, change)
			seen := &Directory{}
			seen.view.Store(d.view.Load())
			before := answers(seen)
			d.Take(together(maps.Values(change)), slices.Collect(maps.Keys(change))...)
			if diff := cmp.Diff(before, answers(seen)); diff != "" {
				t.Fatalf("a view that was seen changed: %s", diff)
			}
		}
		fresh := NewDirectory()
		fresh.Load(together(maps.Values(stored)))
		if diff := cmp.Diff(answers(fresh), answers(d)); diff != "" {
			t.Fatalf("taken one by one (-loaded +taken): %s", diff)
		}
	})
}

// names are few, so that records meet.
var names = []string{"a", "b", "c"}

// drawRecord draws a record of few possible ones, or that there is none any more.
func drawRecord(t *rapid.T) (ref Ref, r Records) {
	word := rapid.SampledFrom(names)
	tenant, id := TenantID(word.Draw(t, "tenant")), word.Draw(t, "id")
	gone := rapid.IntRange(0, 3).Draw(t, "gone") == 0
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		ref = VehicleRef(tenant, VehicleID(id))
		v := Vehicle{Tenant: tenant, ID: VehicleID(id), Updated: time.Unix(rapid.Int64Range(0, 3).Draw(t, "at"), 0)}
		v.Device = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "device")
		for _, o := range rapid.SliceOfN(word, 0, 3).Draw(t, "owners") {
			v.Owners = append(v.Owners, OwnerID(o))
		}
		r.Vehicles = []Vehicle{v}
	case 1:
		ref = OwnerRef(tenant, OwnerID(id))
		o := Owner{Tenant: tenant, ID: OwnerID(id), Locale: word.Draw(t, "locale")}
		for _, c := range rapid.SliceOfNDistinct(word, 0, 2, rapid.ID).Draw(t, "contacts") {
			o.Contacts = append(o.Contacts, Contact{Page: PageID(c), PSID: PSID(word.Draw(t, "psid"))})
		}
		r.Owners = []Owner{o}
	case 2:
		ref = PageRef(PageID(id))
		r.Pages = []Page{{Tenant: tenant, ID: PageID(id), Name: word.Draw(t, "name")}}
	default:
		ref = TextsRef(tenant)
		r.Texts = map[TenantID]Texts{tenant: {"en": {"enter": word.Draw(t, "text")}}}
	}
	if gone {
		r = Records{}
	}
	return ref, r
}

func together(some func(func(Records) bool)) Records {
	all := Records{Texts: map[TenantID]Texts{}}
	for r := range some {
		all.Vehicles, all.Owners = append(all.Vehicles, r.Vehicles...), append(all.Owners, r.Owners...)
		all.Pages = append(all.Pages, r.Pages...)
		maps.Copy(all.Texts, r.Texts)
	}
	return all
}

// answers is everything that a directory says of the names, in text.
func answers(d *Directory) map[string]string {
	all := map[string]string{"pages": fmt.Sprint(d.AllPages())}
	say := func(what string, answer ...any) { all[what] = fmt.Sprint(answer...) }
	for _, a := range names {
		tenant := TenantID(a)
		say("vehicles of "+a, slices.Collect(d.Vehicles(tenant, "")), slices.Collect(d.Vehicles(tenant, "b")))
		say("owners of "+a, slices.Collect(d.OwnerList(tenant, "")), slices.Collect(d.OwnerList(tenant, "b")))
		say("pages of "+a, d.Pages(tenant), d.Texts(tenant), d.Locales(PageID(a)))
		for _, b := range names {
			v, registered := d.Vehicle(tenant, VehicleID(b))
			say("vehicle "+a+b, v, registered, d.Owners(tenant, VehicleID(b)))
			say("device "+a+b, d.Resolve(tenant, b), slices.Collect(d.Carriers(tenant, b)))
			for _, c := range names {
				o, known := d.Person(tenant, Contact{PageID(b), PSID(c)})
				say("person "+a+b+c, o, known)
			}
		}
	}
	return all
}

// BenchmarkTake shows what one change costs in fleets of two sizes.
func BenchmarkTake(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		d := NewDirectory()
		d.Load(crowd(n))
		b.Run(fmt.Sprintf("vehicles=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Take(Records{Vehicles: []Vehicle{{Tenant: "acme", ID: "v77", Device: "d77", Owners: []OwnerID{"o7"}}}}, VehicleRef("acme", "v77"))
			}
		})
	}
}

func BenchmarkResolve(b *testing.B) {
	d := NewDirectory()
	d.Load(crowd(100_000))
	b.ReportAllocs()
	for b.Loop() {
		d.Resolve("acme", "d77777")
	}
}

func crowd(n int) Records {
	var r Records
	for i := range n {
		r.Vehicles = append(r.Vehicles, Vehicle{
			Tenant: "acme", ID: VehicleID(fmt.Sprint("v", i)), Device: fmt.Sprint("d", i), Owners: []OwnerID{OwnerID(fmt.Sprint("o", i/10))},
		})
		if i%10 == 0 {
			r.Owners = append(r.Owners, Owner{Tenant: "acme", ID: OwnerID(fmt.Sprint("o", i/10)), Contacts: []Contact{{"100", PSID(fmt.Sprint(i))}}})
		}
	}
	return r
}
