package note

import (
	"cmp"
	"encoding/base64"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/session"
)

// A Commit is what [Convert] must know about the commit that claims speak of.
type Commit struct {
	Ref       stemma.Ref
	Note      string    // object id of the note, or where it was read
	Committed time.Time // becomes the time of the record

	// Added has the lines that the commit added, by raw path, in its own
	// version of the file. Nil means that the commit is not at hand: then no
	// line can be attributed, only the claims are counted, and anchors kept.
	Added map[string][]Range

	// Person gives the ref of a person or a bot and remembers the name and mail
	// outside of facts. It may return "" and may be nil: then nobody is named.
	Person func(name, mail string) stemma.Ref
}

// Result is what the claims about one commit come to.
type Result struct {
	Attribution attribution.Attribution
	Problems    []Problem
}

// maxPath is the longest path that a column with an index keeps.
const maxPath = stemma.MaxIndexed

// Convert makes records of claims. Only lines that the commit added become
// spans; the others are counted as misplaced. UnknownLines are all added lines
// that are not known to be AI's or a person's, also those no record speaks of.
func Convert(c Claims, commit Commit) Result {
	a := attribution.Attribution{
		Commit: commit.Ref, Format: c.Format, Note: commit.Note, Writer: c.Writer, Basis: string(stemma.BasisImported),
		ClaimedLines: c.Claimed, UnresolvedKeys: c.Unresolved, Files: len(c.Files), Occurred: stemma.At(commit.Committed),
	}
	var bad Problems
	people := map[string]stemma.Ref{}
	credits := map[attribution.Credit]int{}
	placed := 0
	for _, f := range c.Files {
		path := quote.Path(f.Path)
		if len(path) > maxPath {
			bad.Add("a path that is too long", "%s", path)
			continue
		}
		for s := range clip(f.Spans, commit.Added[f.Path]) {
			span := commit.span(path, s, people)
			n := s.End - s.Start + 1
			placed += n
			credits[attribution.Credit{
				Origin: span.Origin, Agent: span.Agent, Model: span.Model, ModelName: span.ModelName, Session: span.Session,
			}] += n
			a.Spans = append(a.Spans, span)
		}
	}
	a.Credits = RollUp(credits)
	for _, cr := range a.Credits {
		switch stemma.Origin(cr.Origin) {
		case stemma.OriginAI:
			a.AILines += cr.Lines
		case stemma.OriginHuman:
			a.HumanLines += cr.Lines
		}
	}
	if commit.Added == nil {
		a.Anchors = commit.anchors(c, people)
	} else {
		a.MisplacedLines = c.Claimed - placed
		a.UnknownLines = addedLines(commit.Added) - a.AILines - a.HumanLines
	}
	return Result{Attribution: a, Problems: append(slices.Clone(c.Problems), bad...)}
}

// maxAnchor is how many lines one anchor has at most.
const maxAnchor = 10_000

// anchors are those of the spans of somebody.
func (c Commit) anchors(of Claims, people map[string]stemma.Ref) (list []attribution.Anchor) {
	spans := map[string][]ClaimedSpan{}
	for _, f := range of.Files {
		spans[f.Path] = f.Spans
	}
	for _, a := range of.Anchors {
		path, text := quote.Path(a.Path), a.Text
		if len(path) > maxPath {
			continue
		}
		for _, whole := range a.Ranges {
			for from := whole.Start; from <= whole.End; from += maxAnchor {
				r := Range{from, min(from+maxAnchor-1, whole.End)}
				for s := range clip(spans[a.Path], []Range{r}) {
					if s.Origin != stemma.OriginUnknown {
						list = append(list, anchor(c.span(path, s, people), a.Blob, text[4*(s.Start-r.Start):4*(s.End-r.Start+1)]))
					}
				}
				text = text[4*(r.End-r.Start+1):]
			}
		}
	}
	return list
}

func anchor(s attribution.Span, blob string, text []byte) attribution.Anchor {
	return attribution.Anchor{
		Path: s.Path, Start: s.Start, End: s.End, Blob: blob, Text: base64.StdEncoding.EncodeToString(text),
		Origin: s.Origin, Agent: s.Agent, Model: s.Model, ModelName: s.ModelName, Session: s.Session, Prompt: s.Prompt, ToolCall: s.ToolCall, Author: s.Author,
	}
}

