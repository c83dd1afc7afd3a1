package repo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// open are the gaps that are open: source, place and reason.
func (s *space) open() []string {
	s.t.Helper()
	return s.rows(`SELECT source, place, reason, "count" FROM k_gap WHERE closed = 0 ORDER BY source, place, reason`)
}

// asFresh compares a store with one that reads a repository for the first time.
func (s *space) asFresh(what, dir string) {
	s.t.Helper()
	once := newSpace(s.t)
	once.scan(dir)
	same(s.t, what, s, once)
	for name, pair := range map[string][2][]string{"stands": {once.stands(), s.stands()}, "open gaps": {once.open(), s.open()}} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			s.t.Errorf("%s, %s (-fresh +healed):\n%s", what, name, short(diff))
		}
	}
}

// takeAway moves an object out of a repository and returns how to put it back.
func takeAway(t testing.TB, r *gittest.Repo, rev string) (putBack func()) {
	t.Helper()
	path := loose(r, r.Git("rev-parse", rev))
	aside := filepath.Join(t.TempDir(), "aside")
	must(t, os.Rename(path, aside))
	return func() {
		t.Helper()
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.RemoveAll(path))
		must(t, os.Rename(aside, path))
	}
}

// threeCommits is a repository whose file every commit changes.
func threeCommits(t testing.TB) *gittest.Repo {
	r := gittest.New(t)
	r.Git("remote", "add", "origin", "https://github.com/acme/pay")
	first := r.Commit("feat: one", "a.go", gittest.Lines("one", 5), "dir/b.go", gittest.Lines("bee", 5))
	r.Commit("feat: two", "a.go", gittest.Lines("one", 5)+gittest.Lines("two", 5))
	r.Commit("fix: three", "a.go", gittest.Lines("one", 4)+gittest.Lines("three", 5))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-3", ""))
	return r
}

func TestWhatComesBackIsReadAgainAndItsGapCloses(t *testing.T) {
	harms := []string{"taken away", "nonsense", "cut short"}
	if testing.Short() { // the race detector looks at the code, not at what git says of each
		harms = harms[:1]
	}
	for _, rev := range []string{
		"HEAD:a.go", "HEAD~1:a.go", "HEAD^{tree}", "HEAD:dir", "HEAD", "HEAD~1", "HEAD~2", "refs/notes/ai", "refs/notes/ai^{tree}", "NOTE",
	} {
		for _, harm := range harms {
			t.Run(strings.NewReplacer(":", " ", "/", " ").Replace(rev+" "+harm), func(t *testing.T) {
				r, s := threeCommits(t), newSpace(t)
				if rev == "NOTE" {
					rev = r.Git("notes", "--ref", "ai", "list", "HEAD~2")
				}
				path := loose(r, r.Git("rev-parse", rev))
				whole, err := os.ReadFile(path)
				must(t, err)
				putBack := takeAway(t, r, rev)
				switch harm {
				case "nonsense":
					must(t, os.WriteFile(path, []byte(harm), 0o644))
				case "cut short":
					must(t, os.WriteFile(path, whole[:len(whole)*2/3], 0o644))
				}
				if s.scan(r.Dir); len(s.open()) == 0 {
					t.Error("no gap")
				}
				if report := s.scan(r.Dir); !report.Unchanged || len(report.Gaps) == 0 {
					t.Errorf("nothing came back: unchanged %v, gaps %v", report.Unchanged, report.Gaps)
				}
				putBack()
				if report := s.scan(r.Dir); report.Unchanged || len(report.Gaps) > 0 {
					t.Errorf("unchanged %v, gaps %v", report.Unchanged, report.Gaps)
				}
				s.asFresh("healed", r.Dir)
				if report := s.scan(r.Dir); !report.Unchanged {
					t.Error("healed, it is read again")
				}
				r.Commit("feat: four", "a.go", gittest.Lines("four", 3))
				s.scan(r.Dir)
				s.asFresh("a commit later", r.Dir)
				s.verify()
			})
		}
	}
}

