package settle_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/settle"
)

// A random history: agents and people edit in two clones, git does all it can,
// conflicts are resolved in all ways, a forge where nobody watches merges, squashes
// and rebases, and the text of a line still tells whose it is.
type history struct {
	*desk // where the next thing happens
	rng   *rand.Rand
	log   []string

	desks      []*desk
	hub, forge *gittest.Repo
}

// newHistory begins with one clone, or two.
func newHistory(t *testing.T, seed, desks int) *history {
	h := &history{rng: rand.New(rand.NewPCG(uint64(seed), 11))}
	h.desk = newDesk(t)
	h.desks = []*desk{h.desk}
	if desks == 1 {
		return h
	}
	h.hub = gittest.New(t, "--bare")
	connect(h.Repo, h.hub)
	h.Git("push", "-q", "origin", "main")
	h.forge = gittest.New(t)
	connect(h.forge, h.hub)
	other := &desk{Repo: gittest.New(t), call: h.call, counts: h.counts}
	connect(other.Repo, h.hub)
	for _, r := range []*gittest.Repo{h.forge, other.Repo} {
		r.Git("reset", "-q", "--hard", "origin/main")
	}
	other.begin()
	h.desks = append(h.desks, other)
	return h
}

// connect makes a repository a clone of another, as git clone and stemma init do.
func connect(r, hub *gittest.Repo) {
	r.Git("remote", "add", "origin", hub.Dir)
	r.Git("config", "--add", "remote.origin.fetch", "+"+settle.Ref+"*:"+settle.Fetched+"origin/ai*")
	r.Git("fetch", "-q")
}

// push lets a branch travel with all notes.
func (h *history) push() {
	branch := h.pick(h.branches()...)
	_, err := h.Try(nil, "push", "-q", "--force", "origin", branch)
	h.say("push %s: %v", branch, err == nil)
	h.travel()
}

// merges lets the forge bring a branch into main, in one of its ways; what
// would be a conflict, it refuses.
func (h *history) merges() {
	f := h.forge
	f.Git("fetch", "-q", "--prune")
	f.Git("checkout", "-q", "-B", "main", "origin/main")
	branches := strings.Fields(f.Git("for-each-ref", "--format=%(refname)", "refs/remotes/origin/"))
	branch := h.pick(branches...)
	way := h.rng.IntN(3)
	var err error
	switch way {
	case 0:
		_, err = f.Try(nil, "merge", "-q", "--no-edit", "--no-ff", branch)
	case 1:
		if _, err = f.Try(nil, "merge", "-q", "--squash", branch); err == nil {
			_, err = f.Try(nil, "commit", "-q", "-m", "squashed (#1)")
		}
	case 2:
		f.Git("checkout", "-q", "--detach", branch)
		if _, err = f.Try(nil, "rebase", "-q", "origin/main"); err == nil {
			f.Git("branch", "-q", "-f", "main", "HEAD")
		}
	}
	if err == nil {
		_, err = f.Try(nil, "push", "-q", "origin", "main")
	}
	h.say("forge merges %s by %d: %v", branch, way, err == nil)
	if _, err := f.Try(nil, "rebase", "--abort"); err != nil {
		f.Git("reset", "-q", "--hard")
	}
}

func (h *history) pick(list ...string) string { return list[h.rng.IntN(len(list))] }

func (h *history) agentName() string { return h.pick("s1", "s2", "s3") }

func (h *history) path() string { return h.pick("a.txt", "b.txt", "dir/c.txt", "d.txt") }

// say remembers what was done, for whoever must find out why a history fails.
func (h *history) say(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf(format, args...))
}

// try runs git, which may refuse or meet a conflict.
func (h *history) try(args ...string) bool {
	h.T.Helper()
	out, err := h.Try(nil, append([]string{"-c", "core.editor=true"}, args...)...)
	outcome := "ok"
	if err != nil {
		outcome = strings.TrimSpace(string(out))
		outcome, _, _ = strings.Cut(outcome, "\n")
	}
	h.say("git %s: %s", strings.Join(args, " "), outcome)
	h.settleConflicts()
	return err == nil
}

// change is a random edit of somebody.
func (h *history) change(who string) func([]string) []string {
	return func(lines []string) []string {
		for range 1 + h.rng.IntN(3) {
			at := h.rng.IntN(len(lines) + 1)
			end := min(at+1+h.rng.IntN(3), len(lines))
			switch h.rng.IntN(6) {
			case 0, 1, 2:
				lines = h.inserts(who, at, 1+h.rng.IntN(3))(lines)
			case 3:
				lines = slices.Delete(lines, at, end)
			case 4:
				for i := at; i < end; i++ {
					lines[i] = h.line(who)
				}
			case 5:
				block := slices.Clone(lines[at:end])
				lines = slices.Delete(lines, at, end)
				lines = slices.Insert(lines, h.rng.IntN(len(lines)+1), block...)
			}
		}
		return lines
	}
}

