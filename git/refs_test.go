package git_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
)

func TestRefsTagsAndRemotesAreListed(t *testing.T) {
	r := gittest.New(t)
	id := r.Commit("a", "f", "x\n")
	r.Git("tag", "light")
	r.Git("tag", "-a", "-m", "Release one\n\nwith notes\n", "v1")
	r.Git("tag", "-a", "-m", "of a tag", "v2", "v1")
	signed := "object " + id + "\ntype commit\ntag v3\ntagger T <t@x> 1700000000 +0000\n\nsigned\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\n"
	r.Git("update-ref", "refs/tags/v3", r.GitWith([]byte(signed), "mktag", "--no-strict"))
	r.Git("tag", "tree", "HEAD^{tree}")
	r.Git("update-ref", "refs/remotes/origin/dev", id)
	r.Git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev")
	r.Git("config", "remote.origin.url", "git@example.com:acme/pay.git")
	r.Git("config", "remote.fork.url", "https://example.com/x\ty")
	if err := os.WriteFile(filepath.Join(r.Dir, ".git/refs/heads/dangling"), []byte(strings.Repeat("7", 40)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	repo := open(t, r.Dir)
	refs, err := repo.Refs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range refs {
		s := f.Type + " " + strconv.FormatBool(f.Peeled == id) + " " + f.Target
		if f.Tag != nil {
			s += f.Tag.Name + " " + string(f.Tag.Signature) + " " + f.Tag.Message + f.Tag.Tagger.Name
		}
		got[f.Name] = s
	}
	want := map[string]string{
		"refs/heads/main":          "commit true ",
		"refs/heads/dangling":      " false ",
		"refs/tags/light":          "commit true ",
		"refs/tags/v1":             "tag true v1 none Release one\n\nwith notes\nCy Committer",
		"refs/tags/v2":             "tag true v2 none of a tag\nCy Committer",
		"refs/tags/v3":             "tag true v3 gpg signed\nT",
		"refs/tags/tree":           "tree false ",
		"refs/remotes/origin/dev":  "commit true ",
		"refs/remotes/origin/HEAD": "commit true refs/remotes/origin/dev",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("refs (-want +got):\n%s", d)
	}
	if b := repo.DefaultBranch(refs); b != "refs/remotes/origin/dev" {
		t.Errorf("default branch %s", b)
	}
	if u := repo.OriginURL(); u != "git@example.com:acme/pay.git" || len(repo.Remotes()) != 2 {
		t.Errorf("origin %s of %v", u, repo.Remotes())
	}
	if tags, err := repo.Refs(t.Context(), "refs/tags/v1"); err != nil || len(tags) != 1 {
		t.Errorf("one tag: %v, %v", tags, err)
	}
}