// packed moves all objects of a repository into one pack, none as a difference from
// another, and returns where the pack lies and at which byte of it each object.
func packed(t testing.TB, r *gittest.Repo) (pack string, at map[string]int) {
	t.Helper()
	r.Git("repack", "-adq", "--window=0")
	r.Git("prune-packed")
	list, err := filepath.Glob(filepath.Join(r.Dir, ".git", "objects", "pack", "*.pack"))
	if err != nil || len(list) != 1 {
		t.Fatalf("packs %v, %v", list, err)
	}
	must(t, os.Chmod(list[0], 0o644))
	at = map[string]int{}
	for line := range strings.Lines(r.Git("verify-pack", "-v", list[0])) {
		if f := strings.Fields(line); len(f) == 5 {
			at[f[0]] = atoi(f[4])
		}
	}
	return list[0], at
}

func TestWhatIsDamagedInAPackIsCalledDamagedAndHeals(t *testing.T) {
	harms := map[string]int{"no type": 0, "another size": 1, "no content": 4}
	if testing.Short() {
		harms = map[string]int{"no type": 0}
	}
	for _, rev := range []string{"HEAD:a.go", "HEAD~1:a.go", "HEAD~1^{tree}", "HEAD:dir", "HEAD", "HEAD~1", "refs/notes/ai", "refs/notes/ai^{tree}", "NOTE"} {
		for harm, from := range harms {
			t.Run(strings.NewReplacer(":", " ", "/", " ").Replace(rev+" "+harm), func(t *testing.T) {
				r, s := threeCommits(t), newSpace(t)
				if rev == "NOTE" {
					rev = r.Git("notes", "--ref", "ai", "list", "HEAD~2")
				}
				pack, at := packed(t, r)
				whole, err := os.ReadFile(pack)
				must(t, err)
				broken := slices.Clone(whole)
				copy(broken[at[r.Git("rev-parse", rev)]+from:], "\xff\xff")
				must(t, os.WriteFile(pack, broken, 0o644))
				s.scan(r.Dir)
				if gaps := strings.Join(s.open(), "\n"); gaps == "" || strings.Contains(gaps, "is not in") || strings.Contains(gaps, "missing") {
					t.Errorf("gaps: %s", gaps)
				}
				must(t, os.WriteFile(pack, whole, 0o644))
				if report := s.scan(r.Dir); report.Unchanged || len(report.Gaps) > 0 {
					t.Errorf("unchanged %v, gaps %v", report.Unchanged, report.Gaps)
				}
				s.asFresh("healed", r.Dir)
				s.verify()
			})
		}
	}
}

func TestPackThatIsCutShortOrGoneIsDamage(t *testing.T) {
	for harm, size := range map[string]int64{"cut short": 300, "empty": 0, "gone": -1} {
		t.Run(harm, func(t *testing.T) {
			r, s := threeCommits(t), newSpace(t)
			pack, _ := packed(t, r)
			whole, err := os.ReadFile(pack)
			must(t, err)
			if size < 0 {
				must(t, os.Remove(pack))
			} else {
				must(t, os.Truncate(pack, size))
			}
			s.scan(r.Dir)
			if gaps := strings.Join(s.open(), "\n"); !strings.Contains(gaps, "refs/heads/main it points at an object that is damaged") || strings.Contains(gaps, "is not in") {
				t.Errorf("gaps: %s", gaps)
			}
			must(t, os.WriteFile(pack, whole, 0o644))
			s.scan(r.Dir)
			s.asFresh("healed", r.Dir)
		})
	}
}

