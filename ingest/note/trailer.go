package note

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/session"
)

// A Trailer is one "Key: value" line at the end of a commit message, unfolded.
type Trailer struct{ Key, Value string }

// A Person is a name with a mail address, as git writes them. It must not
// become part of a fact.
type Person struct{ Name, Mail string }

// Declared is a mark of AI origin that a commit carries in words: its basis is
// declared, its grade D. It says that an agent took part, not which lines it
// wrote.
type Declared struct {
	Agent      string // "claude-code"; empty if the mark names none
	ModelName  string // as written: "Claude Opus 4.6"
	Session    string // the agent's own session id
	Checkpoint string // an Entire checkpoint
	URL        string // where the session or its log can be seen
	Method     string // where the mark was found: "author", "trailer co-authored-by"
	Evidence   string // the text of the mark; holds no person's name or mail
	Bot        bool   // the agent is itself author or committer, no person is named there

	// What a tool counted, where it says so.
	AILines, ModifiedLines, HumanLines, TotalLines int64
}

// SessionRef names the session that a mark declares; it is empty if the mark
// does not tell the agent and its session both.
func (d Declared) SessionRef() stemma.Ref {
	if d.Agent == "" || d.Session == "" {
		return ""
	}
	return session.Ref(d.Agent, d.Session)
}

// Assists reports whether the mark names an agent: a commit that bears such a mark was made
// with one.
func (d Declared) Assists() bool { return d.Agent != "" }

// Declare finds the marks of AI origin in who wrote a commit and in its
// trailers. Keys are matched without regard to case.
func Declare(author, committer Person, trailers []Trailer) []Declared {
	var list []Declared
	for _, p := range []struct {
		Person
		method string
	}{{author, "author"}, {committer, "committer"}} {
		if p.method == "committer" && p.Person == author {
			continue
		}
		if d, ok := byIdentity(p.Person); ok {
			d.Method = p.method
			list = append(list, d)
		}
	}
	var own Declared // the trailers of whogitit make one mark together
	for _, t := range trailers {
		key := strings.ToLower(strings.TrimSpace(t.Key))
		value := jsonwalk.Clean(t.Value, 1000)
		if key == "http" || key == "https" { // an address on a line of its own looks like a trailer
			value, key = key+":"+value, "url"
		}
		if whogititTrailer(&own, key, value) {
			continue
		}
		if d, ok := declaredBy(key, value); ok {
			if d.Method == "" {
				d.Method = "trailer " + jsonwalk.Clean(key, 60)
			}
			list = append(list, d)
		}
	}
	if own.Method != "" {
		list = append(list, own)
	}
	return list
}

func declaredBy(key, value string) (Declared, bool) {
	switch key {
	case "co-authored-by", "co-author", "co-developed-by":
		return coAuthor(value)
	case "assisted-by", "generated-by", "generated-with", "ai-assisted-by", "ai-generated-by", "written-by-ai", "ai-agent", "ai-tool":
		return assistedBy(key, value)
	case "ai-assisted", "ai-generated":
		return aiAssisted(value)
	case "agent-logs-url":
		// GitHub's coding agent writes it into every commit it makes.
		return Declared{Agent: "copilot-swe-agent", URL: webAddress(value), Session: sessionInURL(value), Evidence: webAddress(value)}, webAddress(value) != ""
	case "entire-checkpoint":
		return Declared{Checkpoint: value, Evidence: value}, IsHex(value) && len(value) == 12
	case "entire-session":
		return Declared{Session: value, Evidence: value}, value != ""
	case "entire-agent":
		return Declared{Agent: identity.AgentName(value), Evidence: value}, identity.AgentName(value) != ""
	case "entire-attribution":
		return entireAttribution(value)
	case "url":
		agent := agentOfURL(value)
		return Declared{Agent: agent, URL: value, Session: sessionInURL(value), Method: "session url", Evidence: value}, agent != ""
	}
	return sessionTrailer(key, value)
}

// byIdentity takes only identities that are known to be agents'. Of a person
// whose name carries an agent's mark, nothing but the agent is kept.
func byIdentity(p Person) (Declared, bool) {
	i := identity.Recognise(p.Name, p.Mail)
	if !i.AI() {
		return Declared{}, false
	}
	d := Declared{Agent: i.Agent.Name, ModelName: i.Model, Evidence: i.Agent.Name}
	if i.Kind != stemma.KindPerson {
		d.Bot = true
		d.Evidence = jsonwalk.Clean(p.Name+" <"+p.Mail+">", 300)
	}
	return d, true
}

// coAuthor never takes a person for an agent.
func coAuthor(value string) (Declared, bool) {
	d, ok := byIdentity(ParsePerson(value))
	d.Bot = false // a co-author stands beside the author
	return d, ok
}

