package tracing

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// reporter counts and logs spans that the collector did not take, where the SDK would use a handler of the whole process.
type reporter struct {
	sdk.SpanExporter
	logger *slog.Logger
	lost   prometheus.Counter
}

func newReporter(to sdk.SpanExporter, o Options) *reporter {
	r := &reporter{SpanExporter: to, logger: o.Logger, lost: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "outrider_trace_spans_lost_total", Help: "Spans that the OpenTelemetry collector did not take."})}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(r.lost)
	}
	return r
}

// ExportSpans implements sdk.SpanExporter.
func (r *reporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := r.SpanExporter.ExportSpans(ctx, spans); err != nil {
		r.lost.Add(float64(len(spans)))
		r.logger.Warn("spans were not taken by the collector", "spans", len(spans), "cause", err)
	}
	return nil
}
