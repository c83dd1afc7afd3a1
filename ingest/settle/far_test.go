package settle_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/settle"
)

// written is a desk with a merged history of several agents and a person, settled.
func written(t *testing.T) *desk {
	d := newDesk(t)
	d.Env = append(d.Env, "FILTER_BRANCH_SQUELCH_WARNING=1")
	d.topic(0)
	d.Git("merge", "-q", "topic")
	d.agent("s3", "a.txt", d.inserts("s3", 2, 2))
	d.commit()
	d.check(false)
	return d
}

// filtered calls git filter-repo, which the setup of the tests sees to.
func (d *desk) filtered(args ...string) {
	d.T.Helper()
	if _, err := exec.LookPath("git-filter-repo"); err != nil {
		d.T.Fatalf("git filter-repo is wanted: tools/setup.sh sees to it (%v)", err)
	}
	d.Git(append([]string{"filter-repo", "--force", "--quiet"}, args...)...)
}

func TestAHistoryThatIsWrittenAnewKeepsWhoseItsLinesAre(t *testing.T) {
	for name, rewrite := range map[string]func(*desk){
		"other messages":                  func(d *desk) { d.filtered("--message-callback", "return message + b'again'") },
		"below another directory":         func(d *desk) { d.filtered("--to-subdirectory-filter", "lib") },
		"below another, notes left alone": func(d *desk) { d.filtered("--refs", "main", "--to-subdirectory-filter", "lib") },
		"of one file with another name":   func(d *desk) { d.filtered("--refs", "main", "--path", "a.txt", "--path-rename", "a.txt:z.txt") },
		"other text between": func(d *desk) {
			d.filtered("--refs", "main", "--blob-callback", "blob.data = b'a new head\\n' + blob.data")
		},
		"by filter-branch, below another directory": func(d *desk) {
			d.Git("filter-branch", "-f", "--tree-filter", "mkdir -p lib; mv *.txt lib/", "main")
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := written(t)
			rewrite(d)
			d.check(false)
		})
		t.Run(name+", where nothing was captured", func(t *testing.T) {
			d := written(t)
			rewrite(d)
			must(t, os.RemoveAll(filepath.Join(d.Dir, ".git", "stemma")))
			d.begin()
			d.reconcile()
			d.check(false)
		})
	}
}

// reconcile binds the commits of main that have no note.
func (d *desk) reconcile() {
	d.T.Helper()
	repo, err := git.Open(d.T.Context(), d.Dir)
	must(d.T, err)
	defer func() { must(d.T, repo.Close()) }()
	_, err = settle.Reconcile(d.T.Context(), repo, strings.Fields(d.Git("rev-list", "main")), nil, began)
	must(d.T, err)
}

// TestABranchThatIsGoneIsKnownByItsNotes: a forge squashed a branch and deleted it,
// and this clone never had its commits.
func TestABranchThatIsGoneIsKnownByItsNotes(t *testing.T) {
	for name, forge := range map[string]func(*gittest.Repo){
		"a squash": func(r *gittest.Repo) {
			r.Git("merge", "-q", "--squash", "origin/topic")
			r.Git("commit", "-q", "-m", "topic (#1)")
		},
		"a rebase": func(r *gittest.Repo) {
			r.Git("rebase", "-q", "origin/main", "origin/topic")
			r.Git("checkout", "-q", "-B", "main")
		},
		"a squash of which a person changed some": func(r *gittest.Repo) {
			r.Git("merge", "-q", "--squash", "origin/topic")
			text, err := os.ReadFile(filepath.Join(r.Dir, "a.txt"))
			must(r.T, err)
			lines := strings.SplitAfter(string(text), "\n")
			r.Write("a.txt", strings.Join(append(lines[:1], append([]string{"me typed this on the forge, and a lot of it\n"}, lines[1:]...)...), ""))
			r.Git("commit", "-q", "-a", "-m", "topic (#1)")
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, other, hub := twoDesks(t)
			d.topic(3)
			d.Git("push", "-q", "origin", "main", "topic")
			d.travel()
			r := away(t, hub)
			forge(r)
			r.Git("push", "-q", "origin", "HEAD:main")
			hub.Git("update-ref", "-d", "refs/heads/topic")
			other.Git("fetch", "-q", "--prune")
			other.Git("reset", "-q", "--hard", "origin/main")
			if _, err := other.Try(nil, "cat-file", "-e", d.Git("rev-parse", "topic")); err == nil {
				t.Fatal("the clone has the branch")
			}
			other.travel()
			other.check(false)
			if text := other.Git("notes", "--ref", "ai", "show", "HEAD"); !strings.Contains(text, "recovered-content") {
				t.Errorf("the note does not say how it is known:\n%s", text)
			}
		})
	}
}

