package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"

	"outrider/geofence"
	"outrider/identity"
	"outrider/journal"
	"outrider/notify"
	"outrider/notify/card"
	"outrider/store"
	"outrider/telemetry"
)

// cards draws the pictures of alerts when somebody fetches them. Nothing is kept: a picture is a function of the
// delivery, the fences of now, and what the journal still holds.
type cards struct {
	base      func() string // public URL without slash at its end; empty: there are no pictures
	life      time.Duration
	signer    card.Signer
	store     store.Store
	journal   journal.Journal
	near      func(telemetry.TenantID, orb.Point, float64, int) []geofence.FenceID
	owned     func(telemetry.TenantID, geofence.FenceID) identity.OwnerID // whose fence it is alone
	directory *identity.Directory
	texts     func(identity.TenantID) identity.Texts
	now       func() time.Time
	logger    *slog.Logger
	served    *prometheus.CounterVec // by result
	slots     chan struct{}          // one element for each picture that is drawn
}

// The results of a request for a picture.
const (
	cardDrawn   = "drawn"
	cardRefused = "refused"
	cardEnded   = "ended"
	cardGone    = "gone"
	cardBusy    = "busy"
	cardFailed  = "failed"
)

// Limits of drawing.
const (
	cardsAtOnce    = 2               // more make each slower
	cardPatience   = 8 * time.Second // Meta waits ten for a picture
	journalTime    = time.Second     // for the vehicle's way
	neighbourCount = 12
	neighbourReach = 2000 // metres
)

func newCards(c cards, r prometheus.Registerer) *cards {
	c.slots = make(chan struct{}, cardsAtOnce)
	c.served = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrider_card_requests_total", Help: "Requests for the picture of an alert, by result.",
	}, []string{"result"})
	for _, result := range []string{cardDrawn, cardRefused, cardEnded, cardGone, cardBusy, cardFailed} {
		c.served.WithLabelValues(result)
	}
	r.MustRegister(c.served)
	return &c
}

// picture is the address of a delivery's picture; empty when others cannot reach this gateway.
func (c *cards) picture(d notify.Delivery) string {
	base := c.base()
	if base == "" {
		return ""
	}
	return base + c.signer.Address(string(d.Alert.Tenant), d.Alert.ID, c.now().Add(c.life))
}

// positionPrefix begins what stands in the address for a vehicle's position instead of a delivery's id; the owner and the
// vehicle follow, escaped, with a slash in between. No delivery's id has a colon.
const positionPrefix = "position:"

// position is the address of the picture of where a vehicle is, as an owner may see it.
func (c *cards) position(o identity.Owner, vehicle identity.VehicleID) string {
	base := c.base()
	if base == "" {
		return ""
	}
	id := positionPrefix + url.QueryEscape(string(o.ID)) + "/" + url.QueryEscape(string(vehicle))
	// The end makes the address new each second, so that nobody shows an older picture in its place.
	return base + c.signer.Address(string(o.Tenant), id, c.now().Add(c.life))
}

// ServeHTTP implements http.Handler for card.Path.
func (c *cards) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, status := c.serve(w, r)
	c.served.WithLabelValues(result).Inc()
	if result != cardDrawn {
		http.Error(w, result, status)
	}
}

func (c *cards) serve(w http.ResponseWriter, r *http.Request) (result string, status int) {
	id, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), card.Path))
	if err != nil {
		return cardRefused, http.StatusNotFound
	}
	tenant, err := c.signer.Check(id, r.URL.Query(), c.now())
	switch {
	case errors.Is(err, card.ErrEnded):
		return cardEnded, http.StatusGone
	case err != nil:
		return cardRefused, http.StatusNotFound
	}
	ctx, cancel := context.WithTimeout(r.Context(), cardPatience)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return cardBusy, http.StatusServiceUnavailable
	}
	scene, err := c.sceneOf(ctx, identity.TenantID(tenant), id)
	if errors.Is(err, store.ErrNotFound) {
		return cardGone, http.StatusNotFound
	}
	var out bytes.Buffer
	if err == nil {
		err = card.Draw(&out, scene)
	}
	if err != nil {
		c.logger.Error("picture not drawn", "delivery", id, "cause", err)
		return cardFailed, http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin") // whoever has the address may show it
	w.Header().Set("Cache-Control", "private, max-age=3600")
	_, _ = out.WriteTo(w) // the other side may have gone
	return cardDrawn, http.StatusOK
}