func TestGapThatComesAgainIsOpenAgain(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := threeCommits(t), spaceOn(t, open())
		putBack := takeAway(t, r, "HEAD~1:a.go")
		s.scan(r.Dir)
		lost := s.open()
		putBack()
		s.scan(r.Dir)
		want(t, "healed", s.open())
		putBack = takeAway(t, r, "HEAD~1:a.go")
		s.exec(`DELETE FROM bookmark`)
		s.scan(r.Dir)
		want(t, "lost again", s.open(), lost...)
		putBack()
		s.scan(r.Dir)
		want(t, "healed again", s.open())
		s.verify()
	})
}

func TestPartialCloneHealsWhenItIsCheckedOut(t *testing.T) {
	r, s := threeCommits(t), newSpace(t)
	r.Git("config", "uploadpack.allowFilter", "true")
	c := r.Clone("--filter=blob:none", "--no-checkout")
	s.scan(c.Dir)
	c.Git("-c", "protocol.file.allow=always", "checkout", "-q")
	if s.scan(c.Dir).Unchanged {
		t.Error("it was not read again")
	}
	s.asFresh("checked out", c.Dir)
	want(t, "files", s.rows(`SELECT path, lines FROM k_file ORDER BY path`), "a.go 9", "dir/b.go 5")
	s.everyLineIsCovered()
}

func TestCloneWithoutTreesSaysSoOnce(t *testing.T) {
	r, s := threeCommits(t), newSpace(t)
	r.Git("config", "uploadpack.allowFilter", "true")
	c := r.Clone("--filter=tree:0", "--no-checkout")
	s.scan(c.Dir)
	want(t, "gaps of commits", s.rows(`SELECT reason, "count" FROM k_gap WHERE source = 'git'`),
		"a tree of the commit is not in this copy of the repository 3")
}

func TestDamageOfACommitIsNamed(t *testing.T) {
	for rev, what := range map[string]string{"HEAD~1": "the commit", "HEAD~1^{tree}": "a tree of the commit", "HEAD:dir": "a tree of the commit"} {
		for how, harm := range map[string]func(testing.TB, string){
			"is damaged in": damage,
			"is not in":     func(t testing.TB, path string) { must(t, os.Remove(path)) },
		} {
			r, s := threeCommits(t), newSpace(t)
			r.Write("dir/b.go", "changed\n")
			r.Commit("fix: four")
			harm(t, loose(r, r.Git("rev-parse", rev)))
			s.scan(r.Dir)
			gaps := strings.Join(s.rows(`SELECT DISTINCT reason FROM k_gap WHERE source = 'git'`), "\n")
			if !strings.Contains(gaps, what+" "+how+" this copy of the repository") || strings.Contains(gaps, "object ") {
				t.Errorf("%s %s: gaps %s", rev, how, gaps)
			}
		}
	}
}

func TestFixIsTracedBehindAMoveOnceItsContentIsBack(t *testing.T) {
	for _, c := range []struct{ what, harm string }{
		{"HEAD~2:a.go", "taken away"}, {"HEAD~2:a.go", "nonsense"}, {"HEAD~1:b.go", "taken away"}, {"HEAD~1:b.go", "nonsense"},
	} {
		t.Run(strings.ReplaceAll(c.what+" "+c.harm, ":", " "), func(t *testing.T) {
			r, s := gittest.New(t), newSpace(t)
			r.Git("remote", "add", "origin", "https://github.com/acme/pay")
			wrote, rest, other := gittest.Lines("wrote", 8), gittest.Lines("rest", 30), gittest.Lines("other", 30)
			r.Commit("feat: write", "a.go", wrote+rest, "b.go", other)
			r.Commit("refactor: move", "a.go", rest, "b.go", other+wrote)
			s.scan(r.Dir)
			r.Commit("fix: it", "b.go", other+strings.Replace(wrote, "value(3", "checked(3", 1))
			path := loose(r, r.Git("rev-parse", c.what))
			putBack := takeAway(t, r, c.what)
			if c.harm == "nonsense" {
				must(t, os.WriteFile(path, []byte(c.harm), 0o644))
			}
			s.scan(r.Dir)
			putBack()
			s.scan(r.Dir)
			want(t, "fixes", s.fixes("fix: it"), "feat: write 1 lines")
			s.asFresh("back", r.Dir)
			s.verify()
		})
	}
}

