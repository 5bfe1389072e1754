package mqtt

import "bytes"

// Answers to topic filters.
const (
	grantedQoS0    = 0x00
	refusedBefore5 = 0x80
	refusedBy5     = 0x87 // not authorised
	wasNone        = 0x11 // there was no such subscription
)

// subscribe grants a device the topic of its own commands, with QoS 0, and refuses every other filter: an endpoint
// forwards nothing.
func (c *conn) subscribe(t *turn, kind byte, body []byte) *fault {
	id, filters, f := subscriptions(c.level, kind, body)
	if f != nil {
		return f
	}
	answers := make([]byte, 0, len(filters))
	for _, filter := range filters {
		if kind == typeUnsubscribe {
			answers = append(answers, choose(c.endpoint.unhear(c, string(filter)), 0, wasNone))
			continue
		}
		answers = append(answers, c.hear(filter))
	}
	t.replies = appendAnswers(t.replies, c.level, kind+1, id, answers)
	return nil
}

// hear is the answer to one filter.
func (c *conn) hear(filter []byte) byte {
	e := c.endpoint
	if e.o.Gatekeeper != nil && !bytes.ContainsAny(filter, "+#$") && e.o.Gatekeeper.MayHear(c.device, string(filter)) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if c.hears == nil {
			c.hears = map[string]struct{}{}
		}
		if len(c.hears) < maxHeard {
			c.hears[string(filter)] = struct{}{}
			if e.hearers[string(filter)] == nil {
				e.hearers[string(filter)] = map[*conn]struct{}{}
			}
			e.hearers[string(filter)][c] = struct{}{}
			return grantedQoS0
		}
	}
	e.metrics.subscriptions.Inc()
	return choose(c.level == level5, refusedBy5, refusedBefore5)
}

// maxHeard is to how many topics one connection may subscribe.
const maxHeard = 16

// unhear ends a subscription and reports whether there was one.
func (e *Endpoint) unhear(c *conn, topic string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.unhearLocked(c, topic)
}

// unhearLocked is unhear for who holds e.mu.
func (e *Endpoint) unhearLocked(c *conn, topic string) bool {
	_, was := c.hears[topic]
	delete(c.hears, topic)
	delete(e.hearers[topic], c)
	if len(e.hearers[topic]) == 0 {
		delete(e.hearers, topic)
	}
	return was
}

// Command sends a message to the devices that have subscribed to a topic, with QoS 0, and returns to how many
// connections it was written. Nothing is kept for devices that are away.
func (e *Endpoint) Command(topic string, payload []byte) int {
	e.mu.Lock()
	var hearers []*conn
	for c := range e.hearers[topic] {
		hearers = append(hearers, c)
	}
	e.mu.Unlock()
	written := 0
	for _, c := range hearers {
		if f := c.write(appendMessage(nil, c.level, topic, payload)); f == nil {
			written++
		}
	}
	e.metrics.commands.Add(float64(written))
	return written
}
