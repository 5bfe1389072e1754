package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"outrider/identity"
)

// tester is the part of testing.TB that a check needs; a run of rapid has it too.
type tester interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func ok(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns v, or ends the test. It is called as must(f())(t).
func must[T any](v T, err error) func(tester) T {
	return func(t tester) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

func wantError(t tester, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// same compares; NaN equals NaN, nil equals empty, secrets are compared by what they hold.
func same[T any](t tester, what string, got, want T) {
	t.Helper()
	d := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b identity.Token) bool { return a.Reveal() == b.Reveal() }))
	if d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// names maps things to their names, for short comparisons.
func names[T any](all []T, name func(T) string) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = name(v)
	}
	return out
}

func numbered(prefix string, i int) string { return fmt.Sprintf("%s-%04d", prefix, i) }
