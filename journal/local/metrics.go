package local

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	fixes, groups, written, failures, torn prometheus.Counter
	fsync                                  prometheus.Histogram
	segments, bytes                        prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "outrider_journal_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "outrider_journal_" + name, Help: help})
	}
	m := &metrics{
		fixes:    counter("fixes_total", "Fixes made durable."),
		groups:   counter("groups_total", "Groups of appends that shared one fsync."),
		written:  counter("written_bytes_total", "Bytes made durable."),
		failures: counter("failures_total", "Groups that could not be made durable; nothing of them was acknowledged."),
		torn:     counter("torn_tails_total", "Tails left torn by a crash and cut off at a start."),
		fsync: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "outrider_journal_fsync_seconds",
			Help:                        "Time the disk took to make a group durable.",
			Buckets:                     prometheus.ExponentialBuckets(0.0001, 2, 15),
			NativeHistogramBucketFactor: 1.1,
		}),
		segments: gauge("segments", "Segment files."),
		bytes:    gauge("bytes", "Size of all segment files."),
	}
	if r != nil {
		r.MustRegister(m.fixes, m.groups, m.written, m.failures, m.torn, m.fsync, m.segments, m.bytes)
	}
	return m
}

// appended counts a durable group.
func (m *metrics) appended(fixes, bytes int) {
	m.groups.Inc()
	m.fixes.Add(float64(fixes))
	m.written.Add(float64(bytes))
	m.bytes.Add(float64(bytes))
}

// kept measures the segments that there are.
func (m *metrics) kept(segments []segment) {
	m.segments.Set(float64(len(segments)))
	m.bytes.Set(float64(sizeOfAll(segments)))
}
