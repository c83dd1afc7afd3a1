package repo_test

import (
	"context"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// tell is what a forge's delivery tells of a merge request that came in.
func (s *space) tell(c change.Change) {
	s.t.Helper()
	c.Repository, c.State = change.RepositoryRef("git.example.com", "acme/pay"), "merged"
	c.Merged = stemma.At(s.clock())
	f, err := c.Fact("github", stemma.GradeB)
	must(s.t, err)
	f.Occurred = s.clock()
	w := ingest.NewWriter(context.Background(), s.Space, s.clock)
	must(s.t, w.Latest(s.t.Context(), f))
	must(s.t, w.Close(s.t.Context()))
}

func TestCommitsOfAMergeRequestAreOneChangeWhenverTheForgeTells(t *testing.T) {
	const title = "Pay by card"
	for name, c := range map[string]struct {
		message, last string // of the commit before and of the last one
		together      bool   // all three are committed at once
		commits       int
		forwarded     bool
		want          []string
	}{
		"one commit": {"other", "card: pay", false, 1, false, []string{"- 1", "- 1", "- 1", "7 1"}},
		"a squash with the title of the merge request": {"other", title, true, 3, false, []string{"- 1", "- 1", "- 1", "7 1"}},
		"a rebase":                              {"card: refund", "card: pay", true, 3, false, []string{"- 1", "7 3"}},
		"a fast-forward":                        {"card: refund", "card: pay", false, 3, true, []string{"- 1", "7 3"}},
		"a commit behind others of other days":  {"card: refund", "card: pay", false, 3, false, []string{"- 1", "- 1", "- 1", "7 1"}},
		"a rebase behind another merge request": {"card: refund (#6)", "card: pay", true, 3, false, []string{"- 1", "- 1", "6 1", "7 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
				for _, later := range []bool{false, true} {
					r, s := gittest.New(t), spaceOn(t, open())
					r.Git("remote", "add", "origin", "https://git.example.com/acme/pay.git")
					r.Commit("base", "a.go", gittest.Lines("base", 3))
					r.Together = c.together
					r.Commit("card: number", "a.go", gittest.Lines("number", 3))
					r.Commit(c.message, "a.go", gittest.Lines("refund", 3))
					tip := r.Commit(c.last, "a.go", gittest.Lines("pay", 3))
					if later {
						s.scan(r.Dir)
					}
					m := change.Change{Number: 7, MergeCommit: change.ShaRef(tip), Title: title, CommitCount: c.commits, Head: change.ShaRef("1" + tip[1:])}
					if c.forwarded {
						m.Head = m.MergeCommit
					}
					s.tell(m)
					s.scan(r.Dir)
					want(t, "changes", s.rows(`SELECT c.number, (SELECT COUNT(*) FROM edge e JOIN door d ON d.id = e.door WHERE e.src = c.id AND d.name = 'carries')
						FROM k_change c WHERE COALESCE(c.dropped, 0) = 0 ORDER BY COALESCE(c.number, 0), 2`), c.want...)
					if !s.scan(r.Dir).Unchanged {
						t.Error("it was read once more")
					}
				}
			})
		})
	}
}
