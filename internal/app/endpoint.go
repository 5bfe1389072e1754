package app

import (
	"net"

	"outrider/telemetry/mqtt"
)

// prepareEndpoint makes the device endpoint, if there is one; it lets nobody in yet.
func (a *App) prepareEndpoint() error {
	c := a.o.Config.MQTT
	if !c.Open() {
		return nil
	}
	logger := a.logger.With("part", "endpoint")
	secure, err := endpointTLS(c.Endpoint, logger)
	if err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && !loopback(host) {
		logger.Warn("trackers' passwords come unencrypted: mqtt.tls_listen is there for other machines", "mqtt.listen", c.Listen)
	}
	d := &devices{store: a.store, directory: a.directory, owner: a.decoder.TopicOwner, now: a.o.Now, logger: logger}
	if !a.has(roleIngest) { // others have the endpoint, and look for what is revoked
		a.devices = d
		return nil
	}
	a.endpoint, err = mqtt.NewEndpoint(mqtt.EndpointOptions{
		Listen: c.Listen, ListenTLS: c.Endpoint.TLSListen, ListenWS: c.Endpoint.WSListen, TLS: secure, Gatekeeper: d,
		Sink: a.pipeline.Intake(), MaxConnections: c.Endpoint.MaxConnections, MaxPacket: c.Endpoint.MaxPacket, ConnectRate: c.Endpoint.ConnectRate,
		Now: a.o.Now, Logger: logger, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	d.endpoint, a.devices = a.endpoint, d
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
