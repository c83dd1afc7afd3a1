package identity

import (
	"strings"
	"unicode/utf8"
)

// How much of a mail map is read.
const (
	maxMailmap      = 1 << 20
	maxMailmapPairs = 20_000
)

// A MailPair says that two addresses are of one person: commits with Commit are to be
// shown with Proper.
type MailPair struct{ Proper, Commit string }

// ParseMailmap reads which addresses a .mailmap gives to one person. A line that speaks
// of an address together with one name is left out: that address may be shared. Lines
// that git would not follow are passed over as git does.
func ParseMailmap(text string) []MailPair {
	text = text[:min(len(text), maxMailmap)]
	var pairs []MailPair
	seen := map[MailPair]bool{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' || !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
			continue
		}
		_, proper, rest, ok := mailmapEntry(line)
		if !ok {
			continue
		}
		name, commit, _, ok := mailmapEntry(rest)
		p := MailPair{strings.ToLower(proper), strings.ToLower(commit)}
		if !ok || name != "" || p.Proper == "" || p.Commit == "" || p.Proper == p.Commit || seen[p] {
			continue
		}
		if len(pairs) == maxMailmapPairs {
			break
		}
		seen[p] = true
		pairs = append(pairs, p)
	}
	return pairs
}

// mailmapEntry cuts "Name <mail>" from the front of a line.
func mailmapEntry(line string) (name, mail, rest string, ok bool) {
	name, rest, ok = strings.Cut(line, "<")
	if !ok {
		return "", "", "", false
	}
	mail, rest, ok = strings.Cut(rest, ">")
	mail = strings.TrimSpace(mail)
	return strings.TrimSpace(name), mail, rest, ok && len(mail) <= maxName && !strings.ContainsRune(mail, '<')
}
