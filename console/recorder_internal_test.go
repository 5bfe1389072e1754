package console

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// connection is a response writer of a connection with deadlines.
type connection struct {
	http.ResponseWriter
	deadline time.Time
}

func (c *connection) SetReadDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

// Without it a body that never comes would hold its request for as long as the server permits.
func TestTheLimitOnASlowBodyReachesTheConnection(t *testing.T) {
	t.Parallel()
	c := &connection{ResponseWriter: httptest.NewRecorder()}
	want := time.Date(2026, 11, 24, 8, 0, 30, 0, time.UTC)
	if err := huma.SetReadDeadline(&recorder{ResponseWriter: c}, want); err != nil || !c.deadline.Equal(want) {
		t.Errorf("deadline %v %v", c.deadline, err)
	}
}

func TestRecorderRemembersTheFinalAnswer(t *testing.T) {
	t.Parallel()
	r := &recorder{ResponseWriter: &probe{}}
	if r.code() != http.StatusOK {
		t.Errorf("an answer without anything is %d", r.code())
	}
	r.WriteHeader(http.StatusEarlyHints)
	r.WriteHeader(http.StatusTeapot)
	_, _ = r.Write([]byte("short"))
	if r.code() != http.StatusTeapot || r.bytes != 5 {
		t.Errorf("%d, %d bytes", r.code(), r.bytes)
	}
}
