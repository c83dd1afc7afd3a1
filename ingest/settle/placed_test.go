package settle_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/spool"
)

// An agent wrote in another clone; git put that in place here, and what is made of it
// begins as text that nobody here was seen to write.
func TestWhatGitPutInPlaceKeepsWhoWroteItElsewhere(t *testing.T) {
	orphan := func(d *desk) {
		d.Git("checkout", "-q", "--orphan", "root")
		d.commit()
	}
	within := func(d *desk, path string) { // no run of the agent's lines is whole any more
		d.person(path, func(l []string) []string { return slices.Insert(slices.Insert(l, 6, d.line("me")), 3, d.line("me")) })
	}
	rename := func(d *desk, from, to string) {
		must(d.T, os.Rename(filepath.Join(d.Dir, from), filepath.Join(d.Dir, to)))
	}
	for name, do := range map[string]func(d *desk){
		"a person types within it and amends the commit": func(d *desk) { within(d, "a.txt"); d.commit("--amend") },
		"an agent moves some of it, and the branch begins anew": func(d *desk) {
			d.agent("s2", "a.txt", func(l []string) []string { return append(append(slices.Clone(l[:2]), l[3:]...), l[2]) })
			d.commit()
			orphan(d)
		},
		"its file is renamed, and the branch begins anew": func(d *desk) {
			rename(d, "a.txt", "moved.txt")
			d.commit()
			orphan(d)
		},
		"its file is renamed and edited, and the branch begins anew": func(d *desk) {
			rename(d, "a.txt", "moved.txt")
			within(d, "moved.txt")
			d.commit()
			orphan(d)
		},
		"its file is renamed, and what it was before comes back": func(d *desk) {
			within(d, "a.txt")
			d.commit()
			rename(d, "a.txt", "moved.txt")
			d.Git("checkout", "-q", "HEAD~1", "--", "a.txt")
			d.commit()
		},
		"a rebase in which it meets a conflict": func(d *desk) {
			d.Git("checkout", "-q", "-b", "topic")
			d.Git("checkout", "-q", "--detach", "origin/main~1")
			d.person("a.txt", func([]string) []string { return []string{d.line("me")} })
			d.commit()
			d.conflicts("rebase", "--onto", "HEAD", "origin/main~1", "topic")
			d.person("a.txt", resolve)
			within(d, "a.txt")
			d.Git("add", "-A")
			d.edit("true", "rebase", "--continue")
		},
	} {
		for by, pull := range map[string]func(d *desk){
			"fast-forward": func(d *desk) { d.Git("pull", "-q", "--ff-only", "origin", "main") },
			"merge": func(d *desk) {
				d.person("b.txt", d.inserts("me", 0, 1))
				d.commit()
				d.Git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
			},
		} {
			t.Run(by+", "+name, func(t *testing.T) {
				d, other, _ := twoDesks(t)
				d.agent("s1", "a.txt", d.inserts("s1", 2, 2))
				d.commit()
				d.agent("s1", "a.txt", d.inserts("s1", 5, 2))
				d.commit()
				d.Git("push", "-q", "origin", "main")
				d.travel()
				pull(other)
				other.Git("fetch", "-q")
				do(other)
				other.check(false)
				if n := other.linesOf("s1"); n < 4 {
					t.Errorf("%d lines of the agent are left", n)
				}
			})
		}
	}
}

// A forge has made a squash of it, of which nothing is told, and which was never checked out.
func TestWhatGitPutInPlaceDidNotComeFromWhatWasNeverCheckedOut(t *testing.T) {
	d, other, hub := twoDesks(t)
	d.agent("s1", "a.txt", d.inserts("s1", 2, 2))
	d.commit()
	d.agent("s1", "a.txt", d.inserts("s1", 5, 2))
	d.commit()
	d.Git("push", "-q", "origin", "main")
	d.travel()
	forge := gittest.New(t)
	connect(forge, hub)
	forge.Git("reset", "-q", "--hard", "origin/main~2")
	forge.Git("merge", "-q", "--squash", "origin/main")
	forge.Git("commit", "-q", "-m", "squashed (#1)")
	forge.Git("push", "-q", "origin", "HEAD:release")
	other.Git("pull", "-q", "--ff-only", "origin", "main")
	other.Git("fetch", "-q")
	other.person("a.txt", func(l []string) []string { return slices.Insert(slices.Insert(l, 6, d.line("me")), 3, d.line("me")) })
	other.commit("--amend")
	other.check(false)
	if n := other.linesOf("s1"); n != 4 {
		t.Errorf("%d lines of the agent are left", n)
	}
}

