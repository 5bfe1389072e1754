package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

// kept is a source that counts how it is read.
type kept struct {
	mu       sync.Mutex // guards all below
	vehicles map[VehicleID]Vehicle
	whole    int           // readings of everything
	some     int           // readings of named records
	fail     error         // what a reading returns
	hold     chan struct{} // nil: a reading is not held up, between what it sees and its end
}

func (k *kept) put(id VehicleID, name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.vehicles[id] = Vehicle{Tenant: "acme", ID: id, Name: name}
}

func (k *kept) Identities(context.Context) (Records, error) {
	return k.read(&k.whole, func(VehicleID) bool { return true })
}

func (k *kept) IdentitiesOf(_ context.Context, refs ...Ref) (Records, error) {
	return k.read(&k.some, func(id VehicleID) bool {
		for _, ref := range refs {
			if ref == VehicleRef("acme", id) {
				return true
			}
		}
		return false
	})
}

func (k *kept) read(count *int, wanted func(VehicleID) bool) (r Records, err error) {
	k.mu.Lock()
	*count++
	for id, v := range k.vehicles {
		if wanted(id) {
			r.Vehicles = append(r.Vehicles, v)
		}
	}
	hold, err := k.hold, k.fail
	k.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return r, err
}

// Who asks while a reading is under way waits for the next one, which is one for all of them.
func TestFollowTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &kept{vehicles: map[VehicleID]Vehicle{}, hold: make(chan struct{})}
		d := NewDirectory()
		f := NewFollower(d, k)
		var asked sync.WaitGroup
		follow := func(id VehicleID) {
			k.put(id, "new")
			if err := f.Follow(t.Context(), VehicleRef("acme", id)); err != nil {
				t.Error(err)
			}
			if v, _ := d.Vehicle("acme", id); v.Name != "new" {
				t.Errorf("%s was followed and is %+v", id, v)
			}
		}
		asked.Go(func() { follow("first") })
		synctest.Wait()
		for i := range 20 {
			asked.Go(func() { follow(VehicleID(fmt.Sprint(i))) })
		}
		synctest.Wait()
		k.put("first", "newer")
		asked.Go(func() { _ = f.Follow(t.Context(), VehicleRef("acme", "first")) })
		synctest.Wait()
		close(k.hold)
		asked.Wait()
		if k.whole != 0 || k.some != 2 {
			t.Errorf("read everything %d times and some %d times, want 0 and 2", k.whole, k.some)
		}
		if v, _ := d.Vehicle("acme", "first"); v.Name != "newer" {
			t.Errorf("an older reading was taken over last: %+v", v)
		}
	})
}

// What a reading that failed was to show is not known any more, so the next one reads everything.
func TestFollowAfterAFailure(t *testing.T) {
	t.Parallel()
	k := &kept{vehicles: map[VehicleID]Vehicle{}, fail: errors.New("store: away")}
	d := NewDirectory()
	f := NewFollower(d, k)
	k.put("a", "stored")
	if err := f.Follow(t.Context(), VehicleRef("acme", "a")); !errors.Is(err, k.fail) {
		t.Fatalf("got %v", err)
	}
	k.fail = nil
	for range 2 {
		if err := f.Follow(t.Context(), VehicleRef("acme", "b")); err != nil {
			t.Fatal(err)
		}
	}
	if v, _ := d.Vehicle("acme", "a"); v.Name != "stored" || k.whole != 1 {
		t.Errorf("the directory has %+v after %d readings of everything, want it stored after 1", v, k.whole)
	}
}

// Who does not wait any longer is told so, and the reading goes on.
func TestFollowGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &kept{vehicles: map[VehicleID]Vehicle{}, hold: make(chan struct{})}
		f := NewFollower(NewDirectory(), k)
		var first sync.WaitGroup
		first.Go(func() { _ = f.Follow(t.Context()) })
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		var next sync.WaitGroup
		next.Go(func() { _ = f.Follow(t.Context(), VehicleRef("acme", "a")) })
		synctest.Wait()
		gone := errors.New("gone")
		cancel(gone)
		if err := f.Follow(ctx, VehicleRef("acme", "b")); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
		close(k.hold)
		first.Wait()
		next.Wait()
		if k.whole != 1 || k.some != 1 {
			t.Errorf("read everything %d times and some %d times, want 1 and 1", k.whole, k.some)
		}
	})
}
