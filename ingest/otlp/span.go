package otlp

import (
	"math"
	"path"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/agent/run"
)

// What a span is, as far as it matters here. A span without one only leads from its
// children to its parent.
const (
	Agent   = "agent"   // an agent, or a workflow of agents, was asked for something
	Model   = "model"   // a model answered
	Tool    = "tool"    // a tool was called
	Outcome = "outcome" // how the call around it went
	Turn    = "turn"    // an agent was asked, and answered by a model: both in one
)

// A Span is what one span says of an agent at work. Its names are free of secrets.
type Span struct {
	Trace  string `json:"-"` // in hexadecimal, as all ids
	ID     string `json:"-"`
	Parent string `json:"parent,omitempty"`

	Kind    string        `json:"kind,omitempty"`
	Start   stemma.Moment `json:"start,omitempty"`
	End     stemma.Moment `json:"end,omitempty"`
	Failed  bool          `json:"failed,omitempty"`
	Harness string        `json:"harness,omitempty"` // the name of the tool that ran, "" if it tells none
	Version string        `json:"version,omitempty"`

	Conversation string `json:"conversation,omitempty"` // the session, by the span itself
	Process      string `json:"process,omitempty"`      // by its resource: stands in where no span of the trace tells one
	Agent        string `json:"agent,omitempty"`        // the name of the agent
	Sub          string `json:"sub,omitempty"`          // the id of the sub-agent that it is part of
	Above        string `json:"above,omitempty"`        // of the one that started that

	Model  string     `json:"model,omitempty"`
	Tokens run.Tokens `json:"tokens,omitzero"`

	Call   string     `json:"call,omitempty"` // the id of the call of a tool
	Called string     `json:"called,omitempty"`
	Paths  []string   `json:"paths,omitempty"` // files that it works on
	Edits  bool       `json:"edits,omitempty"`
	Tests  bool       `json:"tests,omitempty"` // it runs tests
	Ticket run.Ticket `json:"ticket,omitzero"`

	Repository stemma.Ref `json:"repository,omitempty"`
	Commit     stemma.Ref `json:"commit,omitempty"` // checked out
	Branch     string     `json:"branch,omitempty"`
	Mail       string     `json:"-"`                  // of who uses the agent: for a pseudonym, never to be kept
	Operator   stemma.Ref `json:"operator,omitempty"` // that pseudonym; not read from a span

	Asked    string `json:"-"` // what was said by who asks
	Answered string `json:"-"` // and by the model
}

// read takes what matters out of a span and its resource.
func (s *Span) read(p *tracepb.Span, resource attributes) {
	a := index(p.GetAttributes())
	if s.Kind = kindOf(p.GetName(), a); s.Kind == "" {
		s.Conversation = a.conversation() // children may have it from here
	} else {
		s.work(p, a)
		s.source(a, resource)
	}
	s.Harness = harness(p.GetName(), resource)
	s.Process = resource.name("session.id")
	s.Sub, s.Above = a.name("agent_id"), a.name("parent_agent_id")
}

// conversation is the id of the session that a span says it is part of. What is called
// thread.id is none: most senders number the threads of their process so.
func (a attributes) conversation() string {
	return a.name("gen_ai.conversation.id", "session.id", "conversation.id")
}

// kindOf is what a span is: by the names of agents that have their own, by the name of
// its operation, or, in what was written before operations had names, by what it has.
func kindOf(name string, a attributes) string {
	switch name {
	case "claude_code.interaction":
		return Agent
	case "claude_code.llm_request":
		return Model
	case "claude_code.tool":
		return Tool
	case "claude_code.tool.execution":
		return Outcome
	case "session_task.turn": // of Codex
		return Turn
	case "gen_ai.request.attempt": // one try of a request that is told by itself
		return ""
	}
	if strings.HasPrefix(name, "claude_code.") {
		return ""
	}
	switch a.name("gen_ai.operation.name", "traceloop.span.kind", "llm.request.type") {
	case "invoke_agent", "invoke_workflow", "agent", "workflow":
		return Agent
	case "chat", "text_completion", "generate_content", "completion":
		return Model
	case "execute_tool", "tool":
		return Tool
	case "":
		_, counted := a.count(outputTokens...)
		if counted && a.first("gen_ai.system", "gen_ai.provider.name") != nil {
			return Model
		}
	}
	return ""
}

