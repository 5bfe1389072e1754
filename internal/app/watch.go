package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"outrider/identity"
	"outrider/internal/config"
	"outrider/telemetry"
	"outrider/telemetry/codec"
	"outrider/telemetry/mqtt"
)

// Seen is one message of a device, and how it was understood, for people.
type Seen struct {
	Received  time.Time
	Vehicles  []string // whom it is of; none: nobody could be named
	Topic     string
	Retained  bool
	Size      int    // bytes of the whole payload
	Payload   string // its beginning, printable
	Lines     []string
	Positions int
	Refused   int
}

// WatchOptions say where messages are looked at.
type WatchOptions struct {
	Config config.Config
	// Topics are the filters to subscribe to at the broker of mqtt.url; none: everything.
	Topics []string
	// Vehicle is the only one to look at; empty: all.
	Vehicle identity.VehicleID
	// Tenant of a running gateway that is asked. Empty: default.
	Tenant identity.TenantID
	Show   func(Seen)
	Logger *slog.Logger
}

// WatchBroker subscribes at the broker of mqtt.url, with a client id of its own, and shows what comes until ctx ends. The
// gateway's session and whoever else subscribes are not disturbed.
func WatchBroker(ctx context.Context, o WatchOptions) error {
	c := o.Config.MQTT
	decoder, err := newDecoder(c)
	if err != nil {
		return err
	}
	secure, err := brokerTLS(c)
	if err != nil {
		return err
	}
	topics := o.Topics
	if len(topics) == 0 {
		topics = []string{"#"}
	}
	client, err := mqtt.NewClient(mqtt.ClientOptions{
		URL: c.URL, TLS: secure, Username: c.Username, Password: c.Password.Reveal, ClientID: "outrider-inspect-" + rand.Text()[:8],
		Topics: topics, Forget: true, Sink: &onlooker{o, decoder, telemetry.NewGate(telemetry.GateOptions{})}, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	reached := client.Connected()
	if err := client.Stop(context.WithoutCancel(ctx)); err != nil || reached {
		return err
	}
	return fmt.Errorf("app: the broker at %s is not reached", c.URL)
}

// onlooker is a sink that keeps nothing. The client calls it from one goroutine.
type onlooker struct {
	o       WatchOptions
	decoder *codec.Joiner
	gate    *telemetry.Gate
}

// Accept implements telemetry.Sink.
func (w *onlooker) Accept(_ context.Context, batch []telemetry.Message) error {
	for _, m := range batch {
		if s := w.see(m); w.o.Vehicle == "" || slices.Contains(s.Vehicles, string(w.o.Vehicle)) {
			w.o.Show(s)
		}
	}
	return nil
}

func (w *onlooker) see(m telemetry.Message) Seen {
	e := w.decoder.Explain(m)
	if len(e.Fixes)+len(e.Refusals) == 0 { // perhaps one value of several
		fixes, err := w.decoder.Decode(nil, m)
		e.Fixes, e.Refusals = fixes, telemetry.Refusals(err)
	}
	_, owner := w.decoder.TopicOwner(m.Topic)
	s := newSeen(m, e, string(owner))
	for i := range e.Fixes {
		if verdict, reason := w.gate.Admit(&e.Fixes[i]); verdict != telemetry.Admitted {
			s.Lines = append(s.Lines, gateLine(i, verdict.String(), string(reason)))
		}
	}
	return s
}

// gateLine says that a fix is not admitted as news, or not believed at once.
func gateLine(i int, verdict, reason string) string {
	line := fmt.Sprintf("gate     fix %d is %s", i+1, verdict)
	if reason != "" && reason != verdict {
		line += ": " + reason
	}
	return line
}

// newSeen tells of a message what the explanation says. owner is whom the topic names.
func newSeen(m telemetry.Message, e codec.Explanation, owner string) Seen {
	s := Seen{
		Received: m.Received, Topic: m.Topic, Retained: m.Retained, Size: max(m.Size, len(m.Payload)), Payload: printable(m.Payload),
		Lines: strings.Split(e.String(), "\n"), Positions: len(e.Fixes), Refused: len(e.Refusals),
	}
	for _, f := range e.Fixes {
		if !slices.Contains(s.Vehicles, string(f.Vehicle)) {
			s.Vehicles = append(s.Vehicles, string(f.Vehicle))
		}
	}
	if len(s.Vehicles) == 0 && owner != "" {
		s.Vehicles = []string{owner}
	}
	return s
}

// maxShown is how much of a payload is shown, in bytes.
const maxShown = 400

// printable is the beginning of a payload without what would disturb a terminal.
func printable(payload []byte) string {
	cut := payload[:min(len(payload), maxShown)]
	text := string(cut)
	if !utf8.Valid(payload[:min(len(payload), maxShown-utf8.UTFMax)]) {
		text = fmt.Sprintf("% x", cut)
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	if len(payload) > maxShown {
		text += " …"
	}
	return text
}

// watchEvery is how often a gateway is asked.
const watchEvery = 500 * time.Millisecond

// errNoGateway says that nothing can be asked.
var errNoGateway = errors.New("no gateway answers")

// WatchGateway asks the gateway that runs with these settings, and shows what its devices send until ctx ends. It begins
// with what the gateway remembers.
func WatchGateway(ctx context.Context, o WatchOptions) error {
	key := o.Config.Admin.Key
	if key.Empty() {
		text, err := os.ReadFile(filepath.Join(o.Config.Data.Dir, "admin.key"))
		if err != nil {
			return fmt.Errorf("app: admin.key is not set, and the gateway's own is not there: %w", err)
		}
		key = identity.NewToken(strings.TrimSpace(string(text)))
	}
	w := &watch{o: o, base: strings.TrimRight(o.Config.HTTP.PublicURL, "/"), key: key, http: &http.Client{}}
	if w.base == "" {
		var err error
		w.base = o.Config.HTTP.Scheme() + "://" + o.Config.HTTP.Listen
		if w.http, err = localClient(o.Config.HTTP); err != nil {
			return err
		}
	}
	defer w.http.CloseIdleConnections()
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		if err := w.ask(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// watch is how far a gateway was asked.
type watch struct {
	o     WatchOptions
	base  string
	key   identity.Token
	http  *http.Client
	after uint64
	// waiting is the message that the gate has not judged yet, and tries how often that was seen.
	waiting uint64
	tries   int
}

// ask shows what is new.
func (w *watch) ask(ctx context.Context) error {
	address := fmt.Sprintf("%s/api/v1/inspect?limit=1000&after=%d", w.base, w.after)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.key.Reveal())
	if w.o.Tenant != "" {
		req.Header.Set("Outrider-Tenant", string(w.o.Tenant))
	}
	res, err := w.http.Do(req)
	if err != nil {
		return fmt.Errorf("app: %w at %s: %w", errNoGateway, w.base, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("app: the gateway at %s answers %s", w.base, res.Status)
	}
	var list struct{ Items []watched }
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("app: the answer of %s: %w", w.base, err)
	}
	patient := true
	for _, m := range list.Items {
		if patient && m.unjudged() {
			if patient = w.waits(m.Seq); patient {
				return nil
			}
		}
		w.after = m.Seq
		if w.o.Vehicle == "" || w.o.Vehicle == identity.VehicleID(m.Vehicle) {
			w.o.Show(m.seen())
		}
	}
	return nil
}

// gatePatience is how often the gateway is asked again for a message that its gate has not judged yet: it judges within
// milliseconds, unless it is behind.
const gatePatience = 3

// waits reports whether a message that is not judged yet is worth another question.
func (w *watch) waits(seq uint64) bool {
	if w.waiting != seq {
		w.waiting, w.tries = seq, 0
	}
	w.tries++
	return w.tries <= gatePatience
}

// watched is a message as the API tells of it.
type watched struct {
	Seq           uint64
	Received      time.Time
	Vehicle       string
	Topic         string
	Format, How   string
	Retained      bool
	Size          int
	Payload       string
	PayloadBase64 []byte `json:"payload_base64"`
	Count         int
	Fixes         []map[string]any
	Gate          []struct{ Verdict, Reason string }
	Refused       []struct{ Reason, Field, Detail string }
}

// unjudged reports whether the gate has not judged all fixes that are shown.
func (m *watched) unjudged() bool {
	for _, r := range m.Gate {
		if r.Verdict == "" {
			return true
		}
	}
	return false
}

func (m *watched) seen() Seen {
	raw := []byte(m.Payload)
	if len(m.PayloadBase64) > 0 {
		raw = m.PayloadBase64
	}
	message := telemetry.Message{Received: m.Received, Topic: m.Topic, Retained: m.Retained, Payload: raw, Size: m.Size}
	e := codec.Explanation{Codec: codec.Codec(m.Format), How: m.How}
	for _, f := range m.Fixes {
		e.Fixes = append(e.Fixes, m.fix(f))
	}
	for _, r := range m.Refused {
		e.Refusals = append(e.Refusals, &telemetry.Refusal{Reason: telemetry.Reason(r.Reason), Field: r.Field, Detail: r.Detail})
	}
	s := newSeen(message, e, m.Vehicle)
	for i, r := range m.Gate {
		if r.Verdict != "" && r.Verdict != telemetry.Admitted.String() || r.Reason != "" {
			s.Lines = append(s.Lines, gateLine(i, r.Verdict, r.Reason))
		}
	}
	if s.Positions = m.Count; m.Count > len(m.Fixes) {
		s.Lines = append(s.Lines, fmt.Sprintf("fix      and %d more", m.Count-len(m.Fixes)))
	}
	return s
}

// fix reads a fix of the API, which has the names and units of the native payload.
func (m *watched) fix(f map[string]any) telemetry.Fix {
	number := func(name string) float64 {
		if v, ok := f[name].(float64); ok {
			return v
		}
		return telemetry.Unknown()
	}
	text, _ := f["t"].(string)
	at, _ := time.Parse(time.RFC3339Nano, text)
	out := telemetry.NewFix(telemetry.DefaultTenant, telemetry.VehicleID(m.Vehicle), at, [2]float64{number("lon"), number("lat")})
	out.Accuracy, out.Speed, out.Heading, out.Altitude = number("acc"), number("spd"), number("hdg"), number("alt")
	out.HDOP, out.Battery = number("hdop"), number("batt")
	if on, ok := f["ign"].(bool); ok {
		out.Ignition = telemetry.Truth(on)
	}
	out.Retained = m.Retained
	return out
}
