// Package origins is git blame with origins: of every line of a file, which
// commit brought it and who wrote it, as far as the records in the repository
// itself tell. Nothing needs to be scanned before, and no store is opened.
//
// Answers can be kept in a [Cache], which is never wrong: an answer is found by
// all that it depends on.
package origins

import (
	"cmp"
	"context"
	"errors"
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

// A Line is one line of a file: what git blame says of it, and who wrote it.
type Line struct {
	blame.Line
	*Origin
}

// An Origin is who wrote lines, as far as the records in the repository tell. Neighbours
// share it: a file may have millions of lines.
type Origin struct {
	Mark  note.Mark
	Basis stemma.Basis
	Model stemma.Ref
}

// A Repo answers for one repository as it was when it was opened.
type Repo struct {
	*git.Repo
	Sent  Sent      // may be set before the first question
	refs  []git.Ref // of records
	cache Cache
	own   Own
}

// Own says which notes were written in this clone, by what its own hooks saw.
// The zero value says of none.
type Own struct {
	Is      func(commit, blob string) bool
	Version string // changes when Is does
}

// Sent are records that were sent to a store instead of being put into the
// repository. The zero value has none.
type Sent struct {
	About   func(commits []string) (map[string]note.Claims, error)
	Version string // changes when any of them does
}

// Open opens the repository that dir lies in, with at most one process.
func Open(ctx context.Context, dir string, own Own, cache Cache) (*Repo, error) {
	r, refs, err := git.Glance(ctx, dir, "refs/notes/", records.AuthorshipRefs)
	if err != nil {
		return nil, err
	}
	return &Repo{Repo: r, refs: refs, cache: cache, own: own}, nil
}

// Blame is git blame with origins. The records of just the commits that the
// lines came from are read from the repository itself: nothing needs to be
// scanned or flushed before, and the number of processes is constant.
//
// The lines that git blame gives to a commit are lines it added, so no record
// can credit more than that. Only where the blame stops they may be older: there
// a record counts that speaks of the very line. With a cache, an answer that is known is not
// computed again; it is keyed by all that it depends on, so it is never out of
// date.
func (b *Repo) Blame(ctx context.Context, o blame.Options) (_ []Line, err error) {
	if o.Not, err = b.IDs(ctx, o.Not); err != nil {
		return nil, err
	}
	basis, err := blame.Basis(b.Repo, o)
	if err != nil {
		return nil, err
	}
	cat := lazyCatFile{open: func() (*git.CatFile, error) { return b.CatFile(ctx, note.MaxRecord) }}
	defer cat.close()
	place, ahead := b.place(ctx, &cat, &o)
	defer ahead.stop()
	refs := b.refs
	if place.trace != "" {
		refs = append(slices.Clone(refs), git.Ref{Name: records.AgentTraceFile, ID: place.trace})
	}
	if basis != "" { // else nothing may be kept
		basis += " own " + b.own.Version + " sent " + b.Sent.Version
	}
	key := place.key(o.Path, basis, refs)
	if lines, ok := b.cache.get(ctx, b.Repo, key); ok {
		return lines, nil
	}
	objects, err := cat.get() // is ready when git blame is
	if err != nil {
		return nil, err
	}
	lines, set, err := b.read(ctx, o, place, ahead, objects, refs)
	if err != nil {
		return nil, err
	}
	last := &Origin{}
	for i := range lines {
		if own := set.origin(&lines[i].Line); own != *last {
			last = new(Origin)
			*last = own
		}
		lines[i].Origin = last
	}
	b.cache.put(key, lines)
	return lines, nil
}

// read runs git blame and reads what is recorded about the commits of its
// lines. Where the content is at hand, that is done while git blame looks for
// more of them; ahead is a search for them that runs already, or nil.
func (b *Repo) read(ctx context.Context, o blame.Options, at place, ahead *search, cat *git.CatFile, refs []git.Ref) ([]Line, *recordSet, error) {
	content, ok := at.text(cat)
	if !ok {
		lines, commits, err := b.lines(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		set := newRecordSet(cat, refs, b.own, b.Sent)
		return lines, set, errors.Join(set.read(commits), set.readTraces())
	}
	if ahead == nil {
		ahead = b.search(ctx, o)
		defer ahead.stop()
	}
	set := newRecordSet(cat, refs, b.own, b.Sent)
	commits, done := make(chan string, 1024), make(chan error, 1)
	go func() { done <- set.follow(commits) }()
	lines, err := ahead.lines(o.Path, content, commits)
	close(commits)
	if read := <-done; err == nil {
		err = read
	}
	return lines, set, err
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
func (b *Repo) lines(ctx context.Context, o blame.Options) (lines []Line, commits []string, err error) {
	known := map[string]bool{}
	for l, err := range blame.Lines(ctx, b.Repo, o) {
		if err != nil {
			return nil, nil, err
		}
		lines = append(lines, Line{Line: l})
		if id := l.Commit.ID; l.Commit.Committed() && !known[id] {
			known[id] = true
			commits = append(commits, id)
		}
	}
	return lines, commits, nil
}

// A recordSet is what the repository says about the lines of some commits.
type recordSet struct {
	cat      *git.CatFile
	refs     []git.Ref
	own      Own
	sent     Sent
	asked    map[string]bool
	claims   map[string]note.Claims
	declared map[string][]note.Declared
	behind   map[string]bool // commits with parents
}

func newRecordSet(cat *git.CatFile, refs []git.Ref, own Own, sent Sent) *recordSet {
	return &recordSet{cat, refs, own, sent, map[string]bool{}, map[string]note.Claims{}, map[string][]note.Declared{}, map[string]bool{}}
}

// follow reads about commits as they are told, many at once where they wait.
func (set *recordSet) follow(commits <-chan string) error {
	var err error
	for id := range commits {
		if batch := waiting(id, commits); err == nil {
			err = set.read(batch)
		}
	}
	return errors.Join(err, set.readTraces())
}

// waiting are an id and those that wait behind it.
func waiting(id string, behind <-chan string) []string {
	list := []string{id}
	for {
		select {
		case id, ok := <-behind:
			if !ok {
				return list
			}
			list = append(list, id)
		default:
			return list
		}
	}
}

// read reads the notes and the messages of commits.
func (set *recordSet) read(commits []string) error {
	wanted, err := set.find(commits)
	if err != nil {
		return err
	}
	var ids []string
	for _, n := range wanted {
		ids = append(ids, n.blob)
	}
	i := 0
	for o, err := range set.cat.Objects(ids, note.MaxRecord) {
		if err != nil {
			return err
		}
		n := wanted[i]
		i++
		switch {
		case o.Data == nil:
		case n.parse == nil:
			c := git.ParseCommit("", o.Data)
			set.declared[n.commit], set.behind[n.commit] = words.Declared(c), len(c.Parents) > 0
		default:
			claims := n.parse(o.Data)
			if set.own.Is == nil || !set.own.Is(n.commit, n.blob) {
				claims.Foreign()
			}
			set.add(n.commit, claims)
		}
	}
	return set.readSent(commits)
}

// readSent reads the records of commits that were sent to the store.
func (set *recordSet) readSent(commits []string) error {
	if set.sent.About == nil {
		return nil
	}
	sent, err := set.sent.About(commits)
	for commit, claims := range sent {
		set.add(commit, claims)
	}
	return err
}

// readTraces reads the records in a file of traces, which may speak of any
// commit.
func (set *recordSet) readTraces() error {
	for _, ref := range set.refs {
		if ref.Name != records.AgentTraceFile {
			continue
		}
		o, err := set.cat.Object(ref.ID)
		if err != nil {
			return err
		}
		for t := range note.ParseAgentTraces(o.Data) {
			if set.asked[t.Revision] {
				set.add(t.Revision, t.Claims())
			}
		}
	}
	return nil
}

// add joins a record to those about the same commit.
func (set *recordSet) add(commit string, claims note.Claims) {
	if before, ok := set.claims[commit]; ok {
		claims = note.Combine(before, claims)
	}
	set.claims[commit] = claims
}

// A record waits to be read.
type record struct {
	commit, blob string
	parse        records.Parser // nil: of the commit object itself
}

type recordID struct{ commit, blob string }

// find finds what refs of line records hold about commits, and the commits
// themselves.
func (set *recordSet) find(commits []string) ([]record, error) {
	ids := slices.Sorted(slices.Values(commits))
	for _, id := range ids {
		set.asked[id] = true
	}
	var found []record
	seen := map[recordID]bool{}
	add := func(n record) {
		if id := (recordID{n.commit, n.blob}); !seen[id] {
			seen[id] = true
			found = append(found, n)
		}
	}
	for _, ref := range set.refs {
		if commit, ok := strings.CutPrefix(ref.Name, records.AuthorshipRefs); ok {
			if _, wanted := slices.BinarySearch(ids, commit); wanted {
				add(record{commit, ref.ID, records.ParseGitAI})
			}
			continue
		}
		parse := records.ParserOf(ref.Name)
		if parse == nil {
			continue
		}
		notes, err := set.cat.NotesOn(ref.ID, ids)
		if errors.Is(err, stemma.ErrNotFound) {
			continue // the ref is broken, and git would not list it
		} else if err != nil {
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
func (set *recordSet) origin(l *blame.Line) Origin {
	b := Origin{Basis: stemma.BasisUnknown, Mark: note.Mark{Origin: stemma.OriginUnknown}}
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
			b.Basis = cmp.Or(mark.Basis, stemma.BasisImported)
		}
	case l.Commit.Boundary && set.behind[id]:
		b.Mark.Reason = note.Older
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
			return *spans[at].Mark, true
		}
	}
	return note.Mark{}, false
}
