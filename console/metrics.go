package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests. Labels are bounded: routes are the patterns the mux knows, methods a closed list.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	panics   prometheus.Counter
}

func newMetrics(r prometheus.Registerer, api *huma.OpenAPI) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_http_requests_total", Help: "HTTP requests answered, by route, method and status code.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "outrider_http_request_duration_seconds", Help: "Time to answer an HTTP request, by route and method.",
			Buckets:                     []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
		}, []string{"route", "method"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_http_panics_total", Help: "HTTP requests whose handler panicked: each is a bug.",
		}),
	}
	m.requests.WithLabelValues(unmatched, http.MethodGet, strconv.Itoa(http.StatusNotFound))
	for _, op := range operations(api) {
		for code := range op.Responses {
			m.requests.WithLabelValues(op.Path, op.Method, code)
		}
	}
	if r != nil {
		r.MustRegister(m.requests, m.duration, m.panics)
	}
	return m
}

func (m *metrics) observe(route, method string, code int, took time.Duration) {
	if !slices.Contains(methods(), method) {
		method = otherMethod
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(code)).Inc()
	m.duration.WithLabelValues(route, method).Observe(took.Seconds())
}

const otherMethod = "other"

// methods are the values of the label method.
func methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, otherMethod,
	}
}
