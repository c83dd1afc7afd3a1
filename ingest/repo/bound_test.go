package repo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/ingest/repo/bound"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// hand writes a note by which lines of a file are of "claude", "codex" or "ann".
func hand(commit, path string, pairs ...string) string {
	keys := map[string]string{"claude": "s_00000000000001::t_00000000000001", "codex": "s_00000000000002::t_00000000000002", "ann": "h_00000000000003"}
	text := path + "\n"
	for i := 0; i < len(pairs); i += 2 {
		text += "  " + keys[pairs[i]] + " " + pairs[i+1] + "\n"
	}
	return text + "---\n" + `{"schema_version":"authorship/3.0.0","base_commit_sha":"` + commit + `","prompts":{},
"humans":{"h_00000000000003":{"author":"Ann Lee <ann@x.test>"}},
"sessions":{"s_00000000000001":{"agent_id":{"tool":"claude","id":"c1","model":"claude-opus-4-6"},"human_author":"Ann Lee <ann@x.test>"},
"s_00000000000002":{"agent_id":{"tool":"codex","id":"x1","model":"gpt-5.6-sol"},"human_author":"Ann Lee <ann@x.test>"}}}`
}

// A branch of three commits: two agents and a person, who also changes what the first
// one wrote. It is the head of a merge request and of no branch.
func request(r *gittest.Repo, number int, path string) {
	r.T.Helper()
	branch := fmt.Sprintf("topic%d", number)
	r.Git("checkout", "-q", "-b", branch, "main")
	claude, codex, ann := gittest.Lines(path+"claude", 4), gittest.Lines(path+"codex", 3), gittest.Lines(path+"ann", 2)
	c := r.Commit("one", path, claude)
	r.Note("ai", c, hand(c, path, "claude", "1-4"))
	c = r.Commit("two", path, claude+codex)
	r.Note("ai", c, hand(c, path, "codex", "5-7"))
	c = r.Commit("three", path, ann+strings.Join(strings.SplitAfter(claude, "\n")[1:], "")+codex)
	r.Note("ai", c, hand(c, path, "ann", "1-2"))
	r.Git("update-ref", fmt.Sprintf("refs/pull/%d/head", number), "HEAD")
	r.Git("checkout", "-q", "main")
	r.Git("branch", "-q", "-D", branch)
}

// What request leaves in its file.
var requested = []string{"1 2 human - -", "3 3 ai claude-code claude-opus-4-6", "6 3 ai codex gpt-5.6-sol"}

// squashes is a repository with requests that were squashed, rebased and merged where
// nobody watches; the squash has a line of its own.
func squashes(t testing.TB) *gittest.Repo {
	r := gittest.New(t)
	r.Commit("base", "base.go", gittest.Lines("base", 5))
	for i, path := range []string{"squashed.go", "rebased.go", "merged.go"} {
		request(r, i+1, path)
	}
	r.Git("merge", "-q", "--squash", "refs/pull/1/head")
	squashed := r.Git("cat-file", "blob", ":squashed.go")
	r.Commit("squashed (#1)", "squashed.go", squashed+"\nwhoever merged it wrote this line of twenty letters and more\n")
	r.Git("cherry-pick", "main..refs/pull/2/head")
	r.Merge("Merge pull request #3 from acme/topic3", []string{"refs/pull/3/head"})
	return r
}

func TestWhatAForgeSquashesRebasesAndMergesStaysWhoseItIs(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := squashes(t).Clone("--mirror"), spaceOn(t, open())
		before := r.Git("for-each-ref")
		s.scan(r.Dir)
		want(t, "squashed", s.runs("squashed.go"), append(slices.Clone(requested), "9 1 unknown - -")...)
		want(t, "rebased", s.runs("rebased.go"), requested...)
		want(t, "merged", s.runs("merged.go"), requested...)
		want(t, "bases", s.rows(`SELECT DISTINCT f.path, r.basis, n.ref FROM k_file f JOIN k_file_run r ON r.id = f.id LEFT JOIN node n ON n.id = r.session
			WHERE f.path <> 'base.go' AND r.origin <> 'unknown' AND r.origin <> 'human' ORDER BY f.path, n.ref`),
			"merged.go imported session:claude-code/c1", "merged.go imported session:codex/x1",
			"rebased.go recovered-content session:claude-code/c1", "rebased.go recovered-content session:codex/x1",
			"squashed.go recovered-content session:claude-code/c1", "squashed.go recovered-content session:codex/x1")
		want(t, "why a line is unknown", s.rows(`SELECT r.reason FROM k_file f JOIN k_file_run r ON r.id = f.id WHERE f.path = 'squashed.go' AND r.origin = 'unknown'`), note.Unfound)
		want(t, "commit", s.rows(`SELECT ai_lines, human_lines, unknown_lines FROM k_commit WHERE title = 'squashed (#1)'`), "6 2 1")
		for e, err := range s.Ledger.Entries(t.Context(), 0) {
			must(t, err)
			if f := e.Fact; f.Source == bound.Source && (f.Kind != stemma.KindAttribution || f.Grade != stemma.GradeD) {
				t.Errorf("a fact found by content: %s, grade %s", f.Kind, f.Grade)
			}
		}
		s.everyAttestedLineWasAdded(r)
		if after := r.Git("for-each-ref"); after != before {
			t.Error("the scan changed refs")
		}
		size := s.size()
		if !s.scan(r.Dir).Unchanged || s.size() != size {
			t.Error("a second scan had something to say")
		}
		r.Git("tag", "again")
		s.scan(r.Dir)
		if grown := s.size() - size; grown > 3 {
			t.Errorf("%d facts of what is known", grown)
		}
		s.verify()
	})
}