// everyLineIsCovered checks that the runs of every file cover its lines.
func (s *space) everyLineIsCovered() {
	s.t.Helper()
	for _, row := range s.rows(`SELECT f.path, f.lines, COALESCE(SUM(r.count), 0) FROM k_file f LEFT JOIN k_file_run r ON r.id = f.id GROUP BY f.path, f.lines`) {
		if f := strings.Fields(row); f[1] != f[2] {
			s.t.Errorf("%s: runs cover %s of %s lines", f[0], f[2], f[1])
		}
	}
}

func TestLinesWithoutHistoryAreUnknownAndCounted(t *testing.T) {
	for rev, c := range map[string]struct {
		files []string // lines, and of how many the history is not known
		gap   string   // of the files at the tip
	}{
		"HEAD~2:a.go":   {[]string{"a.go 4 4", "dir/b.go 5 0", "logo 0 0"}, ""},
		"HEAD~1^{tree}": {[]string{"a.go 4 4", "dir/b.go 5 5", "logo 0 0"}, ""},
		"HEAD~2":        {[]string{"a.go 4 0", "dir/b.go 5 5", "logo 0 0"}, ""},
		"HEAD:a.go":     {[]string{"a.go 0 0", "dir/b.go 5 0", "logo 0 0"}, "a.go the content of the file is not in this copy of the repository"},
		"HEAD:dir":      {nil, "files of main they cannot be listed: git ls-tree: error: Could not read DIR"},
	} {
		t.Run(strings.NewReplacer(":", " ", "/", " ").Replace(rev), func(t *testing.T) {
			r, s := threeCommits(t), newSpace(t)
			r.Commit("chore: a picture", "logo", "\x00\x01\n")
			r.Commit("feat: all new", "a.go", gittest.Lines("new", 4))
			c.gap = strings.Replace(c.gap, "DIR", r.Git("rev-parse", "HEAD:dir"), 1)
			putBack := takeAway(t, r, rev)
			s.scan(r.Dir)
			if c.files != nil {
				want(t, "lines", s.rows(`SELECT f.path, f.lines, COALESCE(SUM(CASE WHEN r.reason = 'the history of this line is not known' THEN r.count END), 0)
					FROM k_file f LEFT JOIN k_file_run r ON r.id = f.id GROUP BY f.path, f.lines ORDER BY f.path`), c.files...)
			}
			if gaps := strings.Join(s.rows(`SELECT place, reason FROM k_gap WHERE source = 'line-weave'`), "\n"); gaps != c.gap {
				t.Errorf("gaps of the files at the tip: %q, want %q", gaps, c.gap)
			}
			s.everyLineIsCovered()
			r.Git("tag", "again", "HEAD~1")
			before := s.size()
			s.scan(r.Dir)
			if s.size() > before+3 {
				t.Errorf("%d facts for a new tag", s.size()-before)
			}
			putBack()
			s.scan(r.Dir)
			s.asFresh("healed", r.Dir)
		})
	}
}

