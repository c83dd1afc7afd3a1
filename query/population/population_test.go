package population_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query/population"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var repository = change.RepositoryRef("github.com", "acme/pay")

// A story is told as facts.
type story struct {
	t     testing.TB
	facts []stemma.Fact
}

// A record is what a room keeps.
type record interface {
	Fact(source string, grade stemma.Grade) (stemma.Fact, error)
}

func (s *story) tell(r record) {
	s.t.Helper()
	f, err := r.Fact("test", stemma.GradeB)
	if err != nil {
		s.t.Fatal(err)
	}
	s.facts = append(s.facts, f)
}

func at(hour int) stemma.Moment {
	return stemma.At(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hour) * time.Hour))
}

func sha(n int) string { return fmt.Sprintf("%040x", n) }

func commitRef(n int) stemma.Ref { return change.CommitRef("sha1", sha(n)) }

// commit is number n, made in that hour.
func (s *story) commit(n int, ai int, parents ...int) {
	c := change.Commit{
		SHA: sha(n), Title: fmt.Sprint("commit ", n), Committed: at(n), Authored: at(n), Lines: &change.Lines{AI: ai, Human: 1},
	}
	for _, p := range parents {
		c.Parents = append(c.Parents, commitRef(p))
	}
	if ai > 0 && n%2 == 0 {
		id := session.Ref("claude-code", fmt.Sprint("s", n))
		c.Sessions = []stemma.Edge{{To: id, Method: "note"}}
	}
	s.tell(c)
}

func (s *story) lands(number int, commits ...int) {
	c := change.Change{Repository: repository, Number: number, Title: "change", Method: "merge", Merged: at(commits[0])}
	for _, n := range commits {
		c.Commits = append(c.Commits, commitRef(n))
	}
	s.tell(c)
}

func person(name string) stemma.Ref { return stemma.NewRef(stemma.KindPerson, name) }

func (s *story) judged(number int, who stemma.Ref, verdict string, dismissed bool) {
	s.tell(review.Review{
		ID: review.Ref("github.com", fmt.Sprint(len(s.facts))), Change: change.Change{Repository: repository, Number: number}.Ref(), Reviewer: who,
		Verdict: verdict, Dismissed: dismissed, Submitted: at(1) + stemma.Moment(len(s.facts)),
	})
}

func (s *story) deployed(environment, service, id, version string, hour int, ships ...stemma.Ref) {
	d := deployment.Deployment{
		ID: deployment.Ref(environment, id), Environment: deployment.EnvironmentRef(environment), Service: service, Version: version, Status: "success", At: at(hour),
	}
	for _, to := range ships {
		d.Ships = append(d.Ships, stemma.Edge{To: to, Method: "declared"})
	}
	s.tell(deployment.Environment{Name: environment})
	s.tell(d)
}

// told is a story of one service: two merge requests, one of them unreviewed, a push
// that nobody reviewed, a bad commit that was rolled back.
func told(t testing.TB) *story {
	s := &story{t: t}
	s.commit(1, 0)
	s.commit(2, 3, 1)
	s.commit(3, 3, 2)    // AI wrote of it, and no session is known
	s.commit(4, 0, 2)    // on a branch
	s.commit(5, 0, 3, 4) // the merge
	s.commit(6, 0, 5)    // pushed by somebody
	s.commit(7, 0, 6)    // bad
	s.commit(8, 0, 6)    // instead
	s.lands(10, 2, 3)
	s.lands(11, 4, 5)
	s.judged(10, person("bo"), "approved", false)
	s.judged(10, person("cy"), "approved", true)
	s.judged(10, person("dee"), "requested", false)
	s.lands(12, 7)
	s.lands(13, 8)
	s.judged(13, person("bo"), "rejected", false)
	s.deployed("prod", "pay", "d1", "v1", 20, commitRef(1))
	image := artifact.Ref("sha256:" + strings.Repeat("a", 64))
	a := artifact.Artifact{Digest: "sha256:" + strings.Repeat("a", 64), From: []stemma.Edge{{To: commitRef(6), Method: "declared"}}}
	s.commit(30, 0, 8) // of which the same bytes are built, long after they were deployed
	a.From = append(a.From, stemma.Edge{To: commitRef(30), Method: "declared"})
	s.tell(a)
	s.deployed("prod", "pay", "d2", "v2", 21, image)
	s.deployed("prod", "pay", "d3", "v3", 22, commitRef(7))
	s.deployed("prod", "pay", "d4", "v2", 23, image)
	s.deployed("prod", "pay", "d5", "v4", 24, commitRef(8))
	s.deployed("staging", "pay", "d1", "v1", 19, commitRef(7))
	return s
}

