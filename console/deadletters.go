package console

import (
	"context"
	"time"
	"unicode/utf8"

	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

// deadLetter is refused input as callers see it.
type deadLetter struct {
	Vehicle  identity.VehicleID `json:"vehicle,omitempty" doc:"Absent when the topic did not say."`
	Topic    string             `json:"topic"`
	Reason   telemetry.Reason   `json:"reason"`
	Field    string             `json:"field,omitempty" doc:"Where in the payload."`
	Detail   string             `json:"detail" doc:"What was found and what was expected."`
	Payload  string             `json:"payload,omitempty" doc:"Its beginning, when it is text."`
	Binary   []byte             `json:"payload_base64,omitempty" doc:"Its beginning, when it is not text."`
	Size     int                `json:"size" doc:"Bytes of the whole payload."`
	Received time.Time          `json:"received"`
}

func (c *records) deadLetters(ctx context.Context, in *struct {
	Paging
	OfVehicle
}) (*listAnswer[deadLetter], error) {
	q := store.Query{Vehicle: in.Vehicle}
	return readRecord(ctx, in.Paging, q, c.store.DeadLetters, func(d store.DeadLetter) uint64 { return d.Seq }, showDeadLetter)
}

func showDeadLetter(d store.DeadLetter) deadLetter {
	out := deadLetter{
		Vehicle: d.Vehicle, Topic: d.Topic, Reason: d.Reason, Field: d.Field, Detail: d.Detail,
		Size: d.Size, Received: d.Received.UTC(),
	}
	if utf8.Valid(d.Payload) {
		out.Payload = string(d.Payload)
	} else {
		out.Binary = d.Payload
	}
	return out
}
