package git

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/internal/wire"
)

// A Union is what git makes of two commits if nobody helps.
type Union struct {
	Tree      string
	Conflicts []string // paths that git could not merge; in Tree they have marks of conflicts
}

// Unite merges pairs of commits, in memory and with one process. No attribute, driver or
// setting of the repository is in force. Nothing is written into it: what comes out is
// kept apart, until Close. It fails as a whole if an object is missing.
func (r *Repo) Unite(ctx context.Context, pairs [][2]string) ([]Union, error) {
	out, err := r.ofPairs(ctx, pairs, "-c", "merge.renameLimit=1000", "merge-tree", "--write-tree", "--stdin", "-z", "--no-messages", "--name-only", "--allow-unrelated-histories")
	if err != nil {
		return nil, err
	}
	unions := readUnions(out)
	if len(unions) != len(pairs) {
		return nil, fmt.Errorf("git: merging %d pairs of commits: git told of %d", len(pairs), len(unions))
	}
	return unions, nil
}

// readUnions reads what git merge-tree --stdin prints: for each merge whether it is clean,
// the tree, and the paths in conflict up to an empty one.
func readUnions(out string) (unions []Union) {
	for len(out) > 0 {
		_, rest, _ := strings.Cut(out, "\x00") // whether it is clean, which the paths tell too
		tree, rest, ok := strings.Cut(rest, "\x00")
		if !ok || !wire.IsID(tree) {
			return nil
		}
		u := Union{Tree: tree}
		for {
			var path string
			if path, rest, ok = strings.Cut(rest, "\x00"); !ok {
				return nil
			}
			if path == "" {
				break
			}
			u.Conflicts = append(u.Conflicts, path)
		}
		unions, out = append(unions, u), rest
	}
	return unions
}

// Differing counts the files that are not the same in pairs of trees, also of such as
// [Repo.Unite] made, with one process. Renamed files are two.
func (r *Repo) Differing(ctx context.Context, pairs [][2]string) ([]int, error) {
	out, err := r.ofPairs(ctx, pairs, "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-relative")
	if err != nil {
		return nil, err
	}
	counts, at := make([]int, len(pairs)), -1
	for rest := out; rest != ""; {
		if rest[0] != ':' { // the pair
			_, rest, _ = strings.Cut(rest, "\n")
			at++
			continue
		}
		_, rest, _ = strings.Cut(rest, "\x00") // modes and ids
		_, rest, _ = strings.Cut(rest, "\x00") // the path
		if at >= 0 && at < len(counts) {
			counts[at]++
		}
	}
	if at != len(pairs)-1 {
		return nil, fmt.Errorf("git: comparing %d pairs of trees: git told of %d", len(pairs), at+1)
	}
	return counts, nil
}

// ofPairs is what git says of pairs of ids; nothing of none.
func (r *Repo) ofPairs(ctx context.Context, pairs [][2]string, args ...string) (string, error) {
	if len(pairs) == 0 {
		return "", nil
	}
	var in []byte
	for _, p := range pairs {
		if !wire.IsID(p[0]) || !wire.IsID(p[1]) {
			return "", fmt.Errorf("git: a pair of objects: %.80q or %.80q is no id", p[0], p[1])
		}
		in = append(in, p[0]+" "+p[1]+"\n"...)
	}
	apart, err := r.drafts()
	if err != nil {
		return "", err
	}
	out, err := apart.Output(ctx, in, 1<<30, args...)
	return string(out), err
}

// drafts is the place where objects that git makes are kept apart from those of the
// repository.
func (r *Repo) drafts() (child.Place, error) {
	own := filepath.Join(r.private, "drafts")
	if err := os.MkdirAll(own, 0o700); err != nil {
		return child.Place{}, err
	}
	var lender strings.Builder // in quotes, since a colon would end it
	for _, b := range []byte(filepath.Join(r.CommonDir, "objects")) {
		if b == '"' || b == '\\' || b < ' ' || b >= 0x7f {
			fmt.Fprintf(&lender, `\%03s`, strconv.FormatUint(uint64(b), 8))
		} else {
			lender.WriteByte(b)
		}
	}
	return r.Apart().With("GIT_OBJECT_DIRECTORY="+own, `GIT_ALTERNATE_OBJECT_DIRECTORIES="`+lender.String()+`"`), nil
}
