package run

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A Ticket is one that a session looked up or changed through a tool: a hint
// at what it worked on.
type Ticket struct {
	Tracker string // "linear", "jira", "github.com", "gitlab.com"
	Key     string // "PAY-17", "acme/pay#17"
	Tool    string // the tool that was called
}

// trackers tells the tracker from the name of a tool server.
var trackers = []struct{ part, tracker string }{
	{"linear", "linear"}, {"jira", "jira"}, {"atlassian", "jira"}, {"github", "github.com"}, {"gitlab", "gitlab.com"},
}

// cutTool takes the name of a tool of the Model Context Protocol apart, as
// the harnesses spell it: mcp__SERVER__TOOL, SERVER__TOOL.
func cutTool(tool string) (server, name string, ok bool) {
	server, name, ok = strings.Cut(strings.TrimPrefix(tool, "mcp__"), "__")
	return server, name, ok && server != "" && name != ""
}

// serverOf returns the server behind a tool, if it says that it has one.
func serverOf(tool string) string {
	server, _, ok := cutTool(tool)
	if !ok || server == "acp" || !strings.HasPrefix(tool, "mcp__") { // acp is the editor's own
		return ""
	}
	return server
}

// TicketOf returns the ticket that a call of a tool of the Model Context
// Protocol names, if it is one that reads or changes a single ticket.
func TicketOf(tool string, input []byte) (Ticket, bool) {
	server, name, ok := cutTool(tool)
	if !ok || !strings.Contains(strings.ToLower(name), "issue") {
		return Ticket{}, false
	}
	for _, t := range trackers {
		if !strings.Contains(strings.ToLower(server), t.part) {
			continue
		}
		key := issueKey(input, strings.Contains(t.tracker, "."))
		return Ticket{Tracker: t.tracker, Key: key, Tool: jsonwalk.Clean(tool, 200)}, key != ""
	}
	return Ticket{}, false
}

func issueKey(input []byte, numbered bool) string {
	var key, owner, repo string
	var number int64
	r := jsonwalk.New(input)
	for name := range r.Object() {
		switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
		case "id", "issueid", "issueidorkey", "issuekey", "key", "identifier":
			key = r.String()
		case "issuenumber", "number", "issueiid":
			if r.Kind() == '"' {
				number, _ = strconv.ParseInt(r.String(), 10, 64)
				continue
			}
			number = r.Int()
		case "owner":
			owner = r.String()
		case "repo", "projectid", "project":
			repo = r.String()
		}
	}
	if r.Err() != nil {
		return ""
	}
	if !numbered {
		key = strings.ToUpper(key)
		if isTicketKey(key) {
			return key
		}
		return "" // an internal id, which no one else uses
	}
	if owner != "" {
		repo = owner + "/" + repo
	}
	if number < 1 || !isRepository(repo) {
		return ""
	}
	return repo + "#" + strconv.FormatInt(number, 10)
}

// isTicketKey reports whether s is a project's letters, a dash and a number.
func isTicketKey(s string) bool {
	project, number, ok := strings.Cut(s, "-")
	if !ok || project == "" || number == "" || len(s) > 40 || project[0] < 'A' || project[0] > 'Z' {
		return false
	}
	return strings.Trim(project, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && strings.Trim(number, "0123456789") == ""
}

// isRepository reports whether s is owner/name, with at least one slash.
func isRepository(s string) bool {
	owner, name, ok := strings.Cut(s, "/")
	return ok && owner != "" && name != "" && len(s) < 200 &&
		strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_./") == ""
}
