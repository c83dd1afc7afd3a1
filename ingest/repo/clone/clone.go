// Package clone reads one clone of a repository as a whole: where its refs
// point, what is its default branch, which repository it is a clone of, and
// what it showed when it was read before.
//
// Several clones of one repository may be read in turn. None of them is the
// repository: each lags behind the others somewhere.
package clone

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/words"
)

// A Repo is a repository as one clone of it shows it now.
type Repo struct {
	*git.Repo
	Refs   []git.Ref
	Branch string    // the default branch, whole ref name; "" if there is none
	Tip    string    // its commit, or what is checked out; "" if that cannot be read
	Broken []git.Ref // those, and what is checked out, that point at what cannot be read
}

// Open lists the refs of a clone.
func Open(ctx context.Context, r *git.Repo) (*Repo, error) {
	refs, err := r.Refs(ctx)
	if err != nil {
		return nil, err
	}
	c := &Repo{Repo: r, Refs: refs, Branch: r.DefaultBranch(refs), Tip: r.Head}
	for _, ref := range refs {
		if ref.Name == c.Branch {
			c.Tip = ref.Peeled
		}
		if ref.Type == "" {
			c.Broken = append(c.Broken, ref)
		}
	}
	if c.broken(c.Tip) {
		c.Tip = ""
	}
	return c, nil
}

// broken reports whether a ref is known to point at an object that cannot be read.
func (r *Repo) broken(id string) bool {
	return slices.ContainsFunc(r.Broken, func(ref git.Ref) bool { return ref.ID == id })
}

// CheckTips reads, with one process, the tip and what is checked out: that git
// tells the type of an object does not mean that it can be read.
func (r *Repo) CheckTips(ctx context.Context) error {
	var ask []string
	for _, id := range []string{r.Head, r.Tip} {
		if id != "" && !r.broken(id) {
			ask = append(ask, id)
		}
	}
	readable, err := r.Readable(ctx, ask)
	if err != nil {
		return err
	}
	for _, ref := range append(slices.Clone(r.Refs), git.Ref{Name: "HEAD", ID: r.Head, Peeled: r.Head}) {
		if slices.Contains(ask, ref.Peeled) && !readable[ref.Peeled] && (ref.Name != "HEAD" || r.Repo.Branch == "") {
			r.Broken = append(r.Broken, ref)
		}
	}
	if !readable[r.Tip] {
		r.Tip = ""
	}
	return nil
}

// Place is where the repository lies, as a bookmark keeps it.
func (r *Repo) Place() string { return words.Fit(cmp.Or(r.WorkTree, r.GitDir)) }

// CommitRef names a commit.
func (r *Repo) CommitRef(id string) stemma.Ref { return change.CommitRef(r.Format, id) }

// BranchName is what facts call the default branch. Where nothing but a commit
// is checked out and no branch is the default, that is HEAD.
func (r *Repo) BranchName() string {
	if r.Branch == "" {
		return "HEAD"
	}
	return shortBranch(r.Branch)
}

func shortBranch(ref string) string {
	ref = strings.TrimPrefix(ref, "refs/heads/")
	ref = strings.TrimPrefix(ref, "refs/remotes/origin/")
	return strings.ToValidUTF8(ref, "\uFFFD")
}

// born tells a clone from another one that lay at the same place before: when
// its directory was made, as the one file says that git writes then and never
// again. It is 0 where that file is not there.
func (r *Repo) born() int64 {
	st, err := os.Stat(filepath.Join(r.CommonDir, "description"))
	if err != nil {
		return 0
	}
	return st.ModTime().UnixNano()
}

// Boundary tells where the history of a shallow clone is cut off.
func (r *Repo) Boundary() string {
	if !r.Shallow {
		return ""
	}
	cut, err := os.ReadFile(filepath.Join(r.CommonDir, "shallow"))
	if err != nil {
		return "shallow"
	}
	return stemma.Sum(cut).String()
}

// Named returns the first of the names that is a ref.
func (r *Repo) Named(names ...string) (git.Ref, bool) {
	for _, name := range names {
		if i := slices.IndexFunc(r.Refs, func(ref git.Ref) bool { return ref.Name == name }); i >= 0 {
			return r.Refs[i], true
		}
	}
	return git.Ref{}, false
}

// Tags are the tags of this clone, as a sight keeps them.
func (r *Repo) Tags() map[string]string {
	tags := map[string]string{}
	for _, ref := range r.Refs {
		if name, ok := strings.CutPrefix(ref.Name, "refs/tags/"); ok {
			tags[words.Fit(name)] = ref.ID[:12]
		}
	}
	return tags
}

// Digest tells whether any ref moved, or something else is checked out.
func (r *Repo) Digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s\x00", r.Head, r.Branch, r.Boundary())
	for _, ref := range r.Refs {
		fmt.Fprintf(h, "%s %s\x00", ref.ID, ref.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// notHistory are the namespaces of refs that hold records, not source.
var notHistory = []string{
	"refs/notes/", "refs/ai/", "refs/gittuf/", "refs/gittuf-dogfood/", "refs/entire/", "refs/attestations/",
	"refs/stash", "refs/replace/", "refs/original/", "refs/bisect/", "refs/rewritten/",
	"refs/heads/entire/", "refs/remotes/origin/entire/",
}

// Tips lists the commits from which history is read.
func (r *Repo) Tips() []string {
	var tips []string
	if r.Head != "" && !r.broken(r.Head) {
		tips = append(tips, r.Head)
	}
	for _, ref := range r.Refs {
		inHistory := !slices.ContainsFunc(notHistory, func(prefix string) bool { return strings.HasPrefix(ref.Name, prefix) })
		if inHistory && ref.Peeled != "" && !r.broken(ref.ID) && (ref.Type == "commit" || ref.Type == "tag") {
			tips = append(tips, ref.Peeled)
		}
	}
	slices.Sort(tips)
	return slices.Compact(tips)
}
