package app

import (
	"context"
	"fmt"
	"io"

	"outrider/geofence"
	"outrider/internal/config"
	"outrider/internal/replay"
)

// ReplayOptions is what a replay reads and writes.
type ReplayOptions struct {
	MQTT      config.MQTT // for mqtt.rules and mqtt.mappings
	Geofences io.Reader   // GeoJSON FeatureCollection
	Preset    string      // strict, balanced or calm
	In        io.Reader   // one message a line
	Out       io.Writer   // one crossing a line
	Progress  func(lines int)
	Refused   func(line int, err error) // told of each payload and fix that the gateway would refuse; may be nil
}

// Replay runs recorded messages through codec, gate and engine, without network or store.
func Replay(ctx context.Context, o ReplayOptions) error {
	preset, err := geofence.ParsePreset(o.Preset)
	if err != nil {
		return fmt.Errorf("app: --preset: %w", err)
	}
	decoder, err := newDecoder(o.MQTT)
	if err != nil {
		return err
	}
	return replay.Run(ctx, replay.Options{
		Geofences: o.Geofences, Preset: preset, In: o.In, Out: o.Out, Decoder: decoder, Progress: o.Progress,
		Refused: o.Refused,
	})
}
