package identity

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fleet() Records {
	return Records{
		Vehicles: []Vehicle{
			{Tenant: "acme", ID: "van-2", Owners: []OwnerID{"zoe", "adam", "zoe", "ghost"}, Device: "imei-7", Updated: time.Unix(10, 0)},
			{Tenant: "acme", ID: "van-1", Owners: []OwnerID{"adam"}, Device: "imei-7", Updated: time.Unix(20, 0)},
			{Tenant: "other", ID: "van-1", Device: "imei-7"},
		},
		Owners: []Owner{
			{Tenant: "acme", ID: "zoe", TimeZone: "Europe/Berlin"},
			{Tenant: "acme", ID: "adam"},
			{Tenant: "other", ID: "ghost"},
		},
		Pages: []Page{{Tenant: "acme", ID: "222"}, {Tenant: "other", ID: "333"}, {Tenant: "acme", ID: "111"}},
	}
}

func ids[T any](list []T, id func(T) string) []string {
	var out []string
	for _, v := range list {
		out = append(out, id(v))
	}
	return out
}

func TestDirectoryLists(t *testing.T) {
	t.Parallel()
	d := NewDirectory()
	d.Load(fleet())
	owner := func(o Owner) string { return string(o.ID) }
	page := func(p Page) string { return string(p.ID) }
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"owners of a vehicle: known ones, each once", ids(d.Owners("acme", "van-2"), owner), []string{"adam", "zoe"}},
		{"owners stay inside their tenant", ids(d.Owners("other", "van-1"), owner), nil},
		{"unclaimed vehicle", ids(d.Owners("acme", "van-9"), owner), nil},
		{"all owners", ids(slices.Collect(d.OwnerList("acme", "")), owner), []string{"adam", "zoe"}},
		{"vehicles", ids(slices.Collect(d.Vehicles("acme", "")), func(v Vehicle) string { return string(v.ID) }), []string{"van-1", "van-2"}},
		{"pages", ids(d.Pages("acme"), page), []string{"111", "222"}},
		{"pages of every tenant", ids(d.AllPages(), page), []string{"111", "222", "333"}},
		{"no tenant", ids(d.Pages("nobody"), page), nil},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

func TestDirectoryResolve(t *testing.T) {
	t.Parallel()
	d := NewDirectory()
	d.Load(fleet())
	for _, c := range []struct {
		tenant TenantID
		device string
		want   VehicleID
	}{
		{"acme", "imei-7", "van-1"}, // registered last
		{"other", "imei-7", "van-1"},
		{"acme", "van-2", "van-2"},
		{"acme", "phone/anna", "phone/anna"}, // nobody registered it
		{"nobody", "imei-7", "imei-7"},
	} {
		if got := d.Resolve(c.tenant, c.device); got != c.want {
			t.Errorf("Resolve(%q, %q) = %q, want %q", c.tenant, c.device, got, c.want)
		}
	}
}

// A directory keeps a copy: what the caller does to its records later is not seen.
func TestDirectoryCopies(t *testing.T) {
	t.Parallel()
	d := NewDirectory()
	r := fleet()
	r.Owners[1].Contacts = []Contact{{Page: "111", PSID: "7001"}}
	r.Pages[2].Templates = map[string]string{"enter": "mine"}
	d.Load(r)
	r.Owners[1].Contacts[0].PSID = "spoilt"
	r.Pages[2].Templates["enter"] = "spoilt"
	r.Vehicles[0].Owners[0] = "spoilt"
	o, _ := d.Owner("acme", "adam")
	p, _ := d.Page("111")
	v, _ := d.Vehicle("acme", "van-2")
	if o.Contacts[0].PSID != "7001" || p.Templates["enter"] != "mine" || v.Owners[0] != "zoe" {
		t.Errorf("the directory shares memory with its caller: %v %v %v", o, p, v)
	}
}

func TestDirectoryConcurrentLoad(t *testing.T) {
	t.Parallel()
	d := NewDirectory()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			var r Records
			if i%2 == 1 {
				r = fleet()
			}
			d.Load(r)
		}
	}()
	for {
		// A view is whole: a vehicle's owners are there exactly if the vehicle is; read in one call.
		if n := len(d.Owners("acme", "van-2")); n != 0 && n != 2 {
			t.Fatalf("%d owners: half a view", n)
		}
		select {
		case <-done:
			if n := len(d.Owners("acme", "van-2")); n != 2 {
				t.Fatalf("%d owners after the last load, want 2", n)
			}
			return
		default:
		}
	}
}

func ExampleDirectory() {
	d := NewDirectory()
	d.Load(Records{
		Vehicles: []Vehicle{{Tenant: "default", ID: "van-12", Device: "356307042441013", Owners: []OwnerID{"anna"}}},
		Owners:   []Owner{{Tenant: "default", ID: "anna", Contacts: []Contact{{Page: "111", PSID: "7001"}}}},
	})
	vehicle := d.Resolve("default", "356307042441013")
	for _, o := range d.Owners("default", vehicle) {
		fmt.Println(vehicle, "belongs to", o.ID, "at", o.Contacts[0].PSID)
	}
	// Output: van-12 belongs to anna at 7001
}
