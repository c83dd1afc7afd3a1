package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/signature"
)

// documented are the vectors that senders publish.
var documented = []struct {
	about  string
	scheme signature.Scheme
	secret string
	body   string
	header [2]string
	more   [][2]string
	now    int64
}{
	{
		"GitHub, Validating webhook deliveries", signature.GitHub, "It's a Secret to Everybody", "Hello, World!",
		[2]string{"X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
		nil, 0,
	},
	{
		"Bitbucket, Manage webhooks", signature.Bitbucket, "It's a Secret to Everybody", "Hello World!",
		[2]string{"X-Hub-Signature", "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"},
		nil, 0,
	},
	{
		"Jira, the same vector", signature.Jira, "It's a Secret to Everybody", "Hello World!",
		[2]string{"X-Hub-Signature", "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"},
		nil, 0,
	},
	{
		"Standard Webhooks, its libraries' tests", signature.Standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", `{"test": 2432232314}`,
		[2]string{"Webhook-Signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		[][2]string{{"Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"Webhook-Timestamp", "1614265330"}},
		1614265330,
	},
	{
		"Svix, Verifying webhooks manually", signature.Standard, "whsec_plJ3nmyCDGBKInavdOK15jsl", `{"event_type":"ping","data":{"success":true}}`,
		[2]string{"Svix-Signature", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="},
		[][2]string{{"Svix-Id", "msg_loFOjxBNrRLzqYUf"}, {"Svix-Timestamp", "1731705121"}},
		1731705121,
	},
}

func TestDocumentedVectorsHold(t *testing.T) {
	for _, v := range documented {
		h := http.Header{}
		for _, pair := range append(v.more, v.header) {
			h.Set(pair[0], pair[1])
		}
		r := signature.Request{Header: h, Body: []byte(v.body), Now: time.Unix(v.now, 0)}
		if err := v.scheme(r, [][]byte{[]byte(v.secret)}); err != nil {
			t.Errorf("%s: %v", v.about, err)
		}
	}
}

var (
	pagerDutyBody = regexp.MustCompile("defaultBody = `(.*)`")
	pagerDutyKey  = regexp.MustCompile(`secret      = "([^"]+)"`)
	pagerDutySig  = regexp.MustCompile(`sig:  "(v1=0c[0-9a-f]+)"`)
)

// The vector of PagerDuty's own library.
func TestVectorOfPagerDutyHolds(t *testing.T) {
	text := eventtest.File(t, eventtest.PagerDuty, "webhookv3/webhookv3_test.go")
	found := func(r *regexp.Regexp) []byte {
		m := r.FindSubmatch(text)
		if m == nil {
			t.Fatalf("the library's test has no %s", r)
		}
		return m[1]
	}
	r := signature.Request{Header: http.Header{"X-Pagerduty-Signature": {string(found(pagerDutySig))}}, Body: found(pagerDutyBody), Now: noon}
	if err := signature.PagerDuty(r, [][]byte{found(pagerDutyKey)}); err != nil {
		t.Error(err)
	}
}

const secret = "a secret of the sender"

func sum(parts ...string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// signed are the schemes, and how a sender signs a body at a time.
var signed = map[string]struct {
	scheme signature.Scheme
	sign   func(body string, at time.Time) http.Header
	timed  bool
	plain  bool // the secret itself is sent: a changed body is not noticed
}{
	"github":    {scheme: signature.GitHub, sign: header("X-Hub-Signature-256", "sha256=")},
	"gitea":     {scheme: signature.Gitea, sign: header("X-Gitea-Signature", "")},
	"forgejo":   {scheme: signature.Gitea, sign: header("X-Forgejo-Signature", "")},
	"bitbucket": {scheme: signature.Bitbucket, sign: header("X-Hub-Signature", "sha256=")},
	"jira":      {scheme: signature.Jira, sign: header("X-Hub-Signature", "sha256=")},
	"pagerduty": {scheme: signature.PagerDuty, sign: header("X-Pagerduty-Signature", "v1=00,v1=")},
	"gitlab":    {scheme: signature.GitLab, sign: plain("X-Gitlab-Token", ""), plain: true},
	"bearer":    {scheme: signature.Bearer, sign: plain("Authorization", "Bearer "), plain: true},
	"token":     {scheme: signature.Bearer, sign: plain("X-Stemma-Token", ""), plain: true},
	"basic": {scheme: signature.Password, plain: true, sign: func(string, time.Time) http.Header {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("stemma", secret)
		return r.Header
	}},
	"linear": {scheme: signature.Linear, sign: header("Linear-Signature", ""), timed: true},
	"standard": {scheme: signature.GitLab, timed: true, sign: func(body string, at time.Time) http.Header {
		stamp := strconv.FormatInt(at.Unix(), 10)
		return http.Header{
			"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {stamp},
			"Webhook-Signature": {"v1,AAAA v1," + base64.StdEncoding.EncodeToString(sum("msg_1."+stamp+".", body))},
		}
	}},
	"buildkite": {scheme: signature.Buildkite, timed: true, sign: func(body string, at time.Time) http.Header {
		stamp := strconv.FormatInt(at.Unix(), 10)
		return http.Header{"X-Buildkite-Signature": {"timestamp=" + stamp + ",signature=" + hex.EncodeToString(sum(stamp+".", body))}}
	}},
	"buildkite token": {scheme: signature.Buildkite, sign: plain("X-Buildkite-Token", ""), plain: true},
}

func header(name, prefix string) func(string, time.Time) http.Header {
	return func(body string, _ time.Time) http.Header {
		return http.Header{name: {prefix + hex.EncodeToString(sum(body))}}
	}
}

func plain(name, prefix string) func(string, time.Time) http.Header {
	return func(string, time.Time) http.Header { return http.Header{name: {prefix + secret}} }
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func body(at time.Time) string {
	return fmt.Sprintf(`{"webhookTimestamp":%d,"x":"é"}`, at.UnixMilli())
}

func TestOnlyTheSecretFits(t *testing.T) {
	for name, s := range signed {
		check := func(h http.Header, body string, now time.Time, secrets ...string) error {
			var keys [][]byte
			for _, k := range secrets {
				keys = append(keys, []byte(k))
			}
			return s.scheme(signature.Request{Header: h, Body: []byte(body), Now: now}, keys)
		}
		h := s.sign(body(noon), noon)
		if err := check(h, body(noon), noon, "another one", secret); err != nil {
			t.Errorf("%s: the second of two secrets: %v", name, err)
		}
		if err := check(h, body(noon), noon.Add(time.Minute), secret); err != nil {
			t.Errorf("%s: a minute later: %v", name, err)
		}
		for about, err := range map[string]error{
			"no secret": check(h, body(noon), noon), "an empty secret": check(h, body(noon), noon, ""),
			"another secret": check(h, body(noon), noon, "another one"), "a longer one": check(h, body(noon), noon, secret+"x"),
		} {
			if !errors.Is(err, signature.ErrWrong) {
				t.Errorf("%s: %s: %v", name, about, err)
			}
		}
		if err := check(http.Header{}, body(noon), noon, secret); !errors.Is(err, signature.ErrMissing) {
			t.Errorf("%s: unsigned: %v", name, err)
		}
		if err := check(h, body(noon)+" ", noon, secret); !s.plain && !errors.Is(err, signature.ErrWrong) {
			t.Errorf("%s: a changed body: %v", name, err)
		}
		for k, v := range h {
			cut := h.Clone()
			cut.Set(k, v[0][:len(v[0])-3])
			if err := check(cut, body(noon), noon, secret); err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %s cut short: %v", name, k, err)
			}
		}
		for _, off := range []time.Duration{-time.Hour, time.Hour} {
			if err := check(h, body(noon), noon.Add(off), secret); s.timed && !errors.Is(err, signature.ErrStale) {
				t.Errorf("%s: off by %v: %v", name, off, err)
			}
		}
	}
}

// A secret that is spoilt fits nothing, not even what was signed without any.
func TestSpoiltSecretFitsNothing(t *testing.T) {
	h := hmac.New(sha256.New, nil)
	h.Write([]byte("msg_1.1772366400.{}"))
	r := signature.Request{Body: []byte("{}"), Now: noon, Header: http.Header{
		"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1772366400"}, "Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))},
	}}
	if err := signature.Standard(r, [][]byte{[]byte("whsec_%%%")}); !errors.Is(err, signature.ErrWrong) {
		t.Errorf("a spoilt secret: %v", err)
	}
}

func FuzzSchemes(f *testing.F) {
	f.Add("sha256=00", "v1,AA", []byte("{}"))
	f.Add("timestamp=1,signature=00", "Bearer x", []byte(`{"webhookTimestamp":1}`))
	f.Fuzz(func(t *testing.T, a, b string, body []byte) {
		for name, s := range signed {
			h := http.Header{}
			for k := range s.sign("", noon) {
				h.Set(k, a)
			}
			h.Set("Authorization", b)
			if err := s.scheme(signature.Request{Header: h, Body: body, Now: noon}, [][]byte{[]byte(secret + "\x00unguessable")}); err == nil {
				t.Errorf("%s took %q, %q", name, a, b)
			}
		}
	})
}
