package settle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/settle/follow"
)

// TestMain lets every settling go on from as near as it can, so that what is
// settled behind every commit tests that it comes out the same.
func TestMain(m *testing.M) {
	follow.MarkEvery = 1
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatGitDoesKeepsEveryLineWhoseItIs(t *testing.T) {
	const calm, wild = true, false
	for name, c := range map[string]struct {
		calm bool
		do   func(d *desk)
	}{
		"a commit": {calm, func(d *desk) { d.commit() }},
		"a person types before and after": {calm, func(d *desk) {
			d.person("a.txt", d.inserts("me", 0, 2))
			d.commit()
			d.person("a.txt", d.inserts("me", 5, 1))
			d.commit()
		}},
		"two agents in one file": {calm, func(d *desk) {
			d.agent("s2", "a.txt", d.inserts("s2", 3, 2))
			d.commit()
		}},
		"an agent rewrites what a person wrote": {calm, func(d *desk) {
			d.person("a.txt", d.inserts("me", 0, 3))
			d.agent("s2", "a.txt", func(l []string) []string { return append([]string{d.line("s2")}, l[2:]...) })
			d.commit()
		}},
		"a person rewrites what an agent wrote": {calm, func(d *desk) {
			d.person("a.txt", func(l []string) []string { l[3] = d.line("me"); return l })
			d.commit()
		}},
		"a commit of a part by file": {calm, func(d *desk) {
			d.agent("s2", "b.txt", d.inserts("s2", 1, 2))
			d.Git("commit", "-q", "-m", "part", "b.txt")
			d.commit()
		}},
		"a commit of a part by hunk": {calm, func(d *desk) {
			d.agent("s2", "a.txt", d.inserts("s2", 9, 2))
			d.person("a.txt", d.inserts("me", 9, 2))
			d.GitWith([]byte("y\nn\n"), "add", "-p", "a.txt")
			d.Git("commit", "-q", "-m", "part")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.commit()
		}},
		"an amended commit": {calm, func(d *desk) {
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 4, 2))
			d.commit("--amend")
			d.person("b.txt", d.inserts("me", 4, 2))
			d.commit("--amend")
		}},
		"an amended message": {calm, func(d *desk) { d.commit(); d.Git("commit", "-q", "--amend", "-m", "other") }},
		"a commit that is undone and made again": {wild, func(d *desk) {
			d.person("a.txt", d.inserts("me", 0, 1))
			d.commit()
			d.agent("s2", "b.txt", d.inserts("s2", 0, 1))
			d.commit()
			d.Git("reset", "-q", "--soft", "HEAD~2")
			d.commit()
		}},
		"a mixed reset": {wild, func(d *desk) {
			d.commit()
			d.Git("reset", "-q", "HEAD~1")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.commit()
		}},
		"a hard reset and back": {wild, func(d *desk) {
			d.commit()
			d.Git("reset", "-q", "--hard", "HEAD~1")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.Git("reset", "-q", "--hard", "ORIG_HEAD")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.commit("--amend")
		}},
		"a rebase": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("rebase", "-q", "main", "topic")
		}},
		"a rebase that reorders": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '1{h;d};2{H;d};3{G}'", "rebase", "-q", "-i", "main")
		}},
		"a rebase that squashes": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '2,$s/^pick/squash/'", "rebase", "-q", "-i", "main")
		}},
		"a rebase that fixes up and drops": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '2s/^pick/fixup/;3s/^pick/drop/'", "rebase", "-q", "-i", "main")
		}},
		"a rebase that stops to edit": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '1s/^pick/edit/'", "rebase", "-q", "-i", "main")
			d.agent("s2", "b.txt", d.inserts("s2", 0, 2))
			d.commit("--amend")
			d.edit("true", "rebase", "--continue")
		}},
		"a rebase that splits a commit": {wild, func(d *desk) {
			d.agent("s2", "b.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.edit("sed -i '1s/^pick/edit/'", "rebase", "-q", "-i", "HEAD~1")
			d.Git("reset", "-q", "HEAD~1")
			d.Git("add", "b.txt")
			d.Git("commit", "-q", "-m", "first part")
			d.commit()
			d.edit("true", "rebase", "--continue")
		}},
		"a rebase with autosquash": {wild, func(d *desk) {
			d.commit()
			d.agent("s2", "b.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 4, 1))
			d.Git("commit", "-qa", "--fixup", "HEAD~1")
			d.edit("true", "rebase", "-q", "-i", "--autosquash", "--root")
		}},
		"a rebase with autostash": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.Git("rebase", "-q", "--autostash", "main")
			d.commit()
		}},
		"a rebase with exec": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("true", "rebase", "-q", "-i", "--exec", "true", "main")
		}},
		"a rebase of merges": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "-b", "side", "topic~1")
			d.agent("s2", "c.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.Git("checkout", "-q", "topic")
			d.Git("merge", "-q", "--no-edit", "side")
			d.Git("rebase", "-q", "--rebase-merges", "main")
		}},
		"a rebase with a conflict that an agent resolves": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.Git("checkout", "-q", "topic")
			d.conflicts("rebase", "main")
			d.agent("s3", "a.txt", func(l []string) []string { return append([]string{d.line("s3")}, resolve(l)...) })
			d.Git("add", "-A")
			if _, err := d.Try(nil, "-c", "core.editor=true", "rebase", "--continue"); err != nil {
				d.agent("s3", "a.txt", resolve)
				d.Git("add", "-A")
				d.edit("true", "rebase", "--continue")
			}
		}},
		"a rebase with a conflict that a person resolves": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.Git("checkout", "-q", "topic")
			d.conflicts("rebase", "main")
			for range 3 {
				d.person("a.txt", resolve)
				d.Git("add", "-A")
				if _, err := d.Try(nil, "-c", "core.editor=true", "rebase", "--continue"); err == nil {
					return
				}
			}
		}},
		"a rebase that is given up": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.Git("checkout", "-q", "topic")
			d.conflicts("rebase", "main")
			d.Git("rebase", "--abort")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a merge": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("merge", "-q", "--no-edit", "topic")
		}},
		"a merge with a conflict": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.conflicts("merge", "topic")
			d.agent("s3", "a.txt", func(l []string) []string { return append(resolve(l), d.line("s3")) })
			d.commit()
		}},
		"a merge of three": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "-b", "side", "main~1")
			d.agent("s2", "c.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.Git("checkout", "-q", "main")
			d.Git("merge", "-q", "--no-edit", "topic", "side")
		}},
		"a squashing merge": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("merge", "-q", "--squash", "topic")
			d.commit()
		}},
		"cherry-picks": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("cherry-pick", "topic~2", "topic")
			d.Git("cherry-pick", "-n", "topic~1")
			d.commit()
		}},
		"a cherry-pick with a conflict": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.conflicts("cherry-pick", "topic~2")
			d.person("a.txt", resolve)
			d.Git("add", "-A")
			d.edit("true", "cherry-pick", "--continue")
		}},
		"a revert and its revert": {wild, func(d *desk) {
			d.commit()
			d.Git("revert", "--no-edit", "HEAD")
			d.Git("revert", "--no-edit", "HEAD")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a stash": {wild, func(d *desk) {
			d.Git("stash", "-q")
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.Git("stash", "-q")
			d.Git("stash", "apply", "-q", "stash@{1}")
			d.Git("stash", "pop", "-q")
			d.commit()
		}},
		"a stash on another base": {wild, func(d *desk) {
			d.Git("stash", "-q")
			d.agent("s2", "a.txt", d.inserts("s2", 6, 2))
			d.commit()
			d.Git("stash", "pop", "-q")
			d.agent("s2", "a.txt", d.inserts("s2", 4, 2))
			d.commit()
		}},
		"a stash that is renamed as soon as it is back": {wild, func(d *desk) {
			d.Git("stash", "-q")
			d.shell("s2", "echo 'LINE' >> a.txt")
			d.commit()
			d.Git("stash", "pop", "-q")
			d.Git("mv", "a.txt", "moved.txt")
			d.shell("s2", "echo 'LINE' >> moved.txt")
			d.commit()
		}},
		"a stash into which a person had typed": {wild, func(d *desk) {
			d.person("a.txt", d.inserts("me", 4, 2))
			d.Git("stash", "-q")
			d.shell("s2", "echo 'LINE' >> b.txt; cat a.txt")
			d.Git("stash", "apply", "-q") // leaves no trace
			d.shell("s2", "echo 'LINE' >> b.txt; cat a.txt")
			d.commit()
		}},
		"a stash that becomes a branch": {wild, func(d *desk) {
			d.Git("stash", "-q")
			d.person("b.txt", d.inserts("me", 6, 2))
			d.commit()
			d.Git("stash", "branch", "stashed")
			d.commit()
		}},
		"another branch with changes that are carried over": {wild, func(d *desk) {
			d.Git("checkout", "-q", "-b", "other")
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a file that is renamed": {wild, func(d *desk) {
			d.commit()
			d.Git("mv", "a.txt", "c.txt")
			d.agent("s2", "c.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a file that is renamed before it is committed": {wild, func(d *desk) {
			d.agent("s2", "new.txt", d.inserts("s2", 0, 4))
			must(d.T, os.Rename(filepath.Join(d.Dir, "new.txt"), filepath.Join(d.Dir, "newer.txt")))
			d.agent("s2", "newer.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a file that is copied": {wild, func(d *desk) {
			d.commit()
			d.write("copy.txt", d.read("a.txt"))
			d.agent("s2", "copy.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a file that is copied and edited before it is committed": {wild, func(d *desk) {
			d.write("copy.txt", d.read("a.txt"))
			d.person("copy.txt", d.inserts("me", 4, 2))
			d.commit()
		}},
		"a file that is copied in the place of one that is gone": {wild, func(d *desk) {
			d.agent("s2", "copy.txt", d.inserts("s2", 0, 4))
			d.commit()
			d.Git("reset", "-q", "--hard", "HEAD~1")
			d.agent("s1", "a.txt", d.inserts("s1", 0, 3))
			d.write("copy.txt", d.read("a.txt"))
			d.person("copy.txt", d.inserts("me", 4, 2))
			d.commit()
		}},
		"a detached head": {wild, func(d *desk) {
			d.commit()
			d.Git("checkout", "-q", "--detach")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
			d.Git("checkout", "-q", "-B", "main")
		}},
		"an orphan branch": {wild, func(d *desk) {
			d.Git("checkout", "-q", "--orphan", "root")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a commit that plumbing makes": {wild, func(d *desk) {
			d.Git("add", "-A")
			id := d.Git("commit-tree", "-m", "plumbing", "-p", "HEAD", d.Git("write-tree"))
			d.Git("update-ref", "refs/heads/main", id)
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a person types where other branches were the same": {calm, func(d *desk) {
			d.commit()
			d.Git("checkout", "-q", "-b", "topic")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.Git("checkout", "-q", "main")
			d.Git("merge", "-q", "--ff-only", "topic")
			d.person("b.txt", d.inserts("me", 2, 2))
			d.person("a.txt", d.inserts("me", 2, 2))
			d.commit()
		}},
		"a fast-forward": {wild, func(d *desk) {
			d.commit()
			d.Git("checkout", "-q", "-b", "ahead")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
			d.Git("checkout", "-q", "main")
			d.Git("merge", "-q", "--ff-only", "ahead")
		}},
		"a history that is filtered": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.Env = append(d.Env, "FILTER_BRANCH_SQUELCH_WARNING=1")
			d.Git("filter-branch", "-f", "--msg-filter", "echo changed", "main~1..HEAD")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a history that is filtered, behind which a person had copied a line to another place": {wild, func(d *desk) {
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 1, 1))
			d.commit()
			d.agent("s2", "b.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.person("a.txt", func(l []string) []string { return append(l, l[1]) })
			for i := range 5 { // sources are asked in the order of their ids
				d.commit("--allow-empty", "-m", strings.Repeat("again", i))
				d.Git("reset", "-q", "--soft", "HEAD~1")
			}
			d.commit()
			d.agent("s2", "a.txt", func(l []string) []string { return l[len(l)-3:] })
			d.agent("s2", "a.txt", func(l []string) []string { return l[2:] })
			d.Git("reset", "-q", "--hard", "HEAD~1")
			d.Env = append(d.Env, "FILTER_BRANCH_SQUELCH_WARNING=1")
			d.Git("filter-branch", "-f", "--msg-filter", "echo changed", "main~2..HEAD")
		}},
		"branches that plumbing stacks anew": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			onto := d.Git("rev-parse", "main")
			for _, c := range strings.Fields(d.Git("rev-list", "--reverse", "main..topic")) {
				tree := d.Git("merge-tree", "--write-tree", "main", c)
				onto = d.Git("commit-tree", "-m", "stacked", "-p", onto, tree)
			}
			d.Git("update-ref", "refs/heads/topic", onto)
			d.Git("checkout", "-q", "topic")
		}},
		"a range of picks": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("cherry-pick", "main~1..topic")
		}},
		"paths that are reset and restored": {wild, func(d *desk) {
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.Git("add", "-A")
			d.Git("reset", "-q", "--", "b.txt")
			d.Git("commit", "-q", "-m", "a")
			d.commit()
			d.Git("checkout", "-q", "HEAD~2", "--", "a.txt")
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.Git("checkout", "-q", "HEAD", "--", "a.txt")
			d.commit()
		}},
		"a dirty tree that is merged into another branch": {wild, func(d *desk) {
			d.Git("branch", "other")
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 9, 2))
			d.Git("checkout", "-q", "-m", "other")
			d.commit()
		}},
		"no reflog": {wild, func(d *desk) {
			d.Git("config", "core.logAllRefUpdates", "false")
			must(d.T, os.RemoveAll(filepath.Join(d.Dir, ".git/logs")))
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"commits that were pruned": {wild, func(d *desk) {
			d.commit()
			d.Git("reset", "-q", "--soft", "HEAD~1")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			log := filepath.Join(d.Dir, ".git/logs/HEAD")
			kept, err := os.ReadFile(log)
			must(d.T, err)
			d.Git("reflog", "expire", "--expire=now", "--all")
			d.Git("gc", "-q", "--prune=now")
			must(d.T, os.WriteFile(log, kept, 0o600))
			d.commit()
		}},
		"a reflog that was cleared": {wild, func(d *desk) {
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.Git("reflog", "expire", "--expire=now", "--all")
			d.commit()
		}},
		"packed refs and objects": {calm, func(d *desk) {
			d.Git("gc", "-q")
			d.commit()
			d.Git("gc", "-q")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.person("a.txt", d.inserts("me", 2, 2))
			d.Git("gc", "-q")
			d.commit()
		}},
		"white space and line ends": {calm, func(d *desk) {
			d.person("a.txt", func(l []string) []string {
				for i := range l {
					l[i] = "\t" + l[i] + "\r"
				}
				return l
			})
			d.commit()
			d.person("a.txt", func(l []string) []string {
				for i := range l {
					l[i] = strings.TrimSpace(l[i])
				}
				return l
			})
			d.commit()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, often := range []bool{false, true} {
				if often && testing.Short() {
					continue
				}
				d := newDesk(t)
				d.often = often
				d.agent("s1", "a.txt", d.inserts("s1", 2, 3))
				c.do(d)
				d.check(c.calm)
			}
		})
	}
}
