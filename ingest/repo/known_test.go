package repo_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// TestWhatIsTheSameRepository says, case by case, how many repositories two reads
// make, and how the second name is known to be one of the first.
func TestWhatIsTheSameRepository(t *testing.T) {
	const old, moved = "https://git.example.com/acme/pay.git", "git@git.example.com:acme/billing.git"
	remote := func(r *gittest.Repo, url string) { r.Git("config", "remote.origin.url", url) }
	for _, c := range []struct {
		what  string
		first string // its remote
		then  func(t *testing.T, r *gittest.Repo) *gittest.Repo
		names []string // of the repositories afterwards
		alias string
	}{
		{
			"the remote is renamed", old, func(_ *testing.T, r *gittest.Repo) *gittest.Repo { remote(r, moved); return r },
			[]string{"repository:git.example.com/acme/pay acme/billing"},
			"repository:git.example.com/acme/billing same-clone",
		},
		{"the clone is moved to another place", old, func(t *testing.T, r *gittest.Repo) *gittest.Repo {
			must(t, os.Rename(r.Dir, r.Dir+"2"))
			r.Dir += "2"
			return r
		}, []string{"repository:git.example.com/acme/pay acme/pay"}, ""},
		{
			"it gets a remote", "", func(_ *testing.T, r *gittest.Repo) *gittest.Repo { remote(r, old); return r },
			[]string{"repository:local/ROOT acme/pay"},
			"repository:git.example.com/acme/pay same-clone",
		},
		{"another clone of it has a remote", "", func(_ *testing.T, r *gittest.Repo) *gittest.Repo {
			c := r.Clone()
			remote(c, old)
			c.Commit("more", "c.go", gittest.Lines("more", 2))
			return c
		}, []string{"repository:local/ROOT acme/pay"}, "repository:git.example.com/acme/pay shared-history"},
		{
			"another clone writes its name in another case", old, func(_ *testing.T, r *gittest.Repo) *gittest.Repo {
				c := r.Clone()
				remote(c, "https://Git.Example.com/Acme/Pay.git")
				c.Commit("more", "c.go", gittest.Lines("more", 2))
				return c
			},
			[]string{"repository:git.example.com/acme/pay acme/pay"},
			"",
		},
		{"a copy of it has no remote", old, func(_ *testing.T, r *gittest.Repo) *gittest.Repo {
			c := r.Clone()
			c.Git("reset", "-q", "--hard", "HEAD~1")
			return c
		}, []string{"repository:git.example.com/acme/pay acme/pay"}, "repository:local/ROOT shared-history"},
		{"a copy without a remote went its own way since", old, func(_ *testing.T, r *gittest.Repo) *gittest.Repo {
			c := r.Clone()
			c.Git("reset", "-q", "--hard", "HEAD~1")
			c.Git("remote", "remove", "origin")
			c.Git("reflog", "expire", "--expire=now", "--all")
			c.Git("gc", "-q", "--prune=now")
			c.Commit("other", "c.go", gittest.Lines("other", 2))
			return c
		}, []string{"repository:git.example.com/acme/pay acme/pay", "repository:local/ROOT ROOT"}, ""},
		{"a fork", old, func(_ *testing.T, r *gittest.Repo) *gittest.Repo {
			c := r.Clone()
			remote(c, "https://git.example.com/eve/pay.git")
			c.Commit("more", "c.go", gittest.Lines("more", 2))
			return c
		}, []string{"repository:git.example.com/acme/pay acme/pay", "repository:git.example.com/eve/pay eve/pay"}, ""},
		{"a fork cloned at the same place", old, func(t *testing.T, r *gittest.Repo) *gittest.Repo {
			c := r.Clone()
			must(t, os.RemoveAll(r.Dir))
			must(t, os.Rename(c.Dir, r.Dir))
			remote(r, "https://git.example.com/eve/pay.git")
			return r
		}, []string{"repository:git.example.com/acme/pay acme/pay", "repository:git.example.com/eve/pay eve/pay"}, ""},
		{"another project at the same place", old, func(t *testing.T, r *gittest.Repo) *gittest.Repo {
			other := gittest.New(t)
			other.Commit("unlike", "z.go", gittest.Lines("unlike", 2))
			must(t, os.RemoveAll(r.Dir))
			must(t, os.Rename(other.Dir, r.Dir))
			remote(r, "https://git.example.com/acme/other.git")
			return r
		}, []string{"repository:git.example.com/acme/other acme/other", "repository:git.example.com/acme/pay acme/pay"}, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			r, s := gittest.New(t), newSpace(t)
			root := r.Commit("feat: one (#1)", "a.go", gittest.Lines("one", 3))[:12]
			r.Commit("feat: two (#2)", "b.go", gittest.Lines("two", 3))
			if c.first != "" {
				remote(r, c.first)
			}
			s.scan(r.Dir)
			next := c.then(t, r)
			for range 2 { // once it is known, it stays so
				s.scan(next.Dir)
				if diff := cmp.Diff(withRoot(c.names, root), s.rows(`SELECT n.ref, k.name FROM k_repository k JOIN node n ON n.id = k.id ORDER BY n.ref`)); diff != "" {
					t.Errorf("repositories (-want +got):\n%s", diff)
				}
				var alias []string
				if c.alias != "" {
					alias = withRoot([]string{c.alias + " D"}, root)
				}
				want(t, "alias", s.rows(`SELECT n.ref, e.method, e.grade FROM edge e JOIN door d ON d.id = e.door AND d.name = 'alias' JOIN node n ON n.id = e.dst`), alias...)
				next.Git("tag", "-f", "again")
			}
			// What both hold is one commit, and is counted once in one repository.
			want(t, "commits", s.rows(`SELECT COUNT(*) FROM k_commit GROUP BY sha HAVING COUNT(*) > 1`))
			s.verify()
		})
	}
}

