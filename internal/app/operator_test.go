package app_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// An operator answers by hand: inside the 24 hours as an answer, within 7 days with the tag, and then no more.
func TestAnOperatorAnswers(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	r := newRigAt(t, map[string]string{"chat.mode": "builtin"}, now)
	r.own(t, "van", "ann", "7001")
	write := func(text string, want int) map[string]any {
		t.Helper()
		return r.call(t, http.MethodPost, "owners/ann/messages", map[string]any{"text": text, "operator": "Kim"}, want)
	}
	write("before she ever wrote", http.StatusConflict)
	r.call(t, http.MethodPost, "owners/nobody/messages", map[string]any{"text": "x", "operator": "Kim"}, http.StatusNotFound)
	r.talk(t, "7001", "hello")
	r.hears(t, "7001", "You can ask me")
	answer := write("We look after it.", http.StatusAccepted)
	if m := r.hears(t, "7001", "We look after it."); m.Type != "RESPONSE" || m.Tag != "" {
		t.Errorf("%+v", m)
	}
	d := r.call(t, http.MethodGet, "deliveries/"+answer["delivery"].(string), nil, http.StatusOK)
	if d["operator"] != "Kim" || d["owner"] != "ann" {
		t.Errorf("the record: %v", d)
	}
	ahead.Store(int64(3 * 24 * time.Hour))
	write("It is repaired.", http.StatusAccepted)
	if m := r.hears(t, "7001", "It is repaired."); m.Type != "MESSAGE_TAG" || m.Tag != "HUMAN_AGENT" {
		t.Errorf("%+v", m)
	}
	ahead.Store(int64(8 * 24 * time.Hour))
	if p := write("too late", http.StatusConflict); !strings.Contains(p["detail"].(string), "7 days") {
		t.Errorf("%v", p)
	}
	r.talk(t, "7001", "stop")
	r.hears(t, "7001", "You get no more messages")
	write("after STOP", http.StatusConflict)
	write("  ", http.StatusUnprocessableEntity)
}