func TestRecordOfTheCommitItselfReplacesWhatWasFound(t *testing.T) {
	r, s := squashes(t), newSpace(t)
	squash := r.Git("log", "-1", "--format=%H", "--grep=squashed")
	s.scan(r.Dir)
	r.Note("ai", squash, hand(squash, "squashed.go", "codex", "1-2,9"))
	s.scan(r.Dir)
	want(t, "by its own note", s.runs("squashed.go"), "1 2 ai codex gpt-5.6-sol", "3 6 unknown - -", "9 1 ai codex gpt-5.6-sol")
	want(t, "why", s.rows(`SELECT r.reason FROM k_file f JOIN k_file_run r ON r.id = f.id WHERE f.path = 'squashed.go' AND r.origin = 'unknown'`), note.NoSpan)
	want(t, "what was found", s.rows(`SELECT a.withdrawn FROM k_attribution a JOIN k_commit c ON c.id = a."commit" WHERE a.format = 'recovered' AND c.sha = $1`, squash), "1")

	r.Git("notes", "--ref", "ai", "remove", squash)
	s.scan(r.Dir)
	want(t, "found again", s.runs("squashed.go"), append(slices.Clone(requested), "9 1 unknown - -")...)

	s.post(squash, hand(squash, "squashed.go", "ann", "1-9"))
	s.scan(r.Dir)
	want(t, "by what was sent", s.runs("squashed.go"), "1 9 human - -")
	s.verify()
}

func TestWithdrawnNoteOfASourceTakesWhatWasFoundWithIt(t *testing.T) {
	r, s := squashes(t), newSpace(t)
	s.scan(r.Dir)
	for _, id := range strings.Fields(r.Git("rev-list", "-3", "refs/pull/1/head")) {
		r.Git("notes", "--ref", "ai", "remove", id)
	}
	s.scan(r.Dir)
	want(t, "squashed", s.runs("squashed.go"), "1 9 unknown - -")
	want(t, "rebased", s.runs("rebased.go"), requested...)
	once := newSpace(t)
	once.scan(r.Dir)
	same(t, "files", s, once, stemma.KindFile)
	s.verify()
}

func TestWhatWasFoundOutlivesTheBranchThatItCameFrom(t *testing.T) {
	r, s := squashes(t), newSpace(t)
	s.scan(r.Dir)
	r.Git("update-ref", "-d", "refs/pull/1/head")
	request(r, 4, "squashed.go.new")
	r.Commit("goes on", "squashed.go", r.Git("cat-file", "blob", "main:squashed.go")+"\nmore\n")
	s.scan(r.Dir)
	want(t, "squashed", s.runs("squashed.go")[:3], requested...)
	s.exec(`DELETE FROM segment`)
	r.Git("tag", "again")
	s.scan(r.Dir) // everything is read again
	want(t, "squashed", s.runs("squashed.go")[:3], requested...)
}

func TestWhatIsPutBackIsWhoseItWas(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("one", "a.go", gittest.Lines("one", 6))
	r.Note("ai", first, hand(first, "a.go", "claude", "1-4", "ann", "5-6"))
	r.Commit("two", "a.go", "other\n")
	r.Commit("three", "a.go", gittest.Lines("one", 6))
	r.Commit("four", "a.go", gittest.Lines("one", 6)+"somebody else wrote one := value in this line\n")
	s.scan(r.Dir)
	want(t, "file", s.runs("a.go"), "1 4 ai claude-code claude-opus-4-6", "5 2 human - -", "7 1 unknown - -")
	want(t, "commits that were looked at", s.rows(`SELECT c.title FROM k_attribution a JOIN k_commit c ON c.id = a."commit" WHERE a.format = 'recovered'`), "three")
}

