package postgres_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/postgrestest"
	"outrider/store/postgres"
	"outrider/store/sqlstore"
)

// What is rung is heard by the processes of the same schema, once they listen, and by no others.
func TestBell(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, false)
	url, elsewhere := server.URL(t), server.URL(t)
	a, b, stranger := openAt(t, url), openAt(t, url), openAt(t, elsewhere)
	hear := func(s *sqlstore.Store) <-chan string {
		heard := make(chan string, 100)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Hear(ctx, func(what string) { heard <- what }) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("hearing ended with %v", err)
			}
		})
		if first := <-heard; first != "" {
			t.Fatalf("it begins with %q", first)
		}
		return heard
	}
	mine, theirs, others := hear(a), hear(b), hear(stranger)
	if err := errors.Join(a.Ring(t.Context(), "one", "two; DROP"), a.Ring(t.Context()), stranger.Ring(t.Context(), "three")); err != nil {
		t.Fatal(err)
	}
	for _, heard := range []<-chan string{mine, theirs} {
		if got := []string{<-heard, <-heard}; !slices.Equal(got, []string{"one", "two; DROP"}) {
			t.Errorf("heard %q", got)
		}
	}
	if got := <-others; got != "three" {
		t.Errorf("another schema heard %q", got)
	}
}

func openAt(t *testing.T, url string) *sqlstore.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Options{URL: identity.NewToken(url), Sealer: newSealer(t), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
