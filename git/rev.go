package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

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
func (r *Repo) resolve(ctx context.Context, revs ...string) (ids []string, err error) {
	forms := make([]string, len(revs))
	for i, rev := range revs {
		if forms[i], err = peeled(rev); err != nil {
			return nil, err
		}
	}
	name := "one of several"
	if len(revs) == 1 {
		name = revs[0]
	}
	ids, err = r.parse(ctx, name, forms)
	if err == nil && len(ids) != len(revs) {
		return nil, noRevision(name)
	}
	return ids, err
}

// parse gives the ids of revisions in a form that was checked, with ^ before those to
// be left out. The name is for people.
func (r *Repo) parse(ctx context.Context, name string, forms []string) ([]string, error) {
	args := slices.Concat([]string{"rev-parse", "--revs-only", "--end-of-options"}, forms, []string{"--"})
	out, err := r.here.Output(ctx, nil, 1<<20, args...)
	var bad *child.Error
	if errors.As(err, &bad) {
		return nil, noRevision(name)
	}
	return strings.Fields(string(out)), err
}

func noRevision(name string) error {
	return stemma.WithHint(fmt.Errorf("git: revision %s: %w: %w", quote.Path(name), ErrBadRevision, stemma.ErrNotFound),
		"list the branches and tags with: git for-each-ref")
}

// Range gives the ids of the commit that revisions begin at, and of those where
// they stop: these, and all behind them, are left out. It understands what git
// does: "v1..v2", "^v1", "main^!". The tip is "" if they do not say where to
// begin. It errs as [Repo.Resolve] does.
func (r *Repo) Range(ctx context.Context, revs []string) (tip string, not []string, err error) {
	forms := make([]string, len(revs))
	for i, rev := range revs {
		if forms[i], err = span(rev); err != nil {
			return "", nil, err
		}
	}
	name := strings.Join(revs, " ")
	ids, err := r.parse(ctx, name, forms)
	if err != nil {
		return "", nil, err
	}
	var tips []string
	for _, id := range ids {
		if left, ok := strings.CutPrefix(id, "^"); ok {
			not = append(not, left)
		} else {
			tips = append(tips, id)
		}
	}
	tips = append(slices.DeleteFunc(tips, func(id string) bool { return slices.Contains(not, id) }), "")
	if len(tips) > 2 {
		return "", nil, fmt.Errorf("git: revision %s: more than one commit to begin at: %w", quote.Path(name), ErrBadRevision)
	}
	return tips[0], not, nil
}

// parents are the ends by which a revision speaks of the parents of a commit.
var parents = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\^([!@]|-[0-9]*)$`) })

// span is the form in which git is asked for a revision, or a range of them: of
// commits, whatever their names name.
func span(rev string) (string, error) {
	if from, dots, to := cutRange(rev); dots != "" {
		from, err := peeled(cmp.Or(from, "HEAD"))
		if err != nil {
			return "", err
		}
		to, err = peeled(cmp.Or(to, "HEAD"))
		return from + dots + to, err
	}
	positive := strings.TrimPrefix(rev, "^")
	name := parents().ReplaceAllString(positive, "")
	form, err := peeled(name)
	return rev[:len(rev)-len(positive)] + form + positive[len(name):], err
}

// cutRange cuts a range at its dots; what stands in braces is no range.
func cutRange(rev string) (from, dots, to string) {
	deep := 0
	for i, c := range rev {
		switch {
		case c == '{':
			deep++
		case c == '}':
			deep--
		case deep == 0 && strings.HasPrefix(rev[i:], "..."):
			return rev[:i], "...", rev[i+3:]
		case deep == 0 && strings.HasPrefix(rev[i:], ".."):
			return rev[:i], "..", rev[i+2:]
		}
	}
	return rev, "", ""
}

// peeled is the form in which git is asked for one commit. It refuses what git
// could take for an option, a range or a path.
func peeled(rev string) (string, error) {
	_, dots, _ := cutRange(rev)
	if rev == "" || rev[0] == '-' || rev[0] == '^' || dots != "" || strings.ContainsAny(rev, "\x00\n") {
		return "", fmt.Errorf("git: revision %s: %w", quote.Path(rev), ErrBadRevision)
	}
	return rev + "^{commit}", nil
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
