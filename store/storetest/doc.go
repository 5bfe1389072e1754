// Package storetest is the suite that every store passes: what the contracts of package store and the outbox of
// package notify promise, as tests.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Open {
//			path := filepath.Join(t.TempDir(), "x.db")
//			return func() (store.Store, error) { return sqlite.Open(t.Context(), sqlite.Options{Path: path, Now: now}) }
//		})
//	}
//
// Each test gets an empty place of its own, so they run side by side. [RunModel] compares the outbox with a model
// in memory over random histories; [Bench] measures what the two hot paths can carry.
package storetest
