package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/posted"
)

// sentMark is a file in the data directory that says that its store takes records from
// outside of repositories: over HTTP, or from files. Where it is not there, questions
// about lines need not open the store.
const sentMark = "takes-notes"

// takeNotes leaves the mark.
func (a *app) takeNotes() error {
	dir, err := a.store.dir()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, sentMark), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("marking that records are taken: %w", err)
	}
	return f.Close()
}

// A questioned repository answers for its lines, with the records that were sent to the
// store, if it ever took any. Close it.
type questioned struct {
	*origins.Repo
	store *store // nil if it is not needed
}

// Close closes the repository and the store.
func (r *questioned) Close() error {
	err := r.Repo.Close()
	if r.store != nil {
		err = errors.Join(err, r.store.Close())
	}
	return err
}

// addSent lets the records that were sent to the store speak too. Where they cannot be
// read, the records in the repository still answer.
func (a *app) addSent(ctx context.Context, r *questioned) {
	dir, err := a.store.dir()
	if err != nil {
		return
	}
	if _, err := os.Stat(filepath.Join(dir, sentMark)); err != nil {
		return
	}
	if r.Sent, err = a.sent(ctx, r); err != nil && ctx.Err() == nil {
		a.log.Warn("records that were sent to the store are not taken into account", "why", err)
	}
}

func (a *app) sent(ctx context.Context, r *questioned) (sent origins.Sent, err error) {
	if r.store, err = a.open(ctx); err != nil {
		return sent, err
	}
	notes, err := posted.Open(ctx, r.store.Space, a.now)
	if err != nil {
		return sent, err
	}
	last, err := notes.Last(ctx)
	if err != nil {
		return sent, err
	}
	return origins.Sent{Version: fmt.Sprint(last), About: func(commits []string) (map[string]note.Claims, error) {
		about := map[string]note.Claims{}
		for k, err := range notes.About(ctx, commits) {
			if err != nil {
				return nil, err
			}
			told := posted.Claims(k.Format, k.Body)
			if before, ok := about[k.Commit]; ok {
				told = note.Combine(before, told)
			}
			about[k.Commit] = told
		}
		return about, nil
	}}, nil
}
