package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"outrider/internal/config"
	"outrider/internal/graph"
	"outrider/store/sqlite"
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
	if c.MQTT.Listen != "" {
		findings = append(findings, checkFree("mqtt.listen", c.MQTT.Listen))
	}
	findings = append(findings, checkFree("http.listen", c.HTTP.Listen))
	if c.MQTT.URL != "" {
		findings = append(findings, checkBroker(ctx, c.MQTT.URL))
	}
	findings = append(findings, checkGraph(ctx, c.Graph.URL), checkSecrets(c.Facebook))
	return findings
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
	if _, err := os.Stat(path); os.IsNotExist(err) {
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
func OpenStore(ctx context.Context, c config.Config) (*sqlite.Store, error) {
	if err := os.MkdirAll(c.Data.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("app: data.dir: %w", err)
	}
	sealer, err := sealer(c.Data)
	if err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(c.Data.Dir, "outrider.db"), Sealer: sealer, Now: time.Now})
}

func checkFree(setting, address string) Finding {
	f := Finding{Name: setting, Detail: address + " is free"}
	l, err := net.Listen("tcp", address)
	if err != nil {
		f.Err = listenError(setting, address, err)
		return f
	}
	_ = l.Close()
	return f
}

func checkBroker(ctx context.Context, broker string) Finding {
	f := Finding{Name: "mqtt.url"}
	u, err := url.Parse(broker)
	if err != nil {
		f.Err = err
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		f.Err = err
		return f
	}
	_ = conn.Close()
	f.Detail = u.Host + " answers"
	return f
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
	switch {
	case fb.AppSecret.Empty():
		f.Err = fmt.Errorf("facebook.app_secret is empty: messages cannot be signed and webhooks are refused")
	case fb.VerifyToken.Empty():
		f.Err = fmt.Errorf("facebook.verify_token is empty: Meta cannot verify the webhook")
	}
	return f
}
