package journaltest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"outrider/journal"
	"outrider/telemetry"
)

// BenchAppend measures how long callers wait until their fixes are durable: ns/op is a call of any of them.
func BenchAppend(b *testing.B, open func(b *testing.B) journal.Journal) {
	for _, callers := range []int{1, 64, 512} {
		for _, batch := range []int{1, 64} {
			b.Run(fmt.Sprintf("callers=%d/batch=%d", callers, batch), func(b *testing.B) {
				j := open(b)
				defer j.Close()
				appendFrom(b, j, callers, batch)
			})
		}
	}
}

func appendFrom(b *testing.B, j journal.Journal, callers, batch int) {
	work := make(chan struct{})
	var wg sync.WaitGroup
	for c := range callers {
		fixes := make([]telemetry.Fix, batch)
		for i := range fixes {
			fixes[i] = Fix(fmt.Sprint("van", c), i)
		}
		wg.Go(func() {
			for range work {
				if err := j.Append(context.Background(), fixes); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "fixes/s")
}
