package geofence

import (
	"errors"
	"fmt"
)

// Preset says how much movement it takes to believe a crossing. It is one choice a person can understand
// instead of five numbers.
type Preset uint8

// The presets.
const (
	// Balanced tells every crossing of a few metres' depth at the first fix that shows it beyond doubt.
	Balanced Preset = iota
	// Strict tells as early as it can, at half the depth: for yards where a false alarm costs less than a
	// missed one.
	Strict
	// Calm asks for twice the depth: for fences along busy roads and for people who dislike noise.
	Calm
)

// ErrPreset is what [ParsePreset] wraps.
var ErrPreset = errors.New("geofence: unknown preset")

// Presets returns every preset, the default first.
func Presets() []Preset { return []Preset{Balanced, Strict, Calm} }

// ParsePreset reads "balanced", "strict" or "calm"; the empty text is Balanced.
func ParsePreset(name string) (Preset, error) {
	if name == "" {
		return Balanced, nil
	}
	for _, p := range Presets() {
		if p.String() == name {
			return p, nil
		}
	}
	return Balanced, fmt.Errorf("%w %q: expected balanced, strict or calm", ErrPreset, name)
}

// String returns the preset's name.
func (p Preset) String() string {
	switch p {
	case Strict:
		return "strict"
	case Calm:
		return "calm"
	}
	return "balanced"
}

// margins are how deep beyond a boundary a vehicle must be, in units of the fix's σ unless said otherwise.
type margins struct {
	across  float64 // driving straight across the boundary
	along   float64 // driving along it
	stopped float64 // the mean of a stop
	lobe    float64 // a part of the way between two fixes; plus lobeM
	lobeM   float64 // metres
}

// margins returns the numbers behind a preset.
func (p Preset) margins() margins {
	m := margins{across: 0.9, along: 2.0, stopped: 0.6, lobe: 0.4, lobeM: 8.5}
	switch p {
	case Strict:
		return m.scaled(0.5)
	case Calm:
		return m.scaled(2)
	}
	return m
}

func (m margins) scaled(k float64) margins {
	return margins{m.across * k, m.along * k, m.stopped * k, m.lobe * k, m.lobeM * k}
}
