package server_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/server"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/vault"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var noon = time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open serves a store with one ticket on a loopback address.
func open(t *testing.T, log io.Writer) *server.Server { return openWith(t, log, "") }

// openWith is open with a token for notes.
func openWith(t *testing.T, log io.Writer, token string) *server.Server {
	t.Helper()
	return openAt(t, log, token, "127.0.0.1:0", func() time.Time { return noon })
}

// openAt is openWith on another address, and by another clock.
func openAt(t *testing.T, log io.Writer, token, addr string, clock func() time.Time) *server.Server {
	t.Helper()
	secret, err := vault.NewSpaceKey(make([]byte, 32))
	must(t, err)
	db := storagetest.SQLite(t)
	blobs, err := vault.Dir(t.TempDir())
	must(t, err)
	bodies, err := vault.Open(t.Context(), db, blobs, secret)
	must(t, err)
	random := rand.NewChaCha8([32]byte{7})
	key, err := seal.NewKey(random, "log.example/test")
	must(t, err)
	l, err := ledger.Open(t.Context(), db, ledger.Config{Signer: key, Now: clock, Rand: random})
	must(t, err)
	g, err := graph.Open(t.Context(), db, lineage.Specs())
	must(t, err)
	space, err := ingest.Open(t.Context(), ingest.Space{DB: db, Ledger: l, Graph: g, Vault: bodies}, secret)
	must(t, err)
	w := ingest.NewWriter(t.Context(), space, clock)
	must(t, w.Record(t.Context(), intent.Ticket{Tracker: "jira", Key: "PAY-17", Title: "Rounding"}, "test", stemma.GradeD))
	must(t, w.Close(t.Context()))
	s, err := server.New(t.Context(), server.Config{Space: space, Now: clock, Addr: addr, Log: slog.New(slog.NewTextHandler(log, nil)), NotesToken: token, RecordToken: token})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func ask(s http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "127.0.0.1:7171"
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestEachAddressAnswersAsItsOwn(t *testing.T) {
	s := open(t, io.Discard)
	for _, c := range []struct {
		path   string
		status int
		media  string
		has    string
	}{
		{"/", 200, "text/html", "Overview"},
		{"/healthz", 200, "text/plain", "ok"},
		{"/readyz", 200, "text/plain", "ok"},
		{"/checkpoint", 200, "text/plain", "log.example/test"},
		{"/tile/0/000.p/1", 200, "", ""},
		{"/tile/0/999", 404, "", ""},
		{"/api/v1/query/tickets?q=key:PAY-17", 200, "application/json", "ticket:jira/PAY-17"},
		{"/api/v1/query/tickets?q=moddel:x", 400, "application/json", "unknown field moddel"},
		{"/api/v1/query/tickets?filter=x", 400, "application/json", "there are q, from, limit"},
		{"/api/v1/query/tickets?q=a&q=b", 400, "application/json", "given twice"},
		{"/api/v1/query/tickets?from=-1", 400, "application/json", "from is a number of rows"},
		{"/api/v1/query/tickets?limit=all", 400, "application/json", "limit is a number of rows"},
		{"/api/v1/query/tickets?q=%zz", 400, "application/json", "not written as addresses are"},
		{"/api/v1/trace/ticket:jira/PAY-17?q=x", 400, "application/json", "there are direction"},
		{"/api/v1/query/nonsense", 404, "application/json", "no such kind"},
		{"/api/v1/trace/ticket:jira/PAY-17", 200, "application/json", `"start":"ticket:jira/PAY-17"`},
		{"/api/v1/trace/ticket:jira/PAY-17?direction=sideways", 400, "application/json", "no such direction"},
		{"/api/v1/trace/ticket:jira/NO-1", 404, "application/json", "nothing is known"},
		{"/api/v1/trace/nonsense", 400, "application/json", "error"},
		{"/api/v2/x", 404, "application/json", "no such address"},
		{"/nowhere", 404, "text/html", "There is no such page"},
	} {
		w := ask(s, http.MethodGet, c.path)
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), c.media) || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s: %d %s %.300s", c.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s lacks a security header", c.path)
		}
		if c.media == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s is no JSON", c.path)
		}
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	s := open(t, io.Discard)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "CONNECT"} {
		for _, path := range []string{"/", "/checkpoint", "/api/v1/query/changes", "/healthz"} {
			if w := ask(s, method, path); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s answers %d", method, path, w.Code)
			}
		}
	}
	if w := ask(s, http.MethodHead, "/"); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("HEAD / answers %d with %d bytes", w.Code, w.Body.Len())
	}
}

