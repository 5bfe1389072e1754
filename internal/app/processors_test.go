package app_test

import (
	"runtime"
	"testing"

	"outrider/internal/app"
)

// What GOMAXPROCS says is left alone.
func TestSpareProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	t.Setenv("GOMAXPROCS", "7")
	app.SpareProcessors()
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d processors, though GOMAXPROCS is set", n)
	}
	t.Setenv("GOMAXPROCS", "")
	app.SpareProcessors()
	if n := runtime.GOMAXPROCS(0); n != before+2 {
		t.Errorf("%d processors, want two more than %d", n, before)
	}
}
