package otlp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/otlp"
)

// example is a request in the shape of the protocol's own example, with a span of the
// conventions for generative AI.
const example = `{"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
  "scopeSpans": [{
    "scope": {"name": "my.library", "version": "1.0.0", "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
    "spans": [{
      "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": "EEE19B7EC3C1B173",
      "name": "chat gpt-4o", "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1544712661000000000, "kind": 3, "flags": 257, "tomorrow": [{}],
      "attributes": [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.response.model", "value": {"stringValue": "gpt-4o-2024-11-20"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
        {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 7}},
        {"key": "gen_ai.response.finish_reasons", "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}}}
      ]
    }]
  }]
}]}`

func decode(tb testing.TB, media string, body []byte) *otlp.Batch {
	tb.Helper()
	b, err := otlp.Decode(media, body)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// packed is the example in the other encoding. The ids in it are those that the protocol's
// own encoding of JSON would have in base64.
func packed(tb testing.TB) []byte {
	tb.Helper()
	m := &tracepb.TracesData{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(example), m); err != nil {
		tb.Fatal(err)
	}
	s := m.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0]
	for _, id := range []struct {
		to   *[]byte
		text string
	}{{&s.TraceId, "5b8efff798038103d269b633813fc60c"}, {&s.SpanId, "eee19b7ec3c1b174"}, {&s.ParentSpanId, "eee19b7ec3c1b173"}} {
		b, err := hex.DecodeString(id.text)
		if err != nil {
			tb.Fatal(err)
		}
		*id.to = b
	}
	b, err := proto.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestBothEncodingsSayTheSame(t *testing.T) {
	at := time.Unix(1544712660, 0)
	want := &otlp.Batch{Spans: []otlp.Span{{
		Trace: "5b8efff798038103d269b633813fc60c", ID: "eee19b7ec3c1b174", Parent: "eee19b7ec3c1b173",
		Kind: otlp.Model, Start: stemma.At(at), End: stemma.At(at.Add(time.Second)), Harness: "my.service",
		Model: "gpt-4o-2024-11-20", Tokens: run.Tokens{In: 12, Out: 7},
	}}}
	for media, body := range map[string][]byte{otlp.JSON: []byte(example), otlp.Protobuf: packed(t)} {
		if diff := cmp.Diff(want, decode(t, media, body)); diff != "" {
			t.Errorf("%s: %s", media, diff)
		}
	}
}

// kv are attributes of names and values: texts, numbers, truths.
func kv(has ...any) (list []*commonpb.KeyValue) {
	for i := 0; i < len(has); i += 2 {
		list = append(list, &commonpb.KeyValue{Key: has[i].(string), Value: value(has[i+1])})
	}
	return list
}

func value(v any) *commonpb.AnyValue {
	switch v := v.(type) {
	case string:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: v}}
	case int:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(v)}}
	case float64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v}}
	case bool:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: v}}
	case []any:
		list := &commonpb.ArrayValue{}
		for _, e := range v {
			list.Values = append(list.Values, value(e))
		}
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: list}}
	case []*commonpb.KeyValue:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: &commonpb.KeyValueList{Values: v}}}
	}
	panic(fmt.Sprintf("%T", v))
}

// request is one in protobuf with those spans, which get ids where they have none.
func request(tb testing.TB, spans ...*tracepb.Span) []byte {
	tb.Helper()
	for i, s := range spans {
		if s.TraceId == nil {
			s.TraceId = bytes.Repeat([]byte{1}, 16)
		}
		if s.SpanId == nil {
			s.SpanId = bytes.Repeat([]byte{byte(i + 1)}, 8)
		}
	}
	b, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: kv("service.name", "claude-code", "service.version", "2.1", "session.id", "window", "vcs.repository.url.full", "git@github.com:acme/pay.git")},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}},
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func read(tb testing.TB, s *tracepb.Span) otlp.Span {
	tb.Helper()
	b := decode(tb, otlp.Protobuf, request(tb, s))
	if len(b.Spans) != 1 {
		tb.Fatalf("%+v", b)
	}
	return b.Spans[0]
}

