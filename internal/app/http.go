package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"outrider/internal/config"
)

// Time-outs of the public listener. A webhook or an import may be slow to send, but not for ever.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second
	idleTimeout   = 120 * time.Second
	headerBytes   = 32 << 10
)

// httpServer is a listener with the server that owns it.
type httpServer struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{} // closed when Serve has returned
}

func serveHTTP(c config.HTTP, handler http.Handler, logger *slog.Logger) (*httpServer, error) {
	secure, err := httpTLS(c, logger)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, listenError("http.listen", c.Listen, err)
	}
	if host, _, err := net.SplitHostPort(c.Listen); secure == nil && err == nil && !loopback(host) {
		logger.Warn("keys and passwords come unencrypted unless a proxy is before it: http.tls_cert is there for other machines", "http.listen", c.Listen)
	}
	s := &httpServer{
		listener: l,
		server: &http.Server{
			Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
			MaxHeaderBytes: headerBytes, TLSConfig: secure, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		serve := s.server.Serve
		if secure != nil {
			serve = func(l net.Listener) error { return s.server.ServeTLS(l, "", "") }
		}
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("http server ended", "cause", err)
		}
	}()
	return s, nil
}

// listenError says which setting's address is taken and what to do.
func listenError(setting, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("app: %s: the address %s is taken by another program: stop it, or choose another with --%s=127.0.0.1:0 (0 takes any free port)",
			setting, address, setting)
	}
	return fmt.Errorf("app: %s: listen on %s: %w", setting, address, err)
}

// Addr is the address that is listened on.
func (s *httpServer) Addr() net.Addr { return s.listener.Addr() }

// Stop lets requests finish until ctx ends, then cuts them.
func (s *httpServer) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	<-s.done
	return err
}
