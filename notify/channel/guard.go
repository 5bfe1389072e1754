package channel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate says that an address is not one of the public internet.
var ErrPrivate = errors.New("channel: the address is private: list it in channels.allow_private if it is meant")

// Guard decides which addresses may be connected to: public ones, and what is allowed besides. Tenants name the
// servers, so without it they could reach whatever the gateway can.
type Guard struct {
	Allow []netip.Prefix
}

// notPublic are ranges that net/netip does not call private, link-local, multicast or unspecified (RFC 6890 and its
// registry): shared, protocol, documentation, benchmark and reserved ones, and those that wrap other addresses.
func notPublic() []netip.Prefix {
	var list []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}

// Permits reports whether an address may be connected to.
func (g Guard) Permits(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range g.Allow {
		if p.Contains(a) {
			return true
		}
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// control is asked for every connection, after the name was resolved: what is checked is what is connected to.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("channel: address %q: %w", address, err)
	}
	if !g.Permits(at.Addr()) {
		return ErrPrivate
	}
	return nil
}

// client makes HTTP requests to permitted addresses, without proxy, and follows no redirect.
func (g Guard) client() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: g.control}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 4, MaxIdleConns: 64,
			IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// host checks every address of a host's name: for libraries that connect by themselves. Its answer may have changed
// when they do.
func (g Guard) host(ctx context.Context, host string) error {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if !g.Permits(a) {
			return ErrPrivate
		}
		return nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("channel: the server's name does not resolve")
	}
	for _, a := range found {
		if !g.Permits(a) {
			return ErrPrivate
		}
	}
	return nil
}