// sceneOf is what the picture of a delivery or of a position shows.
func (c *cards) sceneOf(ctx context.Context, tenant identity.TenantID, id string) (card.Scene, error) {
	if place, ok := strings.CutPrefix(id, positionPrefix); ok {
		return c.positionScene(ctx, tenant, place)
	}
	d, err := c.store.Delivery(ctx, tenant, id)
	if err != nil {
		return card.Scene{}, err
	}
	return c.scene(ctx, d.Alert), nil
}

// positionScene shows where a vehicle is now, with the fences around it that the owner may know of.
func (c *cards) positionScene(ctx context.Context, tenant identity.TenantID, place string) (card.Scene, error) {
	first, second, _ := strings.Cut(place, "/")
	ownerID, err1 := url.QueryUnescape(first)
	vehicleID, err2 := url.QueryUnescape(second)
	owner, known := c.directory.Owner(tenant, identity.OwnerID(ownerID))
	v, registered := c.directory.Vehicle(tenant, identity.VehicleID(vehicleID))
	if err1 != nil || err2 != nil || !known || !registered || !slices.Contains(v.Owners, owner.ID) {
		return card.Scene{}, store.ErrNotFound // it may have been theirs when the address was made
	}
	f, err := c.store.LastFix(ctx, tenant, v.ID)
	if err != nil {
		return card.Scene{}, err
	}
	s := card.Scene{Title: v.Title(), Subtitle: notify.WordsFor(owner.Locale, c.texts(tenant)).Time(f.Time, c.now(), owner), Tone: card.Note, Vehicle: f.Point}
	for _, id := range c.near(telemetry.TenantID(tenant), f.Point, neighbourReach, neighbourCount) {
		if by := c.owned(telemetry.TenantID(tenant), id); by == "" || by == owner.ID {
			s.Neighbours = append(s.Neighbours, c.shape(ctx, tenant, id))
		}
	}
	s.Track = c.way(ctx, tenant, v.ID, f.Time)
	return s, nil
}

// way is where the vehicle came from, as far as the journal still has it.
func (c *cards) way(ctx context.Context, tenant identity.TenantID, vehicle identity.VehicleID, until time.Time) []orb.Point {
	reading, cancel := context.WithTimeout(ctx, journalTime)
	defer cancel()
	return track(reading, c.journal, telemetry.TenantID(tenant), telemetry.VehicleID(vehicle), until)
}

// scene is what an alert's picture shows.
func (c *cards) scene(ctx context.Context, a notify.Alert) card.Scene {
	words := notify.WordsFor(a.Locale, c.texts(a.Tenant))
	s := card.Scene{Title: words.Title(a), Subtitle: words.Subtitle(a, c.now()), Tone: toneOf(a.Kind), Vehicle: a.Point}
	s.Fence = c.shape(ctx, a.Tenant, geofence.FenceID(a.Fence))
	for _, id := range c.near(telemetry.TenantID(a.Tenant), a.Point, neighbourReach, neighbourCount) {
		if by := c.owned(telemetry.TenantID(a.Tenant), id); id != geofence.FenceID(a.Fence) && (by == "" || by == a.Owner) {
			s.Neighbours = append(s.Neighbours, c.shape(ctx, a.Tenant, id))
		}
	}
	s.Track = c.way(ctx, a.Tenant, a.Vehicle, a.At)
	return s
}

// shape is a fence as it is now; an empty one when it is gone.
func (c *cards) shape(ctx context.Context, tenant identity.TenantID, id geofence.FenceID) card.Shape {
	g, err := c.store.Geofence(ctx, tenant, id)
	if err != nil {
		return card.Shape{} // deleted since, or the store failed: the picture shows the rest
	}
	s, err := card.ParseShape(g.Feature)
	if err != nil {
		c.logger.Warn("fence not drawn", "fence", id, "cause", err)
	}
	if s.Name == "" {
		s.Name = string(id)
	}
	return s
}

// toneOf is the colour of a kind of event.
func toneOf(k notify.Kind) card.Tone {
	switch k {
	case notify.Enter, notify.OverspeedEnd:
		return card.Calm
	case notify.Exit, notify.Overspeed, notify.Silent, notify.Absent:
		return card.Alert
	}
	return card.Note
}
