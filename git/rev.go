package git

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// ErrBadRevision means: a name that names nothing here, or may not be used.
var ErrBadRevision = errors.New("no such revision")

// Resolve gives the id of the commit that a revision names, in any form that
// git understands: "main~3", "v1.0", an abbreviated id. It errs with
// ErrBadRevision and stemma.ErrNotFound.
func (r *Repo) Resolve(ctx context.Context, rev string) (string, error) {
	ids, err := r.resolve(ctx, rev)
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// resolve turns revisions into ids of commits with one process.
func (r *Repo) resolve(ctx context.Context, revs ...string) ([]string, error) {
	args := []string{"rev-parse", "--revs-only", "--end-of-options"}
	for _, rev := range revs {
		if err := checkRevision(rev); err != nil {
			return nil, err
		}
		args = append(args, rev+"^{commit}")
	}
	out, err := r.here.Output(ctx, nil, 1<<20, args...)
	var bad *child.Error
	ids := strings.Fields(string(out))
	if errors.As(err, &bad) || err == nil && len(ids) != len(revs) {
		name := "one of several"
		if len(revs) == 1 {
			name = quote.Path(revs[0])
		}
		return nil, stemma.WithHint(fmt.Errorf("git: revision %s: %w: %w", name, ErrBadRevision, stemma.ErrNotFound),
			"list the branches and tags with: git for-each-ref")
	}
	return ids, err
}

// checkRevision refuses what git could take for an option, a range or a path.
func checkRevision(rev string) error {
	if rev == "" || rev[0] == '-' || rev[0] == '^' || strings.ContainsAny(rev, "\x00\n") || strings.Contains(rev, "..") && !strings.ContainsAny(rev, "{/") {
		return fmt.Errorf("git: revision %s: %w", quote.Path(rev), ErrBadRevision)
	}
	return nil
}

// IDs gives the ids of the commits that revisions name, all lists in one, with
// at most one process: what is an id already is not looked up.
func (r *Repo) IDs(ctx context.Context, lists ...[]string) ([]string, error) {
	all := slices.Concat(lists...)
	var names []string
	for _, id := range all {
		if !wire.IsID(id) {
			names = append(names, id)
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	found, err := r.resolve(ctx, names...)
	if err != nil {
		return nil, err
	}
	for i, id := range all {
		if !wire.IsID(id) {
			all[i], found = found[0], found[1:]
		}
	}
	return all, nil
}
