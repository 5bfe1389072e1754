package local

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	fixes, groups, failures, torn prometheus.Counter
	fsync                         prometheus.Histogram
	segments, bytes               prometheus.Gauge
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
		failures: counter("failures_total", "Groups that could not be made durable; nothing of them was acknowledged."),
		torn:     counter("torn_tails_total", "Tails left torn by a crash and cut off at a start."),
		fsync: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "outrider_journal_fsync_seconds",
			Help:                        "Time the disk took to make a group durable.",
			Buckets:                     prometheus.ExponentialBuckets(0.0001, 2, 15),
			NativeHistogramBucketFactor: 1.1,
		}),
		segments: gauge("segments", "Segment files."),
		bytes:    gauge("bytes", "Size of the segment files as of the last trim."),
	}
	if r != nil {
		r.MustRegister(m.fixes, m.groups, m.failures, m.torn, m.fsync, m.segments, m.bytes)
	}
	return m
}
