package app

import (
	"outrider/console"
	"outrider/identity"
	"outrider/internal/pipeline"
	"outrider/telemetry"
)

// inspect tells what a device sent last.
func (a *App) inspect(tenant identity.TenantID, vehicle identity.VehicleID) ([]console.Inspected, map[string]uint64, bool) {
	found, ok := a.pipeline.Inspector().Inspect(telemetry.TenantID(tenant), telemetry.VehicleID(vehicle))
	var messages []console.Inspected
	for _, p := range found.Payloads {
		messages = append(messages, a.inspected(telemetry.VehicleID(vehicle), p))
	}
	verdicts := map[string]uint64{}
	for v, n := range found.Verdicts {
		verdicts[v.String()] = n
	}
	return messages, verdicts, ok
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
	if len(p.Raw) == p.Size {
		e := a.decoder.Explain(telemetry.Message{Topic: p.Topic, Payload: p.Raw, Retained: p.Retained, Received: p.Received})
		m.Format, m.How = string(e.Codec), e.How
	}
	return m
}
