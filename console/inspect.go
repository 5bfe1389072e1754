package console

import (
	"context"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/telemetry"
)

// Inspected is one message of a device, raw and as it was understood.
type Inspected struct {
	Seq      uint64             // grows from message to message
	Vehicle  identity.VehicleID // empty: nobody could be named
	Topic    string
	Format   string // as what it was read; empty: unknown
	How      string // why as that
	Raw      []byte // its beginning
	Size     int    // bytes of all of it
	Retained bool
	Received time.Time
	Fixes    []telemetry.Fix // the first ones
	Rulings  []Ruling        // of Fixes, in their order
	Count    int             // how many there were
	Refusals []*telemetry.Refusal
}

// Ruling is what gate and engine said of a position.
type Ruling struct {
	Verdict string           `json:"verdict,omitempty" enum:"admitted,duplicate,late,implausible" doc:"Absent until it is judged."`
	Reason  telemetry.Reason `json:"reason,omitempty" doc:"Of what is a duplicate or implausible, or was admitted and is not believed at once: inaccurate, unlikely, jump."`
}

// Doubt is how often gate and engine gave a reason against positions of a device.
type Doubt struct {
	Reason telemetry.Reason `json:"reason"`
	Count  uint64           `json:"count" doc:"How many positions."`
	Last   time.Time        `json:"last" doc:"When the newest of them arrived."`
	Detail string           `json:"detail" doc:"What was wrong with that one."`
}

// Inspection is what is known of a device.
type Inspection struct {
	Messages []Inspected       // newest first
	Verdicts map[string]uint64 // positions, by what the gate said of them
	Doubts   []Doubt
}

// InspectFunc returns what is known of a device; false when nothing is remembered.
type InspectFunc func(tenant identity.TenantID, vehicle identity.VehicleID) (Inspection, bool)

// WatchFunc returns what the devices of a tenant sent after a message, oldest first, at most limit.
type WatchFunc func(tenant identity.TenantID, after uint64, limit int) []Inspected

// inspection is what is known of a device, as callers see it.
type inspection struct {
	Items    []inspectedMessage `json:"items" nullable:"false" doc:"Its last messages, newest first; of the last minutes, and none after a restart."`
	Verdicts map[string]uint64  `json:"verdicts" doc:"How many of its positions were admitted, duplicate, late or implausible since the gateway started."`
	Doubts   []Doubt            `json:"doubts" nullable:"false" doc:"Why they were duplicates or implausible, or not believed at once, by reason, the most frequent first."`
}

type inspectedMessage struct {
	Seq      uint64             `json:"seq" doc:"Grows from message to message; starts anew with the gateway."`
	Received time.Time          `json:"received"`
	Vehicle  identity.VehicleID `json:"vehicle,omitempty" doc:"Absent when neither topic nor payload names one."`
	Topic    string             `json:"topic"`
	Format   string             `json:"format,omitempty" doc:"The codec that read it; see docs/trackers.md."`
	How      string             `json:"how,omitempty" doc:"Why that codec."`
	Retained bool               `json:"retained" doc:"A copy that the broker had kept: a state, no news."`
	Size     int                `json:"size" doc:"Bytes of the whole payload."`
	Payload  string             `json:"payload,omitempty" doc:"Its beginning, when it is text."`
	Binary   []byte             `json:"payload_base64,omitempty" doc:"Its beginning, when it is not text."`
	Count    int                `json:"count" doc:"How many positions it held."`
	Fixes    []*fix             `json:"fixes,omitempty" nullable:"false" doc:"The first ones as they were understood, in SI units."`
	Gate     []Ruling           `json:"gate,omitempty" nullable:"false" doc:"What the gate said of each of these positions, in their order."`
	Refused  []refusedFix       `json:"refused,omitempty" nullable:"false" doc:"What was not understood, and why."`
}

type refusedFix struct {
	Reason telemetry.Reason `json:"reason"`
	Field  string           `json:"field,omitempty" doc:"Where in the payload."`
	Detail string           `json:"detail" doc:"What was found and what was expected."`
}

// WatchQuery says which messages a caller wants. It is exported for binding only.
type WatchQuery struct {
	After uint64 `query:"after" doc:"Only those after the message of this seq."`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"How many at most."`
}

// registerInspect adds the operations, if somebody remembers messages.
func registerInspect(r *router, inspect InspectFunc, watch WatchFunc) {
	if inspect == nil || watch == nil {
		return
	}
	handle(r, huma.Operation{
		OperationID: "watch-devices", Method: http.MethodGet, Path: "/api/v1/inspect", Tags: []string{tagRecord},
		Summary:     "See what all devices send",
		Description: "The last messages of the devices that were heard of last, oldest first; to go on, ask for those after the last one's seq.",
	}, func(ctx context.Context, in *WatchQuery) (*listAnswer[inspectedMessage], error) {
		items := []inspectedMessage{}
		for _, m := range watch(tenantOf(ctx), in.After, in.Limit) {
			items = append(items, showInspected(&m))
		}
		return newListAnswer(ctx, items, ""), nil
	})
	handle(r, huma.Operation{
		OperationID: "inspect-vehicle", Method: http.MethodGet, Path: "/api/v1/inspect/{id}", Tags: []string{tagRecord},
		Summary: "See what a device sends", Description: "For whoever connects a tracker: its last messages, raw and as they were understood.",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *IDPath) (*recordAnswer[inspection], error) {
		found, ok := inspect(tenantOf(ctx), identity.VehicleID(in.ID))
		if !ok {
			return nil, problem(http.StatusNotFound, fmt.Sprintf(
				"nothing is remembered of a vehicle %q in this tenant: it has sent nothing since the gateway started, or under another topic; see /api/v1/dead-letters", in.ID))
		}
		out := inspection{Items: []inspectedMessage{}, Verdicts: found.Verdicts, Doubts: append([]Doubt{}, found.Doubts...)}
		for i := range found.Messages {
			out.Items = append(out.Items, showInspected(&found.Messages[i]))
		}
		return &recordAnswer[inspection]{http.StatusOK, out}, nil
	})
}

func showInspected(m *Inspected) inspectedMessage {
	out := inspectedMessage{
		Seq: m.Seq, Received: m.Received.UTC(), Vehicle: m.Vehicle, Topic: m.Topic, Format: m.Format, How: m.How, Retained: m.Retained, Size: m.Size, Count: m.Count,
		Gate: m.Rulings,
	}
	if utf8.Valid(m.Raw) {
		out.Payload = string(m.Raw)
	} else {
		out.Binary = m.Raw
	}
	for i := range m.Fixes {
		out.Fixes = append(out.Fixes, showFix(&m.Fixes[i]))
	}
	for _, r := range m.Refusals {
		out.Refused = append(out.Refused, refusedFix{r.Reason, r.Field, r.Detail})
	}
	return out
}
