// Package store is the shape of what is kept: records, and the small interfaces that the rest of the program
// asks for, united in [Store]. store/sqlite is the embedded default; store/storetest is the suite that every
// implementation passes.
//
// Domain packages and the pipeline may know this package; only internal/app knows an implementation.
package store