// assistedBy reads "AGENT:MODEL [tools]" as the Linux kernel asks for, an
// identity, or just a name. A name that is no agent's is a person or a program
// and no mark, unless the key itself speaks of AI.
func assistedBy(key, value string) (Declared, bool) {
	if a, ok := identity.ParseAssistance(value); ok {
		d := Declared{Agent: a.Agent.Name, ModelName: a.Model, Evidence: jsonwalk.Clean(strings.TrimSpace(a.Agent.Name+" "+a.Model), 300)}
		if !strings.ContainsAny(value, "<@") {
			d.Evidence = value
		}
		return d, true
	}
	if strings.ContainsAny(value, "<@") || !strings.HasPrefix(key, "ai-") && !strings.HasPrefix(key, "written") {
		return Declared{}, false
	}
	return Declared{Agent: identity.AgentName(value), Evidence: value}, value != ""
}

// aiAssisted reads "yes", or what assisted.
func aiAssisted(value string) (Declared, bool) {
	switch strings.ToLower(value) {
	case "", "no", "false", "none", "n/a", "0":
		return Declared{}, false
	case "yes", "true", "1":
		return Declared{Evidence: value}, true
	}
	return assistedBy("ai-assisted-by", value)
}

// entireAttribution reads "73% agent (146/200 lines)".
func entireAttribution(value string) (Declared, bool) {
	_, counts, ok := strings.Cut(value, "(")
	agent, total, two := strings.Cut(counts, "/")
	total, _, _ = strings.Cut(total, " ")
	a, err := strconv.ParseInt(agent, 10, 64)
	n, err2 := strconv.ParseInt(total, 10, 64)
	if !ok || !two || err != nil || err2 != nil || a < 0 || n < a {
		return Declared{}, false
	}
	return Declared{AILines: a, TotalLines: n, Evidence: value}, true
}

// sessionTrailer takes trailers like "Claude-Session: https://…", made of an
// agent's name and the word session.
func sessionTrailer(key, value string) (Declared, bool) {
	at := strings.LastIndex(key, "-session")
	if at <= 0 || value == "" {
		return Declared{}, false
	}
	agent, known := identity.FindAgent(key[:at])
	switch key[at:] {
	case "-session", "-session-id", "-session-url":
	default:
		return Declared{}, false
	}
	if !known {
		return Declared{}, false
	}
	d := Declared{Agent: agent.Name, URL: webAddress(value), Session: value, Evidence: value}
	if d.URL != "" {
		d.Session = sessionInURL(value)
	}
	return d, true
}

// whogititTrailer gathers the trailers of whogitit into one mark.
func whogititTrailer(d *Declared, key, value string) bool {
	number := func() int64 {
		n, _ := strconv.ParseInt(strings.Fields(value + " 0")[0], 10, 64)
		return max(n, 0)
	}
	switch key {
	case "ai-session":
		d.Session = value
	case "ai-model":
		d.ModelName = value
	case "ai-lines":
		d.AILines = number()
	case "ai-modified":
		d.ModifiedLines = number()
	case "human-lines":
		d.HumanLines = number()
	default:
		return false
	}
	d.Method = "trailer ai-session"
	d.Evidence = jsonwalk.Clean(strings.TrimPrefix(d.Evidence+"; "+key+": "+value, "; "), 1000)
	return true
}

// ParsePerson splits "Name <mail>"; without angle brackets all is the name,
// unless it looks like an address alone.
func ParsePerson(s string) Person {
	name, mail, ok := strings.Cut(s, "<")
	if !ok {
		if s = strings.TrimSpace(s); strings.Contains(s, "@") && !strings.Contains(s, " ") {
			return Person{Mail: s}
		}
		return Person{Name: s}
	}
	mail, _, _ = strings.Cut(mail, ">")
	return Person{Name: strings.TrimSpace(name), Mail: strings.TrimSpace(mail)}
}

// webAddress returns s if it is an http address without spaces.
func webAddress(s string) string {
	if (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, " <>\"'") {
		return s
	}
	return ""
}

// sessionInURL returns the id of a session in its address: the last part of the
// path. One that is a number counts within something, so that all of the path
// is the id then.
func sessionInURL(s string) string {
	s, _, _ = strings.Cut(s, "?")
	s, _, _ = strings.Cut(s, "#")
	s = strings.TrimRight(s, "/")
	last := s[strings.LastIndexByte(s, '/')+1:]
	if strings.Trim(last, "0123456789") != "" {
		return last
	}
	_, rest, _ := strings.Cut(s, "://")
	_, path, _ := strings.Cut(rest, "/")
	return path
}

// agentOfURL knows the addresses under which agents show their sessions.
func agentOfURL(s string) string {
	for _, known := range []struct{ prefix, agent string }{
		{"https://claude.ai/code/session_", "claude-code"},
		{"https://chatgpt.com/codex/tasks/", "codex"},
		{"https://app.devin.ai/sessions/", "devin"},
		{"https://cursor.com/agents", "cursor"},
		{"https://ampcode.com/threads/", "amp"},
		{"https://jules.google.com/task/", "jules"},
	} {
		if strings.HasPrefix(s, known.prefix) && webAddress(s) != "" {
			return known.agent
		}
	}
	return ""
}
