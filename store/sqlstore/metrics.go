package sqlstore

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the same whichever database it is: a dashboard does not care.
type metrics struct {
	seconds prometheus.Histogram
	writes  prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "outrider_store_transaction_seconds",
			Help:                        "Time of a transaction of the store, until it is on disk.",
			Buckets:                     prometheus.ExponentialBuckets(0.0002, 2, 15),
			NativeHistogramBucketFactor: 1.1,
		}),
		writes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_store_writes_total",
			Help: "Writes to the store; several may share a transaction.",
		}),
	}
	if r != nil {
		r.MustRegister(m.seconds, m.writes)
	}
	return m
}

func (m *metrics) observe(writes int, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	m.writes.Add(float64(writes))
}
