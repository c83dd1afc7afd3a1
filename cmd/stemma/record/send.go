package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/outbox"
)

const (
	maxToken  = 4 << 10
	maxAnswer = 8 << 20
	// patience is how long a build waits for the server in one call.
	patience = 20 * time.Second
)

// A sender sends reports to one server.
type sender struct {
	base  *url.URL
	name  string // what people call the server: its address
	token string
	mute  error // why there is no token: pipelines of forks have none, and must not fail
	http  *http.Client
}

// open checks where to send and with which token. A token is in no message of it.
func (o *options) open() (*sender, error) {
	u, err := url.Parse(o.url)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, program.Usage(nil, stemma.WithHint(errors.New("record: the address of the server is not one"), "write --url or STEMMA_URL as https://stemma.example.com, without names and secrets in it"))
	}
	if u.Scheme == "http" && !local(u.Hostname()) && !o.insecure {
		return nil, program.Usage(nil, stemma.WithHint(fmt.Errorf("record: the token would go to %s over http, where others can read it", u.Host), "use https, or --insecure in a network that is yours"))
	}
	s := &sender{base: u, name: u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/")}
	s.token, s.mute = o.token()
	s.http = &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for one address
	}
	return s, nil
}

// local reports whether a host is this machine.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// token is what STEMMA_TOKEN says, or a file that is named.
func (o *options) token() (string, error) {
	if token := strings.TrimSpace(os.Getenv("STEMMA_TOKEN")); token != "" {
		return token, nil
	}
	if o.tokenFile == "" {
		return "", errors.New("there is no token for it: set STEMMA_TOKEN, or STEMMA_TOKEN_FILE or --token-file to a file that holds it")
	}
	f, err := os.Open(o.tokenFile)
	if err != nil {
		return "", fmt.Errorf("the token for it cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // it is only read
	b, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if token := strings.TrimSpace(string(b)); err == nil && token != "" && len(b) <= maxToken && !strings.ContainsAny(token, "\n\r") {
		return token, nil
	}
	return "", fmt.Errorf("the token for it cannot be read: %s is empty, or too long, or has several lines", o.tokenFile)
}

// box is where reports wait for the server: in the git directory, which all work trees of
// a repository share, or in the cache of this account.
func (s *sender) box(a *program.App) *outbox.Outbox {
	dir := ""
	if place, in := workTree(); in {
		dir = filepath.Join(place.Common, "stemma", "outbox")
	} else if cache, err := os.UserCacheDir(); err == nil {
		dir = filepath.Join(cache, "stemma", "outbox")
	} else {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("stemma-outbox-%d", os.Getuid()))
	}
	return outbox.Open(dir, s.name, a.Now)
}

// do asks the server and returns the status and the beginning of the answer.
func (s *sender) do(ctx context.Context, method, path string, query url.Values, body []byte) (int, []byte, error) {
	if s.mute != nil {
		return 0, nil, s.mute
	}
	at := s.base.JoinPath(path)
	at.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("User-Agent", "stemma-record")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := s.http.Do(r)
	if err != nil {
		var about *url.Error
		if errors.As(err, &about) {
			err = about.Err // the address is said already
		}
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }() // what is needed was read
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, b, err
}

// post sends one report. What the server will never take is an outbox.RefusedError;
// any other error may be over the next time.
func (s *sender) post(ctx context.Context, raw []byte) error {
	status, b, err := s.do(ctx, http.MethodPost, "/api/v1/records", nil, raw)
	switch {
	case err != nil:
		return err
	case status == http.StatusAccepted:
		return nil
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnsupportedMediaType, status == http.StatusUnprocessableEntity:
		return &outbox.RefusedError{Why: said(status, b)}
	}
	return errors.New(said(status, b))
}

// said is what an answer says in words.
func said(status int, b []byte) string {
	var body struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(b, &body) == nil && body.Error != "" {
		return stemma.CleanText(body.Error, 300)
	}
	return fmt.Sprintf("it answered %d %s", status, http.StatusText(status))
}