// linesOf counts the lines of a session at the top of the tree.
func (d *desk) linesOf(session string) (n int) {
	for _, path := range strings.Fields(d.Git("ls-tree", "--name-only", "HEAD")) {
		for _, l := range d.blame(path, "HEAD") {
			if strings.HasPrefix(string(l.Text), session+" ") {
				n++
			}
		}
	}
	return n
}

// A pick leaves no trace, but git had written before: the text of an older commit is told
// by less of it than where a person alone was at work.
func TestWhatGitMayHavePutBackIsToldByLess(t *testing.T) {
	d, other, _ := twoDesks(t)
	d.agent("s1", "a.txt", d.inserts("s1", 2, 2))
	d.commit()
	d.person("a.txt", func(l []string) []string { return slices.Delete(l, 2, 4) })
	d.commit()
	d.Git("push", "-q", "origin", "main")
	d.travel()
	other.person("b.txt", other.inserts("me", 0, 1))
	other.commit()
	other.Git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
	other.Git("fetch", "-q")
	other.Git("cherry-pick", "-n", "origin/main~1")
	other.person("a.txt", other.inserts("me", 3, 1))
	other.commit()
	other.check(false)
}

// Git tells of no revert that met a conflict but by the title of the commit.
func TestWhatARevertBringsBackInAConflictIsNoPersons(t *testing.T) {
	d := newDesk(t)
	d.agent("s1", "a.txt", d.inserts("s1", 2, 2))
	d.commit()
	d.person("a.txt", d.inserts("me", 1, 2))
	d.commit()
	d.agent("s1", "a.txt", func(l []string) []string { return slices.Replace(l, 2, 6, d.line("s1")) }) // of which a part comes back
	d.commit()
	d.conflicts("revert", "--no-edit", "HEAD~1")
	d.person("a.txt", resolve)
	d.Git("add", "-A")
	d.edit("true", "revert", "--continue")
	d.check(false)
	if n := d.linesOf("s1"); n != 3 {
		t.Errorf("%d lines are the agent's", n)
	}
}

// Nobody tells who wrote in the commit that was pulled; that an agent wrote the same text
// on a branch does not make it the agent's.
func TestWhatWasPulledIsNotAnAgentsThatWroteTheSame(t *testing.T) {
	d, other, hub := twoDesks(t)
	text := d.inserts("me", 2, 2)(d.read("a.txt"))
	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "a.txt", func([]string) []string { return text })
	d.commit()
	d.Git("push", "-q", "origin", "topic")
	d.travel()

	forge := &desk{Repo: gittest.New(t), call: d.call, counts: d.counts} // without capture
	connect(forge.Repo, hub)
	forge.Git("reset", "-q", "--hard", "origin/main")
	forge.write("a.txt", text)
	forge.Git("commit", "-qam", "typed")
	forge.Git("push", "-q", "origin", "HEAD:main")

	other.Git("pull", "-q", "--ff-only", "origin", "main")
	other.Git("fetch", "-q")
	other.person("a.txt", other.inserts("me", 3, 1))
	other.commit("--amend")
	other.check(false)
}

// A person who copies an agent's file was seen to write the copy, but its text is the
// agent's, as its note says; so it is where he moves some of it later.
func TestWhatIsMovedWithinACopyStaysWhoseTextItIs(t *testing.T) {
	d, other, _ := twoDesks(t)
	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "d.txt", d.inserts("s1", 0, 6))
	d.commit()
	d.Git("push", "-q", "origin", "topic")
	d.travel()
	other.Git("fetch", "-q")
	other.write("c.txt", d.read("d.txt"))
	other.commit()
	other.check(false)
	other.person("c.txt", func(l []string) []string {
		return append(append(slices.Clone(l[2:5]), l[:2]...), l[5], other.line("me"))
	})
	other.commit()
	other.check(false)
	other.agent("s2", "c.txt", func(l []string) []string { return append(slices.Clone(l[1:]), l[0]) })
	other.commit("--amend")
	other.check(false)
	if n := other.linesOf("s1"); n != 6 {
		t.Errorf("%d lines are the agent's", n)
	}
}

// What a merge brought, a reset let lie in the work tree, where somebody typed between it.
func TestWhatAMergeBroughtIsToldInPiecesBehindAReset(t *testing.T) {
	d, other, _ := twoDesks(t)
	d.agent("s1", "c.txt", d.inserts("s1", 0, 3))
	d.commit()
	d.Git("push", "-q", "origin", "main")
	d.travel()
	other.agent("s2", "c.txt", other.inserts("s2", 0, 2))
	other.commit()
	other.Git("fetch", "-q")
	other.conflicts("merge", "--no-edit", "origin/main")
	other.person("c.txt", resolve)
	other.Git("add", "-A")
	other.Git("commit", "-q", "--no-edit")
	other.Git("reset", "-q", "--mixed", "HEAD~1")
	other.person("c.txt", func(l []string) []string {
		return slices.Insert(slices.Insert(l, 4, other.line("me"), other.line("me"), other.line("me")), 3, other.line("me"))
	})
	other.commit()
	other.check(false)
	if n := other.linesOf("s1"); n != 3 {
		t.Errorf("%d lines are the agent's", n)
	}
}

