// Package settle finds out whose the lines are that the commits of a clone added:
// what hooks saw goes in, notes come out.
//
// Nothing needs to run when git does. A commit is found in the reflog, and what
// was seen before and after it tells who wrote its lines; what git did to
// history in between, a rebase, a squash, a stash that came back, only puts
// contents in place that were seen before. What a commit owes is settled once,
// and the same evidence gives the same notes.
package settle

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/ingest/settle/follow"
	"github.com/stemma-dev/stemma/spool"
)

// Ref is where notes are written.
const Ref = "refs/notes/ai"

// A Report is what was settled.
type Report struct {
	Commits int      // that were looked at
	Notes   int      // that were written
	Lines   Lines    // that those commits added
	Kept    []string // notes that could not be written, or joined with those of a remote, and why
	Started int      // processes of git
}

// Lines counts lines by who wrote them.
type Lines struct{ AI, Human, Unknown int }

// Run settles what is new in the clone that dir lies in, and joins the notes that
// were fetched. The time is that of the commits of notes. Where nothing is new it
// takes no process; two at once take turns.
func Run(ctx context.Context, dir string, now time.Time) (r Report, err error) {
	place, ok := find(dir)
	if !ok {
		return r, nil
	}
	trees := place.Trees()
	if !slices.ContainsFunc(trees, captured) {
		return r, nil
	}
	unlock, err := place.Lock(ctx)
	if err != nil {
		return r, err
	}
	defer unlock()
	if !slices.ContainsFunc(trees, changed) {
		return r, nil
	}
	repo, err := git.Open(ctx, place.WorkTree)
	if err != nil {
		return r, err
	}
	defer func() {
		r.Started = repo.Processes()
		err = errors.Join(err, repo.Close())
	}()
	s, err := readState(place)
	if err != nil {
		return r, err
	}
	if err := mergeFetched(ctx, repo, s, &r, now); err != nil {
		return r, err
	}
	if err := s.recheck(ctx, repo); err != nil {
		return r, err
	}
	// The one that is asked from comes last: what no tree made came from elsewhere.
	for i := range trees {
		tree := trees[len(trees)-1-i]
		before := look(tree)
		leave, err := settle(ctx, repo, tree, i == len(trees)-1, s, &r, now)
		if err != nil {
			return r, err
		}
		if s.merged[Ref], err = notesTip(ctx, repo); err != nil {
			return r, err
		}
		before.Notes = look(tree).Notes
		if err := errors.Join(s.save(tree, before), leave()); err != nil {
			return r, err
		}
	}
	return r, follow.Forget(place, trees, now)
}

// find looks for the work tree that a directory lies in; elsewhere nothing was
// captured.
func find(dir string) (spool.Place, bool) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return spool.Place{}, false
	}
	place, err := spool.Find(abs)
	return place, err == nil
}

// settle settles what is new in one work tree. What was settled being saved, leave
// lets the next time go on from here.
func settle(
	ctx context.Context, repo *git.Repo, place spool.Place, last bool, s *state, r *Report, now time.Time,
) (leave func() error, err error) {
	followed, err := follow.Open(ctx, repo, place, s.has)
	if err != nil || followed == nil {
		return func() error { return nil }, err
	}
	defer followed.Close()
	t := &tree{Tree: followed, repo: repo}
	if t.notes, err = notesTip(ctx, repo); err != nil {
		return nil, err
	}
	notes, err := t.settle(ctx, s, last, r)
	if err != nil {
		return nil, err
	}
	r.Notes += len(notes)
	return t.Leave, repo.AddNotes(ctx, Ref, notes, "Notes by stemma", now)
}

// A tree is a work tree with the notes of its clone.
type tree struct {
	*follow.Tree
	repo    *git.Repo
	from    []string          // commits to look for sources from; else all that the clone knows
	written map[string]string // commits by the notes that were written here
	opened  map[string]string // notes that are made anew
	notes   string            // where the notes of the clone stand, "" if there are none
}

// settle makes the notes of the commits that are not settled yet; in the last
// tree also of those that were made in none.
func (t *tree) settle(ctx context.Context, s *state, last bool, r *Report) ([]git.NewNote, error) {
	t.written, t.opened = map[string]string{}, s.opened
	for commit, blob := range s.done {
		t.written[blob] = commit
	}
	commits, err := t.ReadCommits(ctx, t.Pending(s.has))
	if err != nil {
		return nil, err
	}
	var foreign []*bind.Commit
	if last {
		if foreign, err = t.foreign(ctx, s, commits); err != nil {
			return nil, err
		}
	}
	list, err := t.Follow(commits, len(foreign) > 0)
	if err != nil {
		return nil, err
	}
	if err := t.recognise(foreign); err != nil {
		return nil, err
	}
	list = append(list, foreign...)
	b, err := t.clone().Finder(ctx, list, len(t.Evidence.Hands))
	if err != nil {
		return nil, err
	}
	notes, blobs, err := t.notesOf(list, b, r)
	for commit, blob := range blobs {
		s.settled(commit, blob)
	}
	for _, c := range list {
		s.wait(c)
	}
	return notes, err
}

// notesOf makes the notes of commits, and tells the blob of each; it is "" for a
// commit that gets none.
func (t *tree) notesOf(list []*bind.Commit, b *bind.Finder, r *Report) (notes []git.NewNote, blobs map[string]string, err error) {
	noted, err := t.noted(list)
	if err != nil {
		return nil, nil, err
	}
	t.learnModels(list)
	blobs = map[string]string{}
	for _, c := range list {
		if err := b.Bind(c); err != nil {
			return nil, nil, err
		}
		n := newNote(c.Commit, t.Evidence.Hands, b.Found)
		for _, a := range c.Added {
			n.add(a)
		}
		if !noted[c.ID] && !n.empty() {
			b.Know(c.ID, &n.note)
		}
		r.Commits++
		r.Lines.add(n.lines)
		blobs[c.ID] = ""
		switch {
		case noted[c.ID]:
			continue
		case n.empty() && c.Foreign && n.lines.Unknown > 0:
			blobs[c.ID] = unbound
			continue
		case n.empty():
			continue
		}
		text, err := n.write()
		if err != nil { // a path that the format cannot carry
			r.Kept = append(r.Kept, err.Error())
			continue
		}
		notes = append(notes, git.NewNote{Object: c.ID, Text: text})
		blobs[c.ID] = t.Place.ID(text)
	}
	return notes, blobs, nil
}

func (l *Lines) add(m Lines) {
	l.AI, l.Human, l.Unknown = l.AI+m.AI, l.Human+m.Human, l.Unknown+m.Unknown
}

// notesTip is where the notes of a clone stand, "" if there are none.
func notesTip(ctx context.Context, repo *git.Repo) (string, error) {
	refs, err := repo.RefNames(ctx, Ref)
	if err != nil {
		return "", err
	}
	for _, ref := range refs {
		if ref.Name == Ref {
			return ref.ID, nil
		}
	}
	return "", nil
}

// noted are the commits that have a note already, whoever wrote it.
func (t *tree) noted(list []*bind.Commit) (map[string]bool, error) {
	noted := map[string]bool{}
	if t.notes == "" || len(list) == 0 {
		return noted, nil
	}
	var ids []string
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	notes, err := t.Cat.NotesOn(t.notes, ids)
	for _, n := range notes {
		of, ours := t.written[n.Blob]
		again := t.opened[n.Object] == n.Blob && n.Blob != ""
		noted[n.Object] = !again && (!ours || of == n.Object) // git may have copied ours from another commit
	}
	return noted, err
}
