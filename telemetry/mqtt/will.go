package mqtt

import (
	"outrider/telemetry"
)

// will is the message that a device leaves for the case that it is lost (MQTT 3.1.1, 3.1.2.5).
type will struct {
	topic   string
	payload []byte
}

// keepWill copies the will out of the packet; nil: there is none.
func (c *connect) keepWill() *will {
	if !c.will {
		return nil
	}
	return &will{topic: string(c.willTopic), payload: append([]byte(nil), c.willText...)}
}

// bequeath hands the will over to the sink, like a message that the device published, unless the device said goodbye, or
// the end says nothing about it: the endpoint stops, or the device is here again.
func (c *conn) bequeath(f *fault) {
	e := c.endpoint
	if c.will == nil || f.ending == endStopped || f.ending == endTakenOver || f.ending == endRevoked {
		return
	}
	e.metrics.wills.Inc()
	m := c.message(c.will.topic, c.will.payload, e.o.Now())
	var err error
	switch {
	case !c.mayPublish(m.Topic):
		err = c.bar(m)
	default:
		err = e.o.Sink.Accept(e.ctx, []telemetry.Message{m})
	}
	if err != nil {
		e.o.Logger.Warn("will not accepted", "client", c.id, "cause", err)
	}
}
