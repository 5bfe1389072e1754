package lex_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrider/simulator/lex"
)

// vectors are requests and signatures of AWS's published test suite of Signature Version 4 (aws-sig-v4-test-suite), and
// the example of the IAM documentation.
var vectors = []struct {
	name, method, target, service, body, signed, signature string
	headers                                                map[string]string
}{
	{"get-vanilla", "GET", "/", "service", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", nil},
	{"post-vanilla", "POST", "/", "service", "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", nil},
	{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "service", "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500", nil},
	{"get-vanilla-empty-query-key", "GET", "/?Param1=value1", "service", "", "host;x-amz-date", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb", nil},
	{"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "service", "", "host;x-amz-date", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f", nil},
	{"post-header-key-sort", "POST", "/", "service", "", "host;my-header1;x-amz-date", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c", map[string]string{"My-Header1": "value1"}},
	{"post-x-www-form-urlencoded", "POST", "/", "service", "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
	{"the IAM example", "GET", "/?Action=ListUsers&Version=2010-05-08", "iam", "", "content-type;host;x-amz-date", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}},
}

var (
	example = lex.Credentials{KeyID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	signAt  = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
)

func vector(t *testing.T, i int) *http.Request {
	t.Helper()
	v := vectors[i]
	host := "example.amazonaws.com"
	if v.service == "iam" {
		host = "iam.amazonaws.com"
	}
	r, err := http.NewRequest(v.method, "https://"+host+v.target, strings.NewReader(v.body))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range v.headers {
		r.Header.Set(key, value)
	}
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"+v.service+"/aws4_request, SignedHeaders="+v.signed+", Signature="+v.signature)
	return r
}

func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	for i, v := range vectors {
		if err := lex.Verify(vector(t, i), example, "us-east-1", v.service, signAt); err != nil {
			t.Errorf("%s: %v", v.name, err)
		}
	}
}

func TestWrongSignatures(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name   string
		change func(*http.Request)
		at     time.Time
		want   error
	}{
		{"none", func(r *http.Request) { r.Header.Del("Authorization") }, signAt, lex.ErrMissing},
		{"another key", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "AKIDEXAMPLE", "AKIDOTHER", 1))
		}, signAt, lex.ErrUnknown},
		{"another region", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "us-east-1", "eu-west-1", 1))
		}, signAt, lex.ErrSignature},
		{"host not signed", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
		}, signAt, lex.ErrSignature},
		{"another path", func(r *http.Request) { r.URL.Path = "/other" }, signAt, lex.ErrSignature},
		{"another method", func(r *http.Request) { r.Method = "PUT" }, signAt, lex.ErrSignature},
		{"too late", func(*http.Request) {}, signAt.Add(16 * time.Minute), lex.ErrSignature},
		{"another token", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }, signAt, lex.ErrUnknown},
		{"another body", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "00") }, signAt, lex.ErrSignature},
	} {
		r := vector(t, 0)
		x.change(r)
		if err := lex.Verify(r, example, "us-east-1", "service", x.at); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
	}
}
