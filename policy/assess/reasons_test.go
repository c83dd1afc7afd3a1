package assess_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAGapOfARepositoryJudgesWhatMayStillTurnAgain(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		defer assess.Lately(2)()
		h := newHouse(t, open())
		j := h.judge("")
		open1, old, elsewhere := merged(1), merged(2), merged(5)
		open1.State, open1.Merged, open1.Commits = "open", 0, nil
		old.Merged = stemma.At(noon.Add(-48 * time.Hour))
		elsewhere.Repository = "repository:github.com/acme/web"
		h.put(open1, old, merged(3), merged(4), elsewhere)
		h.follow(j)
		h.must(j.CheckLog(t.Context()))
		h.judged(j, 3)
		if got := h.stands(3, "INT-03"); got != "unknown > pass" {
			t.Errorf("before it is %s", got)
		}
		gap := func(closed bool) {
			w := ingest.NewWriter(t.Context(), h.space, h.now)
			w.Within(repository)
			h.must(w.Gap(t.Context(), stemma.Gap{Source: "hooks", Place: "c", Reason: "silent", Count: 1, Closed: closed, Seen: h.now()}))
			h.must(w.Close(t.Context()))
		}
		gap(false)
		h.follow(j)
		if got := h.stands(3, "INT-03"); got != "pass > fail" {
			t.Errorf("with a gap it is %s", got)
		}
		for number, want := range map[int]int{1: 1, 2: 1, 3: 3, 4: 2} {
			if n := h.told(governance.AssessmentRef(merged(number).Ref())); n != want {
				t.Errorf("on #%d there are %d verdicts, want %d", number, n, want)
			}
		}
		if n := h.told(governance.AssessmentRef(elsewhere.Ref())); n != 1 {
			t.Errorf("another repository was judged %d times", n)
		}
		gap(true)
		h.follow(j)
		if got := h.stands(3, "INT-03"); got != "pass > fail" {
			t.Errorf("it was judged again at once: %s", got)
		}
		h.at(noon.Add(11 * time.Minute))
		h.follow(j)
		if got := h.stands(3, "INT-03"); got != "fail > pass" {
			t.Errorf("when the gap is closed it is %s", got)
		}
		rounds, err := h.space.Graph.Lookup(t.Context(), stemma.KindRound, "trigger", assess.OnRepository, 10)
		if h.must(err); len(rounds) != 2 {
			t.Errorf("there are %d rounds", len(rounds))
		}
	})
}

// judged has one change judged, because somebody asks.
func (h *house) judged(j *assess.Judge, number int) {
	h.t.Helper()
	_, err := j.Changes(h.t.Context(), assess.OnDemand, merged(number).Ref())
	h.must(err)
}

func TestAGapAboutAThingJudgesItsChangesAgain(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	other := merged(2)
	other.Commits, other.Head = []stemma.Ref{"commit:sha1/10112233445566778899aabbccddeeff00112233"}, ""
	h.put(merged(1), other)
	h.follow(j)
	w := ingest.NewWriter(t.Context(), h.space, h.now)
	h.must(w.Gap(t.Context(), stemma.Gap{Source: "notes", Place: "c", Reason: "it cannot be read", Count: 1, About: head, Seen: h.now()}))
	h.must(w.Close(t.Context()))
	_, err := j.Follow(t.Context())
	h.must(err)
	if got := h.stands(1, "INT-03") + ", " + h.stands(2, "INT-03"); got != "unknown > fail, unknown" {
		t.Errorf("it is %s", got)
	}
}

func TestARuleAboutABranchThatIsToldLateJudgesAgain(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	h.put(merged(1), approval(1), deployment.Environment{Name: "prod", Tier: "production"}, deployment.Deployment{
		ID: deployment.Ref("prod", "1"), Environment: deployment.EnvironmentRef("prod"), Status: "success", At: stemma.At(noon.Add(-30 * time.Minute)),
		Brings: []stemma.Edge{{To: merged(1).Ref()}}, Runs: []stemma.Edge{{To: stemma.NewRef(stemma.KindRun, "github-actions", "1")}},
	})
	h.follow(j)
	if got := h.stands(1, "DEP-01"); got != "unknown" {
		t.Errorf("before it is %s", got)
	}
	one := 1
	h.put(change.Protection{Repository: repository, Pattern: "main", Approvals: &one, Changed: stemma.At(noon.Add(-100 * time.Hour))})
	h.follow(j)
	if got := h.stands(1, "DEP-01"); got != "unknown > pass" {
		t.Errorf("told, it is %s", got)
	}
}

// TestWhatIsTooMuchAtOnceIsJudgedAsAWhole: what came in at once and is more than is followed one by one is lost by
// nobody, and what comes meanwhile does not wait for it.
func TestWhatIsTooMuchAtOnceIsJudgedAsAWhole(t *testing.T) {
	defer assess.MaxNews(3)()
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	h.put(merged(1))
	h.follow(j)
	h.put(merged(2), merged(3), merged(4), merged(5))
	_, err := j.Follow(t.Context())
	h.must(err)
	h.put(merged(6))
	_, err = j.Follow(t.Context())
	h.must(err)
	told := func() (n []int) {
		for number := 1; number <= 6; number++ {
			n = append(n, h.told(governance.AssessmentRef(merged(number).Ref())))
		}
		return n
	}
	if got := told(); !slices.Equal(got, []int{1, 0, 0, 0, 0, 1}) {
		t.Errorf("before the whole is judged there are %v verdicts", got)
	}
	for range 2 {
		h.must(j.Everything(t.Context()))
	}
	if got := told(); !slices.Equal(got, []int{1, 1, 1, 1, 1, 1}) {
		t.Errorf("then there are %v verdicts", got)
	}
}

// TestInTimeTheNightLooksAtEveryChange: however old a change is, some night judges it again.
func TestInTimeTheNightLooksAtEveryChange(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		defer assess.Lately(2)()
		h := newHouse(t, open())
		h.put(merged(7))
		j := h.judge("")
		h.follow(j)
		var records []ingest.Record
		for n := range 7 {
			c := merged(n + 1)
			c.Merged = stemma.At(noon.Add(time.Duration(n-100) * time.Hour))
			records = append(records, c)
		}
		h.put(records...)
		seen := map[int]bool{}
		for night, want := range [][]int{{1, 2, 6, 7}, {3, 4}, {5}} {
			h.at(noon.AddDate(0, 0, night))
			h.must(j.Night(t.Context()))
			h.must(j.Night(t.Context()))
			var now []int
			for number := 1; number <= len(records); number++ {
				if !seen[number] && h.told(governance.AssessmentRef(merged(number).Ref())) > 0 {
					seen[number] = true
					now = append(now, number)
				}
			}
			if !slices.Equal(now, want) {
				t.Errorf("in night %d the changes %v are judged for the first time, want %v", night, now, want)
			}
		}
		for night := 3; night < 5; night++ { // and from the start
			h.at(noon.AddDate(0, 0, night))
			h.must(j.Night(t.Context()))
		}
		b, err := h.space.Bookmark(t.Context(), "policy-night")
		if h.must(err); !strings.Contains(b.State, "pay#2") {
			t.Errorf("the second time it is at %s", b.State)
		}
	})
}
