package identity

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// How much of a file of owners is read. GitHub takes no file above 3 MB.
const (
	maxOwnersFile  = 3 << 20
	maxOwnersLine  = 16 << 10
	maxOwnersRules = 50_000
	maxProblems    = 100
)

// Owners is what a CODEOWNERS file says.
type Owners struct {
	Rules    []OwnerRule
	Problems []OwnerProblem // lines, or parts of them, that no forge would follow
}

// An OwnerRule is one line with a pattern. Of the rules of one section that
// match a path, the last one decides.
type OwnerRule struct {
	Line     int    // from 1
	Pattern  string // unescaped, as in a .gitignore
	Owners   []string
	Section  string // GitLab; empty for the lines before the first
	Optional bool   // GitLab: the section asks for nobody's approval
	Approve  int    // GitLab: approvals that the section asks for; 0 is one
	Exclude  bool   // GitLab: "!pattern" takes paths out of the section
}

// An OwnerProblem is something that could not be read.
type OwnerProblem struct {
	Line int
	Why  string
}

// A section is GitLab's "[Name][2] @default".
type section struct {
	name     string
	owners   []string
	approve  int
	optional bool
}

// ParseOwners reads a CODEOWNERS file of GitHub or GitLab. A line
// without owners is a rule too: it says that nobody owns these paths, unless
// the section has owners of its own.
func ParseOwners(text string) Owners { return parseOwners(text, false) }

// parseOwners reads a file in which there are sections, and exclusions without owners;
// or, as Gitea does, neither.
func parseOwners(text string, plain bool) Owners {
	var o Owners
	if len(text) > maxOwnersFile {
		text = text[:maxOwnersFile]
		o.problem(0, "the file is longer than "+strconv.Itoa(maxOwnersFile)+" bytes; the rest was not read")
	}
	text = strings.TrimPrefix(text, "\ufeff")
	var in section
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if why := lineFault(line); why != "" {
			o.problem(number, why)
			continue
		}
		if s, ok := parseSection(line); ok && !plain {
			in = s
			o.checkOwners(number, in.owners)
			continue
		}
		if len(o.Rules) == maxOwnersRules {
			o.problem(number, "more than "+strconv.Itoa(maxOwnersRules)+" rules; the rest was not read")
			break
		}
		o.rule(number, line, in, plain)
	}
	return o
}

func lineFault(line string) string {
	switch {
	case len(line) > maxOwnersLine:
		return "the line is too long"
	case !utf8.ValidString(line):
		return "the line is not valid UTF-8"
	case strings.IndexByte(line, 0) >= 0:
		return "the line holds a NUL"
	}
	return ""
}

func (o *Owners) problem(line int, why string) {
	if len(o.Problems) < maxProblems {
		o.Problems = append(o.Problems, OwnerProblem{line, why})
	}
}

// rule reads a line that is neither comment nor section.
func (o *Owners) rule(number int, line string, in section, plain bool) {
	pattern, rest := cutPattern(line)
	r := OwnerRule{
		Line: number, Pattern: pattern, Owners: ownerWords(rest),
		Section: in.name, Optional: in.optional, Approve: in.approve,
	}
	if line[0] == '!' {
		r.Exclude, r.Pattern = true, strings.TrimPrefix(pattern, "!")
		if len(r.Owners) > 0 && !plain {
			o.problem(number, "an excluding pattern has owners")
			r.Owners = nil
		}
	} else if len(r.Owners) == 0 {
		r.Owners = in.owners
	}
	if r.Pattern == "" {
		o.problem(number, "no pattern")
		return
	}
	o.checkOwners(number, r.Owners)
	o.Rules = append(o.Rules, r)
}

// checkOwners reports owners that are neither @name, @org/team, @@role nor a
// mail address. They stay in the rule: the line says what it says.
func (o *Owners) checkOwners(number int, owners []string) {
	for _, w := range owners {
		at := strings.IndexByte(w, '@')
		if at < 0 || at == len(w)-1 {
			o.problem(number, fmt.Sprintf("owner %.60q is neither @name nor a mail address", w))
		}
	}
}

// cutPattern parts a line at the first blank that no backslash stands before.
func cutPattern(line string) (pattern, rest string) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '#' || line[i+1] == '\t'):
			i++
			b.WriteByte(line[i])
		case c == '\\' && i+1 < len(line): // belongs to the pattern: "\*"
			b.WriteString(line[i : i+2])
			i++
		case c == ' ' || c == '\t':
			return b.String(), line[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// ownerWords are the owners up to a comment.
func ownerWords(rest string) []string {
	var words []string
	for w := range strings.FieldsSeq(rest) {
		if w[0] == '#' {
			break
		}
		words = append(words, w)
	}
	return words
}

// parseSection reads GitLab's "[Name]", "^[Name]", "[Name][2] @owner". A
// bracket that closes nowhere, or after which something else follows at once,
// is a pattern.
func parseSection(line string) (section, bool) {
	var s section
	rest, ok := strings.CutPrefix(line, "^")
	s.optional = ok
	rest, ok = strings.CutPrefix(rest, "[")
	if !ok {
		return section{}, false
	}
	name, rest, ok := strings.Cut(rest, "]")
	if s.name = strings.TrimSpace(name); !ok || s.name == "" {
		return section{}, false
	}
	if count, after, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(count, "[") {
		n, err := strconv.Atoi(strings.TrimSpace(count[1:]))
		if err != nil || n < 0 || n > 1000 {
			return section{}, false
		}
		s.approve, rest = n, after
	}
	if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return section{}, false
	}
	s.owners = ownerWords(rest)
	return s, true
}
