package console

import (
	"math"
	"time"
)

// moment is a time in an answer: UTC, absent when it is not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// number is a number in an answer, absent when it is not known.
func number(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

// each shows every one of a list.
func each[T, U any](all []T, show func(T) U) []U {
	var out []U
	for _, one := range all {
		out = append(out, show(one))
	}
	return out
}