// ask asks, and puts each member on a line.
func ask(t testing.TB, db *storage.DB, a deployed.Ask) (*population.Population, []string) {
	t.Helper()
	var p *population.Population
	err := db.Read(t.Context(), func(tx *storage.Tx) (err error) {
		p, err = population.Between(t.Context(), tx, a)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range p.Members {
		_, id := m.Commit.Split()
		_, by := m.Deployment.Split()
		_, carried := m.Change.Split()
		line := fmt.Sprintf("%s by %s in %s, %d/%d, sessions %d, missing %v", strings.TrimLeft(id, "0"), by, carried, m.Reviews, m.Approvals, m.Sessions, m.Missing)
		if m.Gone {
			line += ", gone"
		}
		lines = append(lines, line)
	}
	return p, lines
}

func TestWhatReachedAnEnvironmentIsAllOfIt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		querytest.Tell(t, db, told(t).facts...)
		p, got := ask(t, db, deployed.Ask{Environment: "prod", From: "d1", To: "d5"})
		want := []string{
			"8 by d5 in acme/pay#13, 1/0, sessions 0, missing []",
			"7 by d3 in acme/pay#12, 0/0, sessions 0, missing [review], gone",
			"6 by d2 in , 0/0, sessions 0, missing [change review]",
			"5 by d2 in acme/pay#11, 0/0, sessions 0, missing [review]",
			"4 by d2 in acme/pay#11, 0/0, sessions 0, missing [review]",
			"3 by d2 in acme/pay#10, 2/1, sessions 0, missing [session]",
			"2 by d2 in acme/pay#10, 2/1, sessions 1, missing []",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int{"change": 1, "review": 4, "session": 1}, p.Orphans); diff != "" || p.Count(population.Incomplete) != 5 {
			t.Errorf("%d incomplete (-want +got):\n%s", p.Count(population.Incomplete), diff)
		}
		for part, want := range map[string]int{
			"": 7, population.Complete: 2, population.Carried: 6, population.Direct: 0, population.Gone: 1, population.Without + population.NoChange: 1, population.Without + population.NoReview: 4,
			population.Without + population.NoSession: 1, population.Without + population.NoCommit: 0, "else": 0,
		} {
			if got := p.Part(part); p.Count(part) != want || len(got) != want {
				t.Errorf("in the part %q are %d, %d of them listed, want %d", part, p.Count(part), len(got), want)
			}
		}
		var commits []int
		for _, d := range p.Deployments {
			commits = append(commits, d.Commits)
		}
		if len(p.From) != 1 || p.From[0].Version != "v1" || !slices.Equal(commits, []int{5, 1, 0, 1}) || len(p.Removed)+len(p.Unresolved) > 0 {
			t.Errorf("from %+v, deployments %+v, removed %v", p.From, p.Deployments, p.Removed)
		}

		// A version that came back: the one before the end is meant.
		if _, got = ask(t, db, deployed.Ask{Environment: "prod", From: "v2", To: "v3"}); len(got) != 1 {
			t.Errorf("from a version that came back: %v", got)
		}

		// From a version to before a day; a rollback takes away what was there.
		p, got = ask(t, db, deployed.Ask{Environment: "prod", From: "v3", To: "d4"})
		if len(got) != 0 || !slices.Equal(p.Removed, []stemma.Ref{commitRef(7)}) {
			t.Errorf("members %v, removed %v", got, p.Removed)
		}
		if _, got = ask(t, db, deployed.Ask{Environment: "prod", To: "2026-11-01"}); len(got) != 7 {
			t.Errorf("until the end of a day: %v", got)
		}
		if _, got = ask(t, db, deployed.Ask{Environment: "prod"}); len(got) != 8 {
			t.Errorf("all that there is: %v", got)
		}
	})
}

