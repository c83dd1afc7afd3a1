package govern

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
)

// A clone is where commits are read that belong to no change that is known.
type clone struct {
	*origins.Repo
	repository stemma.Ref
	settings   func(repository string) subject.Settings
	now        time.Time
}

// loose are the subjects of commits that belong to no change that is known: each counts as
// pushed. In the pipeline of a merge request of which nobody has told yet they are that
// one, number, of which nothing else is known.
func (c *clone) loose(ctx context.Context, commits []string, number int) ([]*subject.Subject, error) {
	covered, err := c.Coverage(ctx, commits)
	if err != nil {
		return nil, err
	}
	files, err := c.files(ctx, commits)
	if err != nil {
		return nil, err
	}
	var list []*subject.Subject
	for _, k := range covered {
		x := c.pushed(k, files[k.ID])
		if number > 0 && len(list) > 0 {
			join(list[0], x)
			continue
		}
		list = append(list, x)
	}
	for _, x := range list {
		if number > 0 {
			x.Change.Ref, x.Change.Number = string(change.NumberedRef(c.repository, number)), number
			x.Change.Method, x.Change.State, x.Change.Merged = "", "open", time.Time{}
			x.Change.Head, x.Change.Landed = x.Change.Landed, ""
		}
		gather.PutFiles(x, x.Files, x.Change.MoreFiles)
		x.Derive()
	}
	return list, nil
}

// pushed is the subject of one commit that was pushed.
func (c *clone) pushed(k origins.Covered, files touching) *subject.Subject {
	ref := change.ShaRef(k.ID)
	title, _, _ := strings.Cut(k.Message, "\n")
	host, name := c.repository.Split()
	who := personOf(k.Author)
	x := &subject.Subject{
		Change: subject.Change{
			Thing: subject.Thing{Ref: string(change.DirectRef(c.repository, k.ID)), Grade: string(stemma.GradeC)}, Title: stemma.CleanText(title, 300), Method: "direct",
			Merged: k.Committer.When.UTC(), Author: who, Landed: string(ref), Added: k.Lines, AILines: k.AI, HumanLines: k.Human, UnknownLines: k.Unknown,
			MoreFiles: files.more,
		},
		Repository: subject.Repository{Thing: subject.Thing{Ref: string(c.repository)}, Name: name, Host: host},
		Files:      files.list, Now: c.now, Settings: c.settings(string(c.repository)),
	}
	own := subject.Commit{
		Thing: subject.Thing{Ref: string(ref), Grade: string(stemma.GradeC)}, Author: who, Committer: personOf(k.Committer), Committed: k.Committer.When.UTC(), Title: x.Change.Title,
		Added: k.Lines, AILines: k.AI, UnknownLines: k.Unknown, AIAuthor: assisted(k), Merge: k.Merge(), HasRecord: k.Why == "",
	}
	if k.Signature != git.Unsigned {
		own.Signature = string(k.Signature)
	}
	x.Commits = []subject.Commit{own}
	for origin, lines := range map[string]int{"ai": k.AI, "human": k.Human, "unknown": k.Unknown} {
		if lines > 0 {
			x.Spans = append(x.Spans, subject.Span{Lines: lines, Origin: origin, Agent: agentOf(origin, k.Agents)})
		}
	}
	slices.SortFunc(x.Spans, func(a, b subject.Span) int { return strings.Compare(a.Origin, b.Origin) })
	for i := range x.Files {
		x.Files[i].ByAI = k.AI > 0 || own.AIAuthor // who deletes adds no line
	}
	return x
}

// assisted reports whether an agent's own account wrote a commit, or its message names one:
// by the marks for which a scan states that it was made with an agent.
func assisted(k origins.Covered) bool {
	return slices.ContainsFunc(words.Declared(&k.Commit), note.Declared.Assists)
}

func agentOf(origin string, agents []string) string {
	if origin == "ai" && len(agents) == 1 {
		return agents[0]
	}
	return ""
}

// join adds a commit to a change that has others, newer ones.
func join(x, more *subject.Subject) {
	a, b := &x.Change, &more.Change
	a.Added, a.AILines, a.HumanLines, a.UnknownLines = a.Added+b.Added, a.AILines+b.AILines, a.HumanLines+b.HumanLines, a.UnknownLines+b.UnknownLines
	a.MoreFiles = a.MoreFiles || b.MoreFiles
	x.Commits, x.Spans = append(x.Commits, more.Commits...), append(x.Spans, more.Spans...)
	for _, f := range more.Files {
		i := slices.IndexFunc(x.Files, func(g subject.File) bool { return g.Path == f.Path })
		if i < 0 {
			x.Files = append(x.Files, f)
			continue
		}
		g := &x.Files[i]
		g.Added, g.Deleted, g.ByAI = g.Added+f.Added, g.Deleted+f.Deleted, g.ByAI || f.ByAI
	}
}

// personOf is who a line of a commit names. Nobody has said which accounts are one person:
// each mail address is one.
func personOf(who git.Ident) subject.Person {
	is := identity.Recognise(who.Name, who.Mail)
	sum := sha256.Sum256([]byte(strings.ToLower(who.Mail)))
	ref := cmp.Or(is.Ref(), stemma.NewRef(stemma.KindPerson, hex.EncodeToString(sum[:16])))
	return subject.Person{Ref: string(ref), Self: string(ref), Human: is.Kind == stemma.KindPerson, Bot: is.Kind != stemma.KindPerson}
}

// A touching is what a commit touches; more says that it is not all.
type touching struct {
	list []subject.File
	more bool
}

// files are those that commits touch.
func (c *clone) files(ctx context.Context, commits []string) (map[string]touching, error) {
	of := map[string]touching{}
	if len(commits) == 0 {
		return of, nil
	}
	for k, err := range history.Log(ctx, c.Repo.Repo, history.Options{Tips: commits, Only: true, MaxLine: 1, MaxFileText: 1, MaxCommitText: 1}) {
		if err != nil {
			return nil, err
		}
		if k.Damage != nil {
			return nil, k.Damage
		}
		of[k.ID] = touched(k.Files)
	}
	return of, nil
}

// touched are the files of a commit, and the paths that renames took files from: those that
// a store gives of it, so that both come to one verdict. A path that is too long for an
// index is not kept there.
func touched(list []patch.File) (t touching) {
	there, read := map[string]bool{}, make([]patch.File, 0, min(len(list), gather.MaxFiles+1))
	for _, f := range list {
		path := quote.Path(f.Path)
		if len(path) > stemma.MaxIndexed || len(read) > gather.MaxFiles {
			t.more = true
			continue
		}
		there[f.Path], read = true, append(read, f)
		t.list = append(t.list, subject.File{Path: path, Status: string(f.Status), Added: f.Added, Deleted: f.Deleted})
	}
	for _, f := range read {
		if f.OldPath != "" && f.Status != patch.Copied && !there[f.OldPath] {
			there[f.OldPath] = true
			t.list = append(t.list, subject.File{Path: quote.Path(f.OldPath), Status: "R", MovedTo: quote.Path(f.Path)})
		}
	}
	return t
}

// mergeRequest is the number of the one whose pipeline this is; 0 elsewhere.
func mergeRequest() int {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	p, _ := ci.Detect(env, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	return p.Change
}
