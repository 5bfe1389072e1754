package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"outrider/telemetry"
)

// quiesce is how long saying goodbye to the broker may take, in milliseconds.
const quiesce = 500

// session is one connection to the broker, from connecting to its end. Each has its own paho client: paho's own
// reconnecting would hand out again, from its memory, messages that the broker also repeats.
type session struct {
	client     *Client
	part       *part
	inbox      *inbox
	broker     paho.Client
	wire       *wire // of the connection; read after Connect has succeeded
	subscribed bool  // read after run has returned

	acks []byte // to be written; owned by work

	lost   chan struct{} // closed when the connection is gone
	losing sync.Once     // guards cause
	cause  error         // why it is gone; read after lost is closed
}

func newSession(c *Client, p *part) *session {
	s := &session{client: c, part: p, inbox: newInbox(c.o.MaxWaiting), lost: make(chan struct{})}
	s.broker = paho.NewClient(s.options())
	return s
}

// options says how paho connects: it acknowledges nothing by itself, calls back in order, and does not reconnect.
//
// ORDER: the handler is there before the connection, because a kept session may deliver right behind CONNACK,
// before any subscription of this process.
func (s *session) options() *paho.ClientOptions {
	o := &s.client.o
	p := paho.NewClientOptions().AddBroker(o.URL).SetClientID(s.part.id).
		SetCleanSession(o.Forget).SetOrderMatters(true).SetAutoAckDisabled(true).
		SetAutoReconnect(false).SetConnectRetry(false).SetStore(noStore{}).
		SetKeepAlive(o.KeepAlive).SetConnectTimeout(o.ConnectTimeout).SetProtocolVersion(level311).
		SetTLSConfig(o.TLS).SetCustomOpenConnectionFn(s.dial).
		SetDefaultPublishHandler(s.receive).
		SetConnectionLostHandler(func(_ paho.Client, err error) { s.lose(err) })
	if o.Username != "" {
		p.SetCredentialsProvider(func() (string, string) {
			if o.Password == nil {
				return o.Username, ""
			}
			return o.Username, o.Password()
		})
	}
	return p
}

func (s *session) dial(u *url.URL, o paho.ClientOptions) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.client.stopping, o.ConnectTimeout)
	defer cancel()
	c, err := dial(ctx, u, &o)
	if err != nil {
		return nil, err
	}
	s.wire = newWire(c)
	return s.wire, nil
}

// receive is paho's handler. It blocks while too much waits, and with it paho stops reading.
func (s *session) receive(_ paho.Client, m paho.Message) {
	s.inbox.put(arrival{message: m, received: s.client.o.Now()})
}

func (s *session) lose(err error) {
	s.losing.Do(func() {
		s.cause = err
		close(s.lost)
		s.inbox.close()
	})
}

// run connects, subscribes and hands messages over until the connection or the client ends.
func (s *session) run() error {
	m := s.client.metrics
	if err := s.await(s.broker.Connect()); err != nil {
		m.failed.WithLabelValues(failedConnect).Inc()
		s.leave()
		return fmt.Errorf("mqtt: connect: %w", err)
	}
	var worker sync.WaitGroup
	worker.Go(s.work)
	err := s.subscribe()
	if err == nil {
		s.subscribed = true
		s.present(true)
		select {
		case <-s.lost:
			m.failed.WithLabelValues(failedLost).Inc()
			err = fmt.Errorf("mqtt: connection lost: %w", s.cause)
		case <-s.client.stopping.Done():
		}
		s.present(false)
	} else {
		m.failed.WithLabelValues(failedSubscribe).Inc()
	}
	s.inbox.close()
	worker.Wait() // everything that is to be acknowledged is, before DISCONNECT
	s.leave()
	return err
}

// present says whether the connection is there.
func (s *session) present(here bool) {
	c := s.client
	if !here {
		c.connected.Add(-1)
		c.metrics.connected.Dec()
		return
	}
	c.connected.Add(1)
	c.metrics.connected.Inc()
	c.metrics.connects.Inc()
	c.o.Logger.Info("broker connected", "broker", c.o.URL, "client", s.part.id, "topics", s.part.topics)
}

