package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"outrider/identity"
	"outrider/internal/app"
	"outrider/internal/config"
)

// With a certificate the API speaks HTTPS alone, version 1.2 and up, and what runs beside the gateway finds it there.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAuthority(t, dir, "acme", "van")
	flags := map[string]string{
		"data.dir": t.TempDir(), "http.listen": "127.0.0.1:0", "mqtt.listen": "127.0.0.1:0", "admin.key": key, "graph.url": "http://127.0.0.1:1",
		"http.tls_cert": filepath.Join(dir, "cert.pem"), "http.tls_key": filepath.Join(dir, "key.pem"),
	}
	c, err := config.Load(config.Source{Flags: flags})
	must(t, err)
	a, err := app.New(app.Options{Config: c})
	must(t, err)
	must(t, a.Start(t.Context()))
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	address := a.HTTPAddr().String()

	res, err := http.Get("http://" + address + "/healthz")
	if err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %s", res.Status)
		}
	}
	for version, accepted := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if err == nil {
			_ = conn.Close()
		}
		if (err == nil) != accepted {
			t.Errorf("TLS %x: %v", version, err)
		}
	}

	c.HTTP.Listen = address
	if f := finding(app.Check(t.Context(), c), "http.listen"); f.Err != nil || !strings.Contains(f.Detail, "a gateway is running") {
		t.Errorf("check does not find the gateway: %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := app.WatchGateway(ctx, app.WatchOptions{Config: c, Show: func(app.Seen) {}}); err != nil {
		t.Errorf("inspect: %v", err)
	}
}

// A key goes to whoever has the certificate of the settings, and to nobody else.
func TestNobodyElseIsShownTheKey(t *testing.T) {
	t.Parallel()
	mine, other := t.TempDir(), t.TempDir()
	writeAuthority(t, mine, "acme", "van")
	writeAuthority(t, other, "acme", "van")
	pair, err := tls.LoadX509KeyPair(filepath.Join(other, "cert.pem"), filepath.Join(other, "key.pem"))
	must(t, err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	must(t, err)
	heard := &bytes.Buffer{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = heard.ReadFrom(conn)
		_ = conn.Close()
	}()
	err = app.WatchGateway(t.Context(), app.WatchOptions{Show: func(app.Seen) {}, Config: config.Config{
		HTTP: config.HTTP{Listen: l.Addr().String(), Cert: filepath.Join(mine, "cert.pem")}, Admin: config.Admin{Key: identity.NewToken(key)},
	}})
	_ = l.Close()
	<-done
	if err == nil || !strings.Contains(err.Error(), "another certificate") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(heard.String(), key) {
		t.Error("the key was told to a stranger")
	}
}

func TestHTTPSSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAuthority(t, dir, "acme", "van")
	cert := filepath.Join(dir, "cert.pem")
	for name, h := range map[string]config.HTTP{
		"no key":       {Listen: "127.0.0.1:0", Cert: cert},
		"no file":      {Listen: "127.0.0.1:0", Cert: cert + "x", Key: cert},
		"a wrong file": {Listen: "127.0.0.1:0", Cert: cert, Key: cert},
	} {
		c, err := config.Load(config.Source{Flags: map[string]string{"data.dir": t.TempDir(), "mqtt.listen": "127.0.0.1:0", "admin.key": key}})
		must(t, err)
		c.HTTP = h
		a, err := app.New(app.Options{Config: c})
		must(t, err)
		if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "http.tls_cert") {
			t.Errorf("%s: %v", name, err)
		}
		if f := finding(app.Check(t.Context(), c), "http.tls_cert"); f.Err == nil {
			t.Errorf("%s: check finds nothing", name)
		}
	}
}

func finding(all []app.Finding, name string) app.Finding {
	for _, f := range all {
		if f.Name == name {
			return f
		}
	}
	return app.Finding{}
}
