package geofence

import (
	"io"

	"github.com/paulmach/orb"
)

// Index: replaced by index.go.
type Index struct{}

// Ref is a dense number of a fence in an Index and in the indexes derived from it by With.
type Ref uint32

func NewIndex(fences []Fence) *Index                                    { panic("todo") }
func (ix *Index) With(put []Fence, remove []FenceID) *Index             { panic("todo") }
func (ix *Index) Len() int                                              { panic("todo") }
func (ix *Index) Fence(r Ref) (Fence, bool)                             { panic("todo") }
func (ix *Index) Lookup(id FenceID) (Ref, bool)                         { panic("todo") }
func (ix *Index) Containing(dst []Ref, p orb.Point) []Ref               { panic("todo") }
func (ix *Index) Near(dst []Ref, p orb.Point, metres float64) []Ref     { panic("todo") }
func (ix *Index) Along(dst []Ref, a, b orb.Point, metres float64) []Ref { panic("todo") }
func (ix *Index) FreeBox(p orb.Point, max float64) orb.Bound            { panic("todo") }

// Preset: replaced by tracker.go.
type Preset uint8

const (
	Balanced Preset = iota
	Strict
	Calm
)

type Options struct {
	Preset Preset
}

type Tracker struct{}

func NewTracker(ix *Index, o Options) *Tracker                                { panic("todo") }
func (t *Tracker) Vehicle(id string) Vehicle                                  { panic("todo") }
func (t *Tracker) ID(v Vehicle) string                                        { panic("todo") }
func (t *Tracker) Observe(dst []Crossing, f Fix) []Crossing                   { panic("todo") }
func (t *Tracker) Advance(dst []Crossing, now int64) []Crossing               { panic("todo") }
func (t *Tracker) Next() (int64, bool)                                        { panic("todo") }
func (t *Tracker) SetIndex(dst []Crossing, ix *Index, now int64) []Crossing   { panic("todo") }
func (t *Tracker) Members(dst []Member) []Member                              { panic("todo") }
func (t *Tracker) SetMember(v Vehicle, id FenceID, m Membership, since int64) { panic("todo") }
func (t *Tracker) Changed(dst []Member) []Member                              { panic("todo") }
func (t *Tracker) Snapshot(w io.Writer) error                                 { panic("todo") }
func (t *Tracker) Restore(r io.Reader) error                                  { panic("todo") }