func TestBranchThatPointsNowhereIsAGap(t *testing.T) {
	for harm, why := range map[string]string{"taken away": "is not in", "nonsense": "is damaged in", "cut short": "is damaged in"} {
		r, s := gittest.New(t), newSpace(t)
		only := r.Commit("one", "a.go", gittest.Lines("one", 3))
		path := loose(r, only)
		whole, err := os.ReadFile(path)
		must(t, err)
		putBack := takeAway(t, r, only)
		switch harm {
		case "nonsense":
			must(t, os.WriteFile(path, []byte(harm), 0o644))
		case "cut short":
			must(t, os.WriteFile(path, whole[:60], 0o644))
		}
		s.scan(r.Dir)
		want(t, "gaps", s.open(), "git refs/heads/main it points at an object that "+why+" this copy of the repository 1")
		want(t, "tips", s.rows(`SELECT tip FROM k_repository`), "-")
		want(t, "commits", s.rows(`SELECT id FROM k_commit`))
		must(t, os.WriteFile(filepath.Join(r.Dir, ".git", "refs", "tags", "other"), []byte(only+"\n"), 0o644))
		s.scan(r.Dir)
		putBack()
		s.scan(r.Dir)
		want(t, "gaps", s.open())
		want(t, "file", []string{s.file("a.go")}, "3 0 0 3")
	}
}

func TestDamagedContentIsNotCalledMissing(t *testing.T) {
	for why, harm := range map[string]func(testing.TB, string){
		"is damaged in": damage,
		"is not in":     func(t testing.TB, path string) { must(t, os.Remove(path)) },
	} {
		r, s := threeCommits(t), newSpace(t)
		harm(t, loose(r, r.Git("rev-parse", "HEAD~1:a.go")))
		report := s.scan(r.Dir)
		reason := "the content of files " + why + " this copy of the repository"
		if len(report.Unreadable) != 1 || report.Unreadable[0].Reason != reason || report.Unreadable[0].Count != 2 {
			t.Errorf("unreadable %+v, want twice %q", report.Unreadable, reason)
		}
	}
}

func TestFiguresCountThings(t *testing.T) {
	r, s := threeCommits(t), newSpace(t)
	must(t, os.Remove(loose(r, r.Git("rev-parse", "HEAD~1"))))
	report := s.scan(r.Dir)
	for kind, n := range report.Things {
		if got := atoi(s.one(`SELECT COUNT(*) FROM node WHERE stated = 1 AND kind = $1`, string(kind))); int64(got) != n {
			t.Errorf("%d of %s, the store has %d", n, kind, got)
		}
	}
	if report.Commits != report.Things["commit"] {
		t.Errorf("%d commits read and %d stated", report.Commits, report.Things["commit"])
	}
}

func TestNotesThatNothingReadsAreGaps(t *testing.T) {
	r, s := threeCommits(t), newSpace(t)
	for _, ref := range []string{"commits", "review", "ai-stash", "ai-stash-remote/origin"} {
		r.Note(ref, "HEAD", "words")
	}
	r.Note("review", "HEAD~1", "more words")
	s.scan(r.Dir)
	gaps := []string{
		"git-attestation note " + r.Head() + " line 1 no attestation in the note 1",
		"git-note refs/notes/ai-stash notes about stashes, which are no history 1",
		"git-note refs/notes/ai-stash-remote/origin notes about stashes, which are no history 1",
		"git-note refs/notes/review notes that nothing here can read 2",
	}
	want(t, "gaps", s.open(), gaps...)
	r.Git("notes", "--ref", "review", "remove", "HEAD~1")
	s.scan(r.Dir)
	gaps[3] = strings.Replace(gaps[3], "read 2", "read 1", 1)
	want(t, "gaps of fewer notes", s.open(), gaps...)
}

