package chat

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
)

// metrics counts what is said. Its labels come from closed lists.
type metrics struct {
	answers *prometheus.CounterVec // by what was wanted
	taps    *prometheus.CounterVec // by mark of the payload
	asked   *prometheus.CounterVec // the understander, by result
}

// The results of asking an understander.
const (
	askedUnderstood = "understood"
	askedNothing    = "nothing"
	askedFailed     = "failed"
)

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_chat_messages_total", Help: "What people wanted; unknown: not understood, stranger: nobody knows them, flood: too fast.",
		}, []string{"intent"}),
		taps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_chat_taps_total", Help: "Buttons that people tapped, by signature: genuine, outdated, unsigned or forged.",
		}, []string{"mark"}),
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "outrider_chat_understander_total", Help: "Questions to Amazon Lex, by result; after a failure the built-in grammar answers.",
		}, []string{"result"}),
	}
	for _, i := range append(append(Intents(), Buttons()...), Unknown, "stranger", "flood") {
		m.answers.WithLabelValues(label(i))
	}
	for _, mark := range []identity.Mark{identity.Unsigned, identity.Genuine, identity.Outdated, identity.Forged} {
		m.taps.WithLabelValues(mark.String())
	}
	for _, result := range []string{askedUnderstood, askedNothing, askedFailed} {
		m.asked.WithLabelValues(result)
	}
	if r != nil {
		r.MustRegister(m.answers, m.taps, m.asked)
	}
	return m
}

func label(i Intent) string {
	if i == Unknown {
		return "unknown"
	}
	return strings.ToLower(string(i))
}

func (m *metrics) answer(i Intent) { m.answers.WithLabelValues(label(i)).Inc() }
