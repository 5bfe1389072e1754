package mqtt

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// webSockets serves MQTT over WebSocket (MQTT 5, section 6) at every path of a door. It returns when the listener is
// closed.
func (e *Endpoint) webSockets(d *door) {
	upgrader := websocket.Upgrader{
		Subprotocols: []string{"mqtt", "mqttv3.1"}, HandshakeTimeout: e.o.ConnectTimeout,
		ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10, WriteBufferPool: &sync.Pool{},
		// SAFETY: any page may connect, since a WebSocket is let in by credentials alone, which a page has to know.
		CheckOrigin: func(*http.Request) bool { return true },
	}
	server := &http.Server{
		ReadHeaderTimeout: e.o.ConnectTimeout, IdleTimeout: e.o.ConnectTimeout, MaxHeaderBytes: maxConnect,
		ErrorLog: slog.NewLogLogger(e.o.Logger.Handler(), slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !websocket.IsWebSocketUpgrade(r) {
				http.Error(w, "this is MQTT over WebSocket: connect with an MQTT client", http.StatusUpgradeRequired)
				return
			}
			if c, err := upgrader.Upgrade(w, r, nil); err == nil {
				e.admit(&webSocket{Conn: c.NetConn(), ws: c}, d)
			}
		}),
	}
	_ = server.Serve(d.listener)
	_ = server.Close() // those that said nothing yet
}

// webSocket is a connection whose bytes travel in binary messages, cut anywhere. Its embedded connection gives the
// addresses, the deadlines, and the certificates behind TLS.
type webSocket struct {
	net.Conn
	ws *websocket.Conn
	in io.Reader // the message that is being read, nil between two
}

var errNotBinary = errors.New("mqtt: a WebSocket message that is not binary")

// Read implements net.Conn.
func (w *webSocket) Read(b []byte) (int, error) {
	for {
		if w.in == nil {
			kind, r, err := w.ws.NextReader()
			switch {
			case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived):
				return 0, io.EOF
			case err != nil:
				return 0, err
			case kind != websocket.BinaryMessage:
				return 0, errNotBinary
			}
			w.in = r
		}
		n, err := w.in.Read(b)
		if errors.Is(err, io.EOF) {
			w.in, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write implements net.Conn: one message.
func (w *webSocket) Write(b []byte) (int, error) {
	if err := w.ws.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// SetWriteDeadline implements net.Conn: ws would take the connection's own away.
func (w *webSocket) SetWriteDeadline(t time.Time) error { return w.ws.SetWriteDeadline(t) }

// ConnectionState is that of the TLS below; empty without.
func (w *webSocket) ConnectionState() tls.ConnectionState {
	if c, ok := w.Conn.(*tls.Conn); ok {
		return c.ConnectionState()
	}
	return tls.ConnectionState{}
}

// Close implements net.Conn.
func (w *webSocket) Close() error {
	_ = w.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	return w.ws.Close()
}
