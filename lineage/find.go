package lineage

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
)

// A Candidate is one thing that a person may have meant.
type Candidate struct {
	Ref   stemma.Ref  `json:"ref"`
	Kind  stemma.Kind `json:"kind"`
	Title string      `json:"title"`
	// Match is what the text was taken for: "ref", "commit", "change", "ticket",
	// "requirement", "incident", "release", "session", "model", "agent", "bot",
	// "digest", "artifact", "file", "config", "repository", "deployment",
	// "environment", "checkpoint" or "person".
	Match string `json:"match"`
	// Exact is false if the text is only the beginning of a name.
	Exact bool `json:"exact"`
}

// Limits of a search.
const (
	maxFindText = stemma.MaxRef
	maxFindEach = 10 // candidates of one sort
)

// pattern is compiled when it is first asked for: most runs of the program ask
// for none.
func pattern(form string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}

var (
	hexadecimal = pattern(`^[0-9a-f]{4,64}$`)
	numbered    = pattern(`^(?:(?:[a-z0-9.-]+/)?([^\s#!]+/[^\s#!]+))?[#!]([0-9]{1,9})$`)
	ticketLike  = pattern(`^[A-Za-z][A-Za-z0-9_]*-[0-9]+$`)
	checkpoint  = pattern(`^[0-9a-f]{12}$`)
	handle      = pattern(`^[0-9a-zA-Z._-]{4,}$`)
)

// Find returns what text may name, the likeliest first: a whole ref or its
// beginning, a commit's name or at least four digits of it, "#142" or
// "owner/repo#142", "PAY-17", a tag, a session's id or its beginning, a model,
// an agent, a digest, a path or the end of one, a checkpoint of Entire. It returns
// nothing if it knows none of that name. The graph knows people by pseudonyms
// only: those who are called so are given.
func Find(ctx context.Context, g *graph.Graph, text string, called ...stemma.Ref) ([]Candidate, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxFindText {
		return nil, nil
	}
	f := finder{ctx: ctx, g: g, text: text, seen: map[stemma.Ref]bool{}}
	f.refs(text)
	f.commits(text)
	f.numbers(text)
	f.keys(text)
	f.names(text)
	f.paths(text)
	f.checkpoints(text)
	f.people(called)
	f.beginnings(text)
	if f.err != nil {
		return nil, f.err
	}
	return f.describe()
}

// A finder gathers candidates, best first; after an error it does nothing.
type finder struct {
	ctx   context.Context
	g     *graph.Graph
	text  string
	seen  map[stemma.Ref]bool
	nodes []graph.Node
	out   []Candidate
	err   error
}

func (f *finder) keep(match string, exact bool, nodes []graph.Node, err error) {
	if f.err == nil {
		f.err = err
	}
	for _, n := range nodes {
		if f.err == nil {
			n, f.err = Bearer(f.ctx, f.g, n)
		}
		if !f.seen[n.Ref] {
			f.seen[n.Ref] = true
			f.nodes = append(f.nodes, n)
			_, key := n.Ref.Split()
			f.out = append(f.out, Candidate{Ref: n.Ref, Kind: n.Kind, Match: match, Exact: exact || key == f.text})
		}
	}
}

// is looks for an equal value, begins for a longer one.
func (f *finder) is(kind stemma.Kind, column string, value any, match string) {
	if f.err == nil {
		nodes, err := f.g.Lookup(f.ctx, kind, column, value, maxFindEach)
		f.keep(match, true, nodes, err)
	}
}

func (f *finder) begins(kind stemma.Kind, column, prefix, match string) {
	if f.err == nil {
		nodes, err := f.g.LookupPrefix(f.ctx, kind, column, prefix, maxFindEach)
		f.keep(match, false, nodes, err)
	}
}

func (f *finder) ends(kind stemma.Kind, column, suffix, match string) {
	if f.err == nil {
		nodes, err := f.g.LookupSuffix(f.ctx, kind, column, suffix, maxFindEach)
		f.keep(match, true, nodes, err)
	}
}

func (f *finder) refBegins(prefix, match string) {
	if f.err == nil {
		nodes, err := f.g.LookupRef(f.ctx, prefix, maxFindEach)
		f.keep(match, false, nodes, err)
	}
}

func (f *finder) refs(text string) {
	if f.err != nil {
		return
	}
	ref, err := stemma.ParseRef(text)
	if err != nil {
		return
	}
	if _, ok := Spec(ref.Kind()); ok {
		nodes, err := f.g.Nodes(f.ctx, ref)
		f.keep("ref", true, nodes, err)
		f.refBegins(text, "ref")
	}
}

func (f *finder) commits(text string) {
	id, isDigest := strings.CutPrefix(strings.ToLower(text), "sha256:")
	if !hexadecimal().MatchString(id) {
		return
	}
	if !isDigest {
		for _, format := range []string{"sha1", "sha256"} {
			f.refBegins(string(stemma.NewRef(stemma.KindCommit, format, id)), "commit")
		}
	}
	f.begins(stemma.KindArtifact, "digest", "sha256:"+id, "digest")
}

