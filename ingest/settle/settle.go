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
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/spool"
)

// Ref is where notes are written.
const Ref = "refs/notes/ai"

// maxContent is the longest file that is looked into, as for hooks.
const maxContent = spool.MaxContent

// A Report is what was settled.
type Report struct {
	Commits int      // that were looked at
	Notes   int      // that were written
	Lines   Lines    // that those commits added
	Lost    []string // what hooks could not keep
	Damaged int      // entries that could not be read
}

// Lines counts lines by who wrote them.
type Lines struct{ AI, Human, Unknown int }

// Run settles what is new in the clone that dir lies in. The time is that of the
// commit of notes. A clone without anything captured has nothing to settle.
func Run(ctx context.Context, dir string, now time.Time) (r Report, err error) {
	place, err := spool.Find(dir)
	if err != nil {
		return r, fmt.Errorf("settling: %w", err)
	}
	s, err := openState(place)
	if err != nil || s.current(place) {
		return r, err
	}
	repo, err := git.Open(ctx, place.WorkTree)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	t, err := readTree(ctx, repo, place)
	if err != nil || t == nil {
		return r, err
	}
	defer t.cat.Kill()
	r.Lost, r.Damaged = t.evidence.Lost, t.evidence.Damaged
	notes, err := t.settle(ctx, s, &r)
	if err != nil {
		return r, err
	}
	if err := repo.AddNotes(ctx, Ref, notes, "Notes by stemma", now); err != nil {
		return r, err
	}
	r.Notes = len(notes)
	return r, s.save(place, t.spooled, t.logged)
}

// readTree reads what was captured in a work tree; nil if nothing was.
func readTree(ctx context.Context, repo *git.Repo, place spool.Place) (*tree, error) {
	t := &tree{
		repo: repo, place: place, watches: map[string]*watch{}, blobs: map[string][]string{},
		pathOf: map[*edits.File]string{}, keysOf: map[string]map[edits.Key]bool{}, began: map[int]int{},
	}
	var err error
	if t.moves, err = place.Moves(); err != nil {
		return nil, err
	}
	reading, err := place.Read(0)
	if err != nil || len(reading.Entries) == 0 {
		return nil, err
	}
	t.spooled = reading.Next
	if n := len(t.moves); n > 0 {
		t.logged = t.moves[n-1].End
	}
	t.evidence = capture.Read(reading, t.moves, t.captured)
	t.cat, err = repo.CatFile(ctx, maxContent)
	return t, err
}

// settle makes the notes of the commits that are not settled yet.
func (t *tree) settle(ctx context.Context, s *state, r *Report) ([]git.NewNote, error) {
	pending := t.pending(s)
	commits, err := t.read(ctx, pending)
	if err != nil {
		return nil, err
	}
	if err := t.findBlobs(commits); err != nil {
		return nil, err
	}
	noted, err := t.noted(ctx, commits)
	if err != nil {
		return nil, err
	}
	made := map[string]*noteBuilder{}
	err = t.replay(commits, func(c commit, f file, lines []edits.AddedLine) {
		if made[c.ID] == nil {
			made[c.ID] = newNote(c.ID, c.Committer, t.evidence.Hands)
		}
		made[c.ID].add(f.Path, lines)
	})
	if err != nil {
		return nil, err
	}
	var notes []git.NewNote
	for _, c := range commits {
		b := made[c.ID]
		r.Commits++
		if b != nil {
			r.Lines.add(b.lines)
		}
		if noted[c.ID] || b == nil || b.empty() {
			s.settled(c.ID, "")
			continue
		}
		text, err := b.write()
		if err != nil {
			return nil, err
		}
		notes = append(notes, git.NewNote{Object: c.ID, Text: text})
		s.settled(c.ID, t.place.ID(text))
	}
	return notes, nil
}

func (l *Lines) add(m Lines) {
	l.AI, l.Human, l.Unknown = l.AI+m.AI, l.Human+m.Human, l.Unknown+m.Unknown
}

// A commit is one that a move of HEAD made here.
type commit struct {
	git.Commit
	move  int
	files []file
}

// pending are the moves that made a commit which is not settled.
func (t *tree) pending(s *state) (list []int) {
	seen := map[string]bool{}
	for i, m := range t.moves {
		if i < t.evidence.Before || m.To == "" || !makes(m) || seen[m.To] || s.has(m.To) {
			continue
		}
		seen[m.To] = true
		list = append(list, i)
	}
	return list
}

// makes reports whether a move may have made the commit that it leads to.
func makes(m spool.Move) bool {
	what, rest, _ := strings.Cut(m.What, ":")
	verb, _, _ := strings.Cut(what, " ")
	switch {
	case slices.Contains([]string{"checkout", "reset", "clone", "branch", "Branch", "bisect"}, verb):
		return false
	case strings.EqualFold(strings.TrimSpace(rest), "fast-forward"):
		return false
	case verb == "rebase" || verb == "pull":
		for _, step := range []string{"(start)", "(finish)", "(abort)"} {
			if strings.HasSuffix(what, step) {
				return false
			}
		}
	}
	return true
}

// read reads what the commits changed.
func (t *tree) read(ctx context.Context, pending []int) ([]commit, error) {
	if len(pending) == 0 {
		return nil, nil
	}
	o := history.Options{Only: true, MaxLine: 1, MaxFileText: 1, MaxCommitText: 1}
	at := map[string]int{}
	for _, i := range pending {
		o.Tips = append(o.Tips, t.moves[i].To)
		at[t.moves[i].To] = i
	}
	var list []commit
	for c, err := range history.Log(ctx, t.repo, o) {
		if err != nil {
			return nil, err
		}
		list = append(list, commit{c.Commit, at[c.ID], changed(c)})
	}
	slices.SortStableFunc(list, func(a, b commit) int { return a.move - b.move })
	return list, nil
}

// noted are the commits that have a note already, whoever wrote it.
func (t *tree) noted(ctx context.Context, commits []commit) (map[string]bool, error) {
	noted := map[string]bool{}
	refs, err := t.repo.RefNames(ctx, Ref)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range commits {
		ids = append(ids, c.ID)
	}
	for _, ref := range refs {
		if ref.Name != Ref {
			continue
		}
		notes, err := t.cat.NotesOn(ref.ID, ids)
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			noted[n.Object] = true
		}
	}
	return noted, nil
}
