package telemetry

// Verdict is what the gate says of a fix.
type Verdict uint8

// The verdicts.
const (
	Admitted    Verdict = iota // news, in order
	Duplicate                  // same time and place as one before, or a kept copy that tells nothing new
	Late                       // not newer than the newest: history, the engine decides what it adds
	Implausible                // cannot be true, see the reason
)

// String implements fmt.Stringer.
func (v Verdict) String() string {
	names := [...]string{"admitted", "duplicate", "late", "implausible"}
	if int(v) >= len(names) {
		return "unknown"
	}
	return names[v]
}
