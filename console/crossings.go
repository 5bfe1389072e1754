package console

import (
	"context"
	"time"

	"outrider/geofence"
	"outrider/identity"
	"outrider/store"
)

// crossing is a crossing as callers see it.
type crossing struct {
	ID            string             `json:"id"`
	Vehicle       identity.VehicleID `json:"vehicle"`
	Fence         geofence.FenceID   `json:"fence"`
	FenceName     string             `json:"fence_name,omitempty"`
	FenceRevision uint64             `json:"fence_revision" doc:"The version of the fence that was crossed."`
	Kind          string             `json:"kind" doc:"enter, exit, pass, dwell, overspeed, overspeed_end, stopped, silent or absent."`
	At            time.Time          `json:"at" doc:"When it happened, by the tracker's clock."`
	Lat           float64            `json:"lat"`
	Lon           float64            `json:"lon"`
	Confidence    int                `json:"confidence" doc:"1 (weak) to 3 (strong)."`
	Why           string             `json:"why,omitempty" doc:"The reason of the confidence."`
	Late          bool               `json:"late" doc:"Found in data that came too late to alert anyone."`
	Received      *time.Time         `json:"received,omitempty" doc:"When the position that decided it arrived."`
	Recorded      *time.Time         `json:"recorded,omitempty"`
}

func (c *records) crossings(ctx context.Context, in *struct {
	Paging
	OfVehicle
	OfFence
}) (*listAnswer[crossing], error) {
	q := store.Query{Vehicle: in.Vehicle, Fence: in.Fence}
	return readRecord(ctx, in.Paging, q, c.store.Crossings, func(x store.Crossing) uint64 { return x.Seq }, showCrossing)
}

func showCrossing(c store.Crossing) crossing {
	return crossing{
		ID: c.ID, Vehicle: c.Vehicle, Fence: c.Fence, FenceName: c.FenceName, FenceRevision: c.FenceRev, Kind: c.Kind,
		At: c.At.UTC(), Lat: c.Point.Lat(), Lon: c.Point.Lon(), Confidence: c.Confidence, Why: c.Why, Late: c.Late,
		Received: moment(c.Received), Recorded: moment(c.Recorded),
	}
}