func TestRevertIsWhoseTheTextWas(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("one", "a.go", gittest.Lines("something", 6)+gittest.Lines("rest", 2))
	r.Note("ai", first, hand(first, "a.go", "claude", "1-6"))
	r.Commit("two", "a.go", gittest.Lines("rest", 2))
	gone := r.Head()
	r.Commit("three", "a.go", gittest.Lines("rest", 2)+gittest.Lines("new", 3))
	r.Git("revert", "--no-edit", gone)
	s.scan(r.Dir)
	want(t, "file", s.runs("a.go")[:1], "1 6 ai claude-code claude-opus-4-6")
}

// What has the same lines is found whatever came first, and in whatever steps it was read.
func TestLinesAreFoundInWhateverOrderTheirSourcesCome(t *testing.T) {
	full := squashes(t).Clone("--mirror")
	once := newSpace(t)
	once.scan(full.Dir)
	notes := strings.Fields(full.Git("notes", "--ref", "ai", "list"))
	var steps []func(r *gittest.Repo)
	for _, id := range strings.Fields(full.Git("rev-list", "--reverse", "--topo-order", "main")) {
		steps = append(steps, func(r *gittest.Repo) { r.Git("fetch", "-q", "origin", "+"+id+":refs/heads/main") })
	}
	main := len(steps)
	for n := range 3 {
		for _, id := range strings.Fields(full.Git("rev-list", "--reverse", "main~4.."+fmt.Sprintf("refs/pull/%d/head", n+1))) {
			steps = append(steps, func(r *gittest.Repo) { r.Git("fetch", "-q", "origin", "+"+id+fmt.Sprintf(":refs/pull/%d/head", n+1)) })
		}
	}
	for i := 0; i < len(notes); i += 2 {
		steps = append(steps, func(r *gittest.Repo) { r.Note("ai", notes[i+1], full.Git("cat-file", "blob", notes[i])) })
	}
	for seed := range gittest.Cases(2) {
		r, s := full.Clone("--bare", "--single-branch"), newSpace(t)
		r.Git("config", "uploadpack.allowAnySHA1InWant", "true")
		full.Git("config", "uploadpack.allowAnySHA1InWant", "true")
		rng := rand.New(rand.NewPCG(seed, 0))
		order := rng.Perm(len(steps))
		// A branch grows from its beginning, and a note is about what is there.
		slices.SortStableFunc(order, func(a, b int) int {
			if a < main && b < main {
				return a - b
			}
			return 0
		})
		for _, i := range order {
			if i >= len(steps)-len(notes)/2 {
				continue
			}
			steps[i](r)
			if rng.IntN(2) == 0 {
				s.scan(r.Dir)
			}
		}
		for i := range notes[:len(notes)/2] {
			steps[len(steps)-1-i](r)
			if rng.IntN(2) == 0 {
				s.scan(r.Dir)
			}
		}
		for n := range 3 {
			r.Git("fetch", "-q", "origin", fmt.Sprintf("+refs/pull/%d/head:refs/pull/%d/head", n+1, n+1))
		}
		r.Git("fetch", "-q", "origin", "+refs/heads/main:refs/heads/main")
		s.scan(r.Dir)
		same(t, fmt.Sprint("seed ", seed), s, once, stemma.KindFile, stemma.KindAttribution, stemma.KindCommit)
		s.verify()
	}
}

// A copier makes random histories of commits with notes and without, which are
// copied, squashed, taken back and put back.
type copier struct {
	*gittest.Repo
	rng     *rand.Rand
	n       int
	noteFor []string // commits that get their notes later
}

func (c *copier) step() {
	paths := []string{"a.go", "b.go"}
	path := paths[c.rng.IntN(2)]
	branches := strings.Fields(c.Git("for-each-ref", "--format=%(refname:short)", "refs/heads"))
	other := branches[c.rng.IntN(len(branches))]
	quiet := func(args ...string) {
		if _, err := c.Try(nil, args...); err != nil {
			c.Git("reset", "-q", "--hard")
		}
	}
	switch c.rng.IntN(9) {
	case 0:
		c.n++
		c.Git("checkout", "-q", "-b", fmt.Sprintf("t%d", c.n))
	case 1:
		c.Git("checkout", "-q", other)
	case 2:
		if out, _ := c.Try(nil, "merge", "-q", "--squash", "-X", "theirs", other); !strings.Contains(string(out), "CONFLICT") {
			c.Commit("squashed " + other)
		} else {
			c.Git("reset", "-q", "--hard")
		}
	case 3:
		quiet("cherry-pick", "-X", "theirs", "--allow-empty", other)
	case 4:
		quiet("revert", "--no-edit", "-X", "theirs", "HEAD~1")
	case 5:
		if _, err := c.Try(nil, "checkout", "-q", "HEAD~2", "--", path); err == nil {
			c.Commit("put back")
		}
	default:
		c.n++
		old, _ := c.Try(nil, "cat-file", "blob", "HEAD:"+path)
		lines := strings.SplitAfter(string(old), "\n")
		at := c.rng.IntN(len(lines))
		text := strings.Join(lines[:at], "") + gittest.Lines(fmt.Sprintf("w%d", c.n), 2+c.rng.IntN(5)) + strings.Join(lines[at:], "")
		c.noteFor = append(c.noteFor, c.Commit(fmt.Sprint("step ", c.n), path, text)+" "+path)
	}
}

