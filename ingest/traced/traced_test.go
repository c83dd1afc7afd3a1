package traced_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/otlp"
	"github.com/stemma-dev/stemma/ingest/traced"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

const (
	traceID = "5b8efff798038103d269b633813fc60c"
	copilot = "copilot-chat"
)

// A span is one as a sender writes it, in JSON.
type span struct {
	service, trace, id, parent, name string
	second                           int
	failed                           bool
	has                              map[string]any
}

type object = map[string]any

// request is one with those spans.
func request(tb testing.TB, list ...span) []byte {
	tb.Helper()
	var resources []any
	for _, s := range list {
		at := func(second int) string { return fmt.Sprint(start.Add(time.Duration(second) * time.Second).UnixNano()) }
		trace := s.trace
		if trace == "" {
			trace = traceID
		}
		raw := object{"traceId": trace, "spanId": id(s.id), "name": s.name, "startTimeUnixNano": at(s.second), "endTimeUnixNano": at(s.second + 1), "attributes": attributes(s.has)}
		if s.parent != "" {
			raw["parentSpanId"] = id(s.parent)
		}
		if s.failed {
			raw["status"] = object{"code": 2}
		}
		resources = append(resources, object{
			"resource":   object{"attributes": attributes(object{"service.name": s.service, "service.version": "1.2", "session.id": "window-1"})},
			"scopeSpans": []any{object{"spans": []any{raw}}},
		})
	}
	b, err := json.Marshal(object{"resourceSpans": resources})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// id makes the id of a span of a short name.
func id(name string) string { return fmt.Sprintf("%016x", "\x00"+name)[:16] }

func attributes(m object) (list []any) {
	for name, v := range m {
		value := object{"stringValue": v}
		if n, ok := v.(int); ok {
			value = object{"intValue": fmt.Sprint(n)}
		}
		list = append(list, object{"key": name, "value": value})
	}
	return list
}

// A house is a space to which traces are sent, with a clock that can be moved.
type house struct {
	testing.TB
	space  *ingest.Space
	traces *traced.Traces
	now    time.Time
}

func open(tb testing.TB, db *storage.DB) *house {
	tb.Helper()
	h := &house{TB: tb, now: start}
	clock := func() time.Time { return h.now }
	h.space = ingesttest.Must(tb, db, clock)
	var err error
	if h.traces, err = traced.Open(tb.Context(), h.space, clock); err != nil {
		tb.Fatal(err)
	}
	return h
}

func (h *house) send(spans ...span) { h.take(request(h, spans...)) }

func (h *house) take(raw []byte) {
	h.Helper()
	if err := h.traces.Take(h.Context(), inbox.Delivery{Source: traced.Deliveries, Key: "k", Event: otlp.JSON, Raw: raw}); err != nil {
		h.Fatal(err)
	}
}

// settle lets time go by, so that traces are quiet, and settles them.
func (h *house) settle() {
	h.Helper()
	h.now = h.now.Add(time.Minute)
	h.look()
}

func (h *house) look() {
	h.Helper()
	if err := h.traces.Settle(h.Context()); err != nil {
		h.Fatal(err)
	}
}

// session is the last fact about one.
func (h *house) session(ref stemma.Ref) session.Session {
	h.Helper()
	var last session.Session
	for e, err := range h.space.Ledger.About(h.Context(), ref) {
		if err != nil {
			h.Fatal(err)
		}
		if last, err = session.FromFact(e.Fact); err != nil {
			h.Fatal(err)
		}
	}
	return last
}

// list is the one column of a query.
func (h *house) list(query string) (list []string) {
	h.Helper()
	err := h.space.DB.Each(h.Context(), func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		list = append(list, s)
		return err
	}, query)
	if err != nil {
		h.Fatal(err)
	}
	return list
}

func (h *house) gaps() []string {
	h.Helper()
	return h.list(`SELECT source || ': ' || place || ': ' || reason FROM k_gap ORDER BY id`)
}

