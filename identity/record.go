package identity

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
)

// A Person is a human being, known by pseudonym only.
type Person struct {
	ID stemma.Ref `json:"-" fact:"subject"`
}

// PersonRef names the person with the given pseudonym.
func PersonRef(pseudonym string) stemma.Ref { return stemma.NewRef(stemma.KindPerson, pseudonym) }

// Ref names the person.
func (p Person) Ref() stemma.Ref { return p.ID }

// Fact states that the person exists.
func (p Person) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, p, source, grade)
}

// PersonFromFact reads what Fact wrote.
func PersonFromFact(f stemma.Fact) (Person, error) { return stemma.Recall[Person](Room, f) }

// A Bot is an account that a program uses. It may or may not be AI.
type Bot struct {
	Name string `json:"name"`                  // login: "dependabot[bot]"
	Host string `json:"host" fact:"authority"` // where it has the account: "github.com"
}

// BotRef names the account of a program at a host.
func BotRef(host, name string) stemma.Ref { return stemma.NewRef(stemma.KindBot, host, name) }

// Ref names the bot.
func (b Bot) Ref() stemma.Ref {
	if b.Host == "" || b.Name == "" {
		return ""
	}
	return BotRef(b.Host, b.Name)
}

// Fact states the bot.
func (b Bot) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, b, source, grade)
}

// BotFromFact reads what Fact wrote.
func BotFromFact(f stemma.Fact) (Bot, error) { return stemma.Recall[Bot](Room, f) }

// An Agent is a program that works on code by itself.
type Agent struct {
	Name   string `json:"name"`             // "claude-code"
	Vendor string `json:"vendor,omitempty"` // "anthropic"
}

// AgentRef names an agent.
func AgentRef(name string) stemma.Ref { return stemma.NewRef(stemma.KindAgent, name) }

// Ref names the agent.
func (a Agent) Ref() stemma.Ref {
	if a.Name == "" {
		return ""
	}
	return AgentRef(a.Name)
}

// Fact states the agent.
func (a Agent) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, a, source, grade)
}

// AgentFromFact reads what Fact wrote.
func AgentFromFact(f stemma.Fact) (Agent, error) { return stemma.Recall[Agent](Room, f) }

// A Model is a language model. Make one with [ParseModel].
type Model struct {
	Name     string `json:"name"`                      // the provider's own, however sources spell it
	Provider string `json:"provider" fact:"authority"` // "anthropic"; "unlisted" if the name does not tell
	Family   string `json:"family,omitempty"`          // "claude-opus"
	Version  string `json:"version,omitempty"`         // "4.6", as far as the name tells
	Named    bool   `json:"named"`                     // false for "unknown", "default" and the like
}

// Ref names the model. It is empty for a name that says nothing.
func (m Model) Ref() stemma.Ref {
	if !m.Named || m.Provider == "" || m.Name == "" {
		return ""
	}
	return stemma.NewRef(stemma.KindModel, m.Provider, m.Name)
}

// ModelRef names the model that a source calls name. It is empty for a name
// that says nothing: an unnamed model has no ref.
func ModelRef(name string) stemma.Ref { return ParseModel(name).Ref() }

// Fact states the model; it refuses one that is not named.
func (m Model) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, m, source, grade)
}

// ModelFromFact reads what Fact wrote.
func ModelFromFact(f stemma.Fact) (Model, error) { return stemma.Recall[Model](Room, f) }

// A Key is something that signs.
type Key struct {
	Fingerprint string `json:"fingerprint"`
	Type        string `json:"type" fact:"authority"` // "pgp", "ssh", "x509"
}

// KeyRef names a key.
func KeyRef(kind, fingerprint string) stemma.Ref {
	return stemma.NewRef(stemma.KindKey, kind, fingerprint)
}

// Ref names the key.
func (k Key) Ref() stemma.Ref {
	if k.Type == "" || k.Fingerprint == "" {
		return ""
	}
	return KeyRef(k.Type, k.Fingerprint)
}

// Fact states the key.
func (k Key) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, k, source, grade)
}

// KeyFromFact reads what Fact wrote.
func KeyFromFact(f stemma.Fact) (Key, error) { return stemma.Recall[Key](Room, f) }

// A Role is one owner on one line of a file of owners, from a time on.
type Role struct {
	Repository stemma.Ref    `json:"repository"`
	Pattern    string        `json:"pattern"`
	Owner      string        `json:"owner,omitempty"` // "@org/team"; empty if personal
	Line       int           `json:"line,omitempty"`
	Since      stemma.Moment `json:"since,omitempty" fact:"occurred"`
	File       string        `json:"file,omitempty"` // path of the file of owners
	Holder     stemma.Ref    `json:"holder,omitempty" door:"holder"`
}

// Ref names the role. Its digest covers everything in it.
func (r Role) Ref() stemma.Ref {
	if r.Repository == "" {
		return ""
	}
	sum := stemma.Sum([]byte(strings.Join([]string{
		r.File, strconv.Itoa(r.Line), r.Pattern, r.Owner, string(r.Holder), r.Since.String(),
	}, "\x00")))
	host, name := r.Repository.Split()
	return stemma.NewRef(stemma.KindRole, host, name+":"+sum.String()[:32])
}

// Fact states the role.
func (r Role) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, r, source, grade)
}

// RoleFromFact reads what Fact wrote.
func RoleFromFact(f stemma.Fact) (Role, error) { return stemma.Recall[Role](Room, f) }