// doing is what git is in the middle of, "" for nothing.
func (h *history) doing() string {
	for _, c := range []struct{ file, what string }{{"rebase-merge", "rebase"}, {"rebase-apply", "rebase"}, {"MERGE_HEAD", "merge"}, {"CHERRY_PICK_HEAD", "cherry-pick"}, {"REVERT_HEAD", "revert"}} {
		if _, err := os.Stat(filepath.Join(h.Dir, ".git", c.file)); err == nil {
			return c.what
		}
	}
	return ""
}

// settleConflicts resolves what git could not, each time in another way, until
// git has nothing left to do.
func (h *history) settleConflicts() {
	for range 20 {
		unmerged := strings.Fields(h.Git("diff", "--name-only", "--diff-filter=U"))
		doing := h.doing()
		if len(unmerged) == 0 && doing == "" {
			return
		}
		for _, path := range unmerged {
			h.resolve(path)
		}
		h.Git("add", "-A")
		switch {
		case doing == "":
			return // a stash that met a conflict
		case doing == "merge":
			h.say("commit of a merge")
			h.Git("commit", "-q", "--no-edit", "--allow-empty")
		case h.rng.IntN(8) == 0:
			_, err := h.Try(nil, doing, "--abort")
			h.say("%s --abort: %v", doing, err)
		default:
			if _, err := h.Try(nil, "-c", "core.editor=true", doing, "--continue"); err != nil && len(h.Git("status", "--porcelain")) == 0 {
				_, err = h.Try(nil, doing, "--skip")
				h.say("%s --skip: %v", doing, err)
			} else {
				h.say("%s --continue: %v", doing, err)
			}
		}
	}
	if doing := h.doing(); doing != "" {
		_, err := h.Try(nil, doing, "--abort")
		h.say("%s --abort at last: %v", doing, err)
	}
}

// resolve makes one file whole again.
func (h *history) resolve(path string) {
	how := h.rng.IntN(7)
	h.say("resolve %s by %d", path, how)
	side := func(keep int) func([]string) []string {
		return func(lines []string) (out []string) {
			in := 0
			for _, l := range lines {
				switch {
				case strings.HasPrefix(l, "<<<<<<<"):
					in = 1
				case strings.HasPrefix(l, "=======") && in == 1:
					in = 2
				case strings.HasPrefix(l, ">>>>>>>"):
					in = 0
				case in == 0 || in == keep:
					out = append(out, l)
				}
			}
			return out
		}
	}
	switch how {
	case 0:
		h.person(path, resolve)
	case 1:
		h.person(path, side(1))
	case 2:
		h.person(path, side(2))
	case 3:
		h.agent(h.agentName(), path, resolve)
	case 4:
		h.agent(h.agentName(), path, side(1+h.rng.IntN(2)))
	case 5:
		who := h.agentName()
		h.agent(who, path, func(l []string) []string { return h.inserts(who, h.rng.IntN(9), 1)(resolve(l)) })
	case 6:
		h.person(path, func(l []string) []string { return h.inserts("me", h.rng.IntN(9), 1)(resolve(l)) })
	}
}

// command lets an agent change a file by a command, while a person may be at another.
func (h *history) command(who, path, other string) {
	source := filepath.Join(h.T.TempDir(), "source")
	text := fmt.Sprintf(h.pick("mkdir -p dir; cat %s > %s", "mkdir -p dir && cp %s %s", "mkdir -p dir; tee %[2]s < %[1]s > /dev/null"), source, path)
	h.say("%s runs %s", who, text)
	c := h.begins(who, text)
	var fresh strings.Builder
	for _, l := range h.change(who)(h.read(path)) {
		if strings.HasPrefix(l, who) && h.call[l] == "" {
			h.call[l] = fmt.Sprint("call", c.call)
		}
		fresh.WriteString(l + "\n")
	}
	must(h.T, os.WriteFile(source, []byte(fresh.String()), 0o600))
	if other != path && h.rng.IntN(3) == 0 {
		h.say("me edits %s meanwhile", other)
		h.person(other, h.change("me"))
	}
	c.runs().ends(time.Duration(h.rng.IntN(20)) * time.Second)
}

