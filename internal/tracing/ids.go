package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
)

// ids makes the ids of a delivery's trace and of its outermost span from the delivery's own.
type ids struct{}

type deliveryKey struct{}

// root is a context in which a delivery's outermost span begins.
func root(delivery string) context.Context {
	return context.WithValue(context.Background(), deliveryKey{}, delivery)
}

// within is a context of spans inside of it, which may come before it.
func within(delivery string) context.Context {
	id, span := derive(delivery)
	return trace.ContextWithRemoteSpanContext(context.Background(),
		trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, Remote: true}))
}

func derive(delivery string) (id trace.TraceID, span trace.SpanID) {
	sum := sha256.Sum256([]byte(delivery))
	copy(id[:], sum[:])
	copy(span[:], sum[len(id):])
	return id, span
}

// NewIDs implements sdk.IDGenerator.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	delivery, _ := ctx.Value(deliveryKey{}).(string)
	return derive(delivery)
}

// NewSpanID implements sdk.IDGenerator.
func (ids) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	binary.NativeEndian.PutUint64(id[:], rand.Uint64()|1) // zero is no id
	return id
}
