package graph

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// journey watches how far a request gets, since what never left can be sent again without a second thought.
type journey struct {
	asked     atomic.Bool // a connection was asked for, in the last try
	connected atomic.Bool // and there was one, so that bytes may have been written
}

// watch returns a context that reports the request's way. The transport tries again on another connection
// only if nothing was written to the first, so the last try alone counts.
func (j *journey) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			j.asked.Store(true)
			j.connected.Store(false)
		},
		GotConn: func(httptrace.GotConnInfo) { j.connected.Store(true) },
	})
}

// neverLeft reports whether it is certain that no byte of the request left this machine. A transport that
// reports nothing gives no certainty.
func (j *journey) neverLeft(err error) bool {
	if j.asked.Load() {
		return !j.connected.Load()
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
