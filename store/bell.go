package store

import "context"

// Bell lets processes tell each other at once of what they would find by asking a little later. Nothing depends on it.
type Bell interface {
	// Ring tells whoever hears just now.
	Ring(ctx context.Context, what ...string) error
	// Hear calls heard with what is rung, and with nothing when it begins to listen, until ctx ends or it can hear no more.
	// In a database of one process nothing is rung.
	Hear(ctx context.Context, heard func(what string)) error
}
