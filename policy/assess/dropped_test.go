package assess_test

import (
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/brought"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestWhatWasDeployedIsJudgedThoughAForcePushTookItAway(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		c := merged(1)
		c.Method, c.MergeCommit = "direct", head
		_, sha := head.Split()
		d := deployment.Deployment{
			ID: deployment.Ref("prod", "1"), Environment: deployment.EnvironmentRef("prod"), Status: "success", Ships: []stemma.Edge{{To: head}}, At: stemma.At(noon.Add(-30 * time.Minute)),
		}
		says := func(what, want string) {
			t.Helper()
			_, err := brought.Link(t.Context(), h.space, h.now)
			h.must(err)
			h.follow(j)
			if got := h.stands(1, "REV-01"); got != want {
				t.Errorf("%s: REV-01 is %s, want %s", what, got, want)
			}
		}
		h.put(c, change.Commit{SHA: sha, Repository: repository, Author: ada, Committed: stemma.At(noon.Add(-61 * time.Minute))}, deployment.Environment{Name: "prod"}, d)
		says("pushed and deployed", "fail")
		h.put(change.Change{Repository: repository, Number: 1, MergeCommit: head, Dropped: new(true)})
		says("taken away after that", "fail")
	})
}

func TestWhatAForcePushTookAwayIsNotApplicable(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	c := merged(1)
	c.Method, c.MergeCommit = "direct", head
	h.put(c)
	h.follow(j)
	h.put(change.Change{Repository: repository, Number: 1, MergeCommit: head, Dropped: new(true)})
	h.follow(j)
	if got := h.stands(1, "REV-01"); got != "fail > not-applicable" {
		t.Errorf("REV-01 is %s", got)
	}
}
