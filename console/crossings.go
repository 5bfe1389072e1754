package console

import (
	"context"
	"time"

	"outrider/geofence"
	"outrider/identity"
	"outrider/notify"
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
	Reading       *notify.Reading    `json:"reading,omitempty" doc:"The rule's own reading of the geofence that saw it; absent: that of the geofence itself."`
	Late          bool               `json:"late" doc:"Found in data that came too late to alert anyone."`
	Received      *time.Time         `json:"received,omitempty" doc:"When the position that decided it arrived."`
	Recorded      *time.Time         `json:"recorded,omitempty"`
	Acknowledged  []acknowledgement  `json:"acknowledged,omitempty" nullable:"false" doc:"The owners who said that they saw the alert, oldest first."`
}

// acknowledgement is an owner's word that they saw an alert, as callers see it.
type acknowledgement struct {
	Owner    identity.OwnerID `json:"owner"`
	At       time.Time        `json:"at"`
	By       string           `json:"by" doc:"What they tapped: ACK, WHERE, MUTE or OFF."`
	Delivery string           `json:"delivery"`
}

func (c *records) crossings(ctx context.Context, in *struct {
	Paging
	OfVehicle
	OfFence
}) (*listAnswer[crossing], error) {
	q := store.Query{Vehicle: in.Vehicle, Fence: in.Fence}
	list, err := readRecord(ctx, in.Paging, q, c.store.Crossings, func(x store.Crossing) uint64 { return x.Seq }, showCrossing)
	if err != nil {
		return nil, err
	}
	return list, c.acknowledged(ctx, list.Body.Items)
}

// acknowledged adds who saw the alerts of crossings.
func (c *records) acknowledged(ctx context.Context, shown []crossing) error {
	at := map[string]int{}
	var ids []string
	for i, x := range shown {
		at[x.ID] = i
		ids = append(ids, x.ID)
	}
	all, err := c.store.Acknowledged(ctx, tenantOf(ctx), ids)
	for _, a := range all {
		x := &shown[at[a.Event]]
		x.Acknowledged = append(x.Acknowledged, acknowledgement{a.Owner, a.At.UTC(), a.By, a.Delivery})
	}
	return err
}

func showCrossing(c store.Crossing) crossing {
	shown := crossing{
		ID: c.ID, Vehicle: c.Vehicle, Fence: c.Fence, FenceName: c.FenceName, FenceRevision: c.FenceRev, Kind: c.Kind,
		At: c.At.UTC(), Lat: c.Point.Lat(), Lon: c.Point.Lon(), Confidence: c.Confidence, Why: c.Why, Late: c.Late,
		Received: moment(c.Received), Recorded: moment(c.Recorded),
	}
	if c.Reading != "" {
		r := notify.ReadingOf(c.Reading)
		shown.Reading = &r
	}
	return shown
}