// away is a clone without stemma.
func away(t *testing.T, hub *gittest.Repo) *gittest.Repo {
	r := gittest.New(t)
	connect(r, hub)
	r.Git("reset", "-q", "--hard", "origin/main")
	return r
}

func TestAMailedPatchIsItsWriters(t *testing.T) {
	d, other, _ := twoDesks(t)
	d.agent("s1", "a.txt", d.inserts("s1", 2, 3))
	d.commit()
	d.travel()
	mail := d.Git("format-patch", "-1", "--stdout") + "\n"
	other.Git("fetch", "-q")
	if _, err := other.Try([]byte(mail), "am", "-q"); err != nil {
		t.Fatal(err)
	}
	other.travel()
	other.check(false)
}

// TestTextOfUsualLinesIsNobodysByANoteAlone: what everybody writes is not known by its
// text unless a whole run of it is.
func TestTextOfUsualLinesIsNobodysByANoteAlone(t *testing.T) {
	d, other, hub := twoDesks(t)
	usual := []string{"if err != nil {", "return err", "}"}
	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "a.txt", func(l []string) []string { return append(append(d.inserts("s1", 2, 2)(l), usual...), d.line("s1")) })
	d.commit()
	d.Git("push", "-q", "origin", "topic")
	d.travel()
	r := away(t, hub)
	hub.Git("update-ref", "-d", "refs/heads/topic")
	text, err := os.ReadFile(filepath.Join(r.Dir, "a.txt"))
	must(t, err)
	r.Write("a.txt", string(text)+strings.Join(usual, "\n")+"\n")
	r.Git("commit", "-q", "-a", "-m", "somebody else")
	r.Git("push", "-q", "origin", "HEAD:main")
	other.Git("fetch", "-q", "--prune")
	other.Git("reset", "-q", "--hard", "origin/main")
	other.travel()
	other.settle()
	for _, l := range other.blame("a.txt", "HEAD") {
		if l.Mark.Origin == stemma.OriginAI {
			t.Errorf("%q is an agent's", l.Text)
		}
	}
}

// TestALibraryThatIsReadInKeepsItsWriters: git reads the files of another project into a
// directory, with its history or without.
func TestALibraryThatIsReadInKeepsItsWriters(t *testing.T) {
	lib := newDesk(t)
	lib.agent("s1", "lib.txt", lib.inserts("s1", 0, 3))
	lib.commit()
	lib.person("lib.txt", lib.inserts("me", 1, 2))
	lib.agent("s2", "lib.txt", lib.inserts("s2", 1, 3))
	lib.commit()
	lib.check(false)
	for name, read := range map[string]func(*desk){
		"merged": func(d *desk) {
			d.Git("merge", "-q", "-s", "ours", "--no-commit", "--allow-unrelated-histories", "lib")
			d.Git("read-tree", "--prefix=third/", "-u", "lib")
		},
		"without its history": func(d *desk) { d.Git("read-tree", "--prefix=third/", "-u", "lib") },
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{Repo: gittest.New(t), call: lib.call, counts: lib.counts}
			d.Repo.Commit("base", "x.txt", "base is this line of all lines\n")
			d.begin()
			d.Git("fetch", "-q", lib.Dir, "main:refs/heads/lib", "refs/notes/ai:refs/notes/ai")
			read(d)
			d.Git("commit", "-q", "-m", "a library")
			d.check(false)
			for _, l := range d.blame("third/b.txt", "HEAD") {
				if l.Mark.Origin == stemma.OriginAI {
					t.Errorf("%q is an agent's", l.Text)
				}
			}
		})
	}
}

func TestANoteTellsTheTextOfItsLines(t *testing.T) {
	d := newDesk(t)
	d.agent("s1", "a.txt", d.inserts("s1", 2, 3))
	d.person("a.txt", d.inserts("me", 0, 1))
	d.commit()
	d.settle()
	n := gitai.Parse([]byte(d.Git("notes", "--ref", "ai", "show", "HEAD")))
	if len(n.Anchors) != 1 || n.Tree != d.Git("rev-parse", "HEAD^{tree}") || n.Anchors[0].Blob != d.Git("rev-parse", "HEAD:a.txt") {
		t.Fatalf("anchors %+v, tree %s", n.Anchors, n.Tree)
	}
	if got := len(n.Anchors[0].Text); got != 4*4 {
		t.Errorf("%d bytes for four lines", got)
	}
}
