package mqtt

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiltersThatOverlap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"fleet/#", "owntracks/#", false},
		{"fleet/#", "fleet/acme/#", true},
		{"fleet/acme/#", "fleet/globex/#", false},
		{"fleet/+/+/fix", "fleet/acme/van/fix", true},
		{"fleet/+/+/fix", "fleet/acme/van/cmd", false},
		{"fleet/+", "fleet/#", true},
		{"fleet", "fleet/#", true},
		{"fleet", "fleet/+", false},
		{"+/a", "b/+", true},
		{"a/b", "a/b", true},
		{"a/b", "a/b/c", false},
		{"#", "$SYS/#", false},
		{"$SYS/#", "$SYS/broker/+", true},
	} {
		if overlap(c.a, c.b) != c.want || overlap(c.b, c.a) != c.want {
			t.Errorf("%s and %s: want %v", c.a, c.b, c.want)
		}
	}
}

func TestFiltersAreDivided(t *testing.T) {
	t.Parallel()
	o := ClientOptions{ClientID: "gw", Topics: []string{"a", "b", "c"}, Connections: 2, Share: "g"}
	want := []part{
		{"gw", []string{"$share/g/a", "$share/g/c"}, []string{"$share/g/b"}},
		{"gw-2", []string{"$share/g/b"}, []string{"$share/g/a", "$share/g/c"}},
	}
	if diff := cmp.Diff(want, o.parts(), cmp.AllowUnexported(part{})); diff != "" {
		t.Error(diff)
	}
	o.Connections = 4
	all := []string{"$share/g/a", "$share/g/b", "$share/g/c"}
	if diff := cmp.Diff([]part{{"gw", all, nil}, {"gw-2", all, nil}, {"gw-3", all, nil}, {"gw-4", all, nil}}, o.parts(), cmp.AllowUnexported(part{})); diff != "" {
		t.Error("more connections than filters, in a group:", diff)
	}
	o.Connections, o.Share = 7, ""
	if n := len(o.parts()); n != 3 {
		t.Errorf("%d parts of three filters", n)
	}
}
