package identity

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// A Dialect is how a forge reads its files of owners.
type Dialect int

// The dialects. GitHub's patterns are those of a .gitignore that is tied to the root
// when a slash stands in it; GitLab's are tied by a slash in front and there are
// sections; Gitea's are regular expressions, all of which count.
const (
	GitHubOwners Dialect = iota
	GitLabOwners
	GiteaOwners
)

// Files are where a forge looks for the owners of code; the first that is there counts.
func (d Dialect) Files() []string {
	switch d {
	case GitLabOwners:
		return []string{"CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"}
	case GiteaOwners:
		return []string{"CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"}
	}
	return []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}
}

// An Ownership tells whose a path is, by one content of a file of owners.
type Ownership struct {
	dialect Dialect
	rules   []OwnerRule
	fits    []*regexp.Regexp // nil for a pattern that the forge would not follow
	steps   int              // of all patterns together
}

// How much of files of owners is followed.
const (
	maxSteps = 1 << 20 // of the patterns of a file: some 20,000 rules, and 100 MB
	maxLooks = 1 << 33 // steps times bytes of paths
)

// ErrUnwieldy means: the patterns of a file of owners are more than is followed.
var ErrUnwieldy = errors.New("the patterns of the file of owners are too many or too large")

// NewOwnership reads a file of owners as a forge does, or gives [ErrUnwieldy].
func NewOwnership(d Dialect, text string) (*Ownership, error) {
	o := &Ownership{dialect: d, rules: parseOwners(text, d == GiteaOwners).Rules}
	for _, r := range o.rules {
		re, steps := d.pattern(r.Pattern)
		if o.steps += steps; o.steps > maxSteps {
			return nil, ErrUnwieldy
		}
		o.fits = append(o.fits, re)
	}
	return o, nil
}

// Affords reports whether the owners of all the paths can be told in bounded time.
func (o *Ownership) Affords(paths []string) bool {
	long := 0
	for _, p := range paths {
		long += len(p) + 1
	}
	return long <= maxLooks/max(o.steps, 1)
}

// Of gives the owners of a path, as the file spells them: of each section the last rule
// that fits decides; in Gitea every rule that fits counts.
func (o *Ownership) Of(path string) []string {
	var owners []string
	if o.dialect == GiteaOwners {
		for i, r := range o.rules {
			if o.fits[i] != nil && o.fits[i].MatchString(path) != r.Exclude {
				owners = append(owners, r.Owners...)
			}
		}
		return owners
	}
	decided := map[string]bool{}
	for i := len(o.rules) - 1; i >= 0; i-- { // what takes a path out of a section does so for good
		r := o.rules[i]
		if r.Exclude && o.dialect == GitLabOwners && o.fits[i] != nil && o.fits[i].MatchString(path) {
			decided[fold(r.Section)] = true
		}
	}
	for i := len(o.rules) - 1; i >= 0; i-- {
		r := o.rules[i]
		if r.Exclude || o.fits[i] == nil || decided[o.section(r)] || !o.fits[i].MatchString(path) {
			continue
		}
		decided[o.section(r)] = true
		owners = append(owners, r.Owners...)
	}
	return owners
}

// section is that of a rule: only GitLab has some, and their case does not matter.
func (o *Ownership) section(r OwnerRule) string {
	if o.dialect == GitLabOwners {
		return fold(r.Section)
	}
	return ""
}

func fold(s string) string { return strings.ToLower(s) }

// maxPattern bounds a pattern: no real one is longer.
const maxPattern = 1000

// pattern compiles a pattern and tells how large that makes it; nil if the forge would
// not follow it.
func (d Dialect) pattern(p string) (*regexp.Regexp, int) {
	if len(p) > maxPattern {
		return nil, 0
	}
	form := p
	if d != GiteaOwners {
		form = `(?s)` + d.glob(p) // a name may hold a newline
	}
	form = `^(?:` + form + `)$`
	parsed, err := syntax.Parse(form, syntax.Perl)
	if err != nil {
		return nil, 0
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxSteps { // not to be compiled a second time
		return nil, maxSteps + 1
	}
	re, err := regexp.Compile(form)
	if err != nil {
		return nil, 0
	}
	return re, len(program.Inst)
}

// glob writes a pattern of GitHub or GitLab as a regular expression over whole paths.
func (d Dialect) glob(p string) string {
	rest, tied := strings.CutPrefix(p, "/")
	if d == GitHubOwners && strings.Contains(strings.TrimSuffix(rest, "/"), "/") {
		tied = true
	}
	var b strings.Builder
	if !tied {
		b.WriteString(`(?:.*/)?`)
	}
	rest, directory := strings.CutSuffix(rest, "/")
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "**" && last:
			b.WriteString(`.+`)
		case s == "**":
			b.WriteString(`(?:.*/)?`)
		default:
			segment(&b, s)
			if !last {
				b.WriteByte('/')
			}
		}
	}
	switch last := segments[len(segments)-1]; {
	case directory:
		b.WriteString(`/.+`)
	case d == GitHubOwners && !strings.Contains(last, "*"):
		b.WriteString(`(?:/.+)?`) // a directory may be named without a slash
	}
	return b.String()
}

// segment writes the part of a pattern between two slashes.
func segment(b *strings.Builder, s string) {
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(r)))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '*':
			b.WriteString(`[^/]*`)
		case r == '?':
			b.WriteString(`[^/]`)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
}
