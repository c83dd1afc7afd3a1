package identity

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
)

// An Identity is what a name and a mail address tell about who they belong to.
// Anybody may write any name into a commit, so it is a claim.
type Identity struct {
	Kind  stemma.Kind // person, bot or agent
	Agent Agent       // set if AI took part
	Model string      // the model as the name spells it, if it names one
	Login string      // account of a bot: "dependabot[bot]"
	Host  string      // where the bot has it; empty if that is not told
	Forge bool        // a forge that commits on behalf of whoever pressed the button
	Why   string      // what told: "mail", "login", "name"
}

// AI reports whether AI took part. A bot is not AI unless it is known as one,
// and a person whose name carries an agent's mark stays a person.
func (i Identity) AI() bool { return i.Agent.Name != "" }

// Ref names the bot or the agent; it is empty for a person, whose pseudonym
// only the space can make.
func (i Identity) Ref() stemma.Ref {
	switch {
	case i.Kind == stemma.KindAgent:
		return i.Agent.Ref()
	case i.Kind == stemma.KindBot && i.Host != "":
		return BotRef(i.Host, i.Login)
	case i.Kind == stemma.KindBot:
		return BotRef("unlisted", i.Login)
	}
	return ""
}

// vendors tells who makes the agents that are known here.
var vendors = map[string]string{
	"claude-code": "anthropic", "codex": "openai", "cursor": "cursor", "gemini-cli": "google", "gemini-code-assist": "google", "jules": "google",
	"github-copilot": "github", "github-copilot-cli": "github", "copilot-swe-agent": "github",
	"devin": "cognition", "windsurf": "cognition", "amp": "sourcegraph", "droid": "factory", "junie": "jetbrains",
	"aider": "aider", "roo-code": "roo", "openhands": "openhands", "crush": "charm", "opencode": "opencode", "cline": "cline",
	"coderabbit": "coderabbit", "sweep": "sweep", "codegen": "codegen", "goose": "block", "kilo-code": "kilo", "continue": "continue",
	"firebender": "firebender",
}

// agentMails are the addresses that agents commit with.
var agentMails = map[string]string{
	"noreply@anthropic.com":   "claude-code",
	"claude@anthropic.com":    "claude-code",
	"noreply@openai.com":      "codex",
	"codex@openai.com":        "codex",
	"cursoragent@cursor.com":  "cursor",
	"copilot@github.com":      "github-copilot",
	"roomote@roocode.com":     "roo-code",
	"aider@aider.chat":        "aider",
	"noreply@aider.chat":      "aider",
	"amp@ampcode.com":         "amp",
	"noreply@ampcode.com":     "amp",
	"help@firebender.com":     "firebender",
	"openhands@all-hands.dev": "openhands",
	"crush@charm.land":        "crush",
	"noreply@opencode.ai":     "opencode",
}

// agentLogins are the accounts that agents have, in lower case.
var agentLogins = map[string]string{
	"copilot-swe-agent[bot]":       "copilot-swe-agent",
	"devin-ai-integration[bot]":    "devin",
	"cursor[bot]":                  "cursor",
	"claude[bot]":                  "claude-code",
	"chatgpt-codex-connector[bot]": "codex",
	"google-labs-jules[bot]":       "jules",
	"gemini-code-assist[bot]":      "gemini-code-assist",
	"factory-droid[bot]":           "droid",
	"roomote[bot]":                 "roo-code",
	"coderabbitai[bot]":            "coderabbit",
	"sweep-ai[bot]":                "sweep",
	"codegen-sh[bot]":              "codegen",
	"copilot":                      "github-copilot",
}

// botMails are addresses of plain bots without an account name in them.
var botMails = map[string]string{
	"bot@renovateapp.com":              "renovate[bot]",
	"renovate@whitesourcesoftware.com": "renovate[bot]",
	"support@dependabot.com":           "dependabot[bot]",
	"action@github.com":                "github-actions[bot]",
	"actions@github.com":               "github-actions[bot]",
	"github-actions@github.com":        "github-actions[bot]",
	"snyk-bot@snyk.io":                 "snyk-bot",
}

// alone are programs that work by a timetable and for nobody: who is assigned to what they
// bring did not set them to it.
var alone = []string{
	"dependabot[bot]", "dependabot-preview[bot]", "renovate[bot]", "renovate-bot", "greenkeeper[bot]", "pyup-bot", "snyk-bot", "scala-steward", "pre-commit-ci[bot]",
	"imgbot[bot]", "allcontributors[bot]",
}

// Alone reports whether the account of a bot is one of a program that nobody drives.
func Alone(login string) bool { return slices.Contains(alone, strings.ToLower(login)) }

