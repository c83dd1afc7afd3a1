package repo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/storage"
)

// A walker makes a random history: edits, renames, branches, merges with
// conflicts, notes that come at once, late or again, tags.
type walker struct {
	*gittest.Repo
	*rand.Rand
	branches []string
	commits  []string
	lines    int
	numbers  int
}

func newWalker(t testing.TB, seed uint64) *walker {
	w := &walker{Repo: gittest.New(t), Rand: rand.New(rand.NewPCG(seed, 1)), branches: []string{"main"}}
	w.Write("a.go", w.fresh(12), "b.go", w.fresh(8), "dir/c.go", w.fresh(20))
	w.commit("feat: begin")
	return w
}

// fresh makes lines that are nowhere else.
func (w *walker) fresh(n int) string {
	var b strings.Builder
	for range n {
		w.lines++
		fmt.Fprintf(&b, "line%d := unique(%d)\n", w.lines, w.lines*7919)
	}
	return b.String()
}

func (w *walker) files() []string { return strings.Fields(w.Git("ls-files")) }

func (w *walker) commit(message string) {
	id := w.Commit(message)
	w.commits = append(w.commits, id)
	if w.IntN(3) == 0 {
		w.claim(id)
	}
}

// claim puts a random note on a commit, or replaces the one it has.
func (w *walker) claim(id string) {
	files := w.files()
	from := 1 + w.IntN(10)
	ai := fmt.Sprintf("%d-%d", from, from+w.IntN(8))
	human := fmt.Sprintf("%d-%d", from+20, from+20+w.IntN(8))
	w.Note([]string{"ai", "ai", "ai", "ai-remote/origin"}[w.IntN(4)], id, notetest.GitAI(id, files[w.IntN(len(files))], ai, human))
}

// step does one thing.
func (w *walker) step() {
	switch w.IntN(12) {
	case 0:
		w.Git("checkout", "-q", "-b", fmt.Sprintf("side%d", len(w.branches)))
		w.branches = append(w.branches, fmt.Sprintf("side%d", len(w.branches)))
	case 1, 2:
		w.Git("checkout", "-q", w.branches[w.IntN(len(w.branches))])
	case 3, 4:
		w.merge(w.branches[w.IntN(len(w.branches))])
	case 5:
		w.claim(w.commits[w.IntN(len(w.commits))])
	case 6:
		w.Git("tag", "-f", fmt.Sprintf("t%d", w.IntN(3)), w.commits[w.IntN(len(w.commits))])
	case 7:
		w.Write(fmt.Sprintf("new%d.go", w.lines), w.fresh(5+w.IntN(10)))
		w.commit(w.message())
	case 8:
		w.rename()
	default:
		for range 1 + w.IntN(2) {
			w.edit()
		}
		w.commit(w.message())
	}
}

func (w *walker) message() string {
	target := w.commits[w.IntN(len(w.commits))]
	switch w.IntN(7) {
	case 0:
		return "feat: more"
	case 1, 2:
		return "fix: it"
	case 3:
		return "fix: that\n\nFixes: " + target[:10] + "\n"
	case 4:
		return "Revert \"feat: more\"\n\nThis reverts commit " + target + ".\n"
	case 5:
		w.numbers++
		return fmt.Sprintf("chore: a squash (#%d)", w.numbers)
	}
	return "word"
}

func (w *walker) merge(branch string) {
	if w.Git("rev-parse", branch) == w.Git("merge-base", branch, "HEAD") || w.Git("symbolic-ref", "--short", "HEAD") == branch {
		return
	}
	w.numbers++
	w.commits = append(w.commits, w.Merge(fmt.Sprintf("Merge pull request #%d from x/%s\n\nfeat: %s", w.numbers, branch, branch), []string{branch}))
}

// pick is a file that has lines.
func (w *walker) pick() (path string, content []string) {
	files := w.files()
	path = files[w.IntN(len(files))]
	raw, err := os.ReadFile(filepath.Join(w.Dir, path))
	must(w.T, err)
	return path, slices.Collect(strings.Lines(string(raw)))
}

func (w *walker) edit() {
	path, content := w.pick()
	at := w.IntN(len(content) + 1)
	gone := min(w.IntN(4), len(content)-at)
	if gone == len(content) {
		gone = 0
	}
	content = slices.Replace(slices.Clone(content), at, at+gone, w.fresh(w.IntN(4)))
	w.Write(path, strings.Join(content, ""))
}

func (w *walker) rename() {
	path, _ := w.pick()
	if len(w.files()) > 4 && w.IntN(3) == 0 {
		w.Git("rm", "-q", "-f", path)
	} else {
		w.Git("mv", path, fmt.Sprintf("moved%d.go", w.lines))
		w.lines++
		w.edit()
	}
	w.commit("refactor: move")
}

