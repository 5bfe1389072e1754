package mqtt

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// clientMetrics are what the client counts.
type clientMetrics struct {
	connected prometheus.Gauge
	connects  prometheus.Counter
	failed    *prometheus.CounterVec // by where
	messages  *prometheus.CounterVec // by qos
	repeated  prometheus.Counter
	received  prometheus.Counter
	waiting   prometheus.Gauge
	retries   prometheus.Counter
	batch     prometheus.Histogram
	accept    prometheus.Histogram
}

// Where a connection to the broker fails.
const (
	failedConnect   = "connect"
	failedSubscribe = "subscribe"
	failedLost      = "lost"
)

func newClientMetrics(r prometheus.Registerer) *clientMetrics {
	f := promauto.With(r)
	m := &clientMetrics{
		connected: f.NewGauge(prometheus.GaugeOpts{Name: "outrider_mqtt_connected", Help: "Connections to the broker that are subscribed."}),
		connects:  f.NewCounter(prometheus.CounterOpts{Name: "outrider_mqtt_connected_total", Help: "Times the broker was connected to and subscribed at."}),
		failed: f.NewCounterVec(prometheus.CounterOpts{Name: "outrider_mqtt_failed_total",
			Help: "Connections to the broker that failed, by where."}, []string{"at"}),
		messages: f.NewCounterVec(prometheus.CounterOpts{Name: "outrider_mqtt_messages_total",
			Help: "Messages accepted from the broker, by QoS."}, []string{"qos"}),
		repeated: f.NewCounter(prometheus.CounterOpts{Name: "outrider_mqtt_repeated_total", Help: "Messages that the broker sent again."}),
		received: f.NewCounter(prometheus.CounterOpts{Name: "outrider_mqtt_received_bytes_total", Help: "Bytes of accepted payloads."}),
		waiting:  f.NewGauge(prometheus.GaugeOpts{Name: "outrider_mqtt_waiting_messages", Help: "Messages read from the broker and not yet accepted."}),
		retries:  f.NewCounter(prometheus.CounterOpts{Name: "outrider_mqtt_accept_retries_total", Help: "Batches that were not accepted and tried again."}),
		batch: f.NewHistogram(prometheus.HistogramOpts{Name: "outrider_mqtt_batch_messages",
			Help: "Messages accepted together.", Buckets: prometheus.ExponentialBuckets(1, 4, 6), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160}),
		accept: f.NewHistogram(prometheus.HistogramOpts{Name: "outrider_mqtt_accept_seconds",
			Help: "Time until a batch was durable.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160}),
	}
	for _, where := range []string{failedConnect, failedSubscribe, failedLost} {
		m.failed.WithLabelValues(where)
	}
	for _, qos := range qosNames {
		m.messages.WithLabelValues(qos)
	}
	return m
}