// planner is a trace of Copilot in VS Code: an agent that lets a sub-agent work, whose
// session has an id of its own, and another one that has none.
func planner() []span {
	conversation := object{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "GitHub Copilot Chat", "gen_ai.conversation.id": "c1", "vcs.ref.head.revision": strings.Repeat("a1", 20), "vcs.repository.url.full": "https://github.com/acme/pay.git", "user.email": "ada@example.com"}
	chat := func(model string, in, out int) object {
		return object{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": model, "gen_ai.usage.input_tokens": in, "gen_ai.usage.output_tokens": out, "gen_ai.usage.cache_read.input_tokens": 10}
	}
	tool := func(name, call string) object {
		return object{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.id": call, "gen_ai.tool.call.arguments": `{"filePath": "/home/ada/pay/a.go"}`}
	}
	return []span{
		{service: copilot, id: "root", name: "invoke_agent GitHub Copilot Chat", second: 1, has: conversation},
		{service: copilot, id: "m1", parent: "root", name: "chat gpt-4o", second: 2, has: chat("gpt-4o-2024-11-20", 100, 7)},
		{service: copilot, id: "t1", parent: "root", name: "execute_tool runSubagent", second: 3, has: tool("runSubagent", "call_1")},
		{service: copilot, id: "http", parent: "t1", name: "POST", second: 4},
		{service: copilot, id: "w1", parent: "http", name: "invoke_agent worker", second: 5, has: object{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "worker", "gen_ai.conversation.id": "c2"}},
		{service: copilot, id: "m2", parent: "w1", name: "chat gpt-4o", second: 6, has: chat("gpt-4o-2024-11-20", 50, 3)},
		{service: copilot, id: "t2", parent: "root", name: "execute_tool runSubagent", second: 8, has: tool("runSubagent", "call_2")},
		{service: copilot, id: "w2", parent: "t2", name: "invoke_agent tester", second: 9, has: object{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "tester"}},
		{service: copilot, id: "m3", parent: "w2", name: "chat gpt-4o", second: 10, has: chat("gpt-4o-2024-11-20", 30, 2)},
		{service: copilot, id: "t3", parent: "w2", name: "execute_tool run_tests", second: 11, failed: true, has: tool("run_tests", "call_3")},
		{service: copilot, id: "m4", parent: "root", name: "chat gpt-4o", second: 12, has: chat("gpt-4o-2024-11-20", 200, 20)},
	}
}

const (
	plannerRef = stemma.Ref("session:github-copilot/c1")
	workerRef  = stemma.Ref("session:github-copilot/c2")
)

func testerRef() stemma.Ref { return stemma.Ref("session:github-copilot/c1:" + id("w2")) }

func TestAPlannerAndItsWorkersAreATree(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	h.send(planner()...)
	h.settle()
	p := h.session(plannerRef)
	if p.TurnCount != 3 || p.Prompts != 1 || p.Iterations != 2 || p.ToolCallCount != 2 || p.InputTokens != 280 || p.OutputTokens != 27 || p.CacheReadTokens != 20 {
		t.Errorf("planner: %+v", p)
	}
	if p.Parent != "" || p.Agent != "agent:github-copilot" || p.HarnessVersion != "1.2" || len(p.Operator) != 1 || p.Operator[0].To.Kind() != stemma.KindPerson ||
		!cmp.Equal(p.In, []stemma.Ref{"repository:github.com/acme/pay"}) || !cmp.Equal(p.At, []stemma.Ref{"commit:sha1/" + stemma.Ref(strings.Repeat("a1", 20))}) {
		t.Errorf("planner: %+v", p)
	}
	if want := []session.ToolCall{{Turn: 2, Call: "call_1", Tool: "runSubagent", Path: "~/pay/a.go", At: stemma.At(start.Add(3 * time.Second))}, {Turn: 2, Call: "call_2", Tool: "runSubagent", Path: "~/pay/a.go", At: stemma.At(start.Add(8 * time.Second))}}; !cmp.Equal(p.ToolCalls, want) {
		t.Error(cmp.Diff(want, p.ToolCalls))
	}
	if w := h.session(workerRef); w.Parent != plannerRef || w.Depth != 1 || w.Iterations != 1 || w.InputTokens != 40 {
		t.Errorf("worker: %+v", w)
	}
	w := h.session(testerRef())
	if w.Parent != plannerRef || w.Depth != 1 || w.Title != "tester" || w.ToolCallCount != 1 || !w.ToolCalls[0].Error {
		t.Errorf("tester: %+v", w)
	}
	if m := w.Models; len(m) != 1 || m[0].Name != "gpt-4o-2024-11-20" || m[0].Turns != 1 || m[0].Cost == 0 {
		t.Errorf("its models: %+v", m)
	}
}

// TestOrderAndRepetitionChangeNothing: spans come in requests of any size, in any order,
// and twice; the graph is the same, and so is the number of facts.
func TestOrderAndRepetitionChangeNothing(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, db func() *storage.DB) {
		all := append(planner(), claude()...)
		first := open(t, storagetest.SQLite(t))
		first.send(all...)
		first.settle()
		want, facts := ingesttest.Told(t, first.space), ingesttest.Facts(t, first.space)
		rest := db
		for seed := range uint64(3) {
			random := rand.New(rand.NewPCG(seed, 1))
			some := append(planner(), claude()...)
			some = append(some, some...)
			random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			h := open(t, rest())
			rest = func() *storage.DB { return storagetest.SQLite(t) }
			for len(some) > 0 {
				n := 1 + random.IntN(len(some))
				h.send(some[:n]...)
				some = some[n:]
				h.now = h.now.Add(time.Second)
				h.look()
			}
			h.settle()
			h.settle()
			if got := ingesttest.Told(t, h.space); got != want {
				t.Errorf("seed %d: %s", seed, cmp.Diff(want, got))
			}
			if got := ingesttest.Facts(t, h.space); got != facts {
				t.Errorf("seed %d: %d facts, want %d", seed, got, facts)
			}
		}
	})
}