// onMain ends on the default branch.
func (w *walker) onMain() { w.Git("checkout", "-q", "main") }

func TestManyScansEqualOne(t *testing.T) {
	for seed := range gittest.Cases(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w, s := newWalker(t, seed), newSpace(t)
			for range 10 {
				for range 1 + w.IntN(7) {
					w.step()
				}
				w.onMain()
				s.scan(w.Dir)
				if _, differ := s.everyLineHasOneOrigin(w.Repo); differ > 0 && !severalCandidates(w.Repo) {
					t.Errorf("%d lines differ from git blame", differ)
				}
			}
			s.countsAgree(w.Repo)
			s.everyAttestedLineWasAdded(w.Repo)
			s.blameAgrees(w.Repo)
			once := newSpace(t)
			once.scan(w.Dir)
			same(t, "many scans", s, once)
			s.verify()
		})
	}
}

// severalCandidates reports whether some commit made several files that are
// like one old file: then git blame and the difference of two trees may choose
// different ones.
func severalCandidates(r *gittest.Repo) bool {
	for line := range strings.Lines(r.Git("log", "-m", "-C", "--raw", "--format=")) {
		if f := strings.Fields(line); len(f) > 4 && f[4][0] == 'C' {
			return true
		}
	}
	return false
}

// blameAgrees compares Blame with the runs of a scan, line by line.
func (s *space) blameAgrees(r *gittest.Repo) {
	s.t.Helper()
	runs := map[string][]string{}
	for _, row := range s.rows(`SELECT f.path, r.count, n.ref, r.origin, r.basis, COALESCE(r.agent, ''), COALESCE(r.model_name, ''), COALESCE(r.reason, '')
		FROM k_file f JOIN k_file_run r ON r.id = f.id JOIN node n ON n.id = r."commit" ORDER BY f.path, r.seq`) {
		f := strings.SplitN(row, " ", 3)
		var count int
		_, err := fmt.Sscan(f[1], &count)
		must(s.t, err)
		runs[f[0]] = append(runs[f[0]], slices.Repeat([]string{f[2]}, count)...)
	}
	for path, want := range runs {
		lines := ask(s.t, r.Dir, blame.Options{Path: path}, origins.Cache{})
		if len(lines) != len(want) {
			s.t.Errorf("%s: Blame has %d lines, the scan %d", path, len(lines), len(want))
			continue
		}
		for i, l := range lines {
			got := fmt.Sprintf("%s %s %s %s %s %s", ref(l.Commit.ID), l.Mark.Origin, l.Basis, l.Mark.Agent, l.Mark.ModelName, l.Mark.Reason)
			if got != want[i] && got[:52] == want[i][:52] { // not where the commits differ
				s.t.Errorf("%s:%d: Blame says %q, the scan %q", path, i+1, got, want[i])
				break
			}
		}
	}
}

func TestFileThatAMergeMakesHasItsLines(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("base", "f", gittest.Lines("base", 3))
	r.Git("switch", "-q", "-c", "side")
	r.Commit("side", "g", gittest.Lines("side", 3))
	r.Git("switch", "-q", "main")
	r.Commit("main", "h", gittest.Lines("main", 3))
	r.Merge("merge with a file of its own", []string{"side"}, "made", gittest.Lines("made", 12))
	r.Commit("fix: the end of it", "made", gittest.Lines("made", 5)+"last\n")
	s.scan(r.Dir)
	want(t, "gaps", s.open())
	want(t, "lines", s.rows(`SELECT f.path, f.lines, COUNT(DISTINCT r."commit"), SUM(r.count) FROM k_file f JOIN k_file_run r ON r.id = f.id WHERE f.path = 'made' GROUP BY f.path, f.lines`), "made 6 2 6")
	s.blameAgrees(r)
}

func TestUnchangedRepositoryAppendsNothing(t *testing.T) {
	w, s := newWalker(t, 99), newSpace(t)
	for range 20 {
		w.step()
	}
	w.onMain()
	s.scan(w.Dir)
	before := s.size()
	report := s.scan(w.Dir)
	if !report.Unchanged || s.size() != before {
		t.Errorf("unchanged %v, %d facts appended", report.Unchanged, s.size()-before)
	}
	if report.Processes > 4 {
		t.Errorf("%d git processes, want at most 4", report.Processes)
	}
	t.Logf("%d git processes for an unchanged repository", report.Processes)
}

