package app

import (
	"context"
	"fmt"
	"io"

	"outrider/geofence"
	"outrider/internal/replay"
	"outrider/telemetry/codec"
)

// ReplayOptions is what a replay reads and writes.
type ReplayOptions struct {
	Geofences io.Reader // GeoJSON FeatureCollection
	Preset    string    // strict, balanced or calm
	In        io.Reader // one message a line
	Out       io.Writer // one crossing a line
	Progress  func(lines int)
	Refused   func(line int, err error) // told of each payload and fix that the gateway would refuse; may be nil
}

// Replay runs recorded messages through codec, gate and engine, without network or store.
func Replay(ctx context.Context, o ReplayOptions) error {
	preset, err := geofence.ParsePreset(o.Preset)
	if err != nil {
		return fmt.Errorf("app: --preset: %w", err)
	}
	return replay.Run(ctx, replay.Options{
		Geofences: o.Geofences, Preset: preset, In: o.In, Out: o.Out, Decoder: codec.New(codec.Options{}), Progress: o.Progress,
		Refused: o.Refused,
	})
}
