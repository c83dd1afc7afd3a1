// Package origins is git blame with origins: of every line of a file, which
// commit brought it and who wrote it, as far as the records in the repository
// itself tell. Nothing needs to be scanned before, and no store is opened.
//
// Answers can be kept in a [Cache], which is never wrong: an answer is found by
// all that it depends on.
package origins

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/words"
)

// A Line is one line of a file: what git blame says of it, and who wrote it as
// far as the records in the repository tell.
type Line struct {
	blame.Line
	Mark  note.Mark
	Basis stemma.Basis
	Model stemma.Ref
}

// A Repo answers for one repository as it was when it was opened.
type Repo struct {
	*git.Repo
	refs  []git.Ref // of records
	cache Cache
}

// Open opens the repository that dir lies in, with one process.
func Open(ctx context.Context, dir string, cache Cache) (*Repo, error) {
	r, refs, err := git.Glance(ctx, dir, "refs/notes/", records.AuthorshipRefs)
	if err != nil {
		return nil, err
	}
	return &Repo{r, refs, cache}, nil
}

// Blame is git blame with origins. The records of just the commits that the
// lines came from are read from the repository itself: nothing needs to be
// scanned or flushed before, and the number of processes is constant.
//
// The lines that git blame gives to a commit are lines it added, so no record
// can credit more than that. With a cache, an answer that is known is not
// computed again; it is keyed by all that it depends on, so it is never out of
// date.
func (b *Repo) Blame(ctx context.Context, o blame.Options) ([]Line, error) {
	basis, err := blame.Basis(b.Repo, o)
	if err != nil {
		return nil, err
	}
	cat := lazyCatFile{open: func() (*git.CatFile, error) { return b.CatFile(ctx, note.MaxRecord) }}
	defer cat.close()
	place := b.place(&cat, &o)
	refs := b.refs
	if place.trace != "" {
		refs = append(slices.Clone(refs), git.Ref{Name: records.AgentTraceFile, ID: place.trace})
	}
	key := place.key(o.Path, basis, refs)
	if lines, ok := b.cache.get(ctx, b.Repo, key); ok {
		return lines, nil
	}
	objects, err := cat.get() // is ready when git blame is
	if err != nil {
		return nil, err
	}
	lines, commits, err := b.lines(ctx, o)
	if err != nil {
		return nil, err
	}
	set, err := readRecords(objects, refs, commits)
	if err != nil {
		return nil, err
	}
	blamed := make([]Line, len(lines))
	for i, l := range lines {
		blamed[i] = set.origin(l)
	}
	b.cache.put(key, blamed)
	return blamed, nil
}

// A lazyCatFile is started when it is first needed.
type lazyCatFile struct {
	open func() (*git.CatFile, error)
	cat  *git.CatFile
}

func (l *lazyCatFile) get() (cat *git.CatFile, err error) {
	if l.cat == nil {
		l.cat, err = l.open()
	}
	return l.cat, err
}

func (l *lazyCatFile) close() {
	if l.cat != nil {
		l.cat.Kill()
	}
}

// lines runs git blame and tells which commits its lines come from.
func (b *Repo) lines(ctx context.Context, o blame.Options) (lines []blame.Line, commits map[string]bool, err error) {
	commits = map[string]bool{}
	for l, err := range blame.Lines(ctx, b.Repo, o) {
		if err != nil {
			return nil, nil, err
		}
		lines = append(lines, l)
		if l.Commit.Committed() {
			commits[l.Commit.ID] = true
		}
	}
	return lines, commits, nil
}

// A recordSet is what the repository says about the lines of some commits.
type recordSet struct {
	claims   map[string]note.Claims
	declared map[string][]note.Declared
}