func (h *history) branches() []string {
	return strings.Fields(h.Git("for-each-ref", "--format=%(refname:short)", "refs/heads"))
}

// commits are some commits, the newest first.
func (h *history) commits(of string, n int) []string {
	out, err := h.Try(nil, "rev-list", "--no-merges", "--max-count", strconv.Itoa(n), of)
	if err != nil { // a branch without a commit
		return []string{"HEAD"}
	}
	return strings.Fields(string(out))
}

func (h *history) clean() bool { return h.Git("status", "--porcelain") == "" }

// step lets one thing happen.
func (h *history) step() {
	if len(h.desks) > 1 {
		h.desk = h.desks[h.rng.IntN(len(h.desks))]
		switch h.rng.IntN(20) {
		case 0, 1, 2:
			h.push()
			return
		case 3:
			h.merges()
			return
		case 4:
			h.try("fetch", "-q", "--prune")
			return
		case 5:
			h.try("pull", "-q", "--no-edit", h.pick("--rebase", "--no-rebase"), "origin", "main")
			return
		case 6:
			h.try("checkout", "-q", "-B", fmt.Sprint("theirs", len(h.log)), h.pick(strings.Fields(h.Git("for-each-ref", "--format=%(refname)", "refs/remotes/origin/"))...))
			return
		}
	}
	switch h.rng.IntN(33) {
	case 30, 31, 32:
		h.seldom()
	case 0, 1, 2, 3, 4, 5:
		who, path := h.agentName(), h.path()
		if h.rng.IntN(2) == 0 {
			h.command(who, path, h.path())
			return
		}
		h.say("%s edits %s", who, path)
		h.agent(who, path, h.change(who))
	case 6, 7:
		path := h.path()
		h.say("me edits %s", path)
		h.person(path, h.change("me"))
	case 8, 9, 10, 11:
		h.Git("add", "-A")
		h.try("commit", "-q", "-m", "work")
	case 12:
		h.try("commit", "-q", "-m", "part", "--", h.path())
	case 13:
		var answers strings.Builder
		for range 20 {
			answers.WriteString(h.pick("y\n", "n\n"))
		}
		_, _ = h.Try([]byte(answers.String()), "add", "-p")
		h.try("commit", "-q", "-m", "hunks")
	case 14:
		h.Git("add", "-A")
		h.try("commit", "-q", "--amend", "--no-edit")
	case 15:
		h.try("checkout", "-q", "-b", fmt.Sprint("branch", len(h.log)), h.pick("HEAD", "HEAD~1", "HEAD~2"))
	case 16, 17:
		h.try("checkout", "-q", h.pick(h.branches()...))
	case 18:
		h.try("merge", "-q", "--no-edit", h.pick(h.branches()...))
	case 19:
		if h.try("merge", "-q", "--squash", h.pick(h.branches()...)) {
			h.try("commit", "-q", "-m", "squash")
		}
	case 20:
		h.try("rebase", "-q", h.pick(h.branches()...))
	case 21:
		if h.clean() {
			plan := h.pick("sed -i '1{h;d};$G'", "sed -i '2,$s/^pick/squash/'", "sed -i '2s/^pick/fixup/'", "sed -i '1s/^pick/drop/'")
			h.say("rebase plan %s", plan)
			h.try("-c", "sequence.editor="+plan, "rebase", "-q", "-i", h.pick("HEAD~2", "HEAD~3"))
		}
	case 22:
		h.try("cherry-pick", h.pick(h.commits(h.pick(h.branches()...), 4)...))
	case 23:
		if h.try("cherry-pick", "-n", h.pick(h.commits(h.pick(h.branches()...), 4)...)) {
			h.try("commit", "-q", "-m", "picked")
		}
	case 24:
		h.try("revert", "--no-edit", h.pick(h.commits("HEAD", 3)...))
	case 25:
		h.try("reset", "-q", h.pick("--soft", "--mixed"), h.pick("HEAD~1", "HEAD~2"))
	case 26:
		h.try("reset", "-q", "--hard", h.pick("HEAD", "HEAD~1", "ORIG_HEAD", "HEAD@{2}"))
	case 27:
		h.try("stash", "-q", h.pick("-u", "-k"))
	case 28:
		h.try("stash", h.pick("pop", "pop", "apply"), "-q")
	case 29:
		switch h.rng.IntN(3) {
		case 0:
			h.try("checkout", "-q", "--", h.path())
		case 1:
			h.try("mv", h.path(), fmt.Sprintf("moved%d.txt", len(h.log)))
		case 2:
			h.say("settle")
			h.settle()
		}
	}
}

