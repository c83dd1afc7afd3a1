// Package api asks the HTTP interfaces of other systems, politely: it waits when it is
// told to, tries again what may pass, and reads no more than is bearable.
//
// The token goes to the one host that was named and nowhere else: a redirect to another
// host is an error, and the address of a next page only tells its query. No error tells
// the token. A Client is used by one goroutine.
package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/event"
)

const (
	maxBody = 24 << 20         // of one answer
	patient = 60 * time.Second // for one answer
	tries   = 6                // of what may pass
	maxWait = 70 * time.Minute // GitHub's limit is counted by the hour
	maxHops = 5                // redirects
)

// A Config says whom to ask, and as whom.
type Config struct {
	Base   string      // "https://api.github.com"
	Header http.Header // goes with every request: the token, and what is accepted
	Secret string      // the token, which must not show
	Now    func() time.Time
	Sleep  func(ctx context.Context, d time.Duration) error
	Wait   func(until time.Time, why string) // is told of every wait; may be nil
}

// A Client asks one system.
type Client struct {
	c    Config
	base *url.URL
	http *http.Client
}

// An Answer is what was said to one request.
type Answer struct {
	Value     event.Value
	ETag      string
	Next      string // the query of the next page, "" behind the last one
	Unchanged bool   // since the answer with the given ETag; there is nothing else in it
}

