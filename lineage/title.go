package lineage

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/graph"
)

// maxTitle is the longest title in characters.
const maxTitle = 160

// Title is one line that tells a person what ref is, as far as its attributes
// say; without any it is made of the ref alone. It carries no line breaks, no
// control characters and nothing that changes the direction of writing.
func Title(ref stemma.Ref, a graph.Attrs) string {
	_, key := ref.Split()
	var s string
	switch ref.Kind() {
	case stemma.KindCommit:
		s = join(short(key), a.Text("title"))
	case stemma.KindChange:
		s = join(changeName(ref, a), a.Text("title"), marked(a, "dropped"))
	case stemma.KindTicket, stemma.KindRequirement:
		s = join(key, a.Text("title"))
	case stemma.KindIncident:
		s = join(key, a.Text("title"), parens(a.Text("severity")))
	case stemma.KindSession:
		tool, id := ref.Split()
		s = join(tool, short(id), a.Text("title"))
	case stemma.KindRelease:
		s = join(a.Text("name"), marked(a, "deleted"))
	case stemma.KindReview:
		s = join(a.Text("verdict"), parens(a.Text("role")))
	case stemma.KindArtifact:
		s = join(a.Text("name"), short(key))
	case stemma.KindDeployment:
		environment := deployment.Where(ref)
		s = join(cmp.Or(a.Text("version"), short(key)), "in "+environment, parens(a.Text("status")))
	case stemma.KindPerson:
		s = "person " + short(key)
	case stemma.KindRepository:
		s = key
	default:
		s = titleAside(ref, a)
	}
	if s == "" {
		s = key
	}
	return oneLine(s)
}

// titleAside is for what does not stand on the way to production, and for what
// pipelines do.
func titleAside(ref stemma.Ref, a graph.Attrs) string {
	number := func(name string) string {
		if n, ok := a.Int(name); ok {
			return fmt.Sprint(n)
		}
		return ""
	}
	switch ref.Kind() {
	case stemma.KindRun:
		n := number("number")
		if n != "" {
			n = "#" + n
		}
		return join(a.Text("system"), a.Text("name"), n, parens(a.Text("conclusion")))
	case stemma.KindTest:
		return join(a.Text("suite"), a.Text("name"), parens(a.Text("status")))
	case stemma.KindScan:
		if n := number("findings"); n != "" {
			return join(a.Text("tool"), parens(n+" findings"))
		}
		return a.Text("tool")
	case stemma.KindFile, stemma.KindConfig:
		return a.Text("path")
	case stemma.KindAttribution:
		_, commit := a.Ref("commit").Split()
		return join(a.Text("format"), short(commit))
	case stemma.KindAttestation:
		return a.Text("predicate_type")
	case stemma.KindBom:
		if n := number("components"); n != "" {
			return join(a.Text("format"), a.Text("name"), parens(n+" components"))
		}
	case stemma.KindRunner:
		return join(a.Text("name"), a.Text("version"))
	case stemma.KindSnapshot:
		if n := number("things"); n != "" {
			environment := deployment.Where(ref)
			return join(environment, parens(n+" running, "+number("unexplained")+" unexplained"))
		}
	case stemma.KindRole:
		return join(a.Text("pattern"), a.Text("owner"))
	case stemma.KindKey:
		return join(a.Text("type"), a.Text("fingerprint"))
	case stemma.KindModel, stemma.KindAgent, stemma.KindBot, stemma.KindEnvironment:
		return a.Text("name")
	case stemma.KindGap:
		if a.Text("reason") != "" {
			return join(a.Text("source")+":", a.Text("reason"), parens(a.Text("place")))
		}
	}
	return ""
}

// changeName is "#142", or the short name of a commit that was pushed without
// a merge request.
func changeName(ref stemma.Ref, a graph.Attrs) string {
	if n, ok := a.Int("number"); ok && n > 0 {
		return fmt.Sprintf("#%d", n)
	}
	_, key := ref.Split()
	if i := strings.LastIndexAny(key, "#@"); i >= 0 {
		if key[i] == '@' {
			return short(key[i+1:])
		}
		return key[i:]
	}
	return key
}

// short cuts a long name that is all digits of a hash or a UUID.
func short(id string) string {
	const enough = 10
	if len(id) < 24 || strings.Trim(id, "0123456789abcdef-") != "" {
		return id
	}
	return id[:enough]
}

// marked is the name of a column in parentheses, where it is true.
func marked(a graph.Attrs, column string) string {
	if !a.Bool(column) {
		return ""
	}
	return parens(column)
}

func parens(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// join puts what is there in a row.
func join(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		if p != "" && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p)
	}
	return b.String()
}

// oneLine makes text of any origin fit for a line on a terminal.
func oneLine(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxTitle {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
