package mqtt

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxConnect is the longest packet that is read of somebody who has not signed in, in bytes.
const maxConnect = 16 << 10

// lingerFor is how long a device that was told why it goes has to read it.
const lingerFor = 2 * time.Second

// conn is one device's connection. Its goroutine owns it; others only call end and wait for done.
type conn struct {
	endpoint *Endpoint
	door     *door
	net      net.Conn
	device   Device // zero: nobody knows
	id       string // client id, "" before CONNECT
	level    byte   // protocol level, 0 before CONNECT
	silence  time.Duration
	in       buffer
	hasty    bool                // the last read had a deadline
	topic    string              // of the last message, so that the next on it needs no copy
	barred   bool                // it may not publish on that topic
	will     *will               // nil: none, or it said goodbye
	hears    map[string]struct{} // topics of its subscriptions; guarded by endpoint.mu
	writing  sync.Mutex          // one packet after the other: commands come from others
	open     *openIDs            // QoS 2, nil before the first
	told     ending              // why others want it to end; written once before ended is set
	ended    atomic.Int32
	done     chan struct{} // closed when the connection is forgotten
}

// serve is the life of a connection.
func (c *conn) serve() {
	c.in.attach(c.net)
	f := c.greet()
	for f == nil {
		if f = c.fill(c.silence, endKeepAlive); f == nil {
			f = c.round()
		}
	}
	c.leave(f)
	c.bequeath(f)
	c.in.release()
	c.linger(f)
	_ = c.net.Close()
	c.endpoint.forget(c)
}

// end has the connection finish what it is at and close. Only the first call counts.
func (c *conn) end(why ending) {
	if c.ended.CompareAndSwap(0, 1) {
		c.told = why
		c.ended.Store(2)
	}
	_ = c.net.SetReadDeadline(time.Unix(1, 0))
}

// fill reads what has come. It fails with late after the given time; 0 waits for ever.
//
// ORDER: the deadline is set before ended is looked at, and end does it the other way round, so that neither
// waits for the other.
func (c *conn) fill(wait time.Duration, late ending) *fault {
	switch {
	case wait > 0:
		_ = c.net.SetReadDeadline(time.Now().Add(wait)) // the network's clock, not the one that stamps messages
	case c.hasty: // or there is no deadline, or that of end
		_ = c.net.SetReadDeadline(time.Time{})
	}
	c.hasty = wait > 0
	if f := c.wanted(); f != nil {
		return f
	}
	err := c.in.fill(c.net)
	switch f := c.wanted(); {
	case err == nil:
		return nil
	case f != nil:
		return f
	case isTimeout(err):
		return faultf(late, "silent for %s", wait)
	case errors.Is(err, io.EOF):
		return faultf(endLost, "closed without DISCONNECT")
	}
	return faultf(endLost, "%v", err)
}

// isTimeout reports whether a deadline passed; WebSocket's errors wrap nothing.
func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// wanted says whether others want the connection to end.
func (c *conn) wanted() *fault {
	if c.ended.Load() != 2 {
		return nil
	}
	return faultf(c.told, "by the endpoint")
}

// greet reads CONNECT and answers it.
func (c *conn) greet() *fault {
	until := time.Now().Add(c.endpoint.o.ConnectTimeout)
	for {
		h, whole, f := c.peek()
		switch {
		case f != nil:
			return f
		case h.size > 0 && h.kind != typeConnect:
			return faultf(endProtocol, "packet type %d before CONNECT", h.kind)
		case whole:
			return c.connect(h)
		}
		if f := c.fill(max(time.Until(until), time.Millisecond), endSilent); f != nil {
			return f
		}
	}
}

func (c *conn) connect(h header) *fault {
	p, f := parseConnect(c.in.unread()[h.size : h.size+h.length])
	if f == nil {
		f = c.endpoint.signIn(c, &p)
	}
	if f != nil {
		if code := connackCode(&p, f.ending); code != 0 {
			_ = c.write(appendConnack(nil, refusalLevel(p.level), choose(p.level > level5, 0x84, code), 0, ""))
		}
		return f
	}
	id, assigned := string(p.clientID), ""
	if id == "" {
		id = c.endpoint.ownID()
		assigned = id
	}
	if f := c.endpoint.claim(c, id); f != nil {
		return f
	}
	c.level, c.silence = p.level, time.Duration(p.keepAlive)*time.Second*3/2
	c.in.skip(h.size + h.length)
	c.endpoint.metrics.connected.Inc()
	c.will = p.keepWill()
	c.endpoint.o.Logger.Debug("device connected", "client", id, "vehicle", string(c.device.Vehicle), "from", c.net.RemoteAddr().String(), "level", p.level)
	if f := c.write(appendConnack(nil, p.level, 0, c.endpoint.o.MaxPacket, assigned)); f != nil {
		return f
	}
	return c.round() // packets that came with CONNECT
}

// refusalLevel is the level in which a device is told no: a future one is told in the newest we speak.
func refusalLevel(level byte) byte { return min(level, level5) }

// peek reads the header of the next packet; whole says that its body is there too.
func (c *conn) peek() (h header, whole bool, f *fault) {
	b := c.in.unread()
	h, complete, f := parseHeader(b)
	if f != nil || !complete {
		return header{}, false, f
	}
	limit := c.endpoint.o.MaxPacket
	if c.level == 0 {
		limit = min(limit, maxConnect)
	}
	if h.length > limit {
		return h, false, faultf(endTooLarge, "packet of %d bytes, at most %d are read", h.length, limit)
	}
	return h, len(b) >= h.size+h.length, nil
}

func (c *conn) write(b []byte) *fault {
	if len(b) == 0 {
		return nil
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.net.SetWriteDeadline(time.Now().Add(c.endpoint.o.WriteTimeout))
	if _, err := c.net.Write(b); err != nil {
		if isTimeout(err) {
			return faultf(endUnread, "acknowledgements unread for %s", c.endpoint.o.WriteTimeout)
		}
		return faultf(endLost, "%v", err)
	}
	return nil
}

// leave counts and logs the end, and tells an MQTT 5 device.
func (c *conn) leave(f *fault) {
	e := c.endpoint
	e.metrics.ended.WithLabelValues(string(f.ending)).Inc()
	if code := f.ending.reasonCode(); code != 0 && c.level == level5 {
		_ = c.write(appendDisconnect(nil, code))
	}
	attributes := []any{"client", c.id, "from", c.net.RemoteAddr().String(), "reason", string(f.ending), "detail", f.detail}
	switch f.ending {
	case endDisconnect, endLost, endKeepAlive, endTakenOver, endStopped, endSilent, endRevoked:
		e.o.Logger.Debug("device connection ended", attributes...)
	default:
		e.o.Logger.Warn("device connection closed", attributes...)
	}
}

// linger waits until a device that was told why it goes has closed the connection. Were it closed here while something lies
// unread, which is likely when somebody sends too much, TCP would answer what the device is writing with a reset, and the
// device would not get to read why.
func (c *conn) linger(f *fault) {
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || c.level != level5 || f.ending.reasonCode() == 0 || half.CloseWrite() != nil {
		return
	}
	_ = c.net.SetReadDeadline(time.Now().Add(lingerFor))
	if c.wanted() == nil { // or others wait for the end; ORDER: as in fill
		_, _ = io.Copy(io.Discard, c.net)
	}
}
