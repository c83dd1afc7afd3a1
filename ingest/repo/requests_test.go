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

var acme = change.RepositoryRef("git.example.com", "acme/pay")

// tell is what a forge's delivery tells.
func (s *space) tell(r ingest.Record) {
	s.t.Helper()
	f, err := r.Fact("github", stemma.GradeB)
	must(s.t, err)
	f.Occurred = s.clock()
	w := ingest.NewWriter(context.Background(), s.Space, s.clock)
	must(s.t, w.Latest(s.t.Context(), f))
	must(s.t, w.Close(s.t.Context()))
}

func TestCommitsOfAMergeRequestAreOneChangeWhenverTheForgeTells(t *testing.T) {
	const apart, two, all = 1, 2, 3 // how many commits the forge moved the branch by
	for name, c := range map[string]struct {
		message   string // of the commit before the last one
		pushed    int
		forwarded bool
		want      []string
	}{
		"one commit, after direct pushes":         {"other", apart, false, []string{"- 1", "- 1", "- 1", "7 1"}},
		"a rebase":                                {"card: refund", all, false, []string{"- 1", "7 3"}},
		"a rebase that leaves an empty one out":   {"card: refund", two, false, []string{"- 1", "- 1", "7 2"}},
		"a rebase of which the push was not told": {"card: refund", 0, false, []string{"- 1", "- 1", "- 1", "7 1"}},
		"a fast-forward":                          {"card: refund", 0, true, []string{"- 1", "7 3"}},
		"several merge requests in one push":      {"card: refund (#6)", all, false, []string{"- 1", "- 1", "6 1", "7 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
				for _, later := range []bool{false, true} {
					r, s := gittest.New(t), spaceOn(t, open())
					r.Git("remote", "add", "origin", "https://git.example.com/acme/pay.git")
					ids := []string{
						r.Commit("base", "a.go", gittest.Lines("base", 3)),
						r.Commit("card: number", "a.go", gittest.Lines("number", 3)),
						r.Commit(c.message, "a.go", gittest.Lines("refund", 3)),
					}
					tip := r.Commit("card: pay", "a.go", gittest.Lines("pay", 3))
					if later {
						s.scan(r.Dir)
					}
					m := change.Change{Repository: acme, Number: 7, State: "merged", MergeCommit: change.ShaRef(tip), CommitCount: 3, Head: change.ShaRef("1" + tip[1:])}
					if c.forwarded {
						m.Head = m.MergeCommit
					}
					s.tell(m)
					if c.pushed > 0 {
						s.tell(change.Push{Repository: acme, Name: "refs/heads/main", Before: ids[len(ids)-c.pushed], After: tip})
					}
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

func TestAMessageDoesNotMakeAPushAMergeRequest(t *testing.T) {
	for name, c := range map[string]struct {
		state string
		other bool // it came in with another commit
		want  []string
	}{
		"of which the forge does not tell": {"", false, []string{"- -", "1 -"}},
		"that came in with it":             {"merged", false, []string{"- -", "1 merged"}},
		"that is open":                     {"open", false, []string{"- -", "- -", "1 open"}},
		"that was given up":                {"closed", false, []string{"- -", "- -", "1 closed"}},
		"that came in with another commit": {"merged", true, []string{"- -", "- -", "1 merged"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := gittest.New(t), newSpace(t)
			r.Git("remote", "add", "origin", "https://git.example.com/acme/pay.git")
			r.Commit("base", "a.go", gittest.Lines("base", 3))
			tip := r.Commit("evil (#1)", "a.go", gittest.Lines("evil", 3))
			if c.state != "" {
				m := change.Change{Repository: acme, Number: 1, State: c.state}
				if c.state == "merged" {
					m.MergeCommit = change.ShaRef(tip)
				}
				if c.other {
					m.MergeCommit = change.ShaRef("1" + tip[1:])
				}
				s.tell(m)
			}
			s.scan(r.Dir)
			want(t, "changes", s.rows(`SELECT c.number, c.state FROM k_change c ORDER BY COALESCE(c.number, 0), c.state`), c.want...)
		})
	}
}
