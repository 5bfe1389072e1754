package app

import (
	"outrider/console"
	"outrider/identity"
	"outrider/internal/pipeline"
	"outrider/telemetry"
)

// inspect tells what a device sent last.
func (a *App) inspect(tenant identity.TenantID, vehicle identity.VehicleID) (console.Inspection, bool) {
	found, ok := a.pipeline.Inspector().Inspect(telemetry.TenantID(tenant), telemetry.VehicleID(vehicle))
	out := console.Inspection{Verdicts: map[string]uint64{}}
	for _, p := range found.Payloads {
		out.Messages = append(out.Messages, a.inspected(telemetry.VehicleID(vehicle), p))
	}
	for v, n := range found.Verdicts {
		out.Verdicts[v.String()] = n
	}
	for _, d := range found.Doubts {
		out.Doubts = append(out.Doubts, console.Doubt{Reason: d.Reason, Count: d.Count, Last: d.Last(), Detail: d.Detail()})
	}
	return out, ok
}

// watch tells what all devices of a tenant sent after a message.
func (a *App) watch(tenant identity.TenantID, after uint64, limit int) []console.Inspected {
	var messages []console.Inspected
	for _, p := range a.pipeline.Inspector().Recent(telemetry.TenantID(tenant), after, limit) {
		messages = append(messages, a.inspected(p.Vehicle, p.Payload))
	}
	return messages
}

// inspected says of a message also as what it was read, where all of it is still there.
func (a *App) inspected(vehicle telemetry.VehicleID, p pipeline.Payload) console.Inspected {
	m := console.Inspected{
		Seq: p.Seq, Vehicle: identity.VehicleID(vehicle), Topic: p.Topic, Raw: p.Raw, Size: p.Size, Retained: p.Retained, Received: p.Received,
		Fixes: p.Fixes, Count: p.Count, Refusals: p.Refusals,
	}
	for _, r := range p.Rulings {
		m.Rulings = append(m.Rulings, ruling(r))
	}
	if len(p.Raw) == p.Size {
		e := a.decoder.Explain(telemetry.Message{Topic: p.Topic, Payload: p.Raw, Retained: p.Retained, Received: p.Received})
		m.Format, m.How = string(e.Codec), e.How
	}
	return m
}

func ruling(r pipeline.Ruling) console.Ruling {
	if !r.Judged {
		return console.Ruling{}
	}
	return console.Ruling{Verdict: r.Verdict.String(), Reason: r.Reason}
}
