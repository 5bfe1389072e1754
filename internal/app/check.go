package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/internal/config"
	"outrider/internal/graph"
	"outrider/journal/jetstream"
	"outrider/store/postgres"
	"outrider/store/sqlite"
	"outrider/store/sqlstore"
)

// checkWithin is how long one dependency may take to answer.
const checkWithin = 5 * time.Second

// Finding is what Check found out about one dependency.
type Finding struct {
	Name   string // setting or dependency
	Detail string // what was seen
	Err    error  // why it would not work; nil: it works
}

// Check reaches everything that a gateway with these settings depends on. It starts nothing and takes no
// address; a gateway may be running meanwhile.
func Check(ctx context.Context, c config.Config) []Finding {
	findings := []Finding{checkDir(c.Data.Dir), checkStore(ctx, c)}
	if err := checkRoles(c); err != nil {
		findings = append(findings, Finding{Name: "roles", Err: err})
	}
	if c.MQTT.Rules != "" || c.MQTT.Mappings != "" {
		_, err := newDecoder(c.MQTT)
		findings = append(findings, Finding{Name: "formats", Detail: "mqtt.rules and mqtt.mappings are understood", Err: err})
	}
	running := isGateway(ctx, c.HTTP)
	findings = append(findings, checkEndpoint(c.MQTT, running)...)
	findings = append(findings, checkFree("http.listen", c.HTTP.Listen, running))
	if c.HTTP.Cert+c.HTTP.Key != "" {
		_, err := httpTLS(c.HTTP, slog.New(slog.DiscardHandler))
		findings = append(findings, Finding{Name: "http.tls_cert", Detail: "certificate and key can be used", Err: err})
	}
	if c.MQTT.URL != "" {
		findings = append(findings, checkBroker(ctx, c.MQTT))
	}
	if !c.NATS.URL.Empty() {
		findings = append(findings, checkNATS(ctx, c))
	}
	findings = append(findings, checkGraph(ctx, c.Graph.URL), checkSecrets(c.Facebook))
	if c.Lex.Region != "" {
		findings = append(findings, checkLex(ctx, c.Lex))
	}
	return findings
}

// checkLex asks the bot for help.
func checkLex(ctx context.Context, c config.Lex) Finding {
	f := Finding{Name: "lex", Detail: "the bot answers in " + c.Region}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	bot, err := lexClient(ctx, c, time.Now, nil)
	if err == nil {
		err = bot.Check(ctx)
	}
	f.Err = err
	return f
}

func checkDir(dir string) Finding {
	f := Finding{Name: "data.dir", Detail: dir + " is writable"}
	if f.Err = os.MkdirAll(dir, 0o700); f.Err != nil {
		return f
	}
	probe, err := os.CreateTemp(dir, ".check-*")
	if err != nil {
		f.Err = err
		return f
	}
	_ = probe.Close()
	f.Err = os.Remove(probe.Name())
	return f
}

func checkStore(ctx context.Context, c config.Config) Finding {
	path := filepath.Join(c.Data.Dir, "outrider.db")
	f := Finding{Name: "store", Detail: "SQLite in " + path}
	if !c.Store.URL.Empty() {
		f.Detail = "PostgreSQL"
	} else if _, err := os.Stat(path); os.IsNotExist(err) {
		f.Detail += " (made at the first start)"
		return f
	}
	s, err := OpenStore(ctx, c)
	if err != nil {
		f.Err = err
		return f
	}
	defer s.Close()
	f.Err = s.Ping(ctx)
	return f
}

// OpenStore opens the store of these settings and brings it to this version.
func OpenStore(ctx context.Context, c config.Config) (*sqlstore.Store, error) {
	if err := os.MkdirAll(c.Data.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("app: data.dir: %w", err)
	}
	key, err := dataKey(c.Data)
	if err != nil {
		return nil, err
	}
	sealer, err := identity.NewSealer(key)
	if err != nil {
		return nil, err
	}
	return openStore(ctx, c, storeOptions{sealer: sealer, now: time.Now})
}

// storeOptions is what both databases take.
type storeOptions struct {
	sealer     *identity.Sealer
	now        func() time.Time
	registerer prometheus.Registerer // nil: metrics are not registered
}

// openStore opens the database that the settings name.
func openStore(ctx context.Context, c config.Config, o storeOptions) (*sqlstore.Store, error) {
	if !c.Store.URL.Empty() {
		return postgres.Open(ctx, postgres.Options{URL: c.Store.URL, Sealer: o.sealer, Now: o.now, Registerer: o.registerer})
	}
	return sqlite.Open(ctx, sqlite.Options{
		Path: filepath.Join(c.Data.Dir, "outrider.db"), Sealer: o.sealer, Now: o.now, Registerer: o.registerer,
	})
}

