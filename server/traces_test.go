package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/stemma-dev/stemma/ingest/otlp"
)

// zipped is a text as gzip packs it.
func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	must(t, err)
	must(t, z.Close())
	return b.String()
}

const traces = "/v1/traces"

const oneSpan = `{"resourceSpans": [{"scopeSpans": [{"spans": [
	{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "x"}, {"traceId": "00"}]}]}]}`

// TestAnExporterOfOpenTelemetryIsServed: the one that programs in Go use, packed and not.
// It takes its spans for delivered, and they become a session.
func TestAnExporterOfOpenTelemetryIsServed(t *testing.T) {
	var passed atomic.Int64
	s := openAt(t, io.Discard, token, "127.0.0.1:0", func() time.Time { return noon.Add(time.Duration(passed.Load())) })
	web := httptest.NewServer(s)
	defer web.Close()
	for _, packing := range []otlptracehttp.Compression{otlptracehttp.NoCompression, otlptracehttp.GzipCompression} {
		exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(web.URL+traces), otlptracehttp.WithCompression(packing),
			otlptracehttp.WithHeaders(map[string]string{"Authorization": "Bearer " + token}))
		must(t, err)
		provider := trace.NewTracerProvider(trace.WithSyncer(exporter), trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "claude-code"))))
		_, span := provider.Tracer("test").Start(t.Context(), "claude_code.interaction")
		span.SetAttributes(attribute.String("session.id", "5c1e"))
		span.End()
		must(t, provider.Shutdown(t.Context()))
	}
	status := 0
	for range 400 {
		w := ask(s, "GET", "/api/v1/query/sessions?q=prompts:2")
		if status = w.Code; strings.Contains(w.Body.String(), "claude-code/5c1e") {
			return
		}
		passed.Add(int64(time.Second)) // until the traces are quiet
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the session is not there: %d", status)
}

func TestTracesAreAnsweredAsTheProtocolHasIt(t *testing.T) {
	log := &bytes.Buffer{}
	s := openWith(t, log, token)
	huge := zipped(t, strings.Repeat(" ", otlp.MaxBody+1))
	for _, c := range []struct {
		about, method, body string
		status              int
		answer              string
		header              []string
	}{
		{"all is well", "POST", `{"resourceSpans": []}`, 200, `{}`, nil},
		{"some is not", "POST", oneSpan, 200, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"a span has no id`, nil},
		{"packed", "POST", zipped(t, oneSpan), 200, `"rejectedSpans":"1"`, []string{"Content-Encoding", "gzip"}},
		{"in protobuf", "POST", "", 200, "", []string{"Content-Type", otlp.Protobuf}},
		{"with a charset", "POST", "{}", 200, "{}", []string{"Content-Type", "application/json; charset=utf-8"}},
		{"no request", "POST", "{", 400, `{"message":"the request cannot be read`, nil},
		{"no protobuf", "POST", "\xff", 400, "\x12", []string{"Content-Type", otlp.Protobuf}},
		{"not packed", "POST", oneSpan, 400, "not packed with gzip", []string{"Content-Encoding", "gzip"}},
		{"no token", "POST", "{}", 401, "the token for reports is missing", []string{"Authorization", ""}},
		{"another token", "POST", "{}", 401, "the token for reports is missing", []string{"Authorization", "Bearer other-other-other"}},
		{"a page", "POST", "{}", 403, "not for pages", []string{"Origin", "https://evil.example.com"}},
		{"a reader", "GET", "", 405, "POST", nil},
		{"too long", "POST", strings.Repeat(" ", otlp.MaxBody+1), 413, "may have", nil},
		{"a bomb", "POST", huge, 413, "unpacked", []string{"Content-Encoding", "gzip"}},
		{"a form", "POST", "{}", 415, "traces are sent as", []string{"Content-Type", "text/plain"}},
		{"packed otherwise", "POST", "{}", 415, "gzip can", []string{"Content-Encoding", "zstd"}},
	} {
		w := report(s, c.method, traces, c.body, c.header...)
		media := w.Header().Get("Content-Type")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) || media != otlp.JSON && media != otlp.Protobuf {
			t.Errorf("%s: %d %s %.300s, want %d %s", c.about, w.Code, media, w.Body, c.status, c.answer)
		}
	}
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), "other-other") {
		t.Errorf("a token is in the log: %s", log)
	}
	if w := report(open(t, io.Discard), "POST", traces, "{}"); w.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", w.Code)
	}
}