func TestServicesAreFollowedOneByOne(t *testing.T) {
	s, db := told(t), storagetest.SQLite(t)
	s.deployed("prod", "shop", "e1", "1", 20, commitRef(3))
	s.deployed("prod", "shop", "e2", "2", 25, commitRef(5))
	s.deployed("prod", "tool", "t1", "1", 25)
	s.deployed("prod", "tool", "t2", "2", 22, commitRef(8)) // has for ever what the other service lost for a while
	querytest.Tell(t, db, s.facts...)
	if _, got := ask(t, db, deployed.Ask{Environment: "prod", Service: "shop", From: "e1"}); len(got) != 2 {
		t.Errorf("one service: %v", got)
	}
	p, got := ask(t, db, deployed.Ask{Environment: "prod", From: "2026-11-01T20:30:00Z"})
	if len(got) != 5 || len(p.From) != 2 || !slices.Equal(p.Unresolved, []stemma.Ref{"deployment:prod/t1"}) {
		t.Errorf("all: %v, from %v, unresolved %v", got, p.From, p.Unresolved)
	}
}

func TestWhatCannotBeAskedIsRefused(t *testing.T) {
	db := storagetest.SQLite(t)
	querytest.Tell(t, db, told(t).facts...)
	for name, a := range map[string]deployed.Ask{
		"something was deployed to prod, staging": {Environment: "production"},
		"the last ones are":                       {Environment: "prod", From: "v9"},
		"exchange --from":                         {Environment: "prod", From: "d5", To: "d1"},
		"something was deployed to prod":          {Environment: "prod", Service: "none"},
	} {
		err := db.Read(t.Context(), func(tx *storage.Tx) error { _, err := population.Between(t.Context(), tx, a); return err })
		var hint *stemma.HintError
		if !errors.As(err, &hint) || !strings.Contains(hint.Hint, name) {
			t.Errorf("%+v: %v, %+v", a, err, hint)
		}
		if !strings.HasPrefix(name, "exchange") && !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func TestASampleCanBeDrawnAgain(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprint("change:github.com/acme/pay#", i))
	}
	first := population.Draw("20261123", 25, names)
	slices.Reverse(names)
	if diff := cmp.Diff(first, population.Draw("20261123", 25, append(names, names[3]))); diff != "" {
		t.Errorf("the order of the population matters:\n%s", diff)
	}
	if len(first) != 25 {
		t.Errorf("%+v", first[0])
	}
	seen := map[string]int{}
	for i := range 400 {
		for _, d := range population.Draw(fmt.Sprint(i), 25, names) {
			seen[d.Name]++
		}
	}
	for _, name := range names {
		if seen[name] < 60 || seen[name] > 145 { // 100 expected
			t.Errorf("%s was drawn %d times of 400", name, seen[name])
		}
	}
	if len(population.Draw("x", 1000, names)) != 100 || len(population.Draw("x", -1, names)) != 0 {
		t.Error("more or less than there is")
	}
}

