package sqlstore

import (
	"context"

	"outrider/store"
)

// Ring implements store.Bell.
func (s *Store) Ring(ctx context.Context, what ...string) error {
	if bell, ok := s.db.(store.Bell); ok && len(what) > 0 {
		return bell.Ring(ctx, what...)
	}
	return nil
}

// Hear implements store.Bell.
func (s *Store) Hear(ctx context.Context, heard func(what string)) error {
	if bell, ok := s.db.(store.Bell); ok {
		return bell.Hear(ctx, heard)
	}
	<-ctx.Done()
	return context.Cause(ctx)
}
