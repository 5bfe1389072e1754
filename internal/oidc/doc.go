// Package oidc asks an OpenID Connect provider who somebody is: authorization code flow with PKCE (RFC 7636), state
// and nonce (OpenID Connect Core 1.0, section 3.1). It decides nothing about what they may do.
package oidc
