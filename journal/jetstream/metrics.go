package jetstream

import "github.com/prometheus/client_golang/prometheus"

// metrics have the names of journal/local where they mean the same.
type metrics struct {
	fixes, groups, written, failures, retries, resets prometheus.Counter
	fsync                                             prometheus.Histogram
	bytes                                             prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "outrider_journal_" + name, Help: help})
	}
	m := &metrics{
		fixes:    counter("fixes_total", "Fixes made durable."),
		groups:   counter("groups_total", "Batches of appends that shared one message."),
		written:  counter("written_bytes_total", "Bytes made durable."),
		failures: counter("failures_total", "Batches that could not be made durable in time; nothing of them was acknowledged."),
		retries:  counter("retries_total", "Times a batch was sent again, since no server confirmed it."),
		resets:   counter("reader_resets_total", "Times a reader was made anew, after a server or the connection had gone."),
		fsync: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "outrider_journal_fsync_seconds",
			Help:                        "Time the servers took to make a batch durable.",
			Buckets:                     prometheus.ExponentialBuckets(0.0001, 2, 15),
			NativeHistogramBucketFactor: 1.1,
		}),
		bytes: prometheus.NewGauge(prometheus.GaugeOpts{Name: "outrider_journal_bytes", Help: "Size of all streams on one server."}),
	}
	if r != nil {
		r.MustRegister(m.fixes, m.groups, m.written, m.failures, m.retries, m.resets, m.fsync, m.bytes)
	}
	return m
}

// appended counts a durable batch.
func (m *metrics) appended(fixes, bytes int, took float64) {
	m.groups.Inc()
	m.fixes.Add(float64(fixes))
	m.written.Add(float64(bytes))
	m.fsync.Observe(took)
}
