package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/posted"
	"github.com/stemma-dev/stemma/ingest/settle"
)

// Origins answers whose the lines of a repository are, with the records that were sent
// to the store, if it ever took any. Close it.
type Origins struct {
	*origins.Repo
	store *Store // nil if it is not needed
}

// Close closes the repository and the store.
func (r *Origins) Close() error {
	err := r.Repo.Close()
	if r.store != nil {
		err = errors.Join(err, r.store.Close())
	}
	return err
}

// PathOf is the path, from the root of the repository, of a file that somebody who stands
// where the program does calls by this name. It reads names as git does: ".." takes the
// name before it away, and only an absolute one may lead through symbolic links, to the
// work tree.
func (r *Origins) PathOf(name string) (string, error) {
	slashed, within := filepath.ToSlash(name), true
	var clean string
	if filepath.IsAbs(name) {
		clean, within = below(r.WorkTree, path.Clean(slashed))
	} else {
		clean = path.Join(r.Prefix, slashed)
	}
	switch {
	case !within && r.WorkTree == "":
		return "", fmt.Errorf("%s: without a work tree, a path begins at the root of the repository", terminal.OneLine(name))
	case !within, clean == "..", strings.HasPrefix(clean, "../"):
		return "", fmt.Errorf("%s is outside of the repository: %w", terminal.OneLine(name), stemma.ErrNotFound)
	case clean == "", clean == ".", strings.HasSuffix(slashed, "/"):
		return "", fmt.Errorf("%s names a directory, not a file", terminal.OneLine(name))
	}
	return clean, nil
}

// below is what of an absolute path lies below the first directory on its way that is top.
func below(top, name string) (string, bool) {
	root, err := os.Stat(top)
	if err != nil {
		return "", false
	}
	for i, c := range name + "/" {
		if c != '/' {
			continue
		}
		if at, err := os.Stat(name[:min(i+1, len(name))]); err == nil && os.SameFile(at, root) {
			return name[min(i+1, len(name)):], true
		}
	}
	return "", false
}

// OpenOrigins opens the repository the program stands in, with all that hooks saw settled:
// nothing has to be flushed before anybody asks.
func (a *App) OpenOrigins(ctx context.Context) (*Origins, error) {
	a.Settle(ctx, ".")
	own, version := settle.Own(".")
	r, err := origins.Open(ctx, ".", origins.Own{Is: own, Version: version}, a.blameCache())
	if err != nil {
		return nil, err
	}
	with := &Origins{Repo: r}
	a.addSent(ctx, with)
	return with, nil
}

// Settle settles what is new in a clone; where it cannot, what was settled before
// still answers.
func (a *App) Settle(ctx context.Context, dir string) {
	if _, err := settle.Run(ctx, dir, a.Now()); err != nil && ctx.Err() == nil {
		a.Log.Warn("what hooks saw last is not taken into account", "why", err)
	}
}

// blameCache is where answers are kept; blame works without.
func (a *App) blameCache() origins.Cache {
	dir, err := a.store.dir()
	if err != nil {
		return origins.Cache{}
	}
	return origins.Cache{Dir: filepath.Join(dir, "cache", "blame")}
}

// sentMark is a file in the data directory that says that its store takes records from
// outside of repositories: over HTTP, or from files. Where it is not there, questions
// about lines need not open the store.
const sentMark = "takes-notes"

// TakeNotes says that the store takes records from outside from now on.
func (a *App) TakeNotes() error {
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

// addSent lets the records that were sent to the store speak too. Where they cannot be
// read, the records in the repository still answer.
func (a *App) addSent(ctx context.Context, r *Origins) {
	dir, err := a.store.dir()
	if err != nil {
		return
	}
	if _, err := os.Stat(filepath.Join(dir, sentMark)); err != nil {
		return
	}
	if r.Sent, err = a.sent(ctx, r); err != nil && ctx.Err() == nil {
		a.Log.Warn("records that were sent to the store are not taken into account", "why", err)
	}
}

func (a *App) sent(ctx context.Context, r *Origins) (sent origins.Sent, err error) {
	if r.store, err = a.OpenStore(ctx); err != nil {
		return sent, err
	}
	notes, err := posted.Open(ctx, r.store.Space, a.Now)
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
