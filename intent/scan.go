package intent

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// FromMessage finds what the message of a commit or of a merge request
// mentions, in the order of the text. Code between backquotes is not read. A
// number that the title says is the merge request's own ("(#17)", "Merge pull
// request #17") is one of kind change.
func FromMessage(message string, c Context) []Mention {
	if len(message) > maxText {
		message = message[:maxText]
	}
	s := scanner{context: c, text: message}
	s.scan()
	return s.found
}

// A scanner goes through a text once, from left to right.
type scanner struct {
	context Context
	text    string
	at      int
	trailer bool // the whole text is the value of a trailer
	closing bool // the trailer closes
	found   []Mention

	line    int        // number of the line, from 0
	use     trailerUse // of a line that is a trailer
	inLine  bool       // the line is a trailer
	listEnd int        // where the last closing mention ended
}

func (s *scanner) scan() {
	s.listEnd = -1
	s.startLine()
	for s.at < len(s.text) && len(s.found) < maxMentions {
		c := s.text[s.at]
		switch {
		case c == '\n':
			s.at++
			s.line++
			s.startLine()
		case c == '`':
			s.code()
		case (c == '#' || c == '!') && s.boundary():
			s.short(s.at, "", c)
		case wordByte(c):
			s.word()
		default:
			s.at++
		}
	}
}

// startLine skips fenced code and sees whether the line is a trailer.
func (s *scanner) startLine() {
	s.inLine, s.use = false, trailerUse{}
	rest := s.text[s.at:]
	if strings.HasPrefix(rest, "```") || strings.HasPrefix(rest, "~~~") {
		if end := strings.Index(rest[3:], "\n"+rest[:3]); end >= 0 {
			s.at += 3 + end + 4
		} else {
			s.at = len(s.text)
		}
		return
	}
	if s.line == 0 || s.trailer {
		return
	}
	const longest = 16
	key, _, ok := strings.Cut(rest[:min(len(rest), longest)], ":")
	if s.use, s.inLine = trailerUses[strings.ToLower(key)]; !ok || !s.inLine || strings.EqualFold(key, "fix") {
		s.inLine = false // "fix: …" is the title of a commit that a squash quotes
		return
	}
	if s.use.requirement || s.use.number || s.use.tracker != "" {
		value := rest[len(key)+1:]
		value, _, _ = strings.Cut(value, "\n")
		for _, m := range FromTrailer(key, value, s.context) {
			m.Offset += s.at + len(key) + 1
			s.found = append(s.found, m)
		}
		s.at += len(key) + 1 + len(value)
		return
	}
	s.at += len(key) + 1
}

// code skips what stands between backquotes on one line; a lone one is none.
func (s *scanner) code() {
	for s.at < len(s.text) && s.text[s.at] == '`' {
		s.at++
	}
	line := s.text[s.at:]
	if end := strings.IndexAny(line, "`\n"); end >= 0 && line[end] == '`' {
		s.at += end
		for s.at < len(s.text) && s.text[s.at] == '`' {
			s.at++
		}
	}
}

// boundary reports whether a "#17" may begin here.
func (s *scanner) boundary() bool {
	return s.at == 0 || !strings.ContainsRune("&#!/\\@%=", rune(s.text[s.at-1]))
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '/' || c >= 0x80
}

// word reads a word and what may follow it: "acme/pay#17", "PAY-17", a URL.
func (s *scanner) word() {
	start := s.at
	for s.at < len(s.text) && wordByte(s.text[s.at]) {
		s.at++
	}
	w := s.text[start:s.at]
	if (w == "http" || w == "https") && strings.HasPrefix(s.text[s.at:], "://") {
		s.url(start)
		return
	}
	if s.at < len(s.text) && (s.text[s.at] == '#' || s.text[s.at] == '!') {
		s.short(start, w, s.text[s.at])
		return
	}
	if start > 0 && strings.ContainsRune("@\\$%", rune(s.text[start-1])) {
		return
	}
	if end := strings.TrimRight(w, "./-_"); end != w && strings.HasPrefix(w[len(end):], "-") {
		return // "PAY-17-": part of something longer
	}
	keys := strings.Split(strings.TrimRight(w, "./_"), "/") // "PAY-17/PAY-18"
	for _, key := range keys {
		if _, _, ok := cutKey(key); !ok {
			return
		}
	}
	at := start
	for _, key := range keys {
		s.key(at, key)
		at += len(key) + 1
	}
}