// readRecords reads the notes and the messages of commits.
func readRecords(cat *git.CatFile, refs []git.Ref, commits map[string]bool) (recordSet, error) {
	set := recordSet{claims: map[string]note.Claims{}, declared: map[string][]note.Declared{}}
	wanted, err := findRecords(cat, refs, commits)
	if err != nil {
		return set, err
	}
	var ids []string
	for _, n := range wanted {
		ids = append(ids, n.blob)
	}
	i := 0
	for o, err := range cat.Objects(ids, note.MaxRecord) {
		if err != nil {
			return set, err
		}
		n := wanted[i]
		i++
		switch {
		case o.Data == nil:
		case n.commit == "":
			for t := range note.ParseAgentTraces(o.Data) {
				if commits[t.Revision] {
					set.add(t.Revision, t.Claims())
				}
			}
		case n.parse == nil:
			set.declared[n.commit] = words.Declared(git.ParseCommit("", o.Data))
		default:
			set.add(n.commit, n.parse(o.Data))
		}
	}
	return set, nil
}

// add joins a record to those about the same commit.
func (set recordSet) add(commit string, claims note.Claims) {
	if before, ok := set.claims[commit]; ok {
		claims = note.Combine(before, claims)
	}
	set.claims[commit] = claims
}

// A record waits to be read.
type record struct {
	commit, blob string         // without a commit it may speak of any
	parse        records.Parser // nil: of the commit object itself
}

type recordID struct{ commit, blob string }

// findRecords finds what refs of line records hold about commits, and the
// commits themselves.
func findRecords(cat *git.CatFile, refs []git.Ref, commits map[string]bool) ([]record, error) {
	ids := slices.Sorted(maps.Keys(commits))
	var found []record
	seen := map[recordID]bool{}
	add := func(n record) {
		if id := (recordID{n.commit, n.blob}); !seen[id] {
			seen[id] = true
			found = append(found, n)
		}
	}
	for _, ref := range refs {
		if commit, ok := strings.CutPrefix(ref.Name, records.AuthorshipRefs); ok {
			if commits[commit] {
				add(record{commit, ref.ID, records.ParseGitAI})
			}
			continue
		}
		if ref.Name == records.AgentTraceFile {
			add(record{"", ref.ID, nil})
			continue
		}
		parse := records.ParserOf(ref.Name)
		if parse == nil {
			continue
		}
		notes, err := cat.NotesOn(ref.ID, ids)
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			add(record{n.Object, n.Blob, parse})
		}
	}
	for _, id := range ids {
		add(record{id, id, nil})
	}
	return found, nil
}

// origin is who wrote a line.
func (set recordSet) origin(l blame.Line) Line {
	b := Line{Line: l, Basis: stemma.BasisUnknown, Mark: note.Mark{Origin: stemma.OriginUnknown}}
	id := l.Commit.ID
	claims, recorded := set.claims[id]
	declared := set.declared[id]
	switch {
	case strings.Trim(id, "0") == "":
		b.Mark.Reason = "not committed yet"
	case recorded && (claims.Claimed > 0 || !byBot(declared)):
		mark, ok := claimAt(claims, l.OrigPath, l.OrigLine)
		if !ok {
			b.Mark.Reason = note.NoSpan
			return b
		}
		b.Mark = mark
		if mark.Origin != stemma.OriginUnknown {
			b.Basis = stemma.BasisImported
		}
	case byBot(declared):
		d := declared[slices.IndexFunc(declared, isBot)]
		b.Basis = stemma.BasisDeclared
		b.Mark = note.Mark{Origin: stemma.OriginAI, Agent: d.Agent, ModelName: d.ModelName, Session: d.Session}
	case len(declared) > 0:
		b.Mark.Reason = note.Assisted
	default:
		b.Mark.Reason = note.NoRecord
	}
	b.Model = identity.ModelRef(b.Mark.ModelName)
	return b
}

func isBot(d note.Declared) bool { return d.Bot && (d.Agent != "" || d.ModelName != "") }

func byBot(declared []note.Declared) bool { return slices.ContainsFunc(declared, isBot) }

// claimAt is what a record says about one line.
func claimAt(c note.Claims, path string, line int) (note.Mark, bool) {
	for i := range c.Files {
		if c.Files[i].Path != path {
			continue
		}
		spans := c.Files[i].Spans
		at, _ := slices.BinarySearchFunc(spans, line, func(s note.ClaimedSpan, line int) int { return s.End - line })
		if at < len(spans) && spans[at].Start <= line {
			return spans[at].Mark, true
		}
	}
	return note.Mark{}, false
}
