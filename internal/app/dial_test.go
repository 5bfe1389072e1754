package app_test

import (
	"net"
	"testing"
)

func dial(t *testing.T, r *rig) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.app.MQTTAddr().String())
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
