package note

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
)

// A Range is a run of lines, 1-based, both ends included.
type Range struct{ Start, End int }

// Union sorts ranges in place and joins those that touch or overlap.
func Union(rs []Range) []Range {
	slices.SortFunc(rs, func(x, y Range) int { return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End)) })
	out := rs[:0]
	for _, r := range rs {
		if n := len(out); n > 0 && r.Start <= out[n-1].End+1 {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}

// An Anchor is by what the lines of a file that a record tells of are known again
// where their commit is not: what the file was, and their text.
type Anchor struct {
	Path   string  // raw bytes
	Blob   string  // the file's content in the commit
	Ranges []Range // the lines, ascending and disjoint
	Text   []byte  // four bytes for each of them, as edits.Print.AppendShort has them
}

// Whole reports whether an anchor has the text of each of its lines.
func (a Anchor) Whole() bool {
	n := 0
	for _, r := range a.Ranges {
		n += r.End - r.Start + 1
	}
	return n > 0 && len(a.Text) == 4*n
}

// Claims is what one record says about the lines of one commit, whatever the
// record's format.
type Claims struct {
	Format   string // "git-ai", "whogitit", "agent-trace"
	Writer   string // program and version that wrote the record
	Revision string // commit that the record itself names; a hint

	Files    []ClaimedFile
	Sessions []ClaimedSession
	Anchors  []Anchor

	Claimed    int // lines claimed, each line once
	Unresolved int // entries whose key leads to no record
	Problems   []Problem
}

// ClaimedFile is the claims about one path: ascending and disjoint, so that a
// line has one mark.
type ClaimedFile struct {
	Path  string // raw bytes
	Spans []ClaimedSpan
}

// ClaimedSpan gives a run of lines one mark, which it may share with others: a record
// has many spans and few marks.
type ClaimedSpan struct {
	Range
	*Mark
}

// A Mark says who wrote a line as far as a record tells. The values are compared
// with ==, and not changed once a span has them.
type Mark struct {
	Origin    stemma.Origin
	Reason    string // why the origin, or part of the rest, is unknown
	Agent     string // "claude-code"
	ModelName string // as written, also when it names no model
	Session   string // the agent's own session id
	Author    string // a person as "Name <mail>"; never to be put into a fact
	Key       string // the record's own key
	Prompt    int    // number of the prompt, from 1
	ToolCall  string
	Basis     stemma.Basis // how the record says it is known; "" if it does not say
	Replaced  Replaced     // whose line it replaced; the zero value for nobody's that is known
}

// A Replaced is an agent whose line somebody else wrote anew.
type Replaced struct{ Agent, Session, ModelName string }

// Foreign takes away how the record says that it knows: who says so is somebody
// else.
func (c *Claims) Foreign() {
	foreign := map[*Mark]*Mark{}
	for i := range c.Files {
		for j := range c.Files[i].Spans {
			s := &c.Files[i].Spans[j]
			if s.Basis == "" {
				continue
			}
			if foreign[s.Mark] == nil {
				m := *s.Mark
				m.Basis = ""
				foreign[s.Mark] = &m
			}
			s.Mark = foreign[s.Mark]
		}
	}
}

// ClaimedSession is a session that a record names.
type ClaimedSession struct {
	Agent    string
	Session  string // the agent's own id
	Key      string // the record's own key
	Models   []string
	Operator string // a person as "Name <mail>"; never to be put into a fact
	Started  time.Time
	Prompts  int
	Messages []byte // embedded transcript for [Messages]
	Count    int    // messages in it
}

// Reasons of unknown lines.
const (
	ReasonNoRecord   = "key without record"
	ReasonNoAgent    = "record names no agent"
	ReasonConflict   = "records disagree on the origin"
	ReasonSeveral    = "claimed by several sessions"
	ReasonMixed      = "written by a person and an agent together"
	ReasonModified   = "an agent's line changed by a person"
	ReasonNotStated  = "the record does not say"
	ReasonNamedOnly  = "an author's name that is not known to be an agent's"
	ReasonUnresolved = "the record itself says unknown"
	ReasonIdentity   = "a person's key with an agent's identity"
)

// A claim is a span before it is settled with the others on the same file.
type claim struct {
	ClaimedSpan
	abstains bool // gives way to any claim that does not
}

// settle makes spans of claims that may overlap. A line with one claim gets
// its mark. A line with several keeps what all of them agree upon: with
// different origins it is unknown, with different sessions it has none. Claims
// that abstain count only where there is no other.
func settle(claims []claim) []ClaimedSpan {
	slices.SortStableFunc(claims, func(x, y claim) int { return cmp.Compare(x.Start, y.Start) })
	var out []ClaimedSpan
	for from := 0; from < len(claims); {
		end, n := claims[from].End, 1
		for ; from+n < len(claims) && claims[from+n].Start <= end; n++ {
			end = max(end, claims[from+n].End)
		}
		if n == 1 {
			out = appendSpan(out, claims[from].ClaimedSpan)
		} else {
			out = settleOverlap(out, claims[from:from+n])
		}
		from += n
	}
	return out
}

// appendSpan joins a span to the last one where it continues it.
func appendSpan(out []ClaimedSpan, s ClaimedSpan) []ClaimedSpan {
	if last := len(out) - 1; last >= 0 && out[last].End == s.Start-1 && *out[last].Mark == *s.Mark {
		out[last].End = s.End
		return out
	}
	return append(out, s)
}

// settleOverlap sweeps over claims of which each touches another.
func settleOverlap(out []ClaimedSpan, claims []claim) []ClaimedSpan {
	type event struct {
		at, claim int
		opens     bool
	}
	events := make([]event, 0, 2*len(claims))
	for i, c := range claims {
		events = append(events, event{c.Start, i, true}, event{c.End + 1, i, false})
	}
	slices.SortFunc(events, func(x, y event) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.claim, y.claim)) })
	var firm, weak tally
	for i := 0; i < len(events); {
		at := events[i].at
		for ; i < len(events) && events[i].at == at; i++ {
			e := events[i]
			t := &firm
			if claims[e.claim].abstains {
				t = &weak
			}
			t.add(*claims[e.claim].Mark, e.opens)
		}
		t := firm
		if t.n == 0 {
			t = weak
		}
		if t.n == 0 || i == len(events) {
			continue
		}
		mark := t.agreed()
		out = appendSpan(out, ClaimedSpan{Range{at, events[i].at - 1}, &mark})
	}
	return out
}