// seldom is what happens seldom.
func (h *history) seldom() {
	switch h.rng.IntN(18) {
	case 0:
		h.try("merge", "-q", "--no-edit", h.pick(h.branches()...), h.pick(h.branches()...)) // an octopus
	case 1:
		h.try("rebase", "-q", "--onto", h.pick(h.branches()...), h.pick("HEAD~1", "HEAD~2"))
	case 2:
		h.try("rebase", "-q", "--autostash", h.pick(h.branches()...))
	case 3:
		h.try("rebase", "-q", "--rebase-merges", h.pick(h.branches()...))
	case 4:
		h.Git("add", "-A")
		h.try("commit", "-q", "--fixup", h.pick(h.commits("HEAD", 2)...))
		h.try("-c", "sequence.editor=true", "rebase", "-q", "-i", "--autosquash", "HEAD~3")
	case 5:
		if h.clean() {
			h.try("rebase", "-q", "--exec", "git commit -q --amend --no-edit -m again", "HEAD~2")
		}
	case 6:
		h.try("stash", "-q")
		h.try("stash", "branch", fmt.Sprint("stashed", len(h.log)))
	case 7:
		h.try("reset", "-q", h.pick("HEAD", "HEAD~1"), "--", h.path())
	case 8:
		h.try("reset", "-q", h.pick("--keep", "--merge"), h.pick("HEAD~1", "HEAD"))
	case 9:
		h.try("checkout", "-q", "--detach", h.pick("HEAD", "HEAD~1"))
	case 10:
		if h.try("checkout", "-q", "--orphan", fmt.Sprint("orphan", len(h.log))) {
			h.Git("add", "-A")
			h.try("commit", "-q", "-m", "without a past")
		}
	case 11: // as tools for stacked branches do
		commit, err := h.Try(nil, "commit-tree", "-m", "folded", "-p", h.pick("HEAD", "HEAD~2"), "HEAD^{tree}")
		if err == nil {
			h.try("update-ref", "-m", "restack", "HEAD", strings.TrimSpace(string(commit)))
		}
	case 12:
		h.try("checkout", "-q", "-m", h.pick(h.branches()...)) // with what is not committed
	case 13:
		h.try("cherry-pick", h.pick(h.branches()...)+"~2.."+h.pick(h.branches()...))
	case 14:
		from, to := h.path(), h.path()
		if text := h.read(from); text != nil && h.read(to) == nil {
			h.say("%s is copied to %s", from, to)
			h.write(to, text)
		}
	case 15:
		if h.clean() {
			h.try("filter-branch", "-f", "--msg-filter", "cat; echo filtered", "HEAD~2..HEAD")
		}
	case 16:
		h.try("checkout", "-q", h.pick("HEAD~1", "HEAD~2", h.pick(h.branches()...)), "--", h.path())
	case 17:
		h.try("restore", "--source", h.pick("HEAD~1", "HEAD~2", h.pick(h.branches()...)), "--", h.path())
	}
}

// TestRandomHistoriesLoseAndInventNothing: no line of an agent is lost or given
// to another session, model or call, and no line of a person to an agent, on
// any branch of any clone. STEMMA_HISTORIES says how many histories are tried,
// and STEMMA_HISTORY the first seed, or the only one.
func TestRandomHistoriesLoseAndInventNothing(t *testing.T) {
	first, n := 1, 25
	if testing.Short() { // the race detector looks at the code, not at histories
		n = 6
	}
	number := func(name string, to *int) bool {
		s, ok := os.LookupEnv(name)
		if ok {
			var err error
			*to, err = strconv.Atoi(s)
			must(t, err)
		}
		return ok
	}
	many := number("STEMMA_HISTORIES", &n)
	if number("STEMMA_HISTORY", &first) && !many {
		n = 1
	}
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, seed, 1+seed%2)
			defer func() {
				if t.Failed() {
					t.Logf("seed %d:\n%s", seed, strings.Join(h.log, "\n"))
				}
			}()
			for range (15 + h.rng.IntN(25)) * len(h.desks) {
				h.step()
			}
			for _, d := range h.desks {
				h.desk = d
				h.Git("add", "-A")
				h.try("commit", "-q", "-m", "the rest")
			}
			for range h.desks { // until everybody knows what all know
				for _, d := range h.desks {
					if h.hub != nil {
						d.travel()
					}
				}
			}
			for i, d := range h.desks {
				h.say("check clone %d", i)
				h.desk = d
				for _, branch := range h.branches() {
					h.checkBranch(branch)
				}
				h.checkNotes()
			}
		})
	}
}
