package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/reported"
)

// report sends a request as stemma record does.
func report(s http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	return send(s, method, path, body, append([]string{"X-API-Key", "", "Authorization", "Bearer " + token, "Host", "stemma.example.com"}, header...)...)
}

func snapshot(t *testing.T) (key, body string) {
	t.Helper()
	e := reported.Envelope{Kind: reported.KindSnapshot, At: stemma.At(noon), Method: reported.MethodDeclared, Snapshot: &reported.Snapshot{
		Environment: "prod", Format: "digests", Running: []deployment.Running{{Name: "stranger", Artifact: stemma.Ref("artifact:sha256/" + strings.Repeat("ab", 32))}},
	}}
	b, err := e.Seal()
	must(t, err)
	return e.Key, string(b)
}

// TestReportsOfPipelinesBecomeFacts: accepted at once, durable, once whatever comes
// again, and what became of one can be asked.
func TestReportsOfPipelinesBecomeFacts(t *testing.T) {
	s := openWith(t, io.Discard, token)
	key, body := snapshot(t)
	for _, repeated := range []string{"false", "true"} {
		if w := report(s, "POST", "/api/v1/records", body); w.Code != 202 || strings.TrimSpace(w.Body.String()) != `{"key":"`+key+`","repeated":`+repeated+`}` {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	var told struct {
		State    string
		Snapshot deployment.Snapshot
	}
	for range 200 {
		w := report(s, "GET", "/api/v1/records/"+key+"?environment=prod", "")
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &told))
		if told.State == "done" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if told.State != "done" || told.Snapshot.Unexplained != 1 || len(told.Snapshot.Running) != 1 || told.Snapshot.Running[0].Why == "" {
		t.Errorf("%+v", told)
	}
	if w := ask(s, "GET", "/api/v1/trace/environment:prod"); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestWhoMayNotReportIsToldWhy(t *testing.T) {
	log := &bytes.Buffer{}
	s := openWith(t, log, token)
	key, body := snapshot(t)
	for _, c := range []struct {
		about, method, path, body string
		status                    int
		answer                    string
		header                    []string
	}{
		{"no token", "POST", "/api/v1/records", body, 401, "the token for reports is missing", []string{"Authorization", ""}},
		{"another token", "POST", "/api/v1/records", body, 401, "the token for reports is missing", []string{"Authorization", "Bearer other-other-other"}},
		{"the beginning of it", "POST", "/api/v1/records", body, 401, "the token for reports is missing", []string{"Authorization", "Bearer " + token[:15]}},
		{"a page", "POST", "/api/v1/records", body, 403, "not for pages", []string{"Origin", "https://evil.example.com"}},
		{"a reader", "GET", "/api/v1/records", "", 405, "POST", nil},
		{"a writer", "POST", "/api/v1/records/" + key, body, 405, "GET", nil},
		{"a form", "POST", "/api/v1/records", body, 415, "a report is JSON", []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"no type", "POST", "/api/v1/records", body, 415, "a report is JSON", []string{"Content-Type", ""}},
		{"packed", "POST", "/api/v1/records", body, 415, "not packed", []string{"Content-Encoding", "gzip"}},
		{"cut short", "POST", "/api/v1/records", body[:len(body)-1], 400, "not JSON", nil},
		{"of tomorrow", "POST", "/api/v1/records", `{"v":2}`, 400, "its version is not 1", nil},
		{"too long", "POST", "/api/v1/records", strings.Repeat(" ", reported.MaxEnvelope+1), 413, "may have", nil},
		{"unknown", "GET", "/api/v1/records/nobody", "", 404, "nothing is known", nil},
		{"odd question", "GET", "/api/v1/records/" + key + "?x=1", "", 400, "x", nil},
	} {
		w := report(s, c.method, c.path, c.body, c.header...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %s, want %d %s", c.about, w.Code, w.Body, c.status, c.answer)
		}
	}
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), "other-other") {
		t.Errorf("a token is in the log: %s", log)
	}
	if w := report(open(t, io.Discard), "POST", "/api/v1/records", body); w.Code != 401 || !strings.Contains(w.Body.String(), "has no token") {
		t.Errorf("without a token: %d %s", w.Code, w.Body)
	}
}
