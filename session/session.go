package session

import "github.com/stemma-dev/stemma"

// A Session is one run of one coding agent. Counts are what the source tells;
// one that it does not tell is zero and left out.
type Session struct {
	Tool             string        `json:"tool" fact:"authority"` // the harness: "claude-code", "codex"
	ExternalID       string        `json:"external_id"`           // the id that the tool gives
	Started          stemma.Moment `json:"started,omitempty" fact:"occurred"`
	Ended            stemma.Moment `json:"ended,omitempty"` // last sign of it
	HarnessVersion   string        `json:"harness_version,omitempty"`
	Title            string        `json:"title,omitempty"`
	TurnCount        int           `json:"turns,omitempty"`   // messages of both sides
	Prompts          int           `json:"prompts,omitempty"` // messages that a person typed
	ToolCallCount    int           `json:"tool_calls,omitempty"`
	Iterations       int           `json:"iterations,omitempty"` // answers of the model until the end
	Reprompts        int           `json:"reprompts,omitempty"`  // prompts after tests that had failed
	InputTokens      int           `json:"input_tokens,omitempty"`
	OutputTokens     int           `json:"output_tokens,omitempty"`
	CacheReadTokens  int           `json:"cache_read_tokens,omitempty"`
	CacheWriteTokens int           `json:"cache_write_tokens,omitempty"`
	Cost             int           `json:"cost_micro_usd,omitempty"` // in micro-dollars; none unless every token has a price
	PriceTable       string        `json:"price_table,omitempty"`    // date of the table that the cost is by
	Parent           stemma.Ref    `json:"parent,omitempty" door:"spawned-by"`
	Depth            int           `json:"depth,omitempty"` // spawns above it
	Branch           string        `json:"branch,omitempty"`
	OriginRecord     string        `json:"origin_record,omitempty"` // where it was read from

	Models    []ModelUse `json:"model,omitzero"`
	Turns     []Turn     `json:"turn,omitzero"`
	ToolCalls []ToolCall `json:"tool_call,omitzero"`
	Files     []File     `json:"file,omitzero"`
	Configs   []Config   `json:"config,omitzero"`

	Agent    stemma.Ref    `json:"-" door:"agent"`
	Operator []stemma.Edge `json:"-" door:"operator"`
	In       []stemma.Ref  `json:"-" door:"in"` // repositories
	At       []stemma.Ref  `json:"-" door:"at"` // commits that were checked out
	WorksOn  []stemma.Edge `json:"-" door:"works-on"`
	Opened   []stemma.Edge `json:"-" door:"opened"`
	Bodies   []stemma.Body `json:"-" fact:"bodies"`
}

// How it is known who drove a session.
const (
	ByNote = "note"     // a record of line origin names whoever worked with the agent
	BySpan = "span"     // the agent's own trace names the account that it works for
	ByUser = "git-user" // its transcript lay on the machine of whom git there would name as author
)

// A ModelUse is one model that a session used; a session may use several.
type ModelUse struct {
	Model        stemma.Ref `json:"model,omitempty" door:"model"` // empty if the name says nothing
	Name         string     `json:"name,omitempty"`               // as the tool spells it
	Turns        int        `json:"turns,omitempty"`
	InputTokens  int        `json:"input_tokens,omitempty"`
	OutputTokens int        `json:"output_tokens,omitempty"`

	CacheReadTokens  int `json:"cache_read_tokens,omitempty"`
	CacheWriteTokens int `json:"cache_write_tokens,omitempty"`
	Cost             int `json:"cost_micro_usd,omitempty"` // in micro-dollars
}

// A Turn is one message.
type Turn struct {
	Number       int           `json:"number"` // from 1
	Role         string        `json:"role" of:"user assistant system tool"`
	At           stemma.Moment `json:"at,omitempty"`
	Model        string        `json:"model,omitempty"` // as the tool spells it
	InputTokens  int           `json:"input_tokens,omitempty"`
	OutputTokens int           `json:"output_tokens,omitempty"`
	ToolCalls    int           `json:"tool_calls,omitempty"`
	Body         string        `json:"body,omitempty"` // digest of what was said
	Typed        bool          `json:"typed,omitempty"`
	Failing      bool          `json:"failing,omitempty"` // the tests that ran last, and since the prompt before, had failed
}

// A ToolCall is one call of a tool by the model.
type ToolCall struct {
	Turn  int           `json:"turn,omitempty"` // number of the turn that made it
	Call  string        `json:"call,omitempty"` // id that the tool gives
	Tool  string        `json:"tool"`
	Path  string        `json:"path,omitempty"` // file it worked on
	At    stemma.Moment `json:"at,omitempty"`
	Error bool          `json:"error,omitempty"`

	Shell   bool `json:"shell,omitempty"`   // it ran a command
	Network bool `json:"network,omitempty"` // a program of the command is one that talks to other machines
}

// A File is a path that a session edited.
type File struct {
	Path  string `json:"path"`
	Edits int    `json:"edits,omitempty"`
}

// Kinds of what a session works under.
const (
	ConfigPrompt = "system-prompt" // what the harness told the model first
	ConfigRules  = "rules"         // a file of rules that the model was given
	ConfigServer = "mcp-server"    // a server whose tools were called
)

// A Config is something that a session worked under, by its digest where the
// source shows what it says.
type Config struct {
	Kind   string `json:"kind" of:"system-prompt rules mcp-server"`
	Name   string `json:"name,omitempty"` // of the file or the server
	Digest string `json:"digest,omitempty"`
}

// Ref names the session to which tool gave id. The tool's name holds no slash.
func Ref(tool, id string) stemma.Ref {
	return stemma.NewRef(stemma.KindSession, tool, id)
}

// Ref names the session.
func (s Session) Ref() stemma.Ref {
	if s.Tool == "" || s.ExternalID == "" {
		return ""
	}
	return Ref(s.Tool, s.ExternalID)
}

// Fact states the session.
func (s Session) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, s, source, grade)
}

// FromFact reads what Fact wrote.
func FromFact(f stemma.Fact) (Session, error) { return stemma.Recall[Session](Room, f) }
