// Package signature checks that a delivery comes from who shares a secret with us, by
// the scheme of its sender.
//
// A scheme works on the raw bytes of the body and compares in constant time. Several
// secrets may be valid at once, so that they can be changed without losing a
// delivery. The package reads no clock, and no secret and no signature is in an error.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A Request is what a scheme looks at.
type Request struct {
	Header http.Header
	Body   []byte
	Now    time.Time // when it arrived
}

// Why a delivery is refused.
var (
	ErrMissing = errors.New("it is not signed")
	ErrWrong   = errors.New("its signature was not made with the secret of this address")
	ErrStale   = errors.New("it was signed too long ago, or in the future")
)

// A Scheme checks a delivery against the secrets that may be valid: nil if one of
// them fits. There is no secret that fits a delivery without a signature.
type Scheme func(r Request, secrets [][]byte) error

// Window is how far the time in a signature may be from ours.
const Window = 5 * time.Minute

// hexMAC is the scheme of a header that holds a hexadecimal HMAC-SHA256 of the body,
// behind a prefix.
func hexMAC(header, prefix string) Scheme {
	return func(r Request, secrets [][]byte) error {
		given := r.Header.Get(header)
		if given == "" {
			return missing(header)
		}
		digits, ok := strings.CutPrefix(given, prefix)
		if !ok {
			return fmt.Errorf("%w: %s does not begin with %s", ErrWrong, header, prefix)
		}
		return one(secrets, func(secret []byte) bool { return sameHex(digits, mac(secret, r.Body)) })
	}
}

func missing(header string) error {
	return fmt.Errorf("%w: the header %s is missing", ErrMissing, header)
}

// one is nil if a secret fits. All are tried, so that the time does not tell which.
func one(secrets [][]byte, fits func(secret []byte) bool) error {
	found := false
	for _, s := range secrets {
		if len(s) > 0 && fits(s) {
			found = true
		}
	}
	if !found {
		return ErrWrong
	}
	return nil
}

