package identity

import (
	"encoding/json"
	"log/slog"
)

// Token is a secret. However it is printed, logged or marshalled, it shows as REDACTED; only [Token.Reveal]
// gives its text.
type Token struct{ secret string }

const redacted = "REDACTED"

// NewToken wraps a secret.
func NewToken(secret string) Token { return Token{secret} }

// Reveal returns the secret itself, for the one place that sends or seals it.
func (t Token) Reveal() string { return t.secret }

// Empty reports whether there is no secret.
func (t Token) Empty() bool { return t.secret == "" }

// String implements fmt.Stringer.
func (t Token) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (t Token) GoString() string { return redacted }

// LogValue implements slog.LogValuer.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements json.Marshaler.
func (t Token) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText implements encoding.TextMarshaler.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
