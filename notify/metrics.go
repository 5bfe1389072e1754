package notify

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the dispatcher's figures. All label values come from closed lists.
type Metrics struct {
	outcomes     *prometheus.CounterVec // by state
	reasons      *prometheus.CounterVec // by reason, of outcomes that have one
	delivered    *prometheus.CounterVec // by route
	sends        *prometheus.CounterVec // by route
	refusals     *prometheus.CounterVec // by reason
	outboxErrors *prometheus.CounterVec // by operation
	abandoned    prometheus.Counter
	inFlight     prometheus.Gauge
	usagePercent prometheus.Gauge
	sendSeconds  prometheus.Histogram
	crossing     prometheus.Histogram
	fix          prometheus.Histogram
	stages       *prometheus.HistogramVec // by stage
}

// The stages between the arrival of a fix and Meta's answer.
const (
	stageDecide = "decide" // journal, lane and engine, until there is an alert
	stageOutbox = "outbox" // commit, and waiting for a turn
	stageSend   = "send"   // the request
)

// The operations of the outbox that can fail.
const (
	opClaim     = "claim"
	opSettle    = "settle"
	opPages     = "pages"
	opAbandon   = "abandon"
	opJudge     = "judge"
	opRelease   = "release"
	opTemplates = "templates"
)

// Routes returns every route in the order of the policy.
func Routes() []Route {
	return []Route{RouteWindow, RouteUtility, RouteTag, RouteHuman, RouteFallback, RouteHold}
}

// latencyBuckets reach from a millisecond to an hour, in seconds.
func latencyBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600}
}

// NewMetrics makes the figures and registers them; with nil they are kept unregistered.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "outrider_" + name, Help: help}, []string{label})
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "outrider_" + name, Help: help, Buckets: latencyBuckets(), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160})
	}
	m := &Metrics{
		outcomes:     counter("delivery_outcomes_total", "Claimed deliveries by the state they went to.", "state"),
		reasons:      counter("delivery_reasons_total", "Claimed deliveries that were not sent, by reason.", "reason"),
		delivered:    counter("deliveries_sent_total", "Messages that Graph accepted, by route.", "route"),
		sends:        counter("send_requests_total", "Requests to send a message, by route.", "route"),
		refusals:     counter("send_refusals_total", "Requests to send that failed, by reason.", "reason"),
		outboxErrors: counter("outbox_errors_total", "Failed operations of the outbox.", "operation"),
		abandoned: prometheus.NewCounter(prometheus.CounterOpts{Name: "outrider_deliveries_abandoned_total",
			Help: "Claims that ended without an outcome."}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "outrider_deliveries_in_flight",
			Help: "Claimed deliveries whose outcome is not recorded yet."}),
		usagePercent: prometheus.NewGauge(prometheus.GaugeOpts{Name: "outrider_graph_usage_percent",
			Help: "How much of the fullest of Meta's limits was used, as the newest answer said; of any page."}),
		sendSeconds: histogram("send_seconds", "Time from request to answer."),
		crossing:    histogram("crossing_to_send_seconds", "Time from the crossing itself to the request that told of it."),
		fix:         histogram("fix_to_send_seconds", "Time from the arrival of the deciding fix to the request that told of it."),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "outrider_alert_stage_seconds", Help: "Time that an alert that was sent spent, by stage: until it was decided, in the outbox, in the request.",
			Buckets: latencyBuckets(), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
		}, []string{"stage"}),
	}
	m.initialise()
	if r != nil {
		r.MustRegister(m.outcomes, m.reasons, m.delivered, m.sends, m.refusals, m.outboxErrors, m.abandoned,
			m.inFlight, m.usagePercent, m.sendSeconds, m.crossing, m.fix, m.stages)
	}
	return m
}

// initialise makes every label value visible from the start.
func (m *Metrics) initialise() {
	for _, s := range States() {
		m.outcomes.WithLabelValues(string(s))
	}
	for _, r := range Reasons() {
		m.reasons.WithLabelValues(string(r))
		m.refusals.WithLabelValues(string(r))
	}
	for _, r := range Routes() {
		m.delivered.WithLabelValues(string(r))
		m.sends.WithLabelValues(string(r))
	}
	for _, stage := range []string{stageDecide, stageOutbox, stageSend} {
		m.stages.WithLabelValues(stage)
	}
	for _, op := range []string{opClaim, opSettle, opPages, opAbandon, opJudge, opRelease, opTemplates} {
		m.outboxErrors.WithLabelValues(op)
	}
}

func (m *Metrics) usage(percent float64) { m.usagePercent.Set(percent) }

func (m *Metrics) settled(o Outcome) {
	m.outcomes.WithLabelValues(string(o.State)).Inc()
	switch {
	case o.State == Sent:
		m.delivered.WithLabelValues(string(o.Route)).Inc()
	case o.Reason != ReasonNone:
		m.reasons.WithLabelValues(string(o.Reason)).Inc()
	}
}

func (m *Metrics) judged(again, unknown int) {
	m.outcomes.WithLabelValues(string(Pending)).Add(float64(again))
	m.outcomes.WithLabelValues(string(Unknown)).Add(float64(unknown))
}

// latency observes how long an alert took until the request that told of it started, and where.
func (m *Metrics) latency(d *Delivery, started, answered time.Time) {
	seconds := func(from, to time.Time) float64 { return max(0, to.Sub(from).Seconds()) }
	m.crossing.Observe(seconds(d.Alert.At, started))
	if !d.Alert.Received.IsZero() {
		m.fix.Observe(seconds(d.Alert.Received, started))
		m.stages.WithLabelValues(stageDecide).Observe(seconds(d.Alert.Received, d.Created))
	}
	m.stages.WithLabelValues(stageOutbox).Observe(seconds(d.Created, started))
	m.stages.WithLabelValues(stageSend).Observe(seconds(started, answered))
}
