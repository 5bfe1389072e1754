// Package archtest holds the architecture as a test: which of our packages may import which, where foreign
// modules may appear, and that each package says what it is for. A new import is a change of its table, with a
// reason in review.
package archtest