// checkEndpoint looks at the addresses and certificates of the device endpoint.
func checkEndpoint(c config.MQTT, running bool) []Finding {
	var findings []Finding
	for setting, address := range map[string]string{
		"mqtt.listen": c.Listen, "mqtt.tls_listen": c.Endpoint.TLSListen, "mqtt.ws_listen": c.Endpoint.WSListen,
	} {
		if address != "" {
			findings = append(findings, checkFree(setting, address, running))
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int { return cmp.Compare(a.Name, b.Name) })
	if c.Endpoint.Cert+c.Endpoint.Key+c.Endpoint.ClientCA+c.Endpoint.TLSListen != "" {
		o, err := endpointTLS(c.Endpoint, slog.New(slog.DiscardHandler))
		if err == nil && o == nil {
			err = errors.New("mqtt.tls_listen needs mqtt.tls_cert and mqtt.tls_key")
		}
		findings = append(findings, Finding{Name: "mqtt.tls_cert", Detail: "certificate and key can be used", Err: err})
	}
	return findings
}

// checkFree looks whether an address can be taken; one in use is as it should be while a gateway is running.
func checkFree(setting, address string, running bool) Finding {
	f := Finding{Name: setting, Detail: address + " is free"}
	l, err := net.Listen("tcp", address)
	if running && errors.Is(err, syscall.EADDRINUSE) {
		f.Detail = address + " is in use: a gateway is running"
		return f
	}
	if err != nil {
		f.Err = listenError(setting, address, err)
		return f
	}
	_ = l.Close()
	return f
}

// probeWithin is how long whoever listens on the API's address may take to say that it is a gateway.
const probeWithin = time.Second

// isGateway reports whether a gateway answers at the address: its description says so.
func isGateway(ctx context.Context, c config.HTTP) bool {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Scheme()+"://"+c.Listen+"/openapi.json", nil)
	if err != nil {
		return false
	}
	client, err := localClient(c)
	if err != nil {
		return false
	}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var description struct{ Info struct{ Title string } }
	err = json.NewDecoder(io.LimitReader(res.Body, 4<<20)).Decode(&description)
	return err == nil && description.Info.Title == "Outrider"
}

func checkBroker(ctx context.Context, c config.MQTT) Finding {
	f := Finding{Name: "mqtt.url"}
	u, err := url.Parse(c.URL)
	if err == nil {
		_, err = brokerTLS(c)
	}
	if err != nil {
		f.Err = err
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	address := brokerAddress(u)
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		f.Err = err
		return f
	}
	_ = conn.Close()
	f.Detail = address + " answers"
	return f
}

// checkNATS looks at the streams of the journal, and makes none.
func checkNATS(ctx context.Context, c config.Config) Finding {
	f := Finding{Name: "nats.url"}
	o, err := streamOptions(c)
	if err == nil {
		o.OpenWithin = checkWithin
		f.Detail, err = jetstream.Check(ctx, o)
	}
	f.Err = err
	return f
}

// brokerAddress is the host with its port, the scheme's own where the URL names none.
func brokerAddress(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"ssl": "8883", "tls": "8883", "mqtts": "8883", "ws": "80", "wss": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(port, "1883"))
}

func checkGraph(ctx context.Context, base string) Finding {
	f := Finding{Name: "graph.url"}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base, nil)
	if err != nil {
		f.Err = err
		return f
	}
	res, err := graph.NewHTTPClient().Do(req)
	if err != nil {
		f.Err = err
		return f
	}
	_ = res.Body.Close()
	f.Detail = base + " answers"
	return f
}

func checkSecrets(fb config.Facebook) Finding {
	f := Finding{Name: "facebook", Detail: "app secret and verify token are set"}
	for _, sentence := range missingSecrets(fb) {
		f.Err = errors.Join(f.Err, errors.New(sentence))
	}
	return f
}

// missingSecrets says what does not work for want of a setting.
func missingSecrets(fb config.Facebook) []string {
	var sentences []string
	if fb.AppSecret.Empty() {
		sentences = append(sentences, "facebook.app_secret is empty: messages cannot be signed and webhooks are refused")
	}
	if fb.VerifyToken.Empty() {
		sentences = append(sentences, "facebook.verify_token is empty: Meta cannot verify the webhook")
	}
	return sentences
}