const (
	github        = "github.com"
	githubNoreply = "@users.noreply.github.com"
	copilotAgent  = "198982749+copilot" // the account of Copilot's coding agent
)

// Recognise tells person, bot and agent apart. What it cannot tell is a person.
func Recognise(name, mail string) Identity {
	name = strings.TrimSpace(stemma.CleanText(name, maxName))
	mail = strings.ToLower(strings.TrimSpace(stemma.CleanText(mail, maxName)))
	login, host := account(name, mail)
	if mail == "noreply@github.com" || login == "web-flow" {
		return Identity{Kind: stemma.KindBot, Login: "web-flow", Host: github, Forge: true, Why: "mail"}
	}
	if agent, ok := agentMails[mail]; ok {
		return agentIdentity(agent, name, "mail")
	}
	if login != "" && (strings.HasSuffix(login, "[bot]") || host == github) {
		if agent, ok := agentLogins[login]; ok {
			if strings.HasPrefix(mail, copilotAgent+"@") {
				agent = "copilot-swe-agent"
			}
			return agentIdentity(agent, name, "login")
		}
	}
	if bot, ok := botMails[mail]; ok {
		return Identity{Kind: stemma.KindBot, Login: bot, Host: github, Why: "mail"}
	}
	if strings.HasSuffix(login, "[bot]") || projectBot(login) {
		return Identity{Kind: stemma.KindBot, Login: login, Host: host, Why: "login"}
	}
	return byName(name)
}

// agentIdentity is that of an agent whose name may carry its model.
func agentIdentity(agent, name, why string) Identity {
	i := Identity{Kind: stemma.KindAgent, Agent: Agent{Name: agent, Vendor: vendors[agent]}, Why: why}
	if base, inner, ok := strings.Cut(name, " ("); ok && strings.EqualFold(base, agent) { // "aider (gpt-4o)"
		name = strings.TrimSuffix(inner, ")")
	}
	if modelText(name) {
		i.Model = name
	}
	return i
}

// modelText reports whether a name is that of a model of a known provider with
// its version. "Claude Monet" is not.
func modelText(name string) bool {
	m := ParseModel(name)
	return m.Named && m.Provider != Unlisted && m.Version != ""
}

// byName tells by the name alone, where it is one that no person has.
func byName(name string) Identity {
	lower := strings.ToLower(name)
	if strings.HasSuffix(lower, " (aider)") { // a person, with the mark of the agent
		return Identity{Kind: stemma.KindPerson, Agent: Agent{Name: "aider", Vendor: vendors["aider"]}, Why: "name"}
	}
	if modelText(name) && strings.ContainsAny(name, "0123456789") {
		if agent, ok := productAgents[ParseModel(name).Provider]; ok {
			return agentIdentity(agent, name, "name")
		}
	}
	switch lower {
	case "claude code", "github copilot", "copilot", "cursor agent", "cursor", "codex", "openai codex", "codex cli",
		"gemini cli", "devin ai", "aider", "roomote", "opencode", "amp code":
		if agent, ok := FindAgent(name); ok {
			return Identity{Kind: stemma.KindAgent, Agent: agent, Why: "name"}
		}
	}
	if !strings.Contains(lower, " ") && (strings.HasSuffix(lower, "-bot") || strings.HasSuffix(lower, "_bot")) {
		return Identity{Kind: stemma.KindBot, Login: lower, Why: "name"}
	}
	return Identity{Kind: stemma.KindPerson}
}

// productAgents is the agent that signs with a model's name, by provider.
var productAgents = map[string]string{"anthropic": "claude-code", "openai": "codex", "google": "gemini-cli"}

// account finds the login in a forge's no-reply address, or in a name that is
// a login of a bot.
func account(name, mail string) (login, host string) {
	if local, ok := strings.CutSuffix(mail, githubNoreply); ok {
		if id, login, ok := strings.Cut(local, "+"); ok && strings.Trim(id, "0123456789") == "" {
			return login, github
		}
		return local, github
	}
	if local, domain, ok := strings.Cut(mail, "@"); ok && projectBot(local) {
		return local, strings.TrimPrefix(strings.TrimPrefix(domain, "noreply."), "users.noreply.")
	}
	if name := strings.ToLower(name); strings.HasSuffix(name, "[bot]") && !strings.Contains(name, " ") {
		return name, ""
	}
	return "", ""
}

// projectBot reports whether a login is one that GitLab gives to the token of
// a project or group: "project_17_bot_0f3a".
func projectBot(login string) bool {
	rest, ok := strings.CutPrefix(login, "project_")
	if !ok {
		rest, ok = strings.CutPrefix(login, "group_")
	}
	digits, after, _ := strings.Cut(rest, "_")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == "" && (after == "bot" || strings.HasPrefix(after, "bot_"))
}