func TestInterruptedScanGoesOn(t *testing.T) {
	w, once := newWalker(t, 7), newSpace(t)
	for range 40 {
		w.step()
	}
	w.onMain()
	start := time.Now()
	once.scan(w.Dir)
	whole := time.Since(start)
	s := newSpace(t)
	interrupted := 0
	for range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(w.Int64N(int64(whole))))
		if _, err := s.try(ctx, w.Dir); err != nil {
			interrupted++
		}
		cancel()
	}
	s.scan(w.Dir)
	t.Logf("%d scans interrupted", interrupted)
	same(t, "interrupted", s, once)
	s.verify()
	// Between two pushes as well.
	for range 15 {
		w.step()
	}
	w.onMain()
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(w.Int64N(int64(whole))))
		_, _ = s.try(ctx, w.Dir) // it may get to the end
		cancel()
	}
	s.scan(w.Dir)
	again := newSpace(t)
	again.scan(w.Dir)
	same(t, "interrupted between pushes", s, again)
}

// What is read is appended in batches, so a scan of many records may be
// interrupted when some of them stand and others do not: at the first and at the
// last step of each of its stages.
func TestScanOfManyRecordsGoesOnWhereverItWasInterrupted(t *testing.T) {
	r := gittest.New(t)
	im := r.Import()
	for i := range 60 {
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "c", Files: []gittest.ImportFile{gittest.Set(fmt.Sprintf("f%d", i), "1\n2\n")}})
	}
	im.Close()
	r.Git("reset", "-q", "--hard")
	note := func(path string, session int) string {
		return fmt.Sprintf("%s\n  aaaaaaaaaaaaaaa1 1-2\n---\n"+`{"schema_version":"authorship/3.0.0","base_commit_sha":"",
			"prompts":{"aaaaaaaaaaaaaaa1":{"agent_id":{"tool":"claude","id":"s%d","model":"claude-opus-4-6"}}}}`, path, session)
	}
	var notes []gittest.ImportFile
	for i, id := range strings.Fields(r.Git("rev-list", "--reverse", "main")) {
		notes = append(notes, gittest.Set(id, note(fmt.Sprintf("f%d", i), i)))
	}
	for i := range 2500 { // about commits that are not here
		notes = append(notes, gittest.Set(fmt.Sprintf("%040x", 1<<40+i), note("gone", 100+i)))
	}
	im = r.Import()
	im.Commit(gittest.ImportCommit{Ref: "refs/notes/ai", Message: "notes", Files: notes})
	im.Close()

	// scan is cut off at its step number at, and tells the stages of its steps.
	scan := func(s *space, at int) (stages []string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := repo.Scan(ctx, s.Space, openRepo(t, r.Dir), repo.Options{Now: s.clock, Progress: func(stage string, _, _ int64) {
			if stages = append(stages, stage); len(stages) == at {
				cancel()
			}
		}})
		if err != nil && at == 0 {
			t.Fatal(err)
		}
		return stages
	}
	once := newSpace(t)
	stages := scan(once, 0)
	points := map[int]bool{} // the first and the last step of each stage
	for i, stage := range stages {
		if i == slices.Index(stages, stage) || !slices.Contains(stages[i+1:], stage) {
			points[i+1] = true
		}
	}
	if len(points) < 6 {
		t.Fatalf("the stages are %q", slices.Compact(stages))
	}
	const count = `SELECT COUNT(*) FROM k_attribution`
	for at := range points {
		s := newSpace(t)
		scan(s, at)
		s.scan(r.Dir)
		what := fmt.Sprintf("interrupted at step %d, %s", at, stages[at-1])
		same(t, what, s, once, stemma.KindSession, stemma.KindCommit, stemma.KindFile)
		want(t, what, s.rows(count), once.rows(count)...)
	}
}