// TestALateParentMendsTheTree: what is below it is put in its place also after the rest
// was told, and the graph is the one of who got all at once.
func TestALateParentMendsTheTree(t *testing.T) {
	once := open(t, storagetest.SQLite(t))
	once.send(planner()...)
	once.settle()
	h := open(t, storagetest.SQLite(t))
	var late []span
	for _, s := range planner() {
		if s.id == "http" || s.id == "t1" {
			late = append(late, s)
		} else {
			h.send(s)
		}
	}
	h.settle()
	if w := h.session(workerRef); w.Parent != "" || w.Iterations != 1 {
		t.Fatalf("worker: %+v", w)
	}
	h.send(late...)
	h.settle()
	if w := h.session(workerRef); w.Parent != plannerRef {
		t.Errorf("worker: %+v", w)
	}
	if diff := cmp.Diff(ingesttest.Told(t, once.space), ingesttest.Told(t, h.space)); diff != "" {
		t.Error(diff)
	}
}

// claude is a trace of Claude Code, with a sub-agent and a command that failed.
func claude() []span {
	const trace = "0af7651916cd43dd8448eb211c80319c"
	s := func(id, parent, name string, second int, has object) span {
		has["session.id"] = "5c1e"
		return span{service: "claude-code", trace: trace, id: id, parent: parent, name: "claude_code." + name, second: second, has: has}
	}
	model := func(sub string) object {
		o := object{"model": "claude-opus-4-6", "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-opus-4-6", "input_tokens": 2, "output_tokens": 1200, "cache_read_tokens": 84562, "cache_creation_tokens": 7096}
		if sub != "" {
			o["agent_id"] = sub
		}
		return o
	}
	return []span{
		s("root", "", "interaction", 1, object{"user_prompt": "<REDACTED>", "user_prompt_length": 30}),
		s("m1", "root", "llm_request", 2, model("")),
		{service: "claude-code", trace: trace, id: "a1", parent: "m1", name: "gen_ai.request.attempt", second: 2, has: object{"gen_ai.system": "anthropic", "gen_ai.usage.output_tokens": 1200}},
		s("t1", "root", "tool", 3, object{"tool_name": "Bash", "tool_use_id": "toolu_1"}),
		s("e1", "t1", "tool.execution", 4, object{"success": "false"}),
		s("t2", "root", "tool", 5, object{"tool_name": "Task", "gen_ai.tool.call.id": "toolu_2"}),
		s("m2", "t2", "llm_request", 6, model("a17f")),
		s("m3", "root", "llm_request", 8, model("")),
	}
}