// Nobody here saw who wrote the file that is copied, and the commit changes it too.
func TestACopyOfAFileThatTheCommitChangesIsWhoseThatIs(t *testing.T) {
	d, other, _ := twoDesks(t)
	d.agent("s1", "b.txt", d.inserts("s1", 2, 2))
	d.agent("s1", "b.txt", d.inserts("s1", 6, 2))
	d.commit()
	d.Git("push", "-q", "origin", "main")
	d.travel()
	other.agent("s2", "b.txt", other.inserts("s2", 0, 1))
	other.Git("checkout", "-q", "--", "b.txt")
	other.agent("s2", "a.txt", other.inserts("s2", 0, 1))
	other.commit()
	other.Git("pull", "-q", "--rebase", "origin", "main")
	other.Git("fetch", "-q")
	other.person("b.txt", func(l []string) []string { return append(slices.Clone(l[2:]), l[:2]...) })
	other.write("d.txt", other.read("b.txt"))
	other.commit()
	other.check(false)
	if n := other.linesOf("s1"); n != 8 {
		t.Errorf("%d lines are the agent's", n)
	}
}

// A copy that nobody saw, of a file that is still there, and more than that was written into it.
func TestACopyOfWhichMoreIsWrittenIsWhoseItsLinesAre(t *testing.T) {
	for name, ran := range map[string]bool{"a person was at it": false, "something ran": true} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.agent("s1", "b.txt", func([]string) []string { return d.inserts("s1", 0, 3)(nil) })
			d.commit()
			d.write("d.txt", slices.Concat(d.read("b.txt"), d.inserts("me", 0, 5)(nil)))
			if ran {
				d.shell("s2", "cp a.txt c.txt")
			}
			d.commit()
			d.check(false)
			if n := d.linesOf("s1"); n != 6 {
				t.Errorf("%d lines are the agent's", n)
			}
		})
	}
}

// A pick that is not to be committed leaves what it would have said, until something is.
func TestWhatAPickLeftBehindIsNoPersons(t *testing.T) {
	for name, pick := range map[string][]string{"a pick": {"cherry-pick", "-n", "HEAD~1"}, "a revert": {"revert", "-n", "HEAD"}, "a squash": {"merge", "-q", "--squash", "side"}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.agent("s1", "b.txt", d.inserts("s1", 2, 1)) // too little to be told from what a person types
			d.commit()
			d.Git("branch", "side")
			if name == "a squash" {
				d.Git("reset", "-q", "--hard", "HEAD~1")
			} else {
				d.person("b.txt", func(l []string) []string { return slices.Delete(l, 2, 3) })
				d.commit()
			}
			d.forget()
			d.agent("s2", "b.txt", d.inserts("s2", 6, 1))
			d.Git("checkout", "-q", "--", "b.txt")
			d.agent("s2", "b.txt", func(l []string) []string { return l })
			d.Git(pick...)
			d.person("b.txt", d.inserts("me", 0, 6))
			d.agent("s2", "b.txt", d.inserts("s2", 0, 1))
			d.commit()
			d.check(false)
			if n := d.linesOf("s1"); n != 1 {
				t.Errorf("%d lines are the agent's", n)
			}
		})
	}
}

// forget settles, and begins anew as if nothing had been seen before.
func (d *desk) forget() {
	d.T.Helper()
	d.settle()
	place, err := spool.Find(d.Dir)
	must(d.T, err)
	must(d.T, os.RemoveAll(place.Dir()))
	d.begin()
}

// Most of a commit stood in some that it stands on, though none of it in one piece that
// would tell.
func TestWhatIsPutBackInPiecesIsToldByAllOfThem(t *testing.T) {
	d := newDesk(t)
	for at := 1; at < 4; at++ {
		d.agent("s1", "a.txt", d.inserts("s1", 2*at, 1))
		d.commit()
	}
	before := d.read("a.txt")
	d.person("a.txt", func(l []string) []string {
		return slices.DeleteFunc(l, func(s string) bool { return strings.HasPrefix(s, "s1") })
	})
	d.commit()
	d.forget()
	d.agent("s2", "b.txt", d.inserts("s2", 1, 1))
	d.write("a.txt", before)
	d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
	d.commit()
	d.check(false)
}
