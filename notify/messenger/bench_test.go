package messenger_test

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// How fast a full outbox of 20 pages empties through the real client into a sandbox without latency.
func BenchmarkTwentyPages(b *testing.B) {
	const pages, people = 20, 200
	o := newOutlet(b, pages, people)
	var to [][2]int
	for i := range b.N {
		to = append(to, [2]int{i % pages, i / pages % people})
		if len(to) == 1000 || i == b.N-1 {
			o.commit(to...)
			to = to[:0]
		}
	}
	b.ResetTimer()
	before := o.cpu()
	o.start()
	for i := range pages {
		o.d.Wake(outletPage(i))
	}
	o.await(b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64((o.cpu()-before).Microseconds())/float64(b.N), "cpu-µs/delivery")
}

// cpu is how long this process, and the database's server if there is one, have computed: unlike the time that passed, it
// tells the same beside other programs.
func (o *outlet) cpu() time.Duration {
	o.tb.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		o.tb.Fatal(err)
	}
	own := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	if o.server == nil {
		return own
	}
	return own + o.server.ProcessorTime(o.tb)
}

// spread sends n deliveries to a page at 100 a second.
func (o *outlet) spread(page, n int) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for i := range n {
		<-ticker.C
		o.commit([2]int{page, i % 200})
	}
	o.await(n)
}

// From the commit of a crossing to its request, at 100 deliveries a second.
func BenchmarkCommitToRequest(b *testing.B) {
	o := newOutlet(b, 1, 200)
	o.start()
	o.spread(0, 100) // warm
	o.quantiles(0)
	for b.Loop() {
		o.spread(0, 500)
	}
	p50, p99 := o.quantiles(0)
	b.ReportMetric(p50, "p50-ms")
	b.ReportMetric(p99, "p99-ms")
}

// The p99 of a page beside one that answers each request with 551, or hangs until our time-out, as a multiple of its p99
// beside one that is well. All three pages are of one gateway; the load is the same and changes between the two
// neighbours second by second, so that what else the machine does meets both. Ratio is the median of the rounds.
func BenchmarkBesideATroubledPage(b *testing.B) {
	const measured, well, troubled, people, rounds, deliveries = 0, 1, 2, 2000, 12, 200
	for _, trouble := range []string{"551", "hanging"} {
		b.Run(trouble, func(b *testing.B) {
			o := newOutlet(b, 3, people)
			o.trouble(troubled, trouble)
			o.start()
			beside := func(neighbours ...int) (p99 float64) {
				for _, n := range neighbours {
					o.together(measured, n, deliveries)
				}
				_, p99 = o.quantiles(measured)
				return p99
			}
			beside(well, troubled)
			var ratios, plain []float64
			for b.Loop() {
				for range rounds {
					before := beside(well)
					with := beside(troubled, troubled)
					after := beside(well)
					ratios, plain = append(ratios, 2*with/(before+after)), append(plain, (before+after)/2)
				}
			}
			slices.Sort(ratios)
			slices.Sort(plain)
			b.ReportMetric(plain[len(plain)/2], "well-p99-ms")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
		})
	}
}

// together sends n deliveries to each of two pages, 200 a second, and waits for those to the first.
func (o *outlet) together(page, other, n int) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for range n {
		<-ticker.C
		o.turn++
		o.commit([2]int{page, o.turn % o.people}, [2]int{other, o.turn % o.people})
	}
	for got := 0; got < n; {
		if <-o.done == outletPage(page) {
			got++
		}
	}
}
