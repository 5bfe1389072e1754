package telemetry

import "context"

// Refuser is what a [Sink] may also be: one that keeps what was refused before it could be decoded, such as a
// message too large to be read.
type Refuser interface {
	// Refuse returns nil when the refusal is durable. The payload of m may be only the beginning of what was
	// sent; it is valid until Refuse returns.
	Refuse(ctx context.Context, m Message, r *Refusal) error
}
