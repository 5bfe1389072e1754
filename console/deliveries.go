package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

const deliveriesPath = "/api/v1/deliveries"

// delivery is a message on its way, as callers see it.
type delivery struct {
	ID          string             `json:"id"`
	Event       string             `json:"event" doc:"The id of the crossing it tells about."`
	Vehicle     identity.VehicleID `json:"vehicle"`
	VehicleName string             `json:"vehicle_name,omitempty"`
	Owner       identity.OwnerID   `json:"owner"`
	Fence       string             `json:"fence"`
	FenceName   string             `json:"fence_name,omitempty"`
	Kind        notify.Kind        `json:"kind"`
	Rule        string             `json:"rule,omitempty" doc:"The rule that told the owner; absent: the default one."`
	At          time.Time          `json:"at" doc:"When the crossing happened."`
	Lat         float64            `json:"lat"`
	Lon         float64            `json:"lon"`

	Page      identity.PageID `json:"page,omitempty"`
	PSID      identity.PSID   `json:"psid,omitempty"`
	Operator  string          `json:"operator,omitempty" doc:"Who typed it, of a message from people."`
	State     deliveryState   `json:"state"`
	Route     notify.Route    `json:"route,omitempty" doc:"The way of the last attempt: window, utility, tag, human, fallback or hold."`
	Reason    notify.Reason   `json:"reason,omitempty" doc:"Why it is held, failed or expired, or why the last attempt failed."`
	Detail    string          `json:"detail,omitempty" doc:"The reason in words."`
	Attempts  int             `json:"attempts"`
	NextAt    *time.Time      `json:"next_at,omitempty" doc:"When it is looked at again."`
	Created   *time.Time      `json:"created,omitempty"`
	SentAt    *time.Time      `json:"sent_at,omitempty"`
	Delivered *time.Time      `json:"delivered_at,omitempty"`
	Read      *time.Time      `json:"read_at,omitempty"`
	Seen      *time.Time      `json:"acknowledged_at,omitempty" doc:"When the person said that they saw it, or used one of its buttons."`
	SeenBy    string          `json:"acknowledged_by,omitempty" doc:"What they tapped: ACK, WHERE, MUTE or OFF."`
	MessageID string          `json:"message_id,omitempty" doc:"Meta's id of the message."`
	Digest    string          `json:"digest,omitempty" doc:"The id of the delivery in whose message this one went out, together with what else was held while the person was away."`
	Trace     []try           `json:"trace,omitempty" nullable:"false" doc:"What was tried, oldest first; in the answer to one delivery only."`
}

// try is one entry of a delivery's trace, as callers see it.
type try notify.Try

// deliveryState is a notify.State with its closed list in the description.
type deliveryState notify.State

// Schema implements huma.SchemaProvider.
func (deliveryState) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, state := range notify.States() {
		s.Enum = append(s.Enum, string(state))
	}
	return s
}

func (c *records) deliveries(ctx context.Context, in *struct {
	Paging
	OfVehicle
	OfFence
	State deliveryState `query:"state" doc:"Only in this state."`
}) (*listAnswer[delivery], error) {
	q := store.Query{Vehicle: in.Vehicle, Fence: in.Fence, State: notify.State(in.State)}
	return readRecord(ctx, in.Paging, q, c.store.Deliveries, func(d store.DeliveryRecord) uint64 { return d.Seq }, showDelivery)
}

func (c *records) delivery(ctx context.Context, in *IDPath) (*recordAnswer[delivery], error) {
	d, err := c.store.Delivery(ctx, tenantOf(ctx), in.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem(http.StatusNotFound, fmt.Sprintf("there is no delivery %q in this tenant", in.ID))
	}
	if err != nil {
		return nil, err
	}
	return &recordAnswer[delivery]{http.StatusOK, showDelivery(d)}, nil
}

func showDelivery(d store.DeliveryRecord) delivery {
	a, operator := d.Alert, ""
	if a.Say != nil {
		operator = a.Say.Operator
	}
	return delivery{
		Operator: operator,
		ID:       a.ID, Event: a.Event, Vehicle: a.Vehicle, VehicleName: a.VehicleName, Owner: a.Owner,
		Fence: a.Fence, FenceName: a.FenceName, Kind: a.Kind, Rule: a.Rule, At: a.At.UTC(), Lat: a.Point.Lat(), Lon: a.Point.Lon(),
		Page: d.Page, PSID: d.PSID, State: deliveryState(d.State), Route: d.Route, Reason: d.Reason, Detail: d.Detail,
		Attempts: d.Attempts, NextAt: moment(d.NextAt), Created: moment(d.Created), SentAt: moment(d.SentAt),
		Delivered: moment(d.Delivered), Read: moment(d.Read), Seen: moment(d.Acknowledged), SeenBy: d.AcknowledgedBy, MessageID: d.MessageID,
		Digest: d.Leader, Trace: each(d.Trace, func(t notify.Try) try { return try(t) }),
	}
}
