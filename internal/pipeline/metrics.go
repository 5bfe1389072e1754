package pipeline

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/geofence"
	"outrider/notify"
	"outrider/telemetry"
)

type metrics struct {
	refused   *prometheus.CounterVec // by reason
	fixes     *prometheus.CounterVec // by verdict
	doubted   *prometheus.CounterVec // by reason
	crossings *prometheus.CounterVec // by kind, late
	alerts    *prometheus.CounterVec // by result
	commit    prometheus.Histogram
	failed    prometheus.Counter
	replayed  prometheus.Counter
	lost      prometheus.Counter
	fenced    prometheus.Counter
	behind    *prometheus.GaugeVec // by partition
	snapshots *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_refused_total",
			Help: "Messages, or parts of them, that were refused and kept as dead letters, by reason.",
		}, []string{"reason"}),
		fixes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_fixes_total",
			Help: "Fixes judged by the gate, by verdict.",
		}, []string{"verdict"}),
		doubted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_doubted_fixes_total",
			Help: "Fixes that the gate admitted and the engine did not believe at once, by reason; later fixes may prove them.",
		}, []string{"reason"}),
		crossings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_crossings_total",
			Help: "Crossings decided, by kind; late ones are for the record only.",
		}, []string{"kind", "late"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_alerts_total",
			Help: "Alerts that crossings led to: queued for delivery, held or silenced with the reason, without an owner, or wanted by no rule.",
		}, []string{"result"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "outrider_lane_commit_seconds",
			Help:                        "Time of a lane's commit.",
			Buckets:                     prometheus.ExponentialBuckets(0.0005, 2, 14),
			NativeHistogramBucketFactor: 1.1,
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_lane_commit_failures_total",
			Help: "Commits that failed and are tried again.",
		}),
		replayed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_lane_replayed_fixes_total",
			Help: "Fixes read again after a start, from the last snapshot to the committed position.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_lane_journal_lost_total",
			Help: "Starts at which a partition's journal ended before the position that was evaluated: fixes were lost with it.",
		}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_lane_fenced_total",
			Help: "Lanes that ended because another process has their partition: what they had decided was not committed.",
		}),
		behind: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "outrider_lane_behind_seconds",
			Help: "How long the fix that a lane handled last had waited in the journal.",
		}, []string{"partition"}),
		snapshots: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_lane_snapshots_total",
			Help: "Snapshots of a lane's state, by result.",
		}, []string{"result"}),
	}
	m.initialise()
	if r != nil {
		r.MustRegister(m.refused, m.fixes, m.doubted, m.crossings, m.alerts, m.commit, m.failed, m.replayed, m.lost, m.fenced, m.behind, m.snapshots)
	}
	return m
}

// The results of an alert.
const (
	alertQueued     = "queued"
	alertNoRule     = "no_rule" // no rule holds
	alertNoOwner    = string(notify.ReasonNoOwner)
	alertNoContact  = string(notify.ReasonNoContact)
	alertMuted      = string(notify.ReasonMuted)
	alertCooldown   = string(notify.ReasonCooldown)
	alertQuietHours = string(notify.ReasonQuietHours)
)

func (m *metrics) initialise() {
	for _, r := range telemetry.Reasons() {
		m.refused.WithLabelValues(string(r))
	}
	for _, r := range telemetry.Doubts() {
		m.doubted.WithLabelValues(string(r))
	}
	for _, v := range []telemetry.Verdict{telemetry.Admitted, telemetry.Duplicate, telemetry.Late, telemetry.Implausible} {
		m.fixes.WithLabelValues(v.String())
	}
	for _, k := range geofence.Kinds() {
		for _, late := range []bool{false, true} {
			m.crossings.WithLabelValues(k.String(), strconv.FormatBool(late))
		}
	}
	for _, result := range []string{alertQueued, alertNoRule, alertNoOwner, alertNoContact, alertMuted, alertCooldown, alertQuietHours} {
		m.alerts.WithLabelValues(result)
	}
	for _, result := range []string{"saved", "failed"} {
		m.snapshots.WithLabelValues(result)
	}
}
