package mqtt

import (
	"time"

	"outrider/telemetry"
)

// maxBatch is how many messages are accepted together at most.
const maxBatch = 1024

// turn is the work of one round: what was in the read buffer.
type turn struct {
	batch   []telemetry.Message
	replies []byte // in the order of the packets
	qos     [3]int // messages by QoS
	bytes   int    // of payloads
	now     time.Time
}

func (t *turn) reset() {
	clear(t.batch)
	t.batch, t.replies, t.qos, t.bytes = t.batch[:0], t.replies[:0], [3]int{}, 0
}

// round takes every packet that is wholly there: one batch to the sink, then all answers in one write.
func (c *conn) round() *fault {
	t := c.endpoint.scratch.Get().(*turn)
	defer c.endpoint.scratch.Put(t)
	defer t.reset() // keep no payloads alive
	for {
		t.reset()
		t.now = c.endpoint.o.Now()
		more, f := c.collect(t)
		if f := c.settle(t); f != nil {
			return f
		}
		if f != nil && f.ending == endTooLarge {
			return c.refuse(f)
		}
		if f != nil || !more {
			return f
		}
	}
}

// collect parses packets into t; more says that the batch is full and not that the buffer is empty.
func (c *conn) collect(t *turn) (more bool, f *fault) {
	for len(t.batch) < maxBatch {
		h, whole, f := c.peek()
		if f != nil || !whole {
			if f != nil && f.ending == endTooLarge && !c.namesTopic(h) {
				return false, nil // a little more, so that the refusal can say whose it is
			}
			return false, f
		}
		body := c.in.unread()[h.size : h.size+h.length]
		if f := c.packet(t, h, body); f != nil {
			return false, f
		}
		c.in.skip(h.size + h.length)
	}
	return true, nil
}

// packet takes one packet.
func (c *conn) packet(t *turn, h header, body []byte) *fault {
	switch h.kind {
	case typePublish:
		return c.publish(t, h.flags, body)
	case typePubrel:
		id, f := parsePubrel(c.level, body)
		if f != nil {
			return f
		}
		c.open.close(id)
		t.replies = appendReply(t.replies, typePubcomp, id)
	case typePingreq:
		if len(body) > 0 {
			return malformed("PINGREQ of %d bytes", len(body))
		}
		t.replies = append(t.replies, typePingresp<<4, 0)
	case typeSubscribe, typeUnsubscribe:
		return c.subscribe(t, h.kind, body)
	case typeDisconnect:
		if c.level != level5 || len(body) == 0 || body[0] != disconnectWithWill {
			c.will = nil
		}
		return faultf(endDisconnect, "by the device")
	case typeConnect:
		return faultf(endProtocol, "a second CONNECT")
	default:
		return faultf(endProtocol, "packet type %d answers nothing that was sent", h.kind)
	}
	return nil
}

// disconnectWithWill is the reason code with which an MQTT 5 device wants its will to be published.
const disconnectWithWill = 0x04

func (c *conn) publish(t *turn, flags byte, body []byte) *fault {
	p, f := parsePublish(c.level, flags, body)
	if f != nil {
		return f
	}
	if c.topic != string(p.topic) {
		c.topic = string(p.topic)
		c.barred = !c.mayPublish(c.topic)
	}
	if c.barred {
		return c.refuseTopic(t, &p)
	}
	switch p.qos {
	case 1:
		t.replies = appendReply(t.replies, typePuback, p.id)
	case 2:
		fresh, f := c.opens(p.id)
		if f != nil {
			return f
		}
		t.replies = appendReply(t.replies, typePubrec, p.id)
		if !fresh {
			return nil // the same message again, before its PUBREL
		}
	}
	t.qos[p.qos]++
	t.bytes += len(p.payload)
	t.batch = append(t.batch, c.message(c.topic, p.payload, t.now))
	return nil
}

