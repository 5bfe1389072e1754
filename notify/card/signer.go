package card

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"time"
)

// Path is where pictures are served; the id of a delivery follows.
const Path = "/card/"

// ErrRefused says that an address was not made by this gateway, or was changed.
var ErrRefused = errors.New("card: the address is not one of this gateway")

// ErrEnded says that an address is too old.
var ErrEnded = errors.New("card: the address has ended")

// Signer makes and checks the addresses of pictures. Who has an address sees its picture until it ends; nobody can
// make one or guess one.
type Signer struct{ key []byte }

// NewSigner derives the signer's key from a secret, for which it is used for nothing else.
func NewSigner(secret []byte) Signer {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("outrider card address v1"))
	return Signer{mac.Sum(nil)}
}

// Address is the path and query of the picture of a tenant's delivery, good until a time.
func (s Signer) Address(tenant, id string, until time.Time) string {
	ends := strconv.FormatInt(until.Unix(), 10)
	q := url.Values{"t": {tenant}, "e": {ends}, "s": {s.sign(tenant, id, ends)}}
	return Path + url.PathEscape(id) + "?" + q.Encode()
}

// Check says whether the query of an address is good for the delivery at a time, and whose it is.
func (s Signer) Check(id string, q url.Values, now time.Time) (tenant string, err error) {
	tenant, ends := q.Get("t"), q.Get("e")
	if !hmac.Equal([]byte(q.Get("s")), []byte(s.sign(tenant, id, ends))) {
		return "", ErrRefused
	}
	if at, err := strconv.ParseInt(ends, 10, 64); err != nil || now.Unix() >= at {
		return "", ErrEnded
	}
	return tenant, nil
}

func (s Signer) sign(tenant, id, ends string) string {
	mac := hmac.New(sha256.New, s.key)
	for _, part := range []string{tenant, id, ends} {
		mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}
