package graph

import (
	"encoding/json"
	"net/http"
	"time"
)

// Usage is how much of Meta's rate limits has been used, as the headers of an answer tell.
type Usage struct {
	Percent float64       // the fullest of all limits; 100 is the limit
	Regain  time.Duration // until calls are accepted again; 0 while they are
}

// usageFields are the members of every usage header.
type usageFields struct {
	Calls  float64 `json:"call_count"`
	Time   float64 `json:"total_time"`
	CPU    float64 `json:"total_cputime"`
	Regain float64 `json:"estimated_time_to_regain_access"` // minutes
}

// parseUsage reads X-App-Usage, X-Page-Usage and X-Business-Use-Case-Usage; false if there is none.
func parseUsage(h http.Header) (u Usage, ok bool) {
	for _, name := range []string{"X-App-Usage", "X-Page-Usage"} {
		var f usageFields
		if text := h.Get(name); text != "" && json.Unmarshal([]byte(text), &f) == nil {
			u.add(f)
			ok = true
		}
	}
	var byID map[string][]usageFields
	if text := h.Get("X-Business-Use-Case-Usage"); text != "" && json.Unmarshal([]byte(text), &byID) == nil {
		for _, list := range byID {
			for _, f := range list {
				u.add(f)
				ok = true
			}
		}
	}
	return u, ok
}

func (u *Usage) add(f usageFields) {
	u.Percent = max(u.Percent, f.Calls, f.Time, f.CPU)
	u.Regain = max(u.Regain, min(time.Duration(f.Regain*float64(time.Minute)), longestWait))
}
