package facebook

import (
	"github.com/prometheus/client_golang/prometheus"
)

type keeperMetrics struct{ subscriptions, tokens *prometheus.CounterVec }

func newKeeperMetrics(r prometheus.Registerer) *keeperMetrics {
	m := &keeperMetrics{
		subscriptions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_subscription_checks_total", Help: "Looks at pages' webhook subscriptions, by result.",
		}, []string{"result"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_token_checks_total", Help: "Looks at pages' tokens, by result.",
		}, []string{"result"}),
	}
	for _, result := range []string{subscriptionOK, subscriptionRepaired, checkFailed} {
		m.subscriptions.WithLabelValues(result)
	}
	for _, result := range []string{tokenValid, tokenRenewed, tokenInvalid, checkFailed} {
		m.tokens.WithLabelValues(result)
	}
	if r != nil {
		r.MustRegister(m.subscriptions, m.tokens)
	}
	return m
}
