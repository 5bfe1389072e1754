package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a Sealer's key in bytes.
const KeySize = 32

// ErrUnsealed says that a sealed text does not open: another key, another context, or changed bytes.
var ErrUnsealed = errors.New("identity: sealed text does not open with this key and context")

// Sealer encrypts secrets at rest with AES-256-GCM. It is safe for many goroutines.
//
// A sealed text reads "v1." and unpadded base64url of nonce and ciphertext. The context (which record and which
// field) is authenticated with it, so that a sealed token moved to another row does not open there.
type Sealer struct {
	aead cipher.AEAD
}

const sealVersion = "v1."

// NewSealer takes a key of KeySize bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("identity: the sealing key has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("identity: make cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("identity: make cipher: %w", err)
	}
	return &Sealer{aead}, nil
}

// Seal encrypts plain for the context. Sealing the same text twice gives different results.
func (s *Sealer) Seal(plain, context string) (string, error) {
	box := s.aead.Seal(nil, nil, []byte(plain), []byte(context))
	return sealVersion + base64.RawURLEncoding.EncodeToString(box), nil
}

// Open returns what was sealed for the context. Its error is ErrUnsealed, or says that the form is unknown; it
// never contains the text.
func (s *Sealer) Open(sealed, context string) (string, error) {
	text, ok := strings.CutPrefix(sealed, sealVersion)
	if !ok {
		return "", errors.New("identity: sealed text is of an unknown version")
	}
	box, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", ErrUnsealed
	}
	plain, err := s.aead.Open(nil, nil, box, []byte(context))
	if err != nil {
		return "", ErrUnsealed
	}
	return string(plain), nil
}