// A StatusError is an answer that is none.
type StatusError struct {
	Code    int
	Path    string
	Message string // as the system puts it
	Limited bool   // too much was asked, and so it says nothing about what was asked for
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("api: %s: %d %s", e.Path, e.Code, http.StatusText(e.Code))
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Open checks the address. A plain one is refused but on this machine: anybody on the
// way could read the token, and make up the answers.
func Open(c Config) (*Client, error) {
	base, err := url.Parse(c.Base)
	switch {
	case err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "": // which may hold a secret
		return nil, stemma.WithHint(errors.New("api: this is no address of a system"), "write it as https://HOST: the token is not part of it")
	case base.Scheme != "https" && (base.Scheme != "http" || !loopback(base.Hostname())):
		return nil, stemma.WithHint(fmt.Errorf("api: %s is not reached by https", base.Host), "anybody on the way could read the token: use https")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	x := &Client{c: c, base: base}
	x.http = &http.Client{Timeout: patient, CheckRedirect: x.redirected}
	return x, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Host is that which is asked.
func (x *Client) Host() string { return x.base.Host }

func (x *Client) redirected(r *http.Request, via []*http.Request) error {
	if r.URL.Host != x.base.Host || r.URL.Scheme != x.base.Scheme {
		return fmt.Errorf("it leads to another host, %.100q, where the token must not go", r.URL.Host)
	}
	if len(via) >= maxHops {
		return errors.New("it leads on and on")
	}
	return nil
}

// Get asks for what is at a path below the base, with its query. With an ETag that an
// earlier answer to the same had, it may be told that nothing has changed.
func (x *Client) Get(ctx context.Context, path, etag string) (Answer, error) {
	for n := 1; ; n++ {
		a, wait, err := x.once(ctx, path, etag, n)
		if err == nil || n == tries || wait < 0 || ctx.Err() != nil {
			return a, err
		}
		if wait > maxWait {
			return a, stemma.WithHint(err, "the system wants to be left alone for %s: say the same command again then, it goes on where it is", wait.Round(time.Minute))
		}
		if x.c.Wait != nil {
			x.c.Wait(x.c.Now().Add(wait), err.Error())
		}
		if err := x.c.Sleep(ctx, wait); err != nil {
			return a, err
		}
	}
}

// once asks one time, the nth. If that fails, it says how long to wait before it may go
// better; less than nothing if it will not.
func (x *Client) once(ctx context.Context, path, etag string, n int) (a Answer, wait time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.base.String()+path, nil)
	if err != nil {
		return a, -1, fmt.Errorf("api: %.200q is no address", path)
	}
	for name, values := range x.c.Header {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "stemma")
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	resp, err := x.http.Do(r)
	if err != nil {
		return a, backoff(n), x.failed(path, err)
	}
	defer func() { _ = resp.Body.Close() }() // it is only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return a, backoff(n), x.failed(path, err)
	case len(body) > maxBody:
		return a, -1, fmt.Errorf("api: %s: the answer has more than %d bytes", bare(path), maxBody)
	case resp.StatusCode == http.StatusNotModified && etag != "":
		return Answer{ETag: etag, Unchanged: true}, 0, nil
	case resp.StatusCode != http.StatusOK:
		e := &StatusError{Code: resp.StatusCode, Path: bare(path), Message: x.said(body)}
		e.Limited = limited(resp, e.Message)
		return a, retry(resp, e.Limited, n, x.c.Now()), e
	}
	if string(bytes.TrimSpace(body)) == "null" { // as Gitea writes an empty list
		body = []byte("[]")
	}
	v, err := event.Parse(body)
	if err != nil {
		return a, -1, fmt.Errorf("api: %s: %w", bare(path), err)
	}
	return Answer{Value: v, ETag: resp.Header.Get("ETag"), Next: next(resp.Header)}, 0, nil
}

// failed tells of an error of the way there, without the address, which is long.
func (x *Client) failed(path string, err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	return fmt.Errorf("api: %s%s: %w", x.base.Host, bare(path), err)
}

// bare is a path without its query.
func bare(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// said is what a system says of an error, should it repeat the token without that.
func (x *Client) said(body []byte) string {
	v, err := event.Parse(body)
	if err != nil {
		return ""
	}
	text := event.First(v.At("message"), v.At("error_description"), v.At("error")).Text(200)
	for e := range v.At("errorMessages").Items() {
		text = e.Text(200)
	}
	if x.c.Secret != "" {
		text = strings.ReplaceAll(text, x.c.Secret, "…")
	}
	return text
}

// next finds the query of the next page in the header Link.
func next(h http.Header) string {
	for _, line := range h.Values("Link") {
		for part := range strings.SplitSeq(line, ",") {
			address, rest, ok := strings.Cut(strings.TrimSpace(part), ">")
			if !ok || !strings.Contains(strings.ReplaceAll(rest, `"`, ""), "rel=next") {
				continue
			}
			if u, err := url.Parse(strings.TrimPrefix(address, "<")); err == nil {
				return u.RawQuery
			}
		}
	}
	return ""
}

// limited reports whether an answer says that too much was asked. GitHub says so with the
// status of what is forbidden, and of its secondary limits in the message alone.
func limited(resp *http.Response, message string) bool {
	message = strings.ToLower(message)
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusForbidden &&
		(resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-Ratelimit-Remaining") == "0" ||
			strings.Contains(message, "rate limit") || strings.Contains(message, "abuse detection"))
}

// retry is how long to wait after an answer that is none: what it says itself, or longer
// every time; less than nothing if it stands.
func retry(resp *http.Response, limited bool, n int, now time.Time) time.Duration {
	after, told := told(resp.Header, now)
	switch code := resp.StatusCode; {
	case limited && !told:
		return time.Minute << (n - 1) // GitHub documents a minute as the least
	case limited, code == http.StatusServiceUnavailable && told:
		return after
	case code >= 500 && code != http.StatusNotImplemented, code == http.StatusRequestTimeout:
		return backoff(n)
	}
	return -1
}

// told is the wait that an answer names, as a number of seconds, a date, or the time at
// which a limit begins anew.
func told(h http.Header, now time.Time) (time.Duration, bool) {
	if s := h.Get("Retry-After"); s != "" {
		if n, err := strconv.ParseUint(s, 10, 20); err == nil {
			return time.Duration(n) * time.Second, true
		}
		if t, err := http.ParseTime(s); err == nil {
			return max(t.Sub(now), time.Second), true
		}
	}
	for _, prefix := range []string{"X-Ratelimit-", "Ratelimit-"} {
		if left := h.Get(prefix + "Remaining"); left != "" && left != "0" {
			continue // that limit is not the one that was met
		}
		if n, err := strconv.ParseInt(h.Get(prefix+"Reset"), 10, 64); err == nil && n > 1<<30 && n < 1<<36 {
			return max(time.Unix(n, 0).Sub(now), 0) + time.Second, true
		}
	}
	return 0, false
}

// backoff is the wait before the next try, longer every time.
func backoff(n int) time.Duration { return min(time.Second<<(n-1), time.Minute) }