// The names of counts: of the conventions, those before, and of agents.
var (
	inputTokens  = []string{"gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "codex.turn.token_usage.input_tokens"}
	outputTokens = []string{"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "codex.turn.token_usage.output_tokens"}
	cacheRead    = []string{"gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens", "codex.turn.token_usage.cached_input_tokens"}
	cacheWrite   = []string{"gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens", "codex.turn.token_usage.cache_write_input_tokens"}
)

// tokens are counts of a model's answer. Those of the conventions count what came from
// the cache as input, too; those of Claude Code, with names of their own, do not.
func (a attributes) tokens() run.Tokens {
	var t run.Tokens
	if in, told := a.count("input_tokens"); told {
		t.In = in
		t.Out, _ = a.count("output_tokens")
		t.CacheRead, _ = a.count("cache_read_tokens")
		t.CacheWrite, _ = a.count("cache_creation_tokens")
		return t
	}
	t.In, _ = a.count(inputTokens...)
	t.Out, _ = a.count(outputTokens...)
	t.CacheRead, _ = a.count(cacheRead...)
	t.CacheWrite, _ = a.count(cacheWrite...)
	if cached := t.CacheRead + t.CacheWrite; cached <= t.In {
		t.In -= cached // whoever has more from the cache than in all counts apart
	}
	return t
}

// work takes what was done.
func (s *Span) work(p *tracepb.Span, a attributes) {
	s.Start, s.End = moment(p.GetStartTimeUnixNano()), moment(p.GetEndTimeUnixNano())
	s.Failed = p.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR || a.first("error.type") != nil || a.says("success", false)
	s.Conversation = a.conversation()
	s.Agent = a.name("gen_ai.agent.name", "gen_ai.workflow.name")
	switch s.Kind {
	case Model, Turn:
		s.Model = a.name("gen_ai.response.model", "gen_ai.request.model", "model")
		s.Tokens = a.tokens()
	case Tool:
		s.Called = a.name("gen_ai.tool.name", "tool_name", "traceloop.entity.name")
		if s.Called == "" {
			s.Called = "unknown"
		}
		s.Call = a.name("gen_ai.tool.call.id", "tool_use_id")
		s.input(a)
	}
	s.words(p, a)
}

// maxPaths is how many files of one call are kept.
const maxPaths = 20

// input takes what a tool is called with, where the sender was told to tell it.
func (s *Span) input(a attributes) {
	c := run.NewCall(s.Call, s.Called, []byte(text(a.first("gen_ai.tool.call.arguments", "traceloop.entity.input", "tool_input"))))
	s.Edits, s.Tests, s.Ticket = c.Edits, c.Tests, c.Ticket
	if file := a.name("file_path"); file != "" && len(c.Paths) == 0 {
		c.Paths = []string{file}
	}
	for _, p := range c.Paths[:min(len(c.Paths), maxPaths)] {
		if p = clean(stemma.CleanText(path.Clean(p), maxName)); p != "." {
			s.Paths = append(s.Paths, p)
		}
	}
}

// source takes where it was done, and for whom.
func (s *Span) source(a, resource attributes) {
	s.Version = resource.name("service.version")
	if v := a.name("app.version"); s.Version == "" {
		s.Version = v
	}
	where := func(names ...string) string {
		if own := a.name(names...); own != "" {
			return own
		}
		return resource.name(names...)
	}
	if host, name, _ := change.ParseRemote(where("vcs.repository.url.full", "vcs.repository.url")); host != "" {
		s.Repository = change.RepositoryRef(host, name)
	}
	s.Commit = change.ShaRef(strings.ToLower(where("vcs.ref.head.revision", "vcs.repository.ref.revision")))
	s.Branch = where("vcs.ref.head.name", "vcs.repository.ref.name")
	if mail := where("user.email", "enduser.email"); strings.Contains(mail, "@") {
		s.Mail = mail
	}
}

// harness is the name of the tool that ran: by the names of its spans, or of its service
// as its settings say.
func harness(span string, resource attributes) string {
	if strings.HasPrefix(span, "claude_code.") {
		return "claude-code"
	}
	service := resource.name("service.name")
	if strings.HasPrefix(service, "unknown_service") {
		return ""
	}
	return identity.AgentName(service)
}

// moment is a time in nanoseconds since 1970, if it is one that software lived in.
func moment(nanos uint64) stemma.Moment {
	if nanos == 0 || nanos > math.MaxInt64 {
		return 0
	}
	return stemma.At(time.Unix(0, int64(nanos)))
}

// words takes what was said, where the sender was told to tell it.
func (s *Span) words(p *tracepb.Span, a attributes) {
	w := talk{}
	w.value(user, a.first("gen_ai.prompt", "traceloop.entity.input"))
	w.value(user, a.first("gen_ai.input.messages"))
	w.numbered(a, "gen_ai.prompt.", user)
	w.value(assistant, a.first("gen_ai.completion", "gen_ai.output.messages"))
	w.numbered(a, "gen_ai.completion.", assistant)
	for _, e := range p.GetEvents() {
		w.event(e.GetName(), index(e.GetAttributes()))
	}
	if prompt := a["user_prompt"].GetStringValue(); prompt != "<REDACTED>" {
		w.add(user, user, prompt)
	}
	s.Asked, s.Answered = said(w.asked), said(w.answered)
}

// value adds a message, or a list of them, as JSON, as values or as bare text.
func (w *talk) value(side string, v *commonpb.AnyValue) {
	if s := text(v); s != "" {
		w.read(side, side, s)
	}
}