func TestOldAndNewNamesSayTheSame(t *testing.T) {
	for _, c := range []struct {
		about  string
		has    []any
		kind   string
		tokens run.Tokens
	}{
		{"new", []any{"gen_ai.operation.name", "chat", "gen_ai.provider.name", "anthropic", "gen_ai.usage.input_tokens", 30, "gen_ai.usage.output_tokens", 5, "gen_ai.usage.cache_read.input_tokens", 8, "gen_ai.usage.cache_creation.input_tokens", 2}, otlp.Model, run.Tokens{In: 20, Out: 5, CacheRead: 8, CacheWrite: 2}},
		{"old", []any{"gen_ai.system", "anthropic", "gen_ai.usage.prompt_tokens", 30, "gen_ai.usage.completion_tokens", 5, "gen_ai.usage.cache_read_input_tokens", 8}, otlp.Model, run.Tokens{In: 22, Out: 5, CacheRead: 8}},
		{"older, of a library", []any{"llm.request.type", "chat", "gen_ai.system", "OpenAI", "gen_ai.usage.prompt_tokens", 3.0}, otlp.Model, run.Tokens{In: 3}},
		{"not by the conventions", []any{"gen_ai.operation.name", "chat", "gen_ai.usage.input_tokens", "3", "gen_ai.usage.cache_read.input_tokens", 8}, otlp.Model, run.Tokens{In: 3, CacheRead: 8}},
		{"absurd", []any{"gen_ai.operation.name", "chat", "gen_ai.usage.input_tokens", -3, "gen_ai.usage.output_tokens", 1e300}, otlp.Model, run.Tokens{Out: 1 << 40}},
		{"an agent", []any{"gen_ai.operation.name", "invoke_agent"}, otlp.Agent, run.Tokens{}},
		{"a workflow", []any{"gen_ai.operation.name", "invoke_workflow"}, otlp.Agent, run.Tokens{}},
		{"an agent of a library", []any{"traceloop.span.kind", "agent"}, otlp.Agent, run.Tokens{}},
		{"a tool", []any{"gen_ai.operation.name", "execute_tool", "gen_ai.tool.name", "grep"}, otlp.Tool, run.Tokens{}},
		{"one that is made", []any{"gen_ai.operation.name", "create_agent"}, "", run.Tokens{}},
		{"another thing", []any{"http.request.method", "GET"}, "", run.Tokens{}},
	} {
		s := read(t, &tracepb.Span{Attributes: kv(c.has...)})
		if s.Kind != c.kind || s.Tokens != c.tokens {
			t.Errorf("%s: %q %+v, want %q %+v", c.about, s.Kind, s.Tokens, c.kind, c.tokens)
		}
	}
}

// TestThreadsOfAProcessAreNoConversation: most senders number them so.
func TestThreadsOfAProcessAreNoConversation(t *testing.T) {
	s := read(t, &tracepb.Span{Attributes: kv("gen_ai.operation.name", "chat", "thread.id", 7)})
	if s.Conversation != "" || s.Process != "window" || s.Repository != "repository:github.com/acme/pay" {
		t.Errorf("%+v", s)
	}
}

func TestWhatWasSaidIsReadInEveryForm(t *testing.T) {
	event := func(name string, has ...any) *tracepb.Span_Event {
		return &tracepb.Span_Event{Name: name, Attributes: kv(has...)}
	}
	parts := func(role, text string) any {
		return kv("role", role, "parts", []any{kv("type", "reasoning", "content", "hm"), kv("type", "text", "content", text)})
	}
	for _, c := range []struct {
		about  string
		has    []any
		events []*tracepb.Span_Event
	}{
		{"values", []any{"gen_ai.input.messages", []any{parts("user", "before"), parts("assistant", "so"), parts("user", "do it")}, "gen_ai.output.messages", []any{parts("assistant", "done")}}, nil},
		{"JSON", []any{"gen_ai.input.messages", `[{"role":"system","content":"be good"},{"role":"user","content":[{"type":"text","text":"do it"}]}]`, "gen_ai.output.messages", `[{"role":"assistant","parts":[{"type":"text","content":"done"},{"type":"tool_call","name":"x"}]}]`}, nil},
		{"bare text", []any{"gen_ai.prompt", "do it", "gen_ai.completion", "done"}, nil},
		{"an attribute each", []any{"gen_ai.prompt.0.role", "system", "gen_ai.prompt.0.content", "be good", "gen_ai.prompt.1.role", "user", "gen_ai.prompt.1.content", "do it", "gen_ai.completion.0.content", "done"}, nil},
		{"events of before", nil, []*tracepb.Span_Event{event("gen_ai.content.prompt", "gen_ai.prompt", `[{"role":"user","content":"do it"}]`), event("gen_ai.content.completion", "gen_ai.completion", `[{"role":"assistant","content":"done"}]`)}},
		{"events", nil, []*tracepb.Span_Event{event("gen_ai.system.message", "content", "be good"), event("gen_ai.user.message", "content", "do it"), event("gen_ai.assistant.message", "content", "before"), event("gen_ai.choice", "message", `{"role":"assistant","content":"done"}`)}},
		{"an event for all", nil, []*tracepb.Span_Event{event("gen_ai.client.inference.operation.details", "gen_ai.input.messages", []any{parts("user", "do it")}, "gen_ai.output.messages", []any{parts("assistant", "done")})}},
	} {
		s := read(t, &tracepb.Span{Attributes: kv(append([]any{"gen_ai.operation.name", "chat"}, c.has...)...), Events: c.events})
		if s.Asked != "do it" || s.Answered != "done" {
			t.Errorf("%s: %q, %q", c.about, s.Asked, s.Answered)
		}
	}
	if s := read(t, &tracepb.Span{Name: "claude_code.interaction", Attributes: kv("user_prompt", "<REDACTED>")}); s.Asked != "" {
		t.Errorf("%q", s.Asked)
	}
}