// A tally counts the claims that are open at a line, by each of their parts,
// so that agreement is found without comparing them pairwise.
type tally struct {
	n        int
	marks    map[Mark]int
	origins  map[stemma.Origin]int
	agents   map[string]int
	models   map[string]int
	sessions map[string]int
	authors  map[string]int
	keys     map[string]int
}

func (t *tally) add(m Mark, opens bool) {
	by := -1
	if opens {
		by = 1
	}
	if t.marks == nil {
		t.marks, t.origins = map[Mark]int{}, map[stemma.Origin]int{}
		t.agents, t.models, t.sessions = map[string]int{}, map[string]int{}, map[string]int{}
		t.authors, t.keys = map[string]int{}, map[string]int{}
	}
	t.n += by
	count(t.marks, m, by)
	count(t.origins, m.Origin, by)
	count(t.agents, m.Agent, by)
	count(t.models, m.ModelName, by)
	count(t.sessions, m.Session, by)
	count(t.authors, m.Author, by)
	count(t.keys, m.Key, by)
}

func (t *tally) agreed() Mark {
	if m, ok := only(t.marks); ok {
		return m
	}
	origin, ok := only(t.origins)
	if !ok {
		return Mark{Origin: stemma.OriginUnknown, Reason: ReasonConflict}
	}
	m := Mark{Origin: origin}
	m.Agent, _ = only(t.agents)
	m.ModelName, _ = only(t.models)
	m.Author, _ = only(t.authors)
	m.Key, _ = only(t.keys)
	if m.Session, ok = only(t.sessions); !ok || origin == stemma.OriginUnknown {
		m.Reason = ReasonSeveral
	}
	return m
}

func count[K comparable](m map[K]int, k K, by int) {
	if m[k] += by; m[k] == 0 {
		delete(m, k)
	}
}

func only[K comparable](m map[K]int) (k K, ok bool) {
	if len(m) != 1 {
		return k, false
	}
	for k = range m {
	}
	return k, true
}

// Combine makes one set of claims of several records about the same commit.
// The rule where they overlap: an unknown mark gives way to one that says
// something; marks that both say something keep what they agree upon, and with
// different origins the line is unknown. No format stands above another.
func Combine(records ...Claims) Claims {
	if len(records) == 1 {
		return records[0]
	}
	var all Claims
	var formats []string
	byPath := map[string][]claim{}
	var paths []string
	for _, r := range records {
		if !slices.Contains(formats, r.Format) {
			formats = append(formats, r.Format)
		}
		all.Sessions = append(all.Sessions, r.Sessions...)
		all.Anchors = append(all.Anchors, r.Anchors...)
		all.Unresolved += r.Unresolved
		all.Problems = append(all.Problems, r.Problems...)
		for _, f := range r.Files {
			if _, known := byPath[f.Path]; !known {
				paths = append(paths, f.Path)
			}
			for _, s := range f.Spans {
				byPath[f.Path] = append(byPath[f.Path], claim{s, s.Origin == stemma.OriginUnknown})
			}
		}
	}
	all.Format = strings.Join(formats, "+")
	for _, p := range paths {
		all.addFile(p, byPath[p])
	}
	return all
}

// Add settles what a record says about a path. The spans may be in any order
// and overlap; a path is added once.
func (c *Claims) Add(path string, spans []ClaimedSpan) {
	claims := make([]claim, len(spans))
	for i, s := range spans {
		claims[i].ClaimedSpan = s
	}
	c.addFile(path, claims)
}

// addFile settles the claims about a path.
func (c *Claims) addFile(path string, claims []claim) {
	f := ClaimedFile{Path: path, Spans: settle(claims)}
	if len(f.Spans) == 0 {
		return
	}
	for _, s := range f.Spans {
		c.Claimed += s.End - s.Start + 1
	}
	c.Files = append(c.Files, f)
}
