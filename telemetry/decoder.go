package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Message is one MQTT PUBLISH as it came. Payload is only valid until the call that got it returns.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
	Received time.Time // the gateway's clock at arrival
	// Tenant and Vehicle are who sent it, where it had to sign in; else empty. A topic that names nobody then means them,
	// and no id in the payload counts.
	Tenant  TenantID
	Vehicle VehicleID
	// Size is the length of the payload as it was sent, when Payload is only its beginning; else 0.
	Size int
}

// Decoder turns a message into fixes. It is safe for many goroutines.
type Decoder interface {
	// Decode appends the fixes of m to dst, in device time order, and returns the longer slice.
	// A non-nil error is one *Refusal or several joined by errors.Join; fixes appended beside an error are good.
	Decode(dst []Fix, m Message) ([]Fix, error)
}

// Sink takes messages. It is safe for many goroutines.
type Sink interface {
	// Accept returns nil when everything the messages hold is durable (fixes in the journal, refusals as
	// dead letters): then, and only then, may they be acknowledged. On error none may be acknowledged.
	// Messages of one vehicle must come from one caller at a time, in order.
	Accept(ctx context.Context, batch []Message) error
}

// Reason says why a message, or a part of it, was refused, or a fix is doubted. The list is closed: it is a metric label.
type Reason string

// The reasons.
const (
	ReasonTopic       Reason = "topic"       // the topic names no known layout or an invalid id
	ReasonMalformed   Reason = "malformed"   // not parseable as what it claims to be
	ReasonMissing     Reason = "missing"     // a required field is absent
	ReasonType        Reason = "type"        // a field has the wrong type
	ReasonRange       Reason = "range"       // a value no position can have: latitude 91, NaN
	ReasonEmpty       Reason = "empty"       // no position inside: empty payload, empty array
	ReasonTooLarge    Reason = "too_large"   // longer than the limit
	ReasonForbidden   Reason = "forbidden"   // the topic is another's than who signed in
	ReasonUnsupported Reason = "unsupported" // understood but not handled: encrypted OwnTracks
	ReasonNoFix       Reason = "no_fix"      // the tracker says it has no position: 0,0 or an invalid flag
	ReasonFuture      Reason = "future"      // device time too far ahead of the gateway's clock
	ReasonTooOld      Reason = "too_old"     // device time before GPS existed
	ReasonDuplicate   Reason = "duplicate"   // same vehicle, time and place as one before
	ReasonImplausible Reason = "implausible" // cannot be true for another reason

	// Of fixes that pass the gate and that the engine does not believe at once, see [Doubts].
	ReasonInaccurate Reason = "inaccurate" // says itself that it is far worse than the tracker's others: left out
	ReasonUnlikely   Reason = "unlikely"   // not what the speeds and courses say: the next fix decides
	ReasonJump       Reason = "jump"       // no vehicle moves like that: kept aside until later fixes prove it
)

// Doubts returns the reasons for which a fix that passed the gate is not believed at once.
func Doubts() []Reason { return []Reason{ReasonInaccurate, ReasonUnlikely, ReasonJump} }

// Reasons returns every reason to refuse something, in a fixed order, so that metrics can be initialised with them.
func Reasons() []Reason {
	return []Reason{
		ReasonTopic, ReasonMalformed, ReasonMissing, ReasonType, ReasonRange, ReasonEmpty, ReasonTooLarge,
		ReasonUnsupported, ReasonNoFix, ReasonFuture, ReasonTooOld, ReasonDuplicate, ReasonImplausible,
		ReasonForbidden,
	}
}

// Refusal says in words a tracker installer understands what was wrong and what was expected.
type Refusal struct {
	Reason Reason
	Field  string // where: "lat", "[3].t"; empty when the whole message is meant
	Detail string // what was found and what was expected: "91 is outside -90 to 90"
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Field == "" {
		return fmt.Sprintf("telemetry: %s: %s", r.Reason, r.Detail)
	}
	return fmt.Sprintf("telemetry: %s: %s: %s", r.Reason, r.Field, r.Detail)
}

// Refuse builds a refusal.
func Refuse(reason Reason, field, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// Refusals lists every refusal inside err, however joined or wrapped. An error that holds none becomes one
// of reason malformed.
func Refusals(err error) []*Refusal {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Refusal
		for _, e := range joined.Unwrap() {
			all = append(all, Refusals(e)...)
		}
		return all
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		return []*Refusal{r}
	}
	return []*Refusal{{Reason: ReasonMalformed, Detail: err.Error()}}
}
