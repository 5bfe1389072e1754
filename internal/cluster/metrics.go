package cluster

import (
	"github.com/prometheus/client_golang/prometheus"

	"outrider/store"
)

type metrics struct {
	parts, processes prometheus.Gauge
	lost, buried     prometheus.Counter
}

func newMetrics(r prometheus.Registerer, work store.Work) *metrics {
	labels := prometheus.Labels{"work": string(work)}
	m := &metrics{
		parts: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "outrider_cluster_parts", ConstLabels: labels,
			Help: "Parts of the work that this process has: partitions of the journal, or groups of pages.",
		}),
		processes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "outrider_cluster_processes", ConstLabels: labels,
			Help: "Processes that share the work, as this one sees it.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_cluster_lost_total", ConstLabels: labels,
			Help: "Parts that this process had to end with because another one has them: it was away for longer than the lease.",
		}),
		buried: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_cluster_buried_total", ConstLabels: labels,
			Help: "Processes that this one gave up because they had not been heard of for the lease.",
		}),
	}
	if r != nil {
		r.MustRegister(m.parts, m.processes, m.lost, m.buried)
	}
	return m
}