func TestSpansOfClaudeCodeMakeTheSessionOfItsTranscript(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	h.send(claude()...)
	h.settle()
	x := h.session("session:claude-code/5c1e")
	if x.Prompts != 1 || x.Iterations != 2 || x.InputTokens != 4 || x.OutputTokens != 2400 || x.CacheReadTokens != 169124 || x.CacheWriteTokens != 14192 || x.Cost == 0 {
		t.Errorf("%+v", x)
	}
	if len(x.ToolCalls) != 2 || !x.ToolCalls[0].Error || x.ToolCalls[1].Error {
		t.Errorf("%+v", x.ToolCalls)
	}
	if sub := h.session("session:claude-code/5c1e:a17f"); sub.Parent != "session:claude-code/5c1e" || sub.Iterations != 1 || sub.Prompts != 0 {
		t.Errorf("%+v", sub)
	}
}

// TestATranscriptStandsBeforeSpans: whichever came first, and what it does not tell the
// spans do.
func TestATranscriptStandsBeforeSpans(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, db func() *storage.DB) {
		read := session.Session{
			Tool: "claude-code", ExternalID: "5c1e", TurnCount: 9, Iterations: 5, Prompts: 3, OutputTokens: 7,
			Turns: []session.Turn{{Number: 1, Role: "user"}}, Agent: "agent:claude-code", OriginRecord: "claude-code-transcript",
		}
		tell := func(h *house) {
			w := ingest.NewWriter(t.Context(), h.space, func() time.Time { return h.now })
			if err := w.Record(t.Context(), read, "local-transcript", stemma.GradeC); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		one := open(t, db())
		tell(one)
		one.send(claude()...)
		one.settle()
		two := open(t, storagetest.SQLite(t))
		two.send(claude()...)
		two.settle()
		tell(two)
		if diff := cmp.Diff(ingesttest.Told(t, one.space), ingesttest.Told(t, two.space)); diff != "" {
			t.Error(diff)
		}
		if got := one.session("session:claude-code/5c1e"); got.TurnCount != 0 || got.InputTokens != 4 || got.OutputTokens != 0 {
			t.Errorf("the spans say what the transcript does: %+v", got)
		}
	})
}

// TestWhatNamesNoSessionHasThatOfItsTrace: Codex names the conversation in some spans
// alone, and not in those that count.
func TestWhatNamesNoSessionHasThatOfItsTrace(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	turn := span{service: "codex_exec", id: "turn", parent: "op", name: "session_task.turn", second: 2, has: object{"model": "gpt-5-codex", "codex.turn.token_usage.input_tokens": 1000, "codex.turn.token_usage.cached_input_tokens": 600, "codex.turn.token_usage.output_tokens": 50}}
	h.send(turn)
	h.look()
	h.now = h.now.Add(10 * time.Second)
	h.send(span{service: "codex_exec", id: "op", name: "op.dispatch.turn_input", second: 1, has: object{"conversation.id": "0199-a"}})
	h.settle()
	if x := h.session("session:codex/0199-a"); x.Prompts != 1 || x.Iterations != 1 || x.InputTokens != 400 || x.CacheReadTokens != 600 || x.OutputTokens != 50 {
		t.Errorf("%+v", x)
	}
	// Of another trace nothing names a conversation: it is that of its process.
	turn.trace, turn.parent = strings.Repeat("7", 32), ""
	h.send(turn)
	h.settle()
	if x := h.session("session:codex/window-1"); x.Iterations != 1 {
		t.Errorf("%+v", x)
	}
}

