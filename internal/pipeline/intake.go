package pipeline

import (
	"context"
	"fmt"
	"sync"

	"outrider/identity"
	"outrider/store"
	"outrider/telemetry"
)

// maxKept is how much of a refused payload a dead letter keeps.
const maxKept = 4 << 10

// Appender makes fixes durable; a journal is one.
type Appender interface {
	Append(ctx context.Context, fixes []telemetry.Fix) error
}

// LetterBox keeps refused input; a store is one.
type LetterBox interface {
	PutDeadLetters(ctx context.Context, letters []store.DeadLetter) error
}

// Resolver says which vehicle a device is; a directory is one.
type Resolver interface {
	Resolve(tenant identity.TenantID, device string) identity.VehicleID
}

// Intake is the way from MQTT into the journal. It is safe for many goroutines.
type Intake struct {
	decoder telemetry.Decoder
	journal Appender
	letters LetterBox
	devices Resolver
	owner   func(topic string) (telemetry.TenantID, telemetry.VehicleID)
	inspect *Inspector
	metrics *metrics
	scratch sync.Pool // of *decoded
}

var _ telemetry.Sink = (*Intake)(nil)

// decoded is what one batch of messages holds.
type decoded struct {
	fixes   []telemetry.Fix
	letters []store.DeadLetter
}

// Accept implements telemetry.Sink.
//
// ORDER: fixes to the journal, refusals to the store, then the caller acknowledges. A crash between any two
// makes the sender repeat the batch, and the gate drops the fixes it already knows.
func (in *Intake) Accept(ctx context.Context, batch []telemetry.Message) error {
	d := in.scratch.Get().(*decoded)
	defer in.put(d)
	for _, m := range batch {
		in.decode(d, m)
	}
	if len(d.fixes) > 0 {
		if err := in.journal.Append(ctx, d.fixes); err != nil {
			return fmt.Errorf("pipeline: append %d fixes: %w", len(d.fixes), err)
		}
	}
	return in.bury(ctx, d.letters)
}

// Refuse records a message that was refused before it could be decoded, such as one that is too large.
func (in *Intake) Refuse(ctx context.Context, m telemetry.Message, r *telemetry.Refusal) error {
	in.show(&m, nil, []*telemetry.Refusal{r})
	return in.bury(ctx, []store.DeadLetter{in.letter(m, r)})
}

func (in *Intake) decode(d *decoded, m telemetry.Message) {
	from := len(d.fixes)
	fixes, err := in.decoder.Decode(d.fixes, m)
	d.fixes = fixes
	for i := from; i < len(d.fixes); i++ {
		f := &d.fixes[i]
		f.Vehicle = telemetry.VehicleID(in.devices.Resolve(identity.TenantID(f.Tenant), string(f.Vehicle)))
	}
	refusals := telemetry.Refusals(err)
	for _, r := range refusals {
		d.letters = append(d.letters, in.letter(m, r))
	}
	in.show(&m, d.fixes[from:], refusals)
}

// show lets people see the message: with its vehicle, or with the one that its topic names.
func (in *Intake) show(m *telemetry.Message, fixes []telemetry.Fix, refusals []*telemetry.Refusal) {
	if len(fixes) > 0 {
		in.inspect.note(vehicleKey{fixes[0].Tenant, fixes[0].Vehicle}, m, fixes, refusals)
		return
	}
	if len(refusals) == 0 {
		return
	}
	tenant, device := in.sender(m)
	if device == "" {
		in.inspect.note(vehicleKey{telemetry.DefaultTenant, ""}, m, nil, refusals) // somebody must see it
		return
	}
	vehicle := telemetry.VehicleID(in.devices.Resolve(identity.TenantID(tenant), string(device)))
	in.inspect.note(vehicleKey{tenant, vehicle}, m, nil, refusals)
}

// sender is who signed in, or else whom the topic names.
func (in *Intake) sender(m *telemetry.Message) (telemetry.TenantID, telemetry.VehicleID) {
	if m.Vehicle != "" {
		return m.Tenant, m.Vehicle
	}
	return in.owner(m.Topic)
}

func (in *Intake) bury(ctx context.Context, letters []store.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	if err := in.letters.PutDeadLetters(ctx, letters); err != nil {
		return fmt.Errorf("pipeline: keep %d dead letters: %w", len(letters), err)
	}
	for _, l := range letters {
		in.metrics.refused.WithLabelValues(string(l.Reason)).Inc()
	}
	return nil
}

func (in *Intake) put(d *decoded) {
	clear(d.letters) // drop references to payloads
	d.fixes, d.letters = d.fixes[:0], d.letters[:0]
	in.scratch.Put(d)
}

func (in *Intake) letter(m telemetry.Message, r *telemetry.Refusal) store.DeadLetter {
	tenant, vehicle := in.sender(&m)
	if tenant == "" {
		tenant = telemetry.DefaultTenant // somebody must see it
	}
	kept := m.Payload[:min(len(m.Payload), maxKept)]
	return store.DeadLetter{
		Tenant: identity.TenantID(tenant), Vehicle: identity.VehicleID(vehicle), Topic: m.Topic,
		Reason: r.Reason, Field: r.Field, Detail: r.Detail,
		Payload: append([]byte(nil), kept...), Size: max(m.Size, len(m.Payload)), Received: m.Received,
	}
}
