package channel

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"outrider/notify"
)

// Schemes of a web server that takes signed events: webhook+https://whsec_SECRET@host/path.
const (
	webhookTLS   = "webhook+https"
	webhookPlain = "webhook+http" // only to addresses that are allowed besides
)

// secretPrefix begins a signing secret, as Standard Webhooks writes it; base64 follows.
const secretPrefix = "whsec_"

// event is a CloudEvent 1.0 in structured JSON.
type event struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Data        eventData `json:"data"`
}

// eventData is what an alert says.
type eventData struct {
	Owner       string    `json:"owner"`
	Vehicle     string    `json:"vehicle"`
	VehicleName string    `json:"vehicle_name,omitempty"`
	Fence       string    `json:"fence"`
	FenceName   string    `json:"fence_name,omitempty"`
	Kind        string    `json:"kind"`
	At          time.Time `json:"at"`
	InsideS     float64   `json:"inside_s,omitempty"`
	Lat         float64   `json:"lat"`
	Lon         float64   `json:"lon"`
	Text        string    `json:"text"`
}

func eventOf(m notify.Message) event {
	a := m.Alert
	return event{
		SpecVersion: "1.0", ID: a.ID, Source: "/outrider/" + url.PathEscape(string(a.Tenant)), Type: "outrider.alert." + string(a.Kind),
		Subject: string(a.Vehicle), Time: a.At.UTC(), ContentType: "application/json",
		Data: eventData{
			Owner: string(a.Owner), Vehicle: string(a.Vehicle), VehicleName: a.VehicleName, Fence: a.Fence, FenceName: a.FenceName,
			Kind: string(a.Kind), At: a.At.UTC(), InsideS: a.Inside.Seconds(), Lat: a.Point.Lat(), Lon: a.Point.Lon(), Text: m.Text,
		},
	}
}

// webhook posts signed events. The receiver knows a repeated event by its id, so one whose answer was lost is sent again.
type webhook struct {
	client *http.Client
	now    func() time.Time
}

func (w *webhook) send(ctx context.Context, u *url.URL, m notify.Message) (notify.Exchange, *notify.Error) {
	secret, err := signingSecret(u)
	if err != nil {
		return notify.Exchange{}, &notify.Error{Reason: notify.ReasonChannel, Text: err.Error()}
	}
	body, err := json.Marshal(eventOf(m))
	if err != nil {
		return notify.Exchange{}, &notify.Error{Reason: notify.ReasonChannel, Text: "the event cannot be written"}
	}
	x := notify.Exchange{Request: string(body)}
	target := *u
	target.Scheme, target.User = strings.TrimPrefix(u.Scheme, "webhook+"), nil
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return x, &notify.Error{Reason: notify.ReasonChannel, Text: "the channel's URL is no address"}
	}
	sign(req.Header, secret, m.Delivery, w.now(), body)
	res, err := w.client.Do(req)
	if err != nil {
		return x, &notify.Error{Reason: notify.ReasonChannel, Retry: !errors.Is(err, ErrPrivate), Text: "webhook: " + plain(err)}
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 1024))
	x.Status, x.Response = res.StatusCode, strings.ToValidUTF8(string(said), "…")
	return x, verdict(res, w.now())
}

// verdict says what an answer means.
func verdict(res *http.Response, now time.Time) *notify.Error {
	status := res.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	e := &notify.Error{Reason: notify.ReasonChannel, Text: "webhook: the server answered with " + strconv.Itoa(status)}
	switch {
	case status >= 300 && status < 400:
		e.Text += ", a redirect, which is not followed: give the address that it leads to"
	case status == http.StatusGone:
		e.Text += ": it wants no more"
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		e.Retry = true
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); e.Retry && err == nil && seconds > 0 {
		e.After = min(time.Duration(seconds)*time.Second, 24*time.Hour)
	} else if at, err := http.ParseTime(res.Header.Get("Retry-After")); e.Retry && err == nil {
		e.After = min(max(0, at.Sub(now)), 24*time.Hour)
	}
	return e
}

// signingSecret is the key in a webhook's URL.
func signingSecret(u *url.URL) ([]byte, error) {
	text, ok := strings.CutPrefix(u.User.Username(), secretPrefix)
	if !ok {
		return nil, fmt.Errorf("expected a signing secret before the server's name: %s://%s…@host/path", u.Scheme, secretPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		key, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	if err != nil || len(key) < 16 || len(key) > 64 {
		return nil, fmt.Errorf("expected %s and 16 to 64 bytes in base64 as signing secret", secretPrefix)
	}
	return key, nil
}

// sign adds the headers of Standard Webhooks 1.0.
func sign(h http.Header, secret []byte, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	h.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	h.Set("User-Agent", "Outrider")
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
