package mqtt

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"outrider/telemetry"
)

// endpointMetrics are what the endpoint counts.
type endpointMetrics struct {
	connections   prometheus.Gauge
	connected     prometheus.Counter
	ended         *prometheus.CounterVec // by ending
	messages      *prometheus.CounterVec // by qos
	received      prometheus.Counter
	refused       *prometheus.CounterVec // by reason
	wills         prometheus.Counter
	subscriptions prometheus.Counter
	commands      prometheus.Counter
	batch         prometheus.Histogram
	accept        prometheus.Histogram
}

func newEndpointMetrics(r prometheus.Registerer) *endpointMetrics {
	f := promauto.With(r)
	m := &endpointMetrics{
		connections: f.NewGauge(prometheus.GaugeOpts{Name: "outrider_endpoint_connections", Help: "Devices connected now."}),
		connected:   f.NewCounter(prometheus.CounterOpts{Name: "outrider_endpoint_connected_total", Help: "Devices that connected."}),
		ended: f.NewCounterVec(prometheus.CounterOpts{Name: "outrider_endpoint_ended_total",
			Help: "Device connections that ended, by why."}, []string{"reason"}),
		messages: f.NewCounterVec(prometheus.CounterOpts{Name: "outrider_endpoint_messages_total",
			Help: "Messages accepted from devices, by QoS."}, []string{"qos"}),
		received: f.NewCounter(prometheus.CounterOpts{Name: "outrider_endpoint_received_bytes_total", Help: "Bytes of accepted payloads."}),
		refused: f.NewCounterVec(prometheus.CounterOpts{Name: "outrider_endpoint_refused_total",
			Help: "Messages refused before they could be decoded, by reason."}, []string{"reason"}),
		wills:         f.NewCounter(prometheus.CounterOpts{Name: "outrider_endpoint_wills_total", Help: "Wills of devices that were lost."}),
		subscriptions: f.NewCounter(prometheus.CounterOpts{Name: "outrider_endpoint_subscriptions_refused_total", Help: "Topic filters that devices wanted to subscribe to, and that are none of their own commands."}),
		commands:      f.NewCounter(prometheus.CounterOpts{Name: "outrider_endpoint_commands_total", Help: "Commands that were sent to devices."}),
		batch: f.NewHistogram(prometheus.HistogramOpts{Name: "outrider_endpoint_batch_messages",
			Help: "Messages accepted together.", Buckets: prometheus.ExponentialBuckets(1, 4, 6), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160}),
		accept: f.NewHistogram(prometheus.HistogramOpts{Name: "outrider_endpoint_accept_seconds",
			Help: "Time until a batch was durable.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160}),
	}
	for _, e := range endings() {
		m.ended.WithLabelValues(string(e))
	}
	for _, qos := range qosNames {
		m.messages.WithLabelValues(qos)
	}
	m.refused.WithLabelValues(string(telemetry.ReasonTooLarge))
	m.refused.WithLabelValues(string(telemetry.ReasonForbidden))
	return m
}

var qosNames = [...]string{"0", "1", "2"}
