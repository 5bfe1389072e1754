package app_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// Prometheus's own linter has nothing to say of the names, units and types of what a running gateway measures.
func TestPrometheusLikesTheMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	problems, err := testutil.GatherAndLint(r.app.Registry())
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Every histogram is native and classic, so that old and new servers read it; and how long alerts take can be read by stage.
func TestHistogramsAreOfBothKinds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "two alerts were sent", func() bool { return r.metric(t, `outrider_alert_stage_seconds_count{stage="send"}`) == 2 })
	families, err := r.app.Registry().Gather()
	must(t, err)
	histograms, stages := 0, 0
	for _, f := range families {
		if f.GetType() != dto.MetricType_HISTOGRAM {
			continue
		}
		histograms++
		for _, m := range f.GetMetric() {
			h := m.GetHistogram()
			if h.Schema == nil || len(h.GetBucket()) == 0 {
				t.Errorf("%s: native %t, %d classic buckets", f.GetName(), h.Schema != nil, len(h.GetBucket()))
			}
			if f.GetName() == "outrider_alert_stage_seconds" && h.GetSampleCount() == 2 {
				stages++
			}
		}
	}
	if histograms < 10 || stages != 3 {
		t.Errorf("%d histograms, %d stages with two alerts", histograms, stages)
	}
}
