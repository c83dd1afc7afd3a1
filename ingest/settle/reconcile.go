package settle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/ingest/settle/follow"
	"github.com/stemma-dev/stemma/spool"
)

// Reconcile binds the lines of commits that were made where nobody watched to
// who wrote them, by the notes of the commits that they came from: those that the
// given ones reach, or without any the branches of the repository. Commits and
// sources are ids. A commit that has a note keeps it. No capture is needed.
func Reconcile(ctx context.Context, repo *git.Repo, commits, from []string, now time.Time) (r Report, err error) {
	t := &tree{Tree: follow.New(repo, spool.Place{}), repo: repo, from: from}
	t.Take(capture.Read(spool.Reading{}, nil, nil))
	if t.notes, err = notesTip(ctx, repo); err != nil {
		return r, err
	}
	if t.notes == "" {
		return r, fmt.Errorf("reconciling: %w", ErrNoNotes)
	}
	if t.Cat, err = repo.CatFile(ctx, spool.MaxContent); err != nil {
		return r, err
	}
	defer t.Cat.Kill()
	list, err := bind.Unwatched(ctx, repo, commits)
	if err != nil {
		return r, err
	}
	b, err := t.clone().Finder(ctx, list, 2)
	if err != nil {
		return r, err
	}
	notes, _, err := t.notesOf(list, b, &r)
	if err != nil {
		return r, err
	}
	r.Notes = len(notes)
	return r, repo.AddNotes(ctx, Ref, notes, "Notes by stemma", now)
}

// ErrNoNotes means: a repository has no notes of line origin.
var ErrNoNotes = errors.New("there are no notes in " + Ref)
