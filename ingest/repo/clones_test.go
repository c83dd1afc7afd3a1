package repo_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// TestWhichCloneMovesThePicture reads a clone at its third commit, then what a case
// makes, and says how many lines a.go has in the store.
func TestWhichCloneMovesThePicture(t *testing.T) {
	const home = "https://git.example.com/acme/pay.git"
	grow := func(r *gittest.Repo, n int) { r.Commit("more", "a.go", gittest.Lines("a", n)) }
	type clones struct{ r, c *gittest.Repo } // c was cloned at the third commit
	for _, c := range []struct {
		what string
		then func(k clones) []*gittest.Repo // what is read next, in order
		want string
	}{
		{"another clone behind", func(k clones) []*gittest.Repo {
			k.c.Git("reset", "-q", "--hard", "HEAD~2")
			return []*gittest.Repo{k.c}
		}, "3"},
		{"another clone behind, which catches up in part", func(clones) []*gittest.Repo { return nil }, "3"},
		{"the same clone put back", func(k clones) []*gittest.Repo {
			k.r.Git("reset", "-q", "--hard", "HEAD~1")
			return []*gittest.Repo{k.r}
		}, "2"},
		{"the same clone put back, then one that has not heard of it", func(clones) []*gittest.Repo { return nil }, "2"},
		{"another clone ahead", func(k clones) []*gittest.Repo { grow(k.c, 4); return []*gittest.Repo{k.c} }, "4"},
		{"another clone ahead, and the first again", func(k clones) []*gittest.Repo { grow(k.c, 4); return []*gittest.Repo{k.c, k.r} }, "4"},
		{"a force push seen in another clone", func(k clones) []*gittest.Repo {
			k.c.Git("reset", "-q", "--hard", "HEAD~2")
			grow(k.c, 7)
			return []*gittest.Repo{k.c}
		}, "7"},
		{"a force push, and a clone that has not heard of it", func(k clones) []*gittest.Repo {
			k.c.Git("reset", "-q", "--hard", "HEAD~2")
			grow(k.c, 7)
			return []*gittest.Repo{k.c, k.r, k.r}
		}, "7"},
	} {
		t.Run(c.what, func(t *testing.T) {
			r, s := gittest.New(t), newSpace(t)
			for n := range 3 {
				grow(r, n+1)
			}
			k := clones{r, r.Clone()}
			for _, each := range []*gittest.Repo{k.r, k.c} {
				each.Git("config", "remote.origin.url", home)
			}
			k.c.Git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD") // what is checked out counts
			s.scan(r.Dir)
			switch {
			case strings.HasSuffix(c.what, "in part"):
				k.c.Git("reset", "-q", "--hard", "HEAD~2")
				s.scan(k.c.Dir)
				k.c.Git("reset", "-q", "--hard", "HEAD@{1}~1")
				s.scan(k.c.Dir)
			case strings.HasSuffix(c.what, "has not heard of it") && c.want == "2":
				s.scan(k.c.Dir)
				k.r.Git("reset", "-q", "--hard", "HEAD~1")
				s.scan(k.r.Dir)
				k.c.Git("tag", "something")
				s.scan(k.c.Dir)
			}
			for i, next := range c.then(k) {
				next.Git("tag", fmt.Sprint("look", i))
				s.scan(next.Dir)
			}
			want(t, "lines", s.rows(`SELECT lines FROM k_file WHERE path = 'a.go'`), c.want)
			tip := s.one(`SELECT c.ref FROM k_repository k JOIN node c ON c.id = k.tip`)
			want(t, "the repository and its file are at one commit", s.rows(`SELECT c.ref FROM k_file k JOIN node c ON c.id = k."commit"`), tip)
			s.verify()
		})
	}
}

