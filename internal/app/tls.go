package app

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"outrider/internal/config"
)

// endpointTLS is how trackers are met over TLS; nil: they are not.
func endpointTLS(c config.Endpoint, logger *slog.Logger) (*tls.Config, error) {
	switch {
	case c.Cert == "" && c.Key == "" && c.ClientCA == "":
		return nil, nil
	case c.Cert == "" || c.Key == "":
		return nil, errors.New("app: mqtt.tls_cert and mqtt.tls_key go together: set both")
	}
	pair := &keyPair{cert: c.Cert, key: c.Key, logger: logger}
	if err := pair.load(); err != nil {
		return nil, fmt.Errorf("app: mqtt.tls_cert: %w", err)
	}
	o := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	if c.ClientCA != "" {
		pool, err := readPool(c.ClientCA)
		if err != nil {
			return nil, fmt.Errorf("app: mqtt.client_ca: %w", err)
		}
		o.ClientCAs, o.ClientAuth = pool, tls.VerifyClientCertIfGiven
	}
	return o, nil
}

// httpTLS is how callers of the API are met over TLS; nil: without.
func httpTLS(c config.HTTP, logger *slog.Logger) (*tls.Config, error) {
	switch {
	case c.Cert == "" && c.Key == "":
		return nil, nil
	case c.Cert == "" || c.Key == "":
		return nil, errors.New("app: http.tls_cert and http.tls_key go together: set both")
	}
	pair := &keyPair{cert: c.Cert, key: c.Key, logger: logger}
	if err := pair.load(); err != nil {
		return nil, fmt.Errorf("app: http.tls_cert: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}, nil
}

// localClient calls the gateway of these settings on this machine. Over TLS it trusts the certificate that the settings
// name, whatever address that is for: a key goes to nobody else.
func localClient(c config.HTTP) (*http.Client, error) {
	client := &http.Client{}
	if c.Cert == "" {
		return client, nil
	}
	text, err := os.ReadFile(c.Cert)
	if err != nil {
		return nil, fmt.Errorf("app: http.tls_cert: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("app: http.tls_cert: %s holds no certificate in PEM", c.Cert)
	}
	own := block.Bytes
	client.Transport = &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // names and authorities say nothing here: it must be this very certificate
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, own) {
				return errors.New("app: whoever answers has another certificate than http.tls_cert")
			}
			return nil
		},
	}}
	return client, nil
}

// brokerTLS is how the external broker is met; nil: as the system does.
func brokerTLS(c config.MQTT) (*tls.Config, error) { return clientTLS("mqtt", c.CA, c.Cert, c.Key) }

// clientTLS is how the servers of a url setting are met, with the files of the settings beside it; nil: as the system does.
func clientTLS(part, ca, cert, key string) (*tls.Config, error) {
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	o := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pool, err := readPool(ca)
		if err != nil {
			return nil, fmt.Errorf("app: %s.url_ca: %w", part, err)
		}
		o.RootCAs = pool
	}
	if (cert == "") != (key == "") {
		return nil, fmt.Errorf("app: %[1]s.url_cert and %[1]s.url_key go together: set both", part)
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("app: %s.url_cert: %w", part, err)
		}
		o.Certificates = []tls.Certificate{pair}
	}
	return o, nil
}

func readPool(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return pool, nil
}

// keyPairLooks is how often a certificate's file is looked at, at most.
const keyPairLooks = time.Second

// keyPair is a certificate in files, which is read again when they change: certificates are renewed every few weeks. It
// is safe for many goroutines.
type keyPair struct {
	cert, key string
	logger    *slog.Logger

	mu      sync.Mutex // guards what follows
	pair    *tls.Certificate
	changed time.Time // of the newer file
	looked  time.Time
}

// get is for tls.Config. A change that cannot be used leaves the old certificate in force: renewing writes one file after
// the other.
func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked) >= keyPairLooks {
		if err := p.read(); err != nil {
			p.logger.Warn("new certificate not usable, the old one stays", "file", p.cert, "cause", err)
		}
	}
	return p.pair, nil
}

func (p *keyPair) load() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read()
}

// read reads the files if they changed. p.mu is held.
func (p *keyPair) read() error {
	p.looked = time.Now()
	newest := time.Time{}
	for _, path := range []string{p.cert, p.key} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	if p.pair != nil && newest.Equal(p.changed) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return err
	}
	p.pair, p.changed = &pair, newest
	return nil
}
