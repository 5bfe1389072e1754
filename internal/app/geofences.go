package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"outrider/identity"
	"outrider/internal/config"
	"outrider/internal/fenceio"
	"outrider/internal/fencejson"
	"outrider/store"
	"outrider/store/sqlstore"
)

// FileOptions says what a file of geofences itself does not.
type FileOptions = fenceio.Options

// GeofenceFinding is what was found about one geofence of a file.
type GeofenceFinding struct {
	Index   int      // from 0
	Line    int      // from 1; 0: the format has no lines
	ID      string   // empty if it could not be read
	Kind    string   // circle, polygon, corridor or tripwire; empty if it could not be read
	Repairs []string // what was put right, in sentences
	Field   string   // where the fault is, as in "geometry.coordinates[0][3]"; empty for the whole
	Fault   string   // what is wrong, in a sentence; empty for nothing
}

// CheckGeofences reads a file and calls report for each geofence, good or not, and once more for a fault of the file
// itself. It returns how many are good and how many findings are faults.
func CheckGeofences(r io.Reader, o FileOptions, report func(GeofenceFinding)) (good, faults int) {
	for x := range fenceio.Read(r, o) {
		f := findingOf(&x)
		if f.Fault == "" {
			good++
		} else {
			faults++
		}
		report(f)
	}
	return good, faults
}

func findingOf(x *fenceio.Found) GeofenceFinding {
	f := GeofenceFinding{Index: x.Index, Line: x.Line, Repairs: x.Repairs}
	if x.Feature != nil {
		f.ID, f.Kind = string(x.Feature.ID), string(x.Feature.Kind)
	}
	f.Field, f.Fault = x.Fault()
	return f
}

// ErrRefused says that a geofence of a file cannot be used, and that therefore none was stored.
var ErrRefused = errors.New("not every geofence can be used: none was imported")

// ImportGeofences reads a file into a tenant of the store of these settings: all of its geofences, or none. A running
// gateway puts them in force within two seconds.
func ImportGeofences(ctx context.Context, c config.Config, tenant string, r io.Reader, o FileOptions, report func(GeofenceFinding)) (int, error) {
	var (
		all    []store.Geofence
		faults int
	)
	for x := range fenceio.Read(r, o) {
		report(findingOf(&x))
		if x.Err != nil {
			faults++
		} else if faults == 0 {
			all = append(all, storable(identity.TenantID(tenant), &x))
		}
	}
	if faults > 0 {
		return 0, ErrRefused
	}
	s, err := OpenStore(ctx, c)
	if err != nil {
		return 0, err
	}
	n, err := s.PutGeofences(ctx, all)
	return n, errors.Join(err, s.Close())
}

// storable is the geofence as it is stored.
func storable(tenant identity.TenantID, x *fenceio.Found) store.Geofence {
	x.Feature.CloseRings()
	return store.Geofence{
		Tenant: tenant, ID: x.Feature.ID, Name: x.Feature.Name, Feature: x.Feature.JSON(), Bound: fencejson.BoundOf(x.Shape),
	}
}

// ExportGeofences writes a tenant's geofences and returns how many of them the format has no word for.
func ExportGeofences(ctx context.Context, c config.Config, tenant, format string, w io.Writer) (left int, err error) {
	s, err := OpenStore(ctx, c)
	if err != nil {
		return 0, err
	}
	left, err = fenceio.Write(w, fenceio.Format(format), everyFence(ctx, s, identity.TenantID(tenant)))
	return left, errors.Join(err, s.Close())
}

// everyFence reads a tenant's fences.
func everyFence(ctx context.Context, s *sqlstore.Store, tenant identity.TenantID) iter.Seq2[*fencejson.Feature, error] {
	return func(yield func(*fencejson.Feature, error) bool) {
		for g, err := range store.EachGeofence(ctx, s, tenant, "") {
			if err != nil {
				yield(nil, err)
				return
			}
			feature, err := fencejson.Parse(g.Feature)
			if err != nil {
				err = fmt.Errorf("app: geofence %q: %w", g.ID, err)
			}
			if !yield(feature, err) || err != nil {
				return
			}
		}
	}
}