// opens notes the id of a QoS 2 message; fresh says that its PUBREL does not stand out already.
func (c *conn) opens(id uint16) (fresh bool, f *fault) {
	if c.open == nil {
		c.open = new(openIDs)
	}
	fresh = c.open.open(id)
	if c.level == level5 && c.open.count > maxBatch { // which CONNACK says
		return fresh, faultf(endQuota, "more than %d messages of QoS 2 wait for their PUBREL", maxBatch)
	}
	return fresh, nil
}

// message is what the sink gets.
func (c *conn) message(topic string, payload []byte, at time.Time) telemetry.Message {
	return telemetry.Message{Topic: topic, Payload: payload, Received: at, Tenant: c.device.Tenant, Vehicle: c.device.Vehicle}
}

// mayPublish reports whether the topic is the device's own.
func (c *conn) mayPublish(topic string) bool {
	return c.device.anonymous() || c.endpoint.o.Gatekeeper.MayPublish(c.device, topic)
}

// refuseTopic answers a message on somebody else's topic: an MQTT 5 device is told, one of an older version cannot be
// and would only send it again, so it is acknowledged. Either way it is recorded.
func (c *conn) refuseTopic(t *turn, p *publish) *fault {
	if err := c.bar(c.message(c.topic, p.payload, t.now)); err != nil {
		return faultf(endNotDurable, "%v", err)
	}
	kind := byte(typePuback)
	if p.qos == 2 {
		kind = typePubrec
	}
	switch {
	case p.qos == 0:
	case c.level == level5:
		t.replies = appendRefusal(t.replies, kind, p.id)
	default:
		t.replies = appendReply(t.replies, kind, p.id)
	}
	return nil
}

// bar records a message on a topic on which the device may not publish.
func (c *conn) bar(m telemetry.Message) error {
	e := c.endpoint
	e.metrics.refused.WithLabelValues(string(telemetry.ReasonForbidden)).Inc()
	if e.refuser == nil {
		return nil
	}
	return e.refuser.Refuse(e.ctx, m, telemetry.Refuse(telemetry.ReasonForbidden, "",
		"the topic is another vehicle's: who signed in is %s", c.device.Vehicle))
}

// settle hands the batch over and answers.
//
// ORDER: the sink makes the batch durable, then the device is told. A crash between the two makes the device
// send again.
func (c *conn) settle(t *turn) *fault {
	e := c.endpoint
	if len(t.batch) > 0 {
		began := time.Now()
		if err := e.o.Sink.Accept(e.ctx, t.batch); err != nil {
			return faultf(endNotDurable, "%v", err)
		}
		e.metrics.accept.Observe(time.Since(began).Seconds())
		e.metrics.batch.Observe(float64(len(t.batch)))
		e.metrics.received.Add(float64(t.bytes))
		for qos, n := range t.qos {
			if n > 0 {
				e.metrics.messages.WithLabelValues(qosNames[qos]).Add(float64(n))
			}
		}
	}
	return c.write(t.replies)
}

// namesTopic reports whether enough of a packet is there to say its topic, or never will be.
func (c *conn) namesTopic(h header) bool {
	_, f := parsePublish(level311, h.flags, c.in.unread()[h.size:])
	return h.kind != typePublish || f == nil
}

// refuse tells the sink of a PUBLISH that is too large to be read. Its beginning stands for it.
func (c *conn) refuse(f *fault) *fault {
	h, _, _ := parseHeader(c.in.unread())
	if h.kind != typePublish {
		return f
	}
	c.endpoint.metrics.refused.WithLabelValues(string(telemetry.ReasonTooLarge)).Inc()
	begun := c.in.unread()[h.size:]
	p, bad := parsePublish(level311, h.flags, begun)
	if bad != nil || c.endpoint.refuser == nil {
		return f
	}
	m := c.message(string(p.topic), p.payload, c.endpoint.o.Now())
	m.Size = h.length - (len(begun) - len(p.payload))
	refusal := telemetry.Refuse(telemetry.ReasonTooLarge, "", "%s", f.detail)
	if err := c.endpoint.refuser.Refuse(c.endpoint.ctx, m, refusal); err != nil {
		return faultf(endNotDurable, "%s, and not recorded: %v", f.detail, err)
	}
	return f
}
