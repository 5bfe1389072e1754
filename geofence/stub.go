package geofence

import "github.com/paulmach/orb"

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