// key takes "PAY-17", "GH-17" and "PR-17".
func (s *scanner) key(at int, w string) {
	project, number, _ := cutKey(w)
	switch {
	case project == "GH":
		s.add(at, Mention{Kind: stemma.KindTicket, Ref: s.context.ticket(number), Text: w})
	case project == "PR" && len(s.context.Projects) == 0:
		s.add(at, Mention{Kind: stemma.KindChange, Ref: s.context.change(number), Text: w})
	case s.context.project(project):
		s.add(at, Mention{Kind: stemma.KindTicket, Ref: s.context.key(w), Text: w})
	}
}

// short reads the number after "#" or "!", where s.at stands, and takes it
// together with the word before.
func (s *scanner) short(start int, w string, mark byte) {
	s.at++
	end := s.at
	for end < len(s.text) && end-s.at <= maxNumber && s.text[end] >= '0' && s.text[end] <= '9' {
		end++
	}
	number := s.text[s.at:end]
	if !isNumber(number) || end < len(s.text) && runsOn(s.text[end:]) {
		return
	}
	s.at = end
	m := Mention{Kind: stemma.KindTicket, Text: s.text[start:end]}
	repo := strings.Trim(w, "./-_")
	c := s.context
	switch {
	case w == "AB" && mark == '#':
		m.Ref = c.board(number)
		s.add(start, m)
		return
	case strings.Contains(repo, "/") && repo == w && plainPath(repo):
		c.Repo = repo
	case w != "" && !(mark == '#' && issueWords[strings.ToLower(w)]):
		return // "C#12", "foo#1"
	case mark == '#' && s.colour(start):
		return
	}
	m.Ref = c.ticket(number)
	if mark == '!' || w == "" && s.ownNumber(start, end) {
		m.Kind, m.Ref = stemma.KindChange, c.change(number)
	}
	s.add(start, m)
}

var issueWords = set("issue issues bug gh ticket")

// plainPath reports whether a path is one of a repository.
func plainPath(p string) bool {
	for _, part := range strings.Split(p, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	for i := range len(p) {
		if p[i] >= 0x80 {
			return false
		}
	}
	return len(p) <= 300
}

// runsOn reports whether a number goes on as something else: "#17a", "#1.5".
func runsOn(rest string) bool {
	c := rest[0]
	if c == '.' || c == '-' || c == '/' {
		return len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9'
	}
	return wordByte(c)
}

// before returns the text just before a place, in lower case.
func (s *scanner) before(at int) string {
	return strings.ToLower(s.text[max(0, at-32):at])
}

// colour reports whether "#333" is one.
func (s *scanner) colour(at int) bool {
	b := s.before(at)
	return strings.Contains(b, "color") || strings.Contains(b, "colour") || strings.Contains(b, "background")
}

// ownNumber reports whether the text says that a number is a merge request's:
// the title ends with it, or the words before it say so.
func (s *scanner) ownNumber(start, end int) bool {
	b := strings.TrimRight(s.before(start), " ")
	for _, w := range []string{"pull request", "merge request", "merge of", "merge", "pr", "mr"} {
		if strings.HasSuffix(b, w) && (len(b) == len(w) || !wordByte(b[len(b)-len(w)-1])) {
			return true
		}
	}
	if s.line > 0 || s.trailer || !strings.HasSuffix(b, "(") || !strings.HasPrefix(s.text[end:], ")") {
		return false
	}
	rest := s.text[end+1:]
	if nl := strings.IndexByte(rest, '\n'); nl >= 0 {
		rest = rest[:nl]
	}
	return strings.TrimSpace(rest) == ""
}

// closers are the words after which a forge closes what follows.
var closers = set(`close closes closed closing fix fixes fixed fixing resolve resolves resolved resolving implement implements implemented implementing`)

// add takes a mention and sees whether it is closed.
func (s *scanner) add(start int, m Mention) {
	m.Offset = start
	end := start + len(m.Text)
	if m.Method == "" {
		m.Method = MethodMessage
	}
	if s.trailer || s.inLine {
		m.Method = MethodTrailer
	}
	if b := s.before(start); strings.HasSuffix(b, " ") {
		words := strings.Fields(b)
		m.Closes = len(words) > 0 && closers[strings.Trim(words[len(words)-1], "([*-:")]
	}
	if s.listEnd >= 0 && s.listEnd <= start && start-s.listEnd < 8 && listed(s.text[s.listEnd:start]) {
		m.Closes = true
	}
	m.Closes = m.Closes || s.closing || s.inLine && s.use.closes
	if m.Closes {
		s.listEnd = end
	}
	s.found = append(s.found, m)
}

// listed reports whether what stands between two mentions makes them a list.
func listed(between string) bool {
	switch strings.TrimSpace(between) {
	case ",", "and", ", and", "&", "+":
		return true
	}
	return false
}
