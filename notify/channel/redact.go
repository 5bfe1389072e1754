package channel

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// address is anything in a text that looks like a URL. It never changes.
var address = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']+`)

// cut takes out of a library's words every address and every part of the channel's URL that may be a secret.
func cut(text string, u *url.URL) string {
	text = address.ReplaceAllString(text, "[address]")
	password, _ := u.User.Password()
	parts := append([]string{u.User.Username(), password}, strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	parts = append(parts, strings.FieldsFunc(u.Host, func(r rune) bool { return r == ':' })...)
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) }) // the longer before what is in it
	for _, secret := range parts {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, "…")
			text = strings.ReplaceAll(text, url.QueryEscape(secret), "…")
		}
	}
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "…"
	}
	return text
}

// plain is what went wrong with a connection, without its address.
func plain(err error) string {
	if errors.Is(err, ErrPrivate) {
		return strings.TrimPrefix(ErrPrivate.Error(), "channel: ")
	}
	var named *net.DNSError
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &named):
		return "the server's name does not resolve"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.As(err, &op):
		return "the connection failed while it was to " + op.Op
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return address.ReplaceAllString(wrapped.Err.Error(), "[address]")
	}
	return strings.TrimPrefix(address.ReplaceAllString(err.Error(), "[address]"), "channel: ")
}
