// Package sqlite keeps everything in one SQLite file: the embedded default of the store.
//
// One goroutine writes. Writes that come at the same time share a transaction, each inside a savepoint of its
// own, so that one which fails takes no other with it; a write returns when it is on disk (WAL,
// synchronous=FULL). Reads go through connections of their own and never wait for writes.
//
// Times are microseconds since 1970 (0: the zero time), lists and alerts are JSON text, secrets are sealed
// before they come near the file.
package sqlite