// TestAModelAloneIsNoSession: whoever sends all that their services do has few agents
// among them; what is of none is forgotten.
func TestAModelAloneIsNoSession(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	h.send(span{service: "shop", id: "get", name: "GET /", second: 1})
	h.send(span{service: "shop", trace: strings.Repeat("1", 32), id: "m", name: "chat", second: 1, has: object{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}})
	before := ingesttest.Facts(t, h.space)
	h.settle()
	if n := ingesttest.Facts(t, h.space); n != before {
		t.Errorf("%d facts, and then %d", before, n)
	}
	h.now = h.now.Add(2 * time.Hour)
	h.look()
	if kept := h.list(`SELECT span FROM trace_span`); len(kept) > 0 {
		t.Errorf("%q are kept", kept)
	}
}

// TestWhatCouldBeOfSeveralSessionsIsOfNone: where a trace tells of two and the span around
// another one is missing, nothing says whose it is, and who pays for it.
func TestWhatCouldBeOfSeveralSessionsIsOfNone(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	agent := func(id, conversation string) span {
		return span{service: "crew", id: id, name: "invoke_agent", second: 1, has: object{"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": conversation}}
	}
	h.send(agent("a1", "ada"), agent("b1", "bo"), span{service: "crew", id: "b2", parent: "b9", name: "chat", second: 2, has: object{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.output_tokens": 1000}})
	h.settle()
	h.now = h.now.Add(time.Hour)
	h.look()
	for _, ref := range []stemma.Ref{"session:crew/ada", "session:crew/bo"} {
		if x := h.session(ref); x.Prompts != 1 || x.OutputTokens != 0 {
			t.Errorf("%s: %+v", ref, x)
		}
	}
	if want := []string{"otlp: trace " + traceID + ": a span that names no session, in a trace that tells of several"}; !cmp.Equal(h.gaps(), want) {
		t.Errorf("%q", h.gaps())
	}
	h.send(span{service: "crew", id: "b9", parent: "b1", name: "step", second: 2})
	h.settle()
	if x := h.session("session:crew/bo"); x.OutputTokens != 1000 {
		t.Errorf("with the span around it: %+v", x)
	}
}

// TestWhatIsTracedTwiceCountsOnce: a framework and the library that it calls tell of the
// same answer, both ends of a call of the same agent.
func TestWhatIsTracedTwiceCountsOnce(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	agent := func(id, parent string, second int) span {
		return span{service: "crew", id: id, parent: parent, name: "invoke_agent", second: second, has: object{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer", "gen_ai.conversation.id": "c"}}
	}
	chat := func(id, parent string, second int) span {
		return span{service: "crew", id: id, parent: parent, name: "chat", second: second, has: object{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.completion_tokens": 2}}
	}
	h.send(agent("out", "", 1), agent("in", "out", 2), chat("framework", "in", 3), chat("library", "framework", 4))
	h.settle()
	if x := h.session("session:crew/c"); x.TurnCount != 2 || x.Iterations != 1 || x.InputTokens != 5 || x.OutputTokens != 2 {
		t.Errorf("%+v", x)
	}
}

// TestSpansThatCannotBeKeptAreGaps: they are counted, and the others are taken.
func TestSpansThatCannotBeKeptAreGaps(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	bad := planner()[1]
	bad.trace = "zz"
	h.send(bad, planner()[0])
	h.settle()
	if x := h.session(plannerRef); x.Prompts != 1 {
		t.Errorf("%+v", x)
	}
	if want := []string{"otlp: delivery k: a span has no id of its trace or of its own that is one"}; !cmp.Equal(h.gaps(), want) {
		t.Errorf("%q", h.gaps())
	}
}
