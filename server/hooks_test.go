package server_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest/hooks"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/server"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const hookSecret = "a secret of sixteen bytes and more"

// A receiver is a server that takes webhooks of two sources.
type receiver struct {
	*server.Server
	box   *inbox.Inbox
	hooks *hooks.Hooks
	told  func() string
}

func receive(t *testing.T, log io.Writer, clock func() time.Time) *receiver {
	t.Helper()
	space := ingesttest.Must(t, storagetest.SQLite(t), clock)
	box, err := inbox.Open(t.Context(), space.DB, clock)
	must(t, err)
	h, err := hooks.Open(t.Context(), hooks.Config{Space: space, Inbox: box, Now: clock, Holder: "test", Endpoints: []hooks.Endpoint{
		{Name: "github", System: "github", Secrets: [][]byte{[]byte(hookSecret)}},
		{Name: "our-gitlab", System: "gitlab", Secrets: [][]byte{[]byte(hookSecret)}},
	}})
	must(t, err)
	s, err := server.New(t.Context(), server.Config{
		Space: space, Now: clock, Addr: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(log, nil)), Hooks: h, Inbox: box,
	})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return &receiver{s, box, h, func() string { return ingesttest.Told(t, space) }}
}

func mac(body string) string {
	h := hmac.New(sha256.New, []byte(hookSecret))
	h.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

// hook is a request as GitHub sends it, changed by pairs of headers.
func hook(path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Host = "stemma.acme.example" // whatever its name is for others
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "issues")
	r.Header.Set("X-GitHub-Delivery", "d-1")
	r.Header.Set("X-Hub-Signature-256", mac(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

const issue = `{"action":"opened","repository":{"html_url":"https://github.com/acme/pay"},"issue":{"number":7,"title":"A <script>"}}`

func TestWebhooksAreAnsweredByWhatBecomesOfThem(t *testing.T) {
	var log bytes.Buffer
	s := receive(t, &log, func() time.Time { return noon })
	large := `"` + strings.Repeat("x", hooks.MaxBody) + `"`
	for _, c := range []struct {
		about  string
		r      *http.Request
		status int
		answer string
	}{
		{"fresh", hook("/hooks/github", issue), 202, `"repeated":false`},
		{"again", hook("/hooks/github", issue), 202, `"repeated":true`},
		{"without a name", hook("/hooks/github", issue, "X-GitHub-Delivery", ""), 202, `"repeated":false`},
		{"without a name, again", hook("/hooks/github", issue, "X-GitHub-Delivery", ""), 202, `"repeated":true`},
		{"by token", hook("/hooks/our-gitlab", `{"object_kind":"wiki"}`, "X-Gitlab-Token", hookSecret), 202, `"id"`},
		{"unsigned", hook("/hooks/github", issue, "X-Hub-Signature-256", ""), 401, "not signed"},
		{"another secret", hook("/hooks/github", issue, "X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64)), 401, "secret"},
		{"cut short", hook("/hooks/github", issue, "X-Hub-Signature-256", mac(issue)[:40]), 401, "secret"},
		{"changed", hook("/hooks/github", issue+" ", "X-Hub-Signature-256", mac(issue)), 401, "secret"},
		{"unknown", hook("/hooks/bitbucket", issue), 404, "nothing is received"},
		{"deeper", hook("/hooks/github/x", issue), 404, "nothing is received"},
		{"with a slash at the end", hook("/hooks/github/", issue), 404, "nothing is received"},
		{"a form", hook("/hooks/github", issue, "Content-Type", "application/x-www-form-urlencoded"), 415, "application/json"},
		{"packed", hook("/hooks/github", issue, "Content-Encoding", "gzip"), 415, "not packed"},
		{"no JSON", hook("/hooks/github", "payload={}"), 400, "no JSON"},
		{"deep", hook("/hooks/github", strings.Repeat("[", 100000)), 400, "no JSON"},
		{"empty", hook("/hooks/github", ""), 400, "no JSON"},
		{"too large", hook("/hooks/github", large), 413, "26214400 bytes"},
		{"another method", httptest.NewRequest(http.MethodGet, "/hooks/github", nil), 405, "POST"},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, c.r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %.300s, want %d %s", c.about, w.Code, w.Body, c.status, c.answer)
		}
		if strings.Contains(w.Body.String(), hookSecret) {
			t.Errorf("%s: the answer holds the secret: %s", c.about, w.Body)
		}
	}
	must(t, s.hooks.Flush(t.Context()))
	health, err := s.box.Health(t.Context())
	must(t, err)
	if health[0].Accepted != 2 || health[0].Repeated != 2 || health[0].Turned != 10 || health[1].Accepted != 1 {
		t.Errorf("%+v", health)
	}
	if strings.Contains(log.String(), hookSecret) || strings.Contains(log.String(), mac(issue)) {
		t.Error("the log holds a secret or a signature")
	}
	_, err = s.hooks.Settle(t.Context())
	must(t, err)
	if told := s.told(); !strings.Contains(told, "ticket:github.com/acme/pay#7") {
		t.Errorf("the graph says\n%s", told)
	}
	page := ask(s, http.MethodGet, "/sources").Body.String()
	for _, want := range []string{"our-gitlab", "Turned away", "is not signed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the sources does not say %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, hookSecret) {
		t.Error("the page of the sources holds what it must not")
	}
}

func TestReasonsAreEscapedOnThePage(t *testing.T) {
	s := receive(t, io.Discard, func() time.Time { return noon })
	r := hook("/hooks/github", issue, "X-GitHub-Event", "<script>alert(1)</script>", "X-Hub-Signature-256", "")
	s.ServeHTTP(httptest.NewRecorder(), r)
	must(t, s.hooks.Flush(t.Context()))
	page := ask(s, http.MethodGet, "/sources").Body.String()
	if strings.Contains(page, "<script>alert") || !strings.Contains(page, "alert(1)") {
		t.Error("what a stranger sent is not shown as text")
	}
}

func TestSenderThatIsTooSlowIsCut(t *testing.T) {
	// The clock of this server is slow, so that deadlines come soon.
	s := receive(t, io.Discard, func() time.Time { return time.Now().Add(-14 * time.Second) })
	ctx, stop := context.WithCancel(t.Context())
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Serve(ctx, "127.0.0.1:0", handlerOnly{s}, nil, func(a string) { address <- a })
	}()
	c, err := net.Dial("tcp", <-address)
	must(t, err)
	_, err = fmt.Fprintf(c, "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	must(t, err)
	must(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	got, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(got), "408") {
		t.Errorf("%s, %v", got, err)
	}
	stop()
	must(t, <-ended)
}

// handlerOnly hides that a server can be closed.
type handlerOnly struct{ http.Handler }

func TestManyLargeDeliveriesAtOnceAreBounded(t *testing.T) {
	s := receive(t, io.Discard, func() time.Time { return noon })
	body := `{"x":"` + strings.Repeat("y", 20<<20) + `"}`
	var wg sync.WaitGroup
	codes := make(chan int, 30)
	for i := range cap(codes) {
		wg.Go(func() {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, hook("/hooks/github", body, "X-GitHub-Delivery", fmt.Sprint(i), "X-Hub-Signature-256", "sha256=00"))
			codes <- w.Code
		})
	}
	wg.Wait()
	close(codes)
	for code := range codes {
		if code != http.StatusUnauthorized && code != http.StatusServiceUnavailable {
			t.Errorf("answered %d", code)
		}
	}
}

func TestWhoAnnouncesMuchAndSendsLittleHoldsUpNobody(t *testing.T) {
	s := receive(t, io.Discard, func() time.Time { return noon })
	var wg sync.WaitGroup
	var senders []*io.PipeWriter
	for i := range 40 {
		from, to := io.Pipe()
		senders = append(senders, to)
		r := hook("/hooks/github", "", "X-GitHub-Delivery", fmt.Sprint("slow-", i))
		r.Body, r.ContentLength = from, hooks.MaxBody
		wg.Go(func() { s.ServeHTTP(httptest.NewRecorder(), r) })
		_, err := to.Write([]byte("{")) // it is being read
		must(t, err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, hook("/hooks/github", `{"zen":"now"}`, "X-GitHub-Event", "ping"))
	if w.Code != http.StatusAccepted {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	for _, to := range senders {
		must(t, to.CloseWithError(io.ErrUnexpectedEOF))
	}
	wg.Wait()
}

func TestLargestDeliveryIsKept(t *testing.T) {
	s := receive(t, io.Discard, func() time.Time { return noon })
	body := `{"repository":{"html_url":"https://github.com/acme/pay"},"ref":"refs/heads/main","before":"` + strings.Repeat("a", 40) + `","after":"` + strings.Repeat("b", 40) + `","pad":"`
	body += strings.Repeat("x", hooks.MaxBody-len(body)-2) + `"}`
	w := httptest.NewRecorder()
	s.ServeHTTP(w, hook("/hooks/github", body, "X-GitHub-Event", "push"))
	_, err := s.hooks.Settle(t.Context())
	must(t, err)
	if told := s.told(); len(body) != hooks.MaxBody || w.Code != http.StatusAccepted || !strings.Contains(told, "push:github.com/acme/pay:") {
		t.Errorf("%d bytes: %d %s", len(body), w.Code, w.Body)
	}
}