func TestWhoApprovesIsCountedOnceAndByTheLastWord(t *testing.T) {
	ann, bo, bot := person("ann"), person("bo"), stemma.NewRef(stemma.KindBot, "github.com", "reviewer[bot]")
	type word struct {
		who     stemma.Ref
		verdict string
	}
	for name, c := range map[string]struct {
		words     []word
		reviews   int
		approvals int
	}{
		"nobody":                               {nil, 0, 0},
		"somebody else":                        {[]word{{bo, "approved"}}, 1, 1},
		"the same person again":                {[]word{{bo, "approved"}, {bo, "approved"}}, 1, 1},
		"who changes their mind":               {[]word{{bo, "approved"}, {bo, "rejected"}}, 1, 0},
		"who changes it back":                  {[]word{{bo, "rejected"}, {bo, "approved"}}, 1, 1},
		"a program":                            {[]word{{bot, "approved"}}, 0, 0},
		"somebody of whom nothing is known":    {[]word{{"", "approved"}}, 0, 0},
		"who opened it":                        {[]word{{ann, "approved"}}, 0, 0},
		"who wrote a commit of it":             {[]word{{person("cy"), "approved"}}, 0, 0},
		"who only merged what others wrote":    {[]word{{person("fay"), "approved"}}, 1, 1},
		"who wrote in a merge":                 {[]word{{person("gil"), "approved"}}, 0, 0},
		"who drove the agent that wrote it":    {[]word{{person("dee"), "approved"}}, 0, 0},
		"another account of who opened it":     {[]word{{person("ann-too"), "approved"}}, 0, 0},
		"two accounts of one person":           {[]word{{bo, "approved"}, {person("bo-too"), "approved"}}, 1, 1},
		"somebody who only asks, and one more": {[]word{{person("eve"), "requested"}, {bo, "approved"}}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &story{t: t}
			s.tell(change.Commit{Repository: repository, SHA: sha(1), Committed: at(1), Author: person("cy")})
			for n, by := range map[int]stemma.Ref{2: person("fay"), 3: person("gil")} {
				s.tell(change.Commit{
					Repository: repository, SHA: sha(n), Committed: at(1), Author: by, Parents: []stemma.Ref{commitRef(0), commitRef(1)}, ParentCount: 2, Merge: true,
					Size: &change.Size{Added: n - 2},
				})
			}
			s.tell(session.Session{Tool: "codex", ExternalID: "1", Operator: []stemma.Edge{{To: person("dee")}}})
			s.tell(change.Change{
				Repository: repository, Number: 1, Method: "squash", Merged: at(2), Author: ann, Commits: []stemma.Ref{commitRef(1), commitRef(2), commitRef(3)},
				Credits: []change.Credit{{Origin: "ai", Session: session.Ref("codex", "1"), Lines: 1}},
			})
			s.tell(identity.Tie{One: ann, Other: person("ann-too"), Method: "noreply"})
			s.tell(identity.Tie{One: bo, Other: person("bo-too"), Method: "noreply"})
			for _, w := range c.words {
				s.judged(1, w.who, w.verdict, false)
			}
			s.deployed("prod", "pay", "d1", "v1", 20, commitRef(1))
			db := storagetest.SQLite(t)
			querytest.Tell(t, db, s.facts...)
			p, _ := ask(t, db, deployed.Ask{Environment: "prod"})
			if m := p.Members[0]; m.Reviews != c.reviews || m.Approvals != c.approvals {
				t.Errorf("%d reviews, %d approvals, want %d, %d", m.Reviews, m.Approvals, c.reviews, c.approvals)
			}
		})
	}
}

func TestEveryServiceOfAnEnvironmentIsAPlace(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, s := open(), told(t)
		s.deployed("prod", "web", "w1", "v9", 30, commitRef(3))
		querytest.Tell(t, db, s.facts...)
		var got []string
		if err := db.Read(t.Context(), func(tx *storage.Tx) error {
			list, err := population.Places(t.Context(), tx)
			for _, p := range list {
				got = append(got, fmt.Sprintln(p.Environment, p.Service, p.Deployments, p.Last.Equal(at(30).Time()), p.Production))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		want := []string{"environment:prod pay 5 false true\n", "environment:prod web 1 true true\n", "environment:staging pay 1 false false\n"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