func TestForcePushDropsWhatItTookAway(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		base := r.Commit("feat: base", "a.go", gittest.Lines("base", 5))
		r.Commit("direct", "c.go", gittest.Lines("c", 2))
		old := r.Commit("feat: old (#12)", "b.go", gittest.Lines("old", 5))
		s.scan(r.Dir)
		carried := func() []string {
			return s.rows(`SELECT c.title FROM k_change k JOIN edge e ON e.src = k.id JOIN door d ON d.id = e.door AND d.name = 'carries'
				JOIN k_commit c ON c.id = e.dst WHERE k.number = 12`)
		}
		count := func(text string) (n int64) {
			q, err := query.Parse("changes", text, s.now)
			must(t, err)
			must(t, s.DB.Read(t.Context(), func(tx *storage.Tx) (err error) {
				n, err = query.Count(t.Context(), tx, q)
				return err
			}))
			return n
		}
		for range 2 {
			r.Git("reset", "-q", "--hard", base)
			r.Commit("feat: remade (#12)", "b.go", gittest.Lines("remade", 6))
			s.scan(r.Dir)
			want(t, "changes", s.rows(`SELECT title, dropped FROM k_change ORDER BY title`), "direct 1", "feat: base 0", "feat: remade 0")
			want(t, "the change carries the new commit only", carried(), "feat: remade (#12)")
			if got := [3]int64{count(""), count("is:dropped"), count("is:dropped OR is:feature")}; got != [3]int64{2, 1, 3} {
				t.Errorf("changes, dropped, both: %v", got)
			}
			r.Git("reset", "-q", "--hard", old)
			s.scan(r.Dir)
			want(t, "put back", s.rows(`SELECT title, dropped FROM k_change ORDER BY title`), "direct 0", "feat: base 0", "feat: old 0")
			want(t, "it carries the old commit only", carried(), "feat: old (#12)")
			once := newSpace(t)
			once.scan(r.Dir)
			same(t, "put back", s, once, "change", "file", "release")
		}
		s.verify()
	})
}

func TestForcePushThatAFreshCloneShowsDropsChanges(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	base := r.Commit("base", "a.go", gittest.Lines("base", 5))
	r.Commit("old", "b.go", gittest.Lines("old", 5))
	r.Git("config", "remote.origin.url", "https://git.example.com/acme/pay.git")
	s.scan(r.Dir)
	r.Git("reset", "-q", "--hard", base)
	r.Commit("new", "b.go", gittest.Lines("new", 6))
	c := r.Clone() // the old commit is not in it
	c.Git("config", "remote.origin.url", "https://git.example.com/acme/pay.git")
	s.scan(c.Dir)
	want(t, "changes", s.rows(`SELECT title, dropped FROM k_change ORDER BY title`), "base 0", "new 0", "old 1")
	want(t, "commits", s.rows(`SELECT title, on_default FROM k_commit ORDER BY title`), "base 1", "new 1", "old 0")
}

func TestDeletedTagIsMarked(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("one", "a.go", gittest.Lines("one", 2))
	r.Git("tag", "-a", "-m", "first", "v1")
	r.Git("tag", "moves")
	c := r.Clone()
	s.scan(r.Dir)
	s.scan(c.Dir)
	releases := func() []string {
		return s.rows(`SELECT k.name, k.annotated, k.deleted, n.ref FROM k_release k JOIN edge e ON e.src = k.id JOIN door d ON d.id = e.door AND d.name = 'tags'
			JOIN node n ON n.id = e.dst ORDER BY k.name, n.ref`)
	}
	for range 2 {
		r.Git("tag", "-d", "v1")
		second := r.Commit("more", "a.go", gittest.Lines("one", 3))
		r.Git("tag", "-f", "moves")
		s.scan(r.Dir)
		gone := []string{"moves 0 0 " + ref(second), "v1 1 1 " + ref(first)}
		want(t, "deleted and moved", releases(), gone...)
		c.Git("branch", "-f", "other")
		s.scan(c.Dir) // it still has both as they were
		fresh := r.Clone("--no-tags")
		fresh.Git("tag", "-a", "-m", "first", "v1", first)
		s.scan(fresh.Dir)
		want(t, "in clones that have not heard of it", releases(), gone...)
		r.Git("tag", "-a", "-m", "first", "v1", first)
		r.Git("tag", "-f", "moves", first)
		s.scan(r.Dir)
		want(t, "back again", releases(), "moves 0 0 "+ref(first), "v1 1 0 "+ref(first))
	}
	s.verify()
}