func mac(secret []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// sameHex compares in constant time.
func sameHex(digits string, sum []byte) bool {
	given, err := hex.DecodeString(digits)
	return err == nil && hmac.Equal(given, sum)
}

// same compares two secrets in constant time, whatever their lengths.
func same(a, b []byte) bool {
	x, y := sha256.Sum256(a), sha256.Sum256(b)
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// The schemes of those who sign the body with HMAC-SHA256 in one header.
var (
	GitHub    = hexMAC("X-Hub-Signature-256", "sha256=")
	Bitbucket = hexMAC("X-Hub-Signature", "sha256=")
	Jira      = hexMAC("X-Hub-Signature", "sha256=")
)

// Gitea takes what Gitea and Forgejo sign: both send the first header, Forgejo its own
// one too, and both one as GitHub does.
func Gitea(r Request, secrets [][]byte) error {
	for _, header := range []string{"X-Forgejo-Signature", "X-Gitea-Signature"} {
		if r.Header.Get(header) != "" {
			return hexMAC(header, "")(r, secrets)
		}
	}
	if r.Header.Get("X-Hub-Signature-256") != "" {
		return GitHub(r, secrets)
	}
	return missing("X-Gitea-Signature")
}

// GitLab takes the signature of newer versions, and the plain token of older ones.
func GitLab(r Request, secrets [][]byte) error {
	if r.Header.Get("Webhook-Signature") != "" {
		return Standard(r, secrets)
	}
	return token("X-Gitlab-Token")(r, secrets)
}

// token is the scheme of a header that holds the secret itself.
func token(header string) Scheme {
	return func(r Request, secrets [][]byte) error {
		given := r.Header.Get(header)
		if given == "" {
			return missing(header)
		}
		return one(secrets, func(secret []byte) bool { return same([]byte(given), secret) })
	}
}

// Standard is the scheme of Standard Webhooks, also under the names that Svix gives its
// headers: HMAC-SHA256 over id, time and body, in base64. A secret that begins with
// "whsec_" is base64 itself.
func Standard(r Request, secrets [][]byte) error {
	get := func(name string) string {
		if v := r.Header.Get("Webhook-" + name); v != "" {
			return v
		}
		return r.Header.Get("Svix-" + name)
	}
	id, at, given := get("Id"), get("Timestamp"), get("Signature")
	if id == "" || at == "" || given == "" {
		return missing("webhook-id, webhook-timestamp or webhook-signature")
	}
	if err := recent(at, r.Now); err != nil {
		return err
	}
	return one(secrets, func(secret []byte) bool {
		key, ok := standardKey(secret)
		if !ok {
			return false
		}
		sum, found := mac(key, []byte(id+"."+at+"."), r.Body), false
		for s := range strings.FieldsSeq(given) {
			text, ok := strings.CutPrefix(s, "v1,")
			sig, err := base64.StdEncoding.DecodeString(text)
			if ok && err == nil && hmac.Equal(sig, sum) {
				found = true
			}
		}
		return found
	})
}

func standardKey(secret []byte) (key []byte, ok bool) {
	text, coded := strings.CutPrefix(string(secret), "whsec_")
	if !coded {
		return secret, true
	}
	key, err := base64.StdEncoding.DecodeString(text)
	return key, err == nil && len(key) > 0
}

// recent checks a time in seconds or milliseconds since 1970.
func recent(at string, now time.Time) error {
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: its time is no number", ErrWrong)
	}
	t := time.Unix(n, 0)
	if n > 1<<36 {
		t = time.UnixMilli(n)
	}
	if d := now.Sub(t); d > Window || d < -Window {
		return ErrStale
	}
	return nil
}

// Linear signs the body, which holds the time.
func Linear(r Request, secrets [][]byte) error {
	if err := hexMAC("Linear-Signature", "")(r, secrets); err != nil {
		return err
	}
	at := ""
	body := jsonwalk.New(r.Body)
	for name := range body.Object() {
		if name == "webhookTimestamp" {
			at = string(body.Raw())
		}
	}
	if body.Err() != nil || at == "" {
		return fmt.Errorf("%w: the body has no webhookTimestamp", ErrWrong)
	}
	return recent(at, r.Now)
}

// PagerDuty may send several signatures, one for each secret that is valid at its side.
func PagerDuty(r Request, secrets [][]byte) error {
	given := r.Header.Get("X-Pagerduty-Signature")
	if given == "" {
		return missing("X-PagerDuty-Signature")
	}
	return one(secrets, func(secret []byte) bool {
		sum, found := mac(secret, r.Body), false
		for s := range strings.SplitSeq(given, ",") {
			if digits, ok := strings.CutPrefix(strings.TrimSpace(s), "v1="); ok && sameHex(digits, sum) {
				found = true
			}
		}
		return found
	})
}

// Buildkite takes the signature, which has a time in it, or the plain token.
func Buildkite(r Request, secrets [][]byte) error {
	given := r.Header.Get("X-Buildkite-Signature")
	if given == "" {
		return token("X-Buildkite-Token")(r, secrets)
	}
	at, digits := "", ""
	for part := range strings.SplitSeq(given, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "timestamp":
			at = value
		case "signature":
			digits = value
		}
	}
	if err := one(secrets, func(secret []byte) bool { return sameHex(digits, mac(secret, []byte(at+"."), r.Body)) }); err != nil {
		return err
	}
	return recent(at, r.Now)
}

// Password takes the secret as a password of HTTP's basic scheme, under any name, or as
// [Bearer] does: Azure DevOps signs nothing.
func Password(r Request, secrets [][]byte) error {
	if _, password, ok := (&http.Request{Header: r.Header}).BasicAuth(); ok {
		return one(secrets, func(secret []byte) bool { return same([]byte(password), secret) })
	}
	return Bearer(r, secrets)
}

// Bearer takes the secret as a token, for those who sign nothing: CDEvents, Argo CD,
// Jenkins.
func Bearer(r Request, secrets [][]byte) error {
	given := r.Header.Get("Authorization")
	if given == "" {
		return token("X-Stemma-Token")(r, secrets)
	}
	scheme, text, _ := strings.Cut(given, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return fmt.Errorf("%w: the header Authorization has no bearer token", ErrMissing)
	}
	return one(secrets, func(secret []byte) bool { return same([]byte(strings.TrimSpace(text)), secret) })
}