func TestTwoScansAtOnce(t *testing.T) {
	w, s, once := newWalker(t, 5), newSpace(t), newSpace(t)
	for range 30 {
		w.step()
	}
	w.onMain()
	once.scan(w.Dir)
	var wg sync.WaitGroup
	for range 3 {
		r := openRepo(t, w.Dir)
		wg.Go(func() {
			if _, err := repo.Scan(t.Context(), s.Space, r, repo.Options{Now: time.Now}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	same(t, "two at once", s, once)
	for range 5 {
		w.step()
	}
	w.onMain()
	s.scan(w.Dir)
	again := newSpace(t)
	again.scan(w.Dir)
	same(t, "after two at once", s, again)
	s.verify()
}

func TestForcePushedBranchIsDerivedAgain(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("feat: base", "a.go", gittest.Lines("base", 5))
	old := r.Commit("feat: old (#12)", "b.go", gittest.Lines("old", 5))
	s.scan(r.Dir)
	r.Git("reset", "-q", "--hard", "HEAD~1")
	r.Commit("feat: remade (#12)", "b.go", gittest.Lines("remade", 6))
	s.scan(r.Dir)
	want(t, "the change", s.rows(`SELECT title, added FROM k_change WHERE number = 12`), "feat: remade 6")
	want(t, "on the branch", s.rows(`SELECT title, on_default FROM k_commit ORDER BY title`), "feat: base 1", "feat: old (#12) 0", "feat: remade (#12) 1")
	want(t, "file", []string{s.file("b.go")}, "6 0 0 6")
	r.Git("reset", "-q", "--hard", old)
	s.scan(r.Dir)
	want(t, "put back", s.rows(`SELECT title, added FROM k_change WHERE number = 12`), "feat: old 5")
	want(t, "file put back", []string{s.file("b.go")}, "5 0 0 5")
	want(t, "on the branch again", s.rows(`SELECT title, on_default FROM k_commit ORDER BY title`), "feat: base 1", "feat: old (#12) 1", "feat: remade (#12) 0")
	s.everyLineHasOneOrigin(r)
	s.verify()
}

func TestSecondCloneBehindTheFirst(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Git("remote", "add", "origin", "https://git.example.com/acme/pay.git")
	r.Commit("one", "a.go", gittest.Lines("one", 5))
	behind := r.Clone()
	behind.Git("remote", "set-url", "origin", "https://git.example.com/acme/pay.git")
	second := r.Commit("two", "a.go", gittest.Lines("one", 5)+gittest.Lines("two", 5))
	r.Note("ai", second, notetest.GitAI(second, "a.go", "6-10", ""))
	s.scan(r.Dir)
	want(t, "file at first", []string{s.file("a.go")}, "10 5 0 5")
	before := s.size()
	report := s.scan(behind.Dir)
	if len(report.Gaps) > 0 {
		t.Errorf("gaps %v", report.Gaps)
	}
	want(t, "a clone that lags moves nothing", []string{s.file("a.go")}, "10 5 0 5")
	if grown := s.size() - before; grown > 4 {
		t.Errorf("%d facts of a clone that has nothing new", grown)
	}
	s.scan(r.Dir)
	want(t, "file in the first", []string{s.file("a.go")}, "10 5 0 5")
	once := newSpace(t)
	once.scan(r.Dir)
	same(t, "two clones", s, once)
}

func TestDamagedLineHistoryIsReadAgain(t *testing.T) {
	for what, harm := range map[string]string{
		"damaged": `UPDATE segment SET body = 'nonsense'`,
		"missing": `DELETE FROM segment`,
		"lost":    `DELETE FROM bookmark`,
		"other":   `UPDATE bookmark SET state = '{"version":0}'`,
	} {
		t.Run(what, func(t *testing.T) {
			w, s := newWalker(t, 3), newSpace(t)
			for range 25 {
				w.step()
			}
			w.onMain()
			s.scan(w.Dir)
			s.exec(harm)
			before := s.size()
			w.Git("tag", "again")
			s.scan(w.Dir)
			if grown := s.size() - before; grown > 5 {
				t.Errorf("%d facts appended of what is known", grown)
			}
			for range 5 {
				w.step()
			}
			w.onMain()
			s.scan(w.Dir)
			once := newSpace(t)
			once.scan(w.Dir)
			same(t, what, s, once)
		})
	}
}

func (s *space) exec(statement string) {
	s.t.Helper()
	must(s.t, s.DB.Write(s.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(s.t.Context(), statement)
		return err
	}))
}

func TestSameContentComesBackFromAnotherCommit(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("one", "a.go", gittest.Lines("one", 3))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-3", ""))
	s.scan(r.Dir)
	r.Commit("two", "a.go", "other\n")
	r.Commit("three", "a.go", gittest.Lines("one", 3))
	s.scan(r.Dir)
	want(t, "file", []string{s.file("a.go")}, "3 3 0 0") // found by content, see [bound]
	want(t, "commit", s.rows(`SELECT DISTINCT c.title FROM k_file_run r JOIN k_commit c ON c.id = r."commit"`), "three")
	if _, differ := s.everyLineHasOneOrigin(r); differ > 0 {
		t.Errorf("%d lines differ from git blame", differ)
	}
}

func TestProcessesDoNotGrowWithHistory(t *testing.T) {
	count := func(n int) int {
		r, s := gittest.New(t), newSpace(t)
		im := r.Import()
		for i := range n {
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "fix: step", Files: []gittest.ImportFile{
				gittest.Set(fmt.Sprintf("f%d.go", i), fmt.Sprintf("a%d\nb\n", i)), gittest.Set("all.go", fmt.Sprintf("x%d\n", i)),
			}})
		}
		im.Close()
		head := r.Git("rev-parse", "main")
		r.Note("ai", head, notetest.GitAI(head, "all.go", "1", ""))
		return s.scan(r.Dir).Processes
	}
	few, many := count(20), count(2000)
	if few != many {
		t.Errorf("%d git processes for 20 commits, %d for 2000", few, many)
	}
	t.Logf("%d git processes", few)
}