func (s *session) subscribe() error {
	if len(s.part.others) > 0 { // which this session may have had when the filters were divided otherwise
		if err := s.await(s.broker.Unsubscribe(s.part.others...)); err != nil {
			return fmt.Errorf("mqtt: unsubscribe: %w", err)
		}
	}
	filters := make(map[string]byte, len(s.part.topics))
	for _, topic := range s.part.topics {
		filters[topic] = 1
	}
	token := s.broker.SubscribeMultiple(filters, nil) // nil: to the default handler
	if err := s.await(token); err != nil {
		return fmt.Errorf("mqtt: subscribe: %w", err)
	}
	for filter, granted := range token.(*paho.SubscribeToken).Result() {
		if granted > 2 {
			return fmt.Errorf("mqtt: the broker does not grant a subscription to %q", filter)
		}
	}
	return nil
}

var errNoAnswer = errors.New("no answer in time")

// await waits for paho, but no longer than connecting may take.
func (s *session) await(t paho.Token) error {
	timeout := time.NewTimer(s.client.o.ConnectTimeout)
	defer timeout.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-s.lost:
		return s.cause
	case <-timeout.C:
		return errNoAnswer
	case <-s.client.stopping.Done():
		return context.Cause(s.client.stopping)
	}
}

func (s *session) leave() {
	s.inbox.close() // or paho's handler, and with it paho, might wait for ever
	s.broker.Disconnect(quiesce)
}

// work hands over what comes, batch by batch, until the inbox is closed and empty. What was read before a
// connection was lost is handed over too, for the sake of QoS 0: the broker repeats only the rest.
func (s *session) work() {
	var batch []telemetry.Message
	for {
		arrivals, open := s.inbox.take()
		waiting := float64(len(arrivals))
		s.client.metrics.waiting.Add(waiting)
		batch = batch[:0]
		for _, a := range arrivals {
			batch = append(batch, telemetry.Message{
				Topic: a.message.Topic(), Payload: a.message.Payload(), Retained: a.message.Retained(), Received: a.received,
			})
		}
		if len(batch) > 0 {
			if !s.accept(batch) {
				s.client.metrics.waiting.Sub(waiting)
				return
			}
			s.acknowledge(arrivals)
		}
		clear(batch)
		s.client.metrics.waiting.Sub(waiting)
		if !open {
			return
		}
	}
}

// accept tries until the batch is accepted. It gives up when the client stops.
//
// ORDER: Accept, then acknowledge. A crash between the two makes the broker send again.
func (s *session) accept(batch []telemetry.Message) bool {
	c := s.client
	pauses := c.o.pauses()
	for {
		began := time.Now()
		err := c.o.Sink.Accept(c.ctx, batch)
		if err == nil {
			c.metrics.accept.Observe(time.Since(began).Seconds())
			c.metrics.batch.Observe(float64(len(batch)))
			return true
		}
		if c.stopping.Err() != nil {
			return false
		}
		wait := pauses.NextBackOff()
		c.metrics.retries.Inc()
		c.o.Logger.Error("messages not accepted, trying again", "messages", len(batch), "cause", err, "wait", wait.Round(time.Millisecond))
		pause(c.stopping, wait)
	}
}

// acknowledge tells the broker, in the order of arrival. After the connection is lost it does nothing.
//
// PERF: paho takes an acknowledgement through two channels and three allocations, a third of all that the client did. Of
// QoS 1 it needs to know nothing of it, so they go to the wire, all at once, behind its back.
func (s *session) acknowledge(arrivals []arrival) {
	m := s.client.metrics
	var byQoS [3]int
	bytes := 0
	s.acks = s.acks[:0]
	for _, a := range arrivals {
		switch byQoS[a.message.Qos()]++; a.message.Qos() {
		case 1:
			s.acks = appendReply(s.acks, typePuback, a.message.MessageID())
		case 2:
			a.message.Ack()
		}
		bytes += len(a.message.Payload())
		if a.message.Duplicate() {
			m.repeated.Inc()
		}
	}
	if len(s.acks) > 0 {
		_, _ = s.wire.Write(s.acks) // an error is the connection's, which paho finds, too
	}
	for qos, n := range byQoS {
		m.messages.WithLabelValues(qosNames[qos]).Add(float64(n))
	}
	m.received.Add(float64(bytes))
}
