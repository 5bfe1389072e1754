package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"outrider/notify"
)

// Options say where traces go. Only Endpoint is required.
type Options struct {
	Endpoint   string  // URL of the collector, with or without the path /v1/traces
	Share      float64 // of the alerts that are traced, from 0 to 1
	Version    string  // of this program
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: unregistered
}

// Tracer makes spans of what happened to alerts.
type Tracer struct {
	exporter *reporter
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// patience is how long the collector may take for an answer, and last how long for those at the end.
const (
	patience = 5 * time.Second
	last     = time.Second
)

// New begins. The collector need not be there yet. Headers, authorities and the like are taken from the standard OTEL_*
// environment variables.
func New(ctx context.Context, o Options) (*Tracer, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("tracing: otel.endpoint: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	client, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithTimeout(patience),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: patience / 10, MaxInterval: patience, MaxElapsedTime: 3 * patience,
		}))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	from, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "outrider"), attribute.String("service.version", o.Version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("tracing: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	exporter := newReporter(client, o)
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter), sdk.WithResource(from), sdk.WithIDGenerator(ids{}), sdk.WithSampler(sdk.TraceIDRatioBased(o.Share)),
	)
	return &Tracer{exporter: exporter, provider: p, tracer: p.Tracer("outrider")}, nil
}

// Stop sends what is left, if the collector takes it soon.
func (t *Tracer) Stop(ctx context.Context) error {
	soon, cancel := context.WithTimeout(ctx, last)
	defer cancel()
	if t.provider.Shutdown(soon) != nil {
		return t.exporter.Shutdown(ctx) // cuts what is under way
	}
	return nil
}

// Committed tells of a delivery that was decided, from entries that were read from the journal at a time, and made durable at another.
func (t *Tracer) Committed(d *notify.Delivery, read, durable time.Time) {
	if d.Alert.Say != nil || read.IsZero() {
		return
	}
	ctx := within(d.Alert.ID)
	t.span(ctx, "intake", d.Alert.Received, read)
	t.span(ctx, "decide", read, d.Created)
	t.span(ctx, "commit", d.Created, durable)
}

// Tried tells of an attempt on a delivery that began at a time, and what came of it.
func (t *Tracer) Tried(began time.Time, d *notify.Delivery, o *notify.Outcome) {
	if d.Alert.Say != nil {
		return
	}
	ctx, end := within(d.Alert.ID), began
	for _, try := range o.Tries {
		t.span(ctx, "plan", end, try.At, attribute.String("outrider.route", string(try.Route)))
		end = try.At
		if try.Status == 0 && try.Took == 0 {
			continue // planned, not sent
		}
		end = try.At.Add(time.Duration(try.Took * float64(time.Millisecond)))
		t.send(ctx, end, try)
	}
	if o.SentAt.After(end) {
		end = o.SentAt
	}
	if final(o.State) {
		t.whole(d, o, end)
	}
}

// send is the span of one request.
func (t *Tracer) send(ctx context.Context, end time.Time, try notify.Try) {
	_, span := t.tracer.Start(ctx, "send", trace.WithTimestamp(try.At), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("outrider.route", string(try.Route)), attribute.Int("http.response.status_code", try.Status)))
	if try.Reason != notify.ReasonNone {
		span.SetAttributes(attribute.String("error.type", string(try.Reason)))
		span.SetStatus(codes.Error, string(try.Reason))
	}
	span.End(trace.WithTimestamp(end))
}

// whole is the span that the others are in.
func (t *Tracer) whole(d *notify.Delivery, o *notify.Outcome, end time.Time) {
	a := &d.Alert
	_, span := t.tracer.Start(root(a.ID), "alert", trace.WithTimestamp(a.Received), trace.WithAttributes(
		attribute.String("outrider.delivery", a.ID), attribute.String("outrider.tenant", string(a.Tenant)),
		attribute.String("outrider.vehicle", string(a.Vehicle)), attribute.String("outrider.fence", a.Fence),
		attribute.String("outrider.event", string(a.Kind)), attribute.String("outrider.page", string(d.Page)),
		attribute.String("outrider.state", string(o.State)), attribute.String("outrider.route", string(o.Route)),
	))
	if o.State != notify.Sent {
		span.SetStatus(codes.Error, string(o.Reason))
	}
	span.End(trace.WithTimestamp(end))
}

func (t *Tracer) span(ctx context.Context, name string, from, to time.Time, attributes ...attribute.KeyValue) {
	if to.Before(from) { // a timer's alert has no fix that was read
		from = to
	}
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(from), trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(to))
}

// final reports whether a delivery in that state is not tried again.
func final(s notify.State) bool {
	switch s {
	case notify.Sent, notify.Failed, notify.Expired, notify.Unknown:
		return true
	}
	return false
}
