package intent

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// cutURL parts an address into its host, in lower case, and the rest.
func cutURL(s string) (host, path string, ok bool) {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return "", "", false
		}
	}
	host, path, _ = strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:] // no credentials
	}
	if host == "" || path == "" || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-:") != "" {
		return "", "", false
	}
	return strings.ToLower(host), path, true
}

// url reads an address as a whole, so that nothing inside is taken for a short form.
func (s *scanner) url(start int) {
	for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n<>\"'`)]}|", rune(s.text[s.at])) {
		s.at++
	}
	address := strings.TrimRight(s.text[start:s.at], ".,;:!?*_")
	if m, ok := fromURL(address); ok {
		s.add(start, m)
	}
}

// fromURL tells what an address of a tracker or forge leads to.
func fromURL(address string) (Mention, bool) {
	m := Mention{Kind: stemma.KindTicket, Text: address, URL: address, Method: MethodURL}
	host, path, ok := cutURL(address)
	if !ok || len(address) > 2048 {
		return m, false
	}
	path, query, _ := strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if key := jiraKey(parts, query); key != "" {
		m.Ref = TicketRef(Jira, key)
		return m, true
	}
	if host == "linear.app" {
		if len(parts) < 3 || parts[1] != "issue" {
			return m, false
		}
		_, _, ok := cutKey(strings.ToUpper(parts[2]))
		m.Ref = TicketRef(Linear, strings.ToUpper(parts[2]))
		return m, ok
	}
	if organisation, number, ok := workItem(host, parts); ok {
		m.Ref = TicketRef(AzureBoards, organisation+"/AB#"+number)
		return m, true
	}
	for i := 2; i+1 < len(parts); i++ {
		kind, ok := forgePages[parts[i]]
		if !ok || !isNumber(parts[i+1]) {
			continue
		}
		repo := parts[:i]
		if repo[len(repo)-1] == "-" {
			repo = repo[:len(repo)-1]
		}
		name := strings.Join(repo, "/")
		if len(repo) < 2 || len(repo) > 2 && strings.HasPrefix(parts[i], "pull") || !plainPath(name) {
			return m, false
		}
		m.Kind, m.Ref = kind, stemma.NewRef(kind, host, name+"#"+parts[i+1])
		return m, true
	}
	return m, false
}

// forgePages are the parts of an address before the number of a page.
var forgePages = map[string]stemma.Kind{
	"issues": stemma.KindTicket, "work_items": stemma.KindTicket,
	"pull": stemma.KindChange, "pulls": stemma.KindChange, "merge_requests": stemma.KindChange, "pull-requests": stemma.KindChange,
}

// jiraKey finds the key in ".../browse/PAY-17" and "?selectedIssue=PAY-17".
func jiraKey(parts []string, query string) string {
	for i := 0; i+1 < len(parts); i++ {
		if _, _, ok := cutKey(parts[i+1]); ok && parts[i] == "browse" {
			return parts[i+1]
		}
	}
	for _, q := range strings.Split(query, "&") {
		if key, ok := strings.CutPrefix(q, "selectedIssue="); ok {
			if _, _, ok := cutKey(key); ok {
				return key
			}
		}
	}
	return ""
}

// workItem reads the two forms of an address of Azure Boards.
func workItem(host string, parts []string) (organisation, number string, ok bool) {
	old, isOld := strings.CutSuffix(host, ".visualstudio.com")
	if host != "dev.azure.com" && !isOld {
		return "", "", false
	}
	for i := 0; i+2 < len(parts); i++ {
		if parts[i] == "_workitems" && parts[i+1] == "edit" && isNumber(parts[i+2]) {
			if isOld {
				return old, parts[i+2], true
			}
			return parts[0], parts[i+2], true
		}
	}
	return "", "", false
}