// tell puts a note on one of the commits that have none, or takes one away.
func (c *copier) tell() {
	if len(c.noteFor) == 0 {
		return
	}
	i := c.rng.IntN(len(c.noteFor))
	id, path, _ := strings.Cut(c.noteFor[i], " ")
	c.noteFor = slices.Delete(c.noteFor, i, i+1)
	c.Note("ai", id, hand(id, path, []string{"claude", "codex", "ann"}[c.rng.IntN(3)], "1-200"))
}

func TestLinesOfRandomHistoriesAreTheSameInHoweverManyScans(t *testing.T) {
	found := 0
	for seed := range gittest.Cases(5) {
		c, s := &copier{Repo: gittest.New(t), rng: rand.New(rand.NewPCG(seed, 1))}, newSpace(t)
		hub := gittest.New(t, "--bare")
		scan := func(s *space) {
			c.Git("push", "-q", "--mirror", hub.Dir)
			s.scan(hub.Dir)
		}
		c.Commit("base", "a.go", gittest.Lines("base", 3), "b.go", gittest.Lines("more", 3))
		for range 60 {
			c.step()
			if c.rng.IntN(2) == 0 {
				c.tell()
			}
			if c.rng.IntN(6) == 0 {
				scan(s)
			}
		}
		scan(s)
		once := newSpace(t)
		scan(once)
		lines := `SELECT f.path, r.start, r.count, r.origin, r.basis, COALESCE(r.reason, ''), COALESCE(n.ref, '') FROM k_file f JOIN k_file_run r ON r.id = f.id
			LEFT JOIN node n ON n.id = r.session ORDER BY f.path, r.seq`
		if diff := cmp.Diff(once.rows(lines), s.rows(lines)); diff != "" {
			t.Errorf("seed %d (-once +often):\n%s", seed, short(diff))
		}
		stands := `SELECT c.sha, a.ai_lines, a.human_lines, a.unknown_lines, c.ai_lines, c.human_lines, c.unknown_lines FROM k_commit c
			LEFT JOIN k_attribution a ON a."commit" = c.id AND COALESCE(a.withdrawn, 0) = 0 ORDER BY c.sha`
		if diff := cmp.Diff(once.rows(stands), s.rows(stands)); diff != "" {
			t.Errorf("commits of seed %d (-once +often):\n%s", seed, short(diff))
		}
		found += len(once.rows(`SELECT 1 FROM k_attribution WHERE format = 'recovered'`))
		s.everyAttestedLineWasAdded(c.Repo)
		s.verify()
	}
	t.Logf("lines of %d commits were found", found)
	if found < 2*int(gittest.Cases(5)) {
		t.Errorf("lines of %d commits were found: the histories are no test", found)
	}
}

func TestSearchThatWasInterruptedGoesOn(t *testing.T) {
	r, s, once := squashes(t), newSpace(t), newSpace(t)
	once.scan(r.Dir)
	interrupted := 0
	for n := 1; ; n += 6 { // of the signs of progress
		ctx, cancel := context.WithCancel(t.Context())
		at, seen := s.clock(), 0
		_, err := repo.Scan(ctx, s.Space, openRepo(t, r.Dir), repo.Options{Now: func() time.Time { return at }, Progress: func(string, int64, int64) {
			if seen++; seen == n {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			break
		}
		interrupted++
	}
	t.Logf("%d scans interrupted", interrupted)
	if interrupted < 5 {
		t.Errorf("%d scans interrupted", interrupted)
	}
	same(t, "interrupted", s, once)
	s.verify()
}

func TestProcessesDoNotGrowWithWhatIsFound(t *testing.T) {
	count := func(n int) int {
		r, s := gittest.New(t), newSpace(t)
		r.Commit("base", "base.go", gittest.Lines("base", 5))
		for i := range n {
			path := fmt.Sprintf("f%d.go", i)
			request(r, i+1, path)
			r.Git("merge", "-q", "--squash", fmt.Sprintf("refs/pull/%d/head", i+1))
			r.Commit("squashed")
		}
		processes := s.scan(r.Dir).Processes
		want(t, "found", s.rows(`SELECT COUNT(*) FROM k_attribution WHERE format = 'recovered'`), fmt.Sprint(n))
		return processes
	}
	if few, many := count(2), count(12); few != many {
		t.Errorf("%d git processes for 2 squashes, %d for 12", few, many)
	}
}
