package govern

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/storage"
)

// maxAsked is how many commits are judged at once.
const maxAsked = 20_000

// An asked is what is to be judged, and whose rules it is judged by.
type asked struct {
	text    string
	changes []stemma.Ref
	commits []string // ids, the newest first
	base    string   // commit whose rules are in force; "" for those of the program
	named   string   // what people call it
	lost    error    // why the base is not known
}

// isChange reports whether a text names a change, and gives its ref.
func isChange(text string, repository stemma.Ref) (stemma.Ref, bool) {
	if n, err := strconv.Atoi(strings.TrimLeft(text, "#!")); err == nil && n > 0 && (text[0] == '#' || text[0] == '!') {
		return change.NumberedRef(repository, n), true
	}
	ref, err := stemma.ParseRef(text)
	return ref, err == nil && ref.Kind() == stemma.KindChange
}

// resolve finds out what a text means: a change, a commit or a range. Without a text it
// is what is ahead of the upstream, else the commit that is checked out.
func resolve(ctx context.Context, s *program.Store, r *git.Repo, repository stemma.Ref, text, to string) (asked, error) {
	if text == "" {
		text = "HEAD"
		if tip, _, err := r.Range(ctx, []string{"@{upstream}..HEAD"}); err == nil && tip != "" {
			text = "@{upstream}..HEAD"
		}
	}
	if ref, ok := isChange(text, repository); ok {
		return ofChange(ctx, s, r, ref, text)
	}
	return ofCommits(ctx, r, text, to)
}

// ofCommits is a commit, or a range of them.
func ofCommits(ctx context.Context, r *git.Repo, text, to string) (asked, error) {
	a := asked{text: text}
	tip, not, err := r.Range(ctx, []string{text})
	switch {
	case err != nil:
		return a, err
	case tip == "" && len(not) == 0:
		return a, fmt.Errorf("%s names no commit", terminal.OneLine(text))
	case tip == "": // a range of nothing
		a.base = not[0]
	case len(not) == 0:
		a.commits = []string{tip}
		a.base, a.lost = parent(ctx, r, tip)
	default:
		a.base = not[0]
		a.commits, err = r.Newest(ctx, maxAsked+1, []string{tip}, not)
	}
	if err != nil {
		return a, err
	}
	if a.lost != nil {
		return a, nil
	}
	if len(a.commits) > maxAsked {
		return a, fmt.Errorf("%s has more than %d commits: judge less at once", terminal.OneLine(text), maxAsked)
	}
	return a, a.guard(ctx, r, to)
}

// parent is the first parent of a commit, "" if it has none. Where it has one that is not
// in this clone the rules are not known, which is an error: never that there are none.
func parent(ctx context.Context, r *git.Repo, id string) (string, error) {
	for o, err := range r.Objects(ctx, slices.Values([]string{id}), maxOwnFile) {
		if err != nil {
			return "", err
		}
		up := id
		if !o.Missing && o.Type == "commit" {
			c := git.ParseCommit(id, o.Data)
			if len(c.Parents) == 0 {
				return "", nil
			}
			if up = c.Parents[0]; r.Stored(up) {
				return up, nil
			}
		}
		return "", stemma.WithHint(fmt.Errorf("the commit %.12s is not in this clone, and so the rules before %.12s are not known: %w", up, id, stemma.ErrNotFound),
			"fetch the whole history (git fetch --unshallow, fetch-depth: 0), or name the rules with --policy DIR")
	}
	return "", nil
}

// guard sees to it that the rules are not those of what is judged: where the base is not
// part of the branch that changes go to, those of that branch are in force.
func (a *asked) guard(ctx context.Context, r *git.Repo, to string) error {
	a.named = "the commit before it"
	if from, _, ok := strings.Cut(a.text, ".."); ok {
		a.named = cmp.Or(from, "HEAD")
	}
	name, tip, err := target(ctx, r, to)
	if err == nil && tip == "" && to != "" {
		err = fmt.Errorf("--target: there is no branch %s in this clone: %w", terminal.OneLine(to), stemma.ErrNotFound)
	}
	if err != nil || tip == "" || a.base == "" && len(a.commits) > 0 && a.commits[0] == tip {
		return err
	}
	if a.base != "" {
		if within, err := r.Ancestor(ctx, a.base, tip); err != nil || within {
			return err
		}
	}
	a.base, a.named = tip, name
	return nil
}

// target is the branch of a name that changes go to, as the remote has it if it is known;
// the default branch if no name is given.
func target(ctx context.Context, r *git.Repo, branch string) (name, tip string, err error) {
	refs, err := r.RefNames(ctx, "refs/heads/", "refs/remotes/origin/")
	if err != nil {
		return "", "", err
	}
	if branch == "" {
		branch = usual(r, refs)
	}
	for _, of := range []string{"refs/remotes/origin/", "refs/heads/"} {
		if i := slices.IndexFunc(refs, func(x git.Ref) bool { return x.Name == of+branch }); i >= 0 {
			return strings.TrimPrefix(strings.TrimPrefix(of, "refs/remotes/"), "refs/heads/") + branch, refs[i].ID, nil
		}
	}
	return "", "", nil
}

// usual is the branch that changes go to where nothing says more: what a remote calls its
// default, then the usual names, then what is checked out, which may be the branch that is
// judged.
func usual(r *git.Repo, refs []git.Ref) string {
	has := func(name string) bool {
		return slices.ContainsFunc(refs, func(x git.Ref) bool { return x.Name == name })
	}
	if !has("refs/remotes/origin/HEAD") {
		for _, name := range []string{"main", "master"} {
			if has("refs/remotes/origin/"+name) || has("refs/heads/"+name) {
				return name
			}
		}
	}
	return strings.TrimPrefix(strings.TrimPrefix(r.DefaultBranch(refs), "refs/heads/"), "refs/remotes/origin/")
}

