package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"outrider/identity"
	"outrider/store"
	"outrider/store/sqlite"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	sealer, err := identity.NewSealer(make([]byte, identity.KeySize)) // a real key is random
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "outrider.db"), Sealer: sealer, Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	first, err := s.PutGeofence(ctx, store.Geofence{Tenant: "acme", ID: "depot", Name: "Depot"}, store.ExpectAbsent)
	fmt.Println(first.Revision, err)
	second, err := s.PutGeofence(ctx, store.Geofence{Tenant: "acme", ID: "depot", Name: "Depot north"}, first.Revision)
	fmt.Println(second.Revision, err)
	_, err = s.PutGeofence(ctx, store.Geofence{Tenant: "acme", ID: "depot"}, first.Revision)
	fmt.Println(errors.Is(err, store.ErrConflict))
	// Output:
	// 1 <nil>
	// 2 <nil>
	// true
}
