package messenger

import (
	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/notify"
)

// keeperMetrics are the figures of a TemplateKeeper.
type keeperMetrics struct {
	checks *prometheus.CounterVec // by result
}

// checkFailed is the result of a look that found nothing out; the other results are statuses.
const checkFailed = "failed"

func newKeeperMetrics(r prometheus.Registerer) *keeperMetrics {
	m := &keeperMetrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrider_template_checks_total", Help: "Looks at utility templates, by what was found.",
	}, []string{"result"})}
	for _, result := range []string{"approved", "pending", "rejected", checkFailed} {
		m.checks.WithLabelValues(result)
	}
	if r != nil {
		r.MustRegister(m.checks)
	}
	return m
}

func (m *keeperMetrics) count(s notify.TemplateStatus) {
	result := "pending"
	switch s {
	case notify.TemplateApproved:
		result = "approved"
	case notify.TemplateRejected:
		result = "rejected"
	}
	m.checks.WithLabelValues(result).Inc()
}

// webhookMetrics are the figures of a Webhook.
type webhookMetrics struct {
	events  *prometheus.CounterVec // by kind
	refused *prometheus.CounterVec // by reason
	fresh   prometheus.Counter
	codes   *prometheus.CounterVec // by verdict
}

// The kinds of events that are counted beside those of notify.
const (
	kindOptin    = "optin"           // to something that does not concern alerts
	kindLinking  = "account_linking" // without a code of ours
	kindEdit     = "edit"            // of a message
	kindHandover = "handover"        // of the conversation, between apps
	kindFeedback = "feedback"        // thumbs under a message
	kindOther    = "other"           // known or unknown, without a meaning here
	kindBroken   = "broken"          // not of the expected shape
	kindForeign  = "foreign"         // not about a page
)

// The reasons for which a request is refused.
const (
	refusedVerify    = "verify_token"
	refusedMethod    = "method"
	refusedNoSecret  = "no_app_secret"
	refusedTooLarge  = "too_large"
	refusedUnsigned  = "no_signature"
	refusedSignature = "signature"
	refusedCut       = "cut"
	refusedMalformed = "malformed"
	refusedStore     = "store"
)

func newWebhookMetrics(r prometheus.Registerer) *webhookMetrics {
	m := &webhookMetrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_webhook_events_total", Help: "Events that Meta sent, by kind.",
		}, []string{"kind"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_webhook_refused_total", Help: "Requests to the webhook that were refused, by reason.",
		}, []string{"reason"}),
		codes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_link_codes_total", Help: "Link codes that people brought, by what became of them.",
		}, []string{"verdict"}),
		fresh: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outrider_webhook_fresh_total", Help: "Stored events that had not been seen before.",
		}),
	}
	for _, kind := range []notify.ThreadKind{notify.ThreadAction, notify.ThreadEcho, notify.ThreadDelivered,
		notify.ThreadRead, notify.ThreadTemplate, notify.ThreadLink, notify.ThreadLogin, notify.ThreadPolicy, kindOptin, kindLinking,
		kindEdit, kindHandover, kindFeedback, kindOther, kindBroken, kindForeign} {
		m.events.WithLabelValues(string(kind))
	}
	for _, reason := range []string{refusedVerify, refusedMethod, refusedNoSecret, refusedTooLarge, refusedUnsigned,
		refusedSignature, refusedCut, refusedMalformed, refusedStore} {
		m.refused.WithLabelValues(reason)
	}
	for _, v := range identity.Verdicts() {
		m.codes.WithLabelValues(string(v))
	}
	if r != nil {
		r.MustRegister(m.events, m.refused, m.fresh, m.codes)
	}
	return m
}
