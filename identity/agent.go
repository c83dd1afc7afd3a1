package identity

import (
	"strings"
	"unicode"

	"github.com/stemma-dev/stemma"
)

// agentNames maps what tools call themselves, folded to letters and digits, to
// the name that the agent has here.
var agentNames = map[string]string{
	"claude": "claude-code", "claudecode": "claude-code", "claudecodecli": "claude-code", "anthropicclaude": "claude-code",
	"codex": "codex", "codexcli": "codex", "openaicodex": "codex",
	"codexclirs": "codex", "codexexec": "codex", "codexappserver": "codex", "codexmcpserver": "codex", "codexdesktop": "codex", // its services
	"cursor": "cursor", "cursoragent": "cursor", "cursoride": "cursor",
	"gemini": "gemini-cli", "geminicli": "gemini-cli", "googlegemini": "gemini-cli", "geminicodeassist": "gemini-code-assist",
	"copilot": "github-copilot", "githubcopilot": "github-copilot", "copilotvscode": "github-copilot", "copilotchat": "github-copilot", "githubcopilotchat": "github-copilot",
	"copilotcli": "github-copilot-cli", "githubcopilotcli": "github-copilot-cli",
	"copilotsweagent": "copilot-swe-agent", "copilotcodingagent": "copilot-swe-agent",
	"windsurf": "windsurf", "cascade": "windsurf", "amp": "amp", "ampcode": "amp", "sourcegraphamp": "amp",
	"opencode": "opencode", "droid": "droid", "factorydroid": "droid", "factory": "droid",
	"junie": "junie", "continue": "continue", "continuecli": "continue", "cline": "cline", "aider": "aider", "devin": "devin", "devinai": "devin",
	"roocode": "roo-code", "roomote": "roo-code", "kilocode": "kilo-code", "jules": "jules", "goose": "goose",
	"openhands": "openhands", "crush": "crush", "firebender": "firebender", "pi": "pi",
}

// FindAgent returns the agent that calls itself text: "Claude Code" and
// "claude" are claude-code. An agent that is not known is not found.
func FindAgent(text string) (Agent, bool) {
	folded := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, stemma.CleanText(text, maxName))
	name, ok := agentNames[folded]
	if !ok {
		return Agent{}, false
	}
	return Agent{Name: name, Vendor: vendors[name]}, true
}

// AgentName returns the name that an agent has here for what a tool calls
// itself. A tool that is not known keeps its own name, folded to lower case and
// dashes; "Agent" and "unknown" name none.
func AgentName(tool string) string {
	if known, ok := FindAgent(tool); ok {
		return known.Name
	}
	tool = strings.TrimFunc(strings.ToValidUTF8(tool, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	folded := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_':
			return r
		}
		return '-'
	}, tool[:min(len(tool), maxAgent)])
	folded = strings.Trim(folded, "-")
	if folded == "agent" || folded == "unknown" {
		return ""
	}
	return folded
}

// maxAgent is how much of a tool's own name is kept.
const maxAgent = 60

// An Assistance is what an Assisted-by, Generated-by or Co-authored-by trailer
// says about the AI that took part.
type Assistance struct {
	Agent Agent  // empty if only a model is named
	Model string // as the trailer spells it
	Tools []string
}

// ParseAssistance reads the value of such a trailer: the kernel's form
// "AGENT:MODEL [tool …]", a "Name <mail>", or the bare name of an agent or of a
// model. It reports false if the value names no AI that is known.
func ParseAssistance(value string) (Assistance, bool) {
	value = strings.TrimSpace(stemma.CleanText(value, 4*maxName))
	if name, rest, ok := strings.Cut(value, "<"); ok {
		mail, _, _ := strings.Cut(rest, ">")
		if i := Recognise(name, mail); i.AI() {
			return Assistance{Agent: i.Agent, Model: i.Model}, true
		}
		value = strings.TrimSpace(name)
	}
	if name, rest, ok := strings.Cut(value, ":"); ok {
		words := strings.Fields(rest)
		agent, known := FindAgent(name)
		if !known && (len(words) == 0 || !modelText(words[0])) {
			return Assistance{}, false
		}
		if !known {
			agent = Agent{Name: strings.ToLower(strings.Join(strings.Fields(name), "-"))}
		}
		a := Assistance{Agent: agent}
		if len(words) > 0 {
			a.Model, a.Tools = words[0], words[1:]
		}
		return a, true
	}
	if agent, ok := FindAgent(value); ok {
		return Assistance{Agent: agent}, true
	}
	if modelText(value) {
		return Assistance{Model: value}, true
	}
	base, inner, ok := strings.Cut(value, "(") // "Claude Code (claude-opus-4-6)"
	if agent, known := FindAgent(base); ok && known {
		a := Assistance{Agent: agent}
		if inner = strings.TrimSpace(strings.TrimSuffix(inner, ")")); modelText(inner) {
			a.Model = inner
		}
		return a, true
	}
	return Assistance{}, false
}
