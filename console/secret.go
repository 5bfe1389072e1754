package console

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
)

// secret is a secret in a request. It decodes from text, and never encodes as more than REDACTED.
type secret struct {
	identity.Token
	given bool // the request had the field, perhaps empty
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *secret) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	*s = secret{identity.NewToken(text), true}
	return nil
}

// Schema implements huma.SchemaProvider.
func (s *secret) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

// over returns the secret to keep: the given one, or the stored one where none was given.
func (s secret) over(stored identity.Token) identity.Token {
	if s.given {
		return s.Token
	}
	return stored
}

// IsZero implements the omitzero of encoding/json.
func (s secret) IsZero() bool { return !s.given }