// SessionsOf makes records of the sessions that claims name, whatever commit they
// speak of; person is that of [Commit].
func SessionsOf(c Claims, person func(name, mail string) stemma.Ref) []session.Session {
	commit, people := Commit{Person: person}, map[string]stemma.Ref{}
	var all []session.Session
	for _, s := range c.Sessions {
		if made, ok := commit.session(s, c.Format, people); ok {
			all = append(all, made)
		}
	}
	return all
}

func (c Commit) span(path string, s ClaimedSpan, people map[string]stemma.Ref) attribution.Span {
	span := attribution.Span{
		Path: path, Start: s.Start, End: s.End, Origin: string(s.Origin), Basis: string(cmp.Or(s.Basis, stemma.BasisImported)),
		Reason: s.Reason, Agent: s.Agent, ModelName: s.ModelName, Model: identity.ModelRef(s.ModelName),
		Prompt: s.Prompt, ToolCall: s.ToolCall, Key: s.Key,
	}
	if s.Agent != "" && s.Session != "" {
		span.Session = session.Ref(s.Agent, s.Session)
	}
	if s.Origin == stemma.OriginUnknown {
		span.Basis = string(stemma.BasisUnknown)
	}
	if s.Author != "" {
		span.Author = c.person(s.Author, people)
	}
	return span
}

// person resolves "Name <mail>". A name without an address names nobody: two
// people may share it.
func (c Commit) person(text string, known map[string]stemma.Ref) stemma.Ref {
	if c.Person == nil {
		return ""
	}
	ref, ok := known[text]
	if !ok {
		if p := ParsePerson(text); p.Mail != "" {
			ref = c.Person(p.Name, p.Mail)
		}
		known[text] = ref
	}
	return ref
}

func (c Commit) session(s ClaimedSession, format string, people map[string]stemma.Ref) (session.Session, bool) {
	if s.Agent == "" || s.Session == "" {
		return session.Session{}, false
	}
	made := session.Session{
		Tool: s.Agent, ExternalID: s.Session, Started: stemma.At(s.Started), Prompts: s.Prompts,
		OriginRecord: format, Agent: identity.AgentRef(s.Agent),
	}
	for _, m := range s.Models {
		made.Models = append(made.Models, session.ModelUse{Model: identity.ModelRef(m), Name: m})
	}
	if s.Operator != "" {
		if person := c.person(s.Operator, people); person != "" {
			made.Operator = []stemma.Edge{{To: person, Method: session.ByNote}}
		}
	}
	return made, true
}

// clip gives the parts of spans that lie in ranges. Spans are in order.
func clip(spans []ClaimedSpan, added []Range) func(func(ClaimedSpan) bool) {
	return func(yield func(ClaimedSpan) bool) {
		added = Union(slices.Clone(added))
		i := 0
		for _, s := range spans {
			for i < len(added) && added[i].End < s.Start {
				i++
			}
			for j := i; j < len(added) && added[j].Start <= s.End; j++ {
				part := s
				part.Start, part.End = max(s.Start, added[j].Start), min(s.End, added[j].End)
				if !yield(part) {
					return
				}
			}
		}
	}
}

func addedLines(added map[string][]Range) int {
	n := 0
	for _, ranges := range added {
		for _, r := range Union(slices.Clone(ranges)) {
			n += r.End - r.Start + 1
		}
	}
	return n
}

// RollUp orders credits by lines, most first.
func RollUp(credits map[attribution.Credit]int) []attribution.Credit {
	list := make([]attribution.Credit, 0, len(credits))
	for c, n := range credits {
		c.Lines = n
		list = append(list, c)
	}
	slices.SortFunc(list, func(x, y attribution.Credit) int {
		return cmp.Or(cmp.Compare(y.Lines, x.Lines), cmp.Compare(x.Origin, y.Origin), cmp.Compare(x.Agent, y.Agent),
			cmp.Compare(x.ModelName, y.ModelName), cmp.Compare(x.Session, y.Session))
	})
	return list
}
