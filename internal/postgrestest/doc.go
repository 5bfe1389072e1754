// Package postgrestest runs PostgreSQL servers for tests: one for a test, on a socket of its own, gone when the test
// ends.
package postgrestest