func TestGapsAboutARefEndWithIt(t *testing.T) {
	const absent = "00112233445566778899aabbccddeeff00112233"
	hang := func(r *gittest.Repo, ref, id string) { // a ref that points nowhere
		must(t, os.WriteFile(filepath.Join(r.Dir, ".git", filepath.FromSlash(ref)), []byte(id+"\n"), 0o644))
	}
	for what, c := range map[string]struct{ harm, mend func(r *gittest.Repo) }{
		"notes that nothing reads": {
			func(r *gittest.Repo) { r.Note("review", "HEAD", "words") },
			func(r *gittest.Repo) { r.Git("update-ref", "-d", "refs/notes/review") },
		},
		"the last note that nothing reads": {
			func(r *gittest.Repo) { r.Note("review", "HEAD", "words") },
			func(r *gittest.Repo) { r.Git("notes", "--ref", "review", "remove", "HEAD") },
		},
		"no attestation in a note": {
			func(r *gittest.Repo) { r.Note("commits", "HEAD", "words") },
			func(r *gittest.Repo) { r.Git("update-ref", "-d", "refs/notes/commits") },
		},
		"a note that makes no sense": {
			func(r *gittest.Repo) { r.Note("ai", "HEAD", "words") },
			func(r *gittest.Repo) { r.Git("notes", "--ref", "ai", "remove", "HEAD") },
		},
		"a note that is written anew": {
			func(r *gittest.Repo) { r.Note("ai", "HEAD", "words") },
			func(r *gittest.Repo) { r.Note("ai", "HEAD", notetest.GitAI(r.Head(), "a.go", "1-3", "")) },
		},
		"notes whose object is lost": {
			func(r *gittest.Repo) {
				r.Note("review", "HEAD", "words")
				must(t, os.Remove(loose(r, r.Git("rev-parse", "refs/notes/review^{tree}"))))
			},
			func(r *gittest.Repo) { r.Git("update-ref", "-d", "refs/notes/review") },
		},
		"records whose object is lost": {
			func(r *gittest.Repo) {
				r.Note("ai-other", "HEAD", "words")
				must(t, os.Remove(loose(r, r.Git("rev-parse", "refs/notes/ai-other^{tree}"))))
			},
			func(r *gittest.Repo) { r.Git("update-ref", "refs/notes/ai-other", "refs/notes/ai") },
		},
		"a tag that points nowhere": {
			func(r *gittest.Repo) { hang(r, "refs/tags/v1", absent) },
			func(r *gittest.Repo) { must(t, os.Remove(filepath.Join(r.Dir, ".git", "refs", "tags", "v1"))) },
		},
		"a branch that points nowhere": {
			func(r *gittest.Repo) { hang(r, "refs/heads/side", absent) },
			func(r *gittest.Repo) { hang(r, "refs/heads/side", r.Head()) },
		},
	} {
		t.Run(what, func(t *testing.T) {
			r, s := threeCommits(t), newSpace(t)
			before := r.Clone()
			s.scan(r.Dir)
			clean := s.open()
			c.harm(r)
			s.scan(r.Dir)
			dirty := s.open()
			if len(dirty) != len(clean)+1 {
				t.Fatalf("gaps %q", dirty)
			}
			s.scan(before.Dir)
			want(t, "another clone knows nothing of it", s.open(), dirty...)
			r.Git("tag", "unrelated")
			s.scan(r.Dir)
			want(t, "it is still so", s.open(), dirty...)
			c.mend(r)
			s.scan(r.Dir)
			want(t, "gaps", s.open(), clean...)
			c.harm(r)
			s.scan(r.Dir)
			if len(s.open()) != len(dirty) {
				t.Errorf("harmed again: %q", s.open())
			}
			s.verify()
		})
	}
}

func TestEveryLostObjectIsWatchedHoweverMany(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	for i := range 700 {
		r.Write(fmt.Sprintf("f%03d", i), fmt.Sprintf("content %d\n", i))
	}
	r.Commit("feat: many")
	putBack := takeAway(t, r, "HEAD:f000")
	for _, id := range strings.Fields(r.Git("ls-tree", "--object-only", "HEAD"))[1:] {
		must(t, os.Remove(loose(r, id)))
	}
	s.scan(r.Dir)
	if !s.scan(r.Dir).Unchanged {
		t.Error("nothing came back, and it is read again")
	}
	putBack()
	if s.scan(r.Dir).Unchanged {
		t.Error("the first of 700 came back, and nobody noticed")
	}
	want(t, "lines", s.rows(`SELECT path, lines FROM k_file WHERE lines > 0`), "f000 1")
	s.verify()
}