func withRoot(names []string, root string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ReplaceAll(n, "ROOT", root)
	}
	return out
}

func TestBothNamesLeadToOneRepository(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		r.Commit("feat: one (#1)", "a.go", gittest.Lines("one", 3))
		r.Git("config", "remote.origin.url", "https://git.example.com/acme/pay.git")
		s.scan(r.Dir)
		r.Git("config", "remote.origin.url", "https://git.example.com/house/billing.git")
		r.Commit("feat: two (#2)", "b.go", gittest.Lines("two", 3))
		s.scan(r.Dir)
		want(t, "changes", s.rows(`SELECT n.ref, k.url FROM k_change k JOIN node n ON n.id = k.id ORDER BY k.number`),
			"change:git.example.com/acme/pay#1 -", "change:git.example.com/acme/pay#2 -")
		want(t, "files", s.rows(`SELECT path FROM k_file ORDER BY path`), "a.go", "b.go")
		for _, name := range []string{"acme/pay", "house/billing", "pay", "billing", "repository:git.example.com/acme/pay", "repository:git.example.com/house/billing"} {
			q, err := query.Parse("changes", "repo:"+name, s.now)
			must(t, err)
			var n int64
			must(t, s.DB.Read(t.Context(), func(tx *storage.Tx) (err error) {
				n, err = query.Count(t.Context(), tx, q)
				return err
			}))
			if n != 2 {
				t.Errorf("repo:%s finds %d changes, want 2", name, n)
			}
			if name == "pay" || name == "billing" {
				continue
			}
			found, err := lineage.Find(t.Context(), s.Graph, name)
			must(t, err)
			if len(found) != 1 || found[0].Ref != stemma.Ref("repository:git.example.com/acme/pay") {
				t.Errorf("Find(%s) = %v", name, found)
			}
		}
		found, err := lineage.Find(t.Context(), s.Graph, "house/billing#2")
		must(t, err)
		if len(found) != 1 || found[0].Ref != "change:git.example.com/acme/pay#2" {
			t.Errorf("Find(house/billing#2) = %v", found)
		}
		s.verify()
	})
}

// TestFilesWithoutLinesAreFilesUntilTheyAreDeleted counts as git does: a binary
// and an empty file are files, and are gone when git says so.
func TestFilesWithoutLinesAreFilesUntilTheyAreDeleted(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("one", "a.go", gittest.Lines("one", 5), "logo.png", "\x89PNG\x00\x01", "empty.txt", "", "keep.txt", "")
	there := func() []string {
		return s.rows(`SELECT path FROM k_file WHERE deleted = 0 ORDER BY path`)
	}
	s.scan(r.Dir)
	want(t, "files", there(), strings.Fields(r.Git("ls-tree", "-r", "--name-only", "HEAD"))...)
	r.Git("rm", "-q", "a.go", "logo.png", "empty.txt")
	r.Commit("two")
	s.scan(r.Dir)
	want(t, "files that are left", there(), "keep.txt")
	before := s.one(`SELECT COUNT(*) FROM fact`)
	s.scan(r.Dir)
	want(t, "facts of a scan of nothing new", []string{s.one(`SELECT COUNT(*) FROM fact`)}, before)
}