func TestNoSecretAndNoAccountIsInASpan(t *testing.T) {
	const secret = "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
	s := read(t, &tracepb.Span{Attributes: kv(
		"gen_ai.operation.name", "execute_tool", "gen_ai.tool.name", "run "+secret, "gen_ai.agent.name", secret, "gen_ai.conversation.id", secret,
		"vcs.ref.head.name", secret, "gen_ai.tool.call.arguments", `{"file_path": "/home/ada/pay/`+secret+`/a.go"}`, "gen_ai.prompt", secret,
	)})
	if text := fmt.Sprintf("%+v", s); strings.Contains(text, secret) || strings.Contains(text, "/home/ada") {
		t.Error(text)
	}
	if len(s.Paths) != 1 || !strings.HasPrefix(s.Paths[0], "~/pay/") {
		t.Errorf("%q", s.Paths)
	}
}

func TestSpansThatCannotBeUsedAreCounted(t *testing.T) {
	nested := `{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"key": "k", "value": ` + strings.Repeat(`{"arrayValue": {"values": [`, 100) + `{}` + strings.Repeat(`]}}`, 100) + `}]}]}]}]}`
	b := decode(t, otlp.Protobuf, request(t, &tracepb.Span{TraceId: []byte{1}}, &tracepb.Span{SpanId: make([]byte, 8)}, &tracepb.Span{Name: strings.Repeat("x", 1<<20)},
		&tracepb.Span{Attributes: []*commonpb.KeyValue{{Key: "k", Value: deep(100)}}}, &tracepb.Span{}))
	if len(b.Spans) != 1 || b.Rejected != 4 || b.Why == "" {
		t.Errorf("%d spans, %d rejected: %s", len(b.Spans), b.Rejected, b.Why)
	}
	b = decode(t, otlp.JSON, []byte(`{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "not hexadecimal", "spanId": "AAAAAAAAAAA="}, {}]}]}]}`))
	if len(b.Spans) != 0 || b.Rejected != 2 {
		t.Errorf("%+v", b)
	}
	if b = decode(t, otlp.JSON, []byte(nested)); b.Rejected != 1 {
		t.Errorf("%+v", b)
	}
}

// deep is a value in a value, so many times.
func deep(n int) *commonpb.AnyValue {
	v := value("x")
	for range n {
		v = &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: []*commonpb.AnyValue{v}}}}
	}
	return v
}

func TestWhatIsNoRequestIsRefusedWithItsReason(t *testing.T) {
	many := bytes.Repeat([]byte{0x12, 0x00}, otlp.MaxSpans+1) // empty spans
	many = protowire.AppendBytes([]byte{0x12}, many)          // of a scope
	many = protowire.AppendBytes([]byte{0x0a}, many)          // of a resource
	for about, c := range map[string]struct {
		media, why string
		body       []byte
	}{
		"cut short":           {otlp.Protobuf, "no message", packed(t)[:40]},
		"JSON cut short":      {otlp.JSON, "it is", []byte(example[:400])},
		"another encoding":    {"text/plain", "no encoding", nil},
		"too many spans":      {otlp.Protobuf, "more than 20000 spans", many},
		"too long":            {otlp.JSON, "more than", make([]byte, otlp.MaxBody+1)},
		"a resource too long": {otlp.JSON, "a resource has", []byte(`{"resourceSpans": [{"resource": {"x": "` + strings.Repeat("x", 1<<20) + `"}}]}`)},
	} {
		_, err := otlp.Decode(c.media, c.body)
		var bad *otlp.BadError
		if !errors.As(err, &bad) || !strings.Contains(bad.Why, c.why) {
			t.Errorf("%s: %v, want %s", about, err, c.why)
		}
	}
	if b := decode(t, otlp.Protobuf, nil); len(b.Spans) != 0 { // an empty request is one
		t.Errorf("%+v", b)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(true, []byte(example))
	f.Add(false, packed(f))
	f.Add(false, request(f, &tracepb.Span{Name: "claude_code.tool", Attributes: kv("tool_name", "Bash", "gen_ai.prompt.0.content", `[{"text":"x"}]`)}))
	f.Fuzz(func(t *testing.T, json bool, body []byte) {
		media := otlp.Protobuf
		if json {
			media = otlp.JSON
		}
		b, err := otlp.Decode(media, body)
		if err != nil {
			return
		}
		for _, s := range b.Spans {
			if len(s.Trace) != 32 || len(s.ID) != 16 || len(s.Asked) > 80<<10 || s.Parent == s.ID {
				t.Errorf("%+v", s)
			}
		}
	})
}
