// Package ui is the web console: a map of the fleet on which fences are drawn, and lists of everything else.
//
// Its source is TypeScript beside this file (src, built by Vite); what is built stands in dist, is committed and
// embedded, so that nothing but Go is needed to build the gateway. "make ui" builds it anew, and "make check"
// fails when dist and source differ.
//
// The console speaks to the gateway through the public REST API only. It loads nothing from elsewhere unless the
// operator names a tile server: a strict Content-Security-Policy says so to the browser.
package ui