func TestForeignHostIsRefusedOnLoopback(t *testing.T) {
	s := open(t, io.Discard)
	for host, want := range map[string]int{
		"127.0.0.1:7171": 200, "localhost:7171": 200, "LOCALHOST": 200, "[::1]:7171": 200, "localhost.:80": 200,
		"evil.example": 421, "evil.example:7171": 421, "127.0.0.1.evil.example": 421, "": 421, "localhost.evil.example:7171": 421,
	} {
		if w := ask(s, http.MethodGet, "/healthz", "Host", host); w.Code != want {
			t.Errorf("host %q answers %d, want %d", host, w.Code, want)
		}
	}
}

// TestFormsAreTakenFromThisMachineOnly sends a decision about an incident that is not
// there: it gets that far, or not.
func TestFormsAreTakenFromThisMachineOnly(t *testing.T) {
	here, anywhere := open(t, io.Discard), openAt(t, io.Discard, "", "0.0.0.0:0", func() time.Time { return noon })
	for _, c := range []struct {
		name         string
		s            http.Handler
		path, origin string
		host         string
		status       int
	}{
		{"of its own page", here, "/incidents/pagerduty/P7", "same-origin", "127.0.0.1:7171", http.StatusNotFound},
		{"of another site", here, "/incidents/pagerduty/P7", "cross-site", "127.0.0.1:7171", http.StatusForbidden},
		{"by a name that changed its address", here, "/incidents/pagerduty/P7", "same-origin", "evil.example:7171", http.StatusMisdirectedRequest},
		{"about something else", here, "/changes/github.com/acme/pay%237", "same-origin", "127.0.0.1:7171", http.StatusMethodNotAllowed},
		{"to a server that others reach", anywhere, "/incidents/pagerduty/P7", "same-origin", "127.0.0.1:7171", http.StatusMethodNotAllowed},
		{"to replay there", anywhere, "/sources/replay", "same-origin", "127.0.0.1:7171", http.StatusMethodNotAllowed},
	} {
		form := "confirm=change%3Agithub.com%2Facme%2Fpay%231&name=Ann&mail=ann%40x.test"
		r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(form))
		r.Host = c.host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", c.origin)
		w := httptest.NewRecorder()
		c.s.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("a decision %s: %d, want %d: %.200s", c.name, w.Code, c.status, w.Body)
		}
	}
}

func TestQueriesAreNotLogged(t *testing.T) {
	var log strings.Builder
	s := open(t, &log)
	ask(s, http.MethodGet, "/changes?q=author:secret-name")
	if !strings.Contains(log.String(), "path=/changes") || !strings.Contains(log.String(), "status=200") || strings.Contains(log.String(), "secret-name") {
		t.Errorf("log: %s", log.String())
	}
}

func TestTextIsCompressedForWhoAsks(t *testing.T) {
	s := open(t, io.Discard)
	plain := ask(s, http.MethodGet, "/help").Body.String()
	w := ask(s, http.MethodGet, "/help", "Accept-Encoding", "gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Length") != "" {
		t.Fatalf("headers %v", w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	must(t, err)
	got, err := io.ReadAll(z)
	must(t, err)
	if string(got) != plain {
		t.Error("the compressed page is another one")
	}
}

func TestServeEndsWhenToldAndFinishesWhatItBegan(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "whole")
	})
	ctx, stop := context.WithCancel(t.Context())
	addr, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- server.Serve(ctx, "127.0.0.1:0", slow, nil, func(a string) { addr <- a }) }()
	got := make(chan string, 1)
	go func() {
		r, err := http.Get("http://" + <-addr)
		if err != nil {
			got <- err.Error()
			return
		}
		b, err := io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil {
			got <- err.Error()
			return
		}
		got <- string(b)
	}()
	<-begun
	stop()
	close(finish)
	if s := <-got; s != "whole" {
		t.Errorf("a request under way got %q", s)
	}
	must(t, <-ended)
}

func TestTakenAddressIsToldAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	err = server.Serve(t.Context(), l.Addr().String(), http.NotFoundHandler(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("the error is %v", err)
	}
}
