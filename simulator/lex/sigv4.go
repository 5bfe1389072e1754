package lex

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Credentials are an access key's.
type Credentials struct{ KeyID, Secret, SessionToken string }

// maxSkew is how far the clocks of client and service may be apart.
const maxSkew = 15 * time.Minute

// amzDate is the form of x-amz-date.
const amzDate = "20060102T150405Z"

// The ways in which a signature is wrong, as AWS names them.
var (
	ErrMissing   = errors.New("MissingAuthenticationTokenException")
	ErrUnknown   = errors.New("UnrecognizedClientException")
	ErrSignature = errors.New("InvalidSignatureException")
)

// Verify checks a request's Signature Version 4 (AWS General Reference, "Signing AWS API requests") for a region and a
// service. It reads the body and puts it back.
func Verify(r *http.Request, c Credentials, region, service string, now time.Time) error {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return fmt.Errorf("%w: no Authorization of AWS4-HMAC-SHA256", ErrMissing)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[key] = value
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(amzDate, date)
	if err != nil || at.Sub(now).Abs() > maxSkew {
		return fmt.Errorf("%w: X-Amz-Date %q is not about %s", ErrSignature, date, now.UTC().Format(amzDate))
	}
	scope := strings.Join([]string{date[:8], region, service, "aws4_request"}, "/")
	id, given, _ := strings.Cut(fields["Credential"], "/")
	switch {
	case id != c.KeyID || r.Header.Get("X-Amz-Security-Token") != c.SessionToken:
		return fmt.Errorf("%w: the security token included in the request is invalid", ErrUnknown)
	case given != scope:
		return fmt.Errorf("%w: credential should be scoped to %s", ErrSignature, scope)
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	if !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date") || c.SessionToken != "" && !slices.Contains(signed, "x-amz-security-token") {
		return fmt.Errorf("%w: host, x-amz-date and the session's token must be signed", ErrSignature)
	}
	canonical, err := canonicalRequest(r, signed)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", date, scope, hex.EncodeToString(sum[:])}, "\n")
	want := hex.EncodeToString(hmacSum(signingKey(c.Secret, date[:8], region, service), toSign))
	if !hmac.Equal([]byte(want), []byte(fields["Signature"])) {
		return fmt.Errorf("%w: the request signature we calculated does not match the signature you provided", ErrSignature)
	}
	return nil
}

// canonicalRequest is what is hashed: method, path, query, signed headers and the body's hash.
func canonicalRequest(r *http.Request, signed []string) (string, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if given := r.Header.Get("X-Amz-Content-Sha256"); given != "" && given != hash {
		return "", fmt.Errorf("%w: the body is not the one that was signed", ErrSignature)
	}
	var headers strings.Builder
	for _, name := range signed {
		values := r.Header.Values(name)
		if name == "host" {
			values = []string{r.Host}
		}
		if name == "content-length" && len(values) == 0 {
			values = []string{fmt.Sprint(len(body))}
		}
		for i, v := range values {
			values[i] = strings.Join(strings.Fields(v), " ")
		}
		headers.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return strings.Join([]string{r.Method, canonicalPath(r.URL), canonicalQuery(r.URL), headers.String(), strings.Join(signed, ";"), hash}, "\n"), nil
}

// canonicalPath escapes the path as it stands on the wire once more, as every service but S3 does.
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for key, values := range u.Query() {
		for _, v := range values {
			pairs = append(pairs, escape(key)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape is RFC 3986 with the unreserved characters only.
func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%7E", "~")
}

func signingKey(secret, day, region, service string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{day, region, service, "aws4_request"} {
		key = hmacSum(key, part)
	}
	return key
}

func hmacSum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
