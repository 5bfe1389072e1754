// Package identity knows who is who: which vehicle belongs to which owner, on which Facebook page that owner
// can be reached, and under which page-scoped id.
//
// A [Directory] answers from memory and is safe for many goroutines. Tokens are of type [Token], which
// prints REDACTED.
package identity