// maxWalked bounds how many commits of one change its base is looked for behind.
const maxWalked = 1000

// ofChange is one change: its rules are those that its branch had before it.
func ofChange(ctx context.Context, s *program.Store, r *git.Repo, ref stemma.Ref, text string) (asked, error) {
	a := asked{text: text, changes: []stemma.Ref{ref}}
	n, err := s.Graph.Node(ctx, ref)
	if errors.Is(err, stemma.ErrNotFound) {
		return a, stemma.WithHint(fmt.Errorf("the change %s: %w", terminal.OneLine(text), stemma.ErrNotFound), `what forges tell of changes comes by webhooks or "stemma sync"`)
	}
	if err != nil {
		return a, err
	}
	_, landed := n.Attrs.Ref("merge_commit").Split()
	if landed == "" {
		a.named, a.base, err = target(ctx, r, n.Attrs.Text("target"))
		if err == nil && a.base == "" {
			a.lost = stemma.WithHint(fmt.Errorf("the branch %q that the change goes to is not in this clone, and so the rules are not known", n.Attrs.Text("target")), "fetch it, or name the rules with --policy DIR")
		}
		return a, err
	}
	a.named = "the branch before it"
	carried, err := commitsOf(ctx, s.DB, ref)
	if err != nil {
		return a, err
	}
	a.base = landed
	for range maxWalked {
		if a.base, a.lost = parent(ctx, r, a.base); a.lost != nil || !carried[a.base] {
			break
		}
	}
	if carried[a.base] {
		a.lost = fmt.Errorf("the change %s carries more than %d commits in a row: its base was not looked for behind them", terminal.OneLine(text), maxWalked)
	}
	return a, nil
}

// commitsOf are the ids of the commits that a change carries.
func commitsOf(ctx context.Context, db *storage.DB, ref stemma.Ref) (map[string]bool, error) {
	ids := map[string]bool{}
	err := db.Each(ctx, func(scan func(...any) error) error {
		var sha string
		err := scan(&sha)
		ids[sha] = true
		return err
	}, `SELECT k."sha" FROM node n JOIN edge e ON e.src = n.id JOIN door d ON d.id = e.door AND d.name = 'carries' JOIN k_commit k ON k.id = e.dst WHERE n.ref = $1`, string(ref))
	return ids, err
}

// changesOf finds the changes that commits came with, in the order of the commits, and the
// commits that came with none. A merge request that is open and shows the newest of them
// for review has those that nothing else has. In the pipeline of a merge request, request,
// none of them was pushed yet, whatever a clone that has only that checked out looks like.
func changesOf(ctx context.Context, tx *storage.Tx, commits []string, request stemma.Ref) (refs []stemma.Ref, loose []string, err error) {
	found, err := nodesOf(ctx, tx, commits)
	if err != nil {
		return nil, nil, err
	}
	store, err := deployed.In(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	of := map[int64]stemma.Ref{}
	for ids := range slices.Chunk(values(found), 400) {
		if err := store.Carried(ctx, deployed.List(ids), func(c deployed.Carried) {
			if _, ok := of[c.Commit]; !ok && !c.Gone && (request == "" || c.Method != "direct") {
				of[c.Commit] = c.Ref
			}
		}); err != nil {
			return nil, nil, err
		}
	}
	shown := stemma.Ref("")
	if len(commits) > 0 {
		if shown, err = shownBy(ctx, tx, found[commits[0]], request); err != nil {
			return nil, nil, err
		}
	}
	seen := map[stemma.Ref]bool{}
	for _, id := range commits {
		ref := cmp.Or(of[found[id]], shown)
		switch {
		case ref == "":
			loose = append(loose, id)
		case !seen[ref]:
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	return refs, loose, nil
}

// nodesOf are the nodes of commits that are known.
func nodesOf(ctx context.Context, tx *storage.Tx, commits []string) (map[string]int64, error) {
	of := map[stemma.Ref]string{}
	for _, id := range commits {
		of[change.ShaRef(id)] = id
	}
	found := map[string]int64{}
	return found, storage.InChunks(of, func(refs []any, marks string) error {
		rows, err := tx.Query(ctx, `SELECT id, ref FROM node WHERE ref IN (`+marks+`)`, refs...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var node int64
			var ref stemma.Ref
			if err := rows.Scan(&node, (*string)(&ref)); err != nil {
				return err
			}
			found[of[ref]] = node
		}
		return rows.Err()
	})
}

func values(found map[string]int64) []int64 {
	list := make([]int64, 0, len(found))
	for _, id := range found {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// shownBy is the merge request that is open and has a name, or shows a commit for review;
// "" if none is known.
func shownBy(ctx context.Context, tx *storage.Tx, node int64, request stemma.Ref) (ref stemma.Ref, err error) {
	for _, q := range []struct {
		text string
		of   any
	}{
		{`SELECT n.ref FROM node n JOIN k_change c ON c.id = n.id WHERE n.ref = $1 AND c."state" = 'open'`, string(request)},
		{`SELECT n.ref FROM edge e JOIN door d ON d.id = e.door AND d.name = 'head' JOIN k_change c ON c.id = e.src JOIN node n ON n.id = c.id
			WHERE e.dst = $1 AND c."head" = e.dst AND c."state" = 'open' ORDER BY n.ref LIMIT 1`, node},
	} {
		err = tx.QueryRow(ctx, q.text, q.of).Scan((*string)(&ref))
		if !errors.Is(err, stemma.ErrNotFound) {
			return ref, err
		}
	}
	return "", nil
}