// numbers understands "#142", "!142", "owner/repo#142" and a bare number.
func (f *finder) numbers(text string) {
	repository, number := "", text
	if m := numbered().FindStringSubmatch(text); m != nil {
		repository, number = m[1], m[2]
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n <= 0 || f.err != nil {
		return
	}
	const enough = 1000 // repositories that have a change of one number
	nodes, err := f.g.Lookup(f.ctx, stemma.KindChange, "number", n, enough)
	bearers := []string{repository}
	if repository != "" && err == nil {
		var named []graph.Node
		if named, err = f.g.Lookup(f.ctx, stemma.KindRepository, "name", repository, maxFindEach); err == nil {
			for _, r := range named {
				_, key := r.Ref.Split()
				bearers = append(bearers, key)
			}
		}
	}
	var kept []graph.Node
	for _, c := range nodes {
		_, key := c.Ref.Split()
		at := strings.TrimRight(key, "0123456789")
		if repository == "" || slices.ContainsFunc(bearers, func(name string) bool { return strings.EqualFold(at, name+"#") }) {
			kept = append(kept, c)
		}
	}
	f.keep("change", true, kept[:min(len(kept), maxFindEach)], err)
}

// keys understands the names that trackers give.
func (f *finder) keys(text string) {
	spellings := []string{text}
	if upper := strings.ToUpper(text); ticketLike().MatchString(text) && upper != text {
		spellings = append(spellings, upper)
	}
	for _, key := range spellings {
		f.is(stemma.KindTicket, "key", key, "ticket")
		f.is(stemma.KindRequirement, "key", key, "requirement")
		f.is(stemma.KindIncident, "key", key, "incident")
	}
}

func (f *finder) names(text string) {
	f.is(stemma.KindRelease, "name", strings.TrimPrefix(text, "refs/tags/"), "release")
	f.is(stemma.KindSession, "external_id", text, "session")
	f.is(stemma.KindModel, "name", text, "model")
	f.is(stemma.KindAgent, "name", text, "agent")
	f.is(stemma.KindBot, "name", text, "bot")
	f.is(stemma.KindArtifact, "name", text, "artifact")
	f.is(stemma.KindDeployment, "version", text, "deployment")
	f.is(stemma.KindEnvironment, "name", text, "environment")
	f.is(stemma.KindRepository, "name", text, "repository")
	if strings.Count(text, "/") >= 1 && f.err == nil {
		nodes, err := f.g.Nodes(f.ctx, stemma.NewRef(stemma.KindRepository, text))
		f.keep("repository", true, nodes, err)
		f.formerNames(text)
	}
}

// formerNames finds repositories by the names under which they were read first or
// in between; the name they have now is a column.
func (f *finder) formerNames(text string) {
	const enough = 1000
	nodes, err := f.g.LookupRef(f.ctx, string(stemma.KindRepository)+":", enough)
	f.keep("repository", true, slices.DeleteFunc(nodes, func(n graph.Node) bool {
		return !strings.HasSuffix(string(n.Ref), "/"+text)
	}), err)
}

func (f *finder) paths(text string) {
	path := strings.TrimPrefix(text, "./")
	f.is(stemma.KindFile, "path", path, "file")
	f.is(stemma.KindConfig, "path", path, "config")
	if len(f.out) == 0 {
		f.ends(stemma.KindFile, "path", "/"+path, "file")
	}
}

// checkpoints finds the sessions that were read at a checkpoint of Entire, whose
// id stands at the end of where they come from.
func (f *finder) checkpoints(text string) {
	if checkpoint().MatchString(text) {
		f.ends(stemma.KindSession, "origin_record", " "+text, "checkpoint")
	}
}

func (f *finder) people(called []stemma.Ref) {
	if f.err == nil {
		nodes, err := f.g.Nodes(f.ctx, called...)
		f.keep("person", true, nodes, err)
	}
}

// beginnings are tried last: few characters begin many names.
func (f *finder) beginnings(text string) {
	if !handle().MatchString(text) {
		return
	}
	f.begins(stemma.KindSession, "external_id", text, "session")
	f.begins(stemma.KindModel, "name", text, "model")
	f.begins(stemma.KindRelease, "name", text, "release")
	f.begins(stemma.KindAgent, "name", text, "agent")
}

// describe gives the candidates their titles.
func (f *finder) describe() ([]Candidate, error) {
	if err := f.g.Fill(f.ctx, f.nodes); err != nil {
		return nil, err
	}
	for i := range f.out {
		f.out[i].Title = Title(f.nodes[i].Ref, f.nodes[i].Attrs)
	}
	return f.out, nil
}
