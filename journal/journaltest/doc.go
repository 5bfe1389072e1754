// Package journaltest is the suite that every implementation of journal.Journal passes.
package journaltest