// stands are the answers that must not depend on what was there before: counts,
// lines and tags, without what is marked as past.
func (s *space) stands() []string {
	s.t.Helper()
	var all []string
	for _, q := range []string{
		`SELECT 'change', n.ref, k.title, k.added, k.ai_lines, k.human_lines, k.author_class FROM k_change k JOIN node n ON n.id = k.id WHERE k.dropped = 0 ORDER BY n.ref`,
		`SELECT 'carries', n.ref, m.ref FROM k_change k JOIN node n ON n.id = k.id JOIN edge e ON e.src = k.id JOIN door d ON d.id = e.door AND d.name = 'carries'
			JOIN node m ON m.id = e.dst WHERE k.dropped = 0 ORDER BY n.ref, m.ref`,
		`SELECT 'commit', n.ref, k.ai_lines, k.human_lines, k.unknown_lines, k.author_class FROM k_commit k JOIN node n ON n.id = k.id WHERE k.on_default = 1 ORDER BY n.ref`,
		`SELECT 'line', f.path, r.start, r.count, r.origin, COALESCE(r.agent, '-'), COALESCE(c.ref, '-') FROM k_file f JOIN k_file_run r ON r.id = f.id LEFT JOIN node c ON c.id = r."commit" ORDER BY f.path, r.seq`,
		`SELECT 'release', k.name, n.ref FROM k_release k JOIN node n ON n.id = k.target WHERE k.deleted = 0 ORDER BY k.name`,
		`SELECT 'record', n.ref, a.ai_lines, a.human_lines FROM k_attribution a JOIN node n ON n.id = a.id JOIN k_commit c ON c.id = a."commit" AND c.on_default = 1
			WHERE a.withdrawn = 0 ORDER BY n.ref`,
	} {
		all = append(all, s.rows(q)...)
	}
	return all
}

func TestAnswersAreThoseOfAFreshScanWhateverWasTakenBack(t *testing.T) {
	for seed := range gittest.Cases(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w, s := newWalker(t, seed+500), newSpace(t)
			random := rand.New(rand.NewPCG(seed, 77))
			stale := w.Clone()
			s.scan(w.Dir)
			for range 6 {
				for range 1 + random.IntN(4) {
					w.step()
				}
				w.onMain()
				switch id := w.commits[random.IntN(len(w.commits))]; random.IntN(5) {
				case 0:
					_, _ = w.Try(nil, "notes", "--ref", "ai", "remove", id) // it may have none
				case 1:
					_, _ = w.Try(nil, "tag", "-d", fmt.Sprintf("t%d", random.IntN(3)))
				case 2:
					w.Git("reset", "-q", "--hard", "HEAD~"+fmt.Sprint(min(random.IntN(3), strings.Count(w.Git("rev-list", "--first-parent", "HEAD"), "\n"))))
				case 3:
					_, _ = w.Try(nil, "update-ref", "-d", "refs/notes/ai-remote/origin")
				}
				s.scan(w.Dir)
				if random.IntN(2) == 0 {
					stale.Git("branch", "-f", fmt.Sprint("b", random.IntN(9)))
					s.scan(stale.Dir)
				}
				once := newSpace(t)
				once.scan(w.Dir)
				if diff := cmp.Diff(once.stands(), s.stands()); diff != "" {
					t.Fatalf("-fresh +again:\n%s", short(diff))
				}
			}
			s.verify()
		})
	}
}
