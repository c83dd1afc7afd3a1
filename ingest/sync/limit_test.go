package sync_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/sync"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// pulls is a GitHub with three pull requests, of which the first is answered by first.
func pulls(first func(pull any) any) *fake {
	const base = "/api/v3/repos/acme/pay"
	f := &fake{size: 3, at: map[string]any{base: map[string]any{"full_name": "acme/pay", "html_url": "https://github.com/acme/pay", "default_branch": "main"}}}
	var all []any
	for n := 3; n > 0; n-- {
		pull := map[string]any{
			"number": n, "title": "Refund", "state": "open", "html_url": fmt.Sprintf("https://github.com/acme/pay/pull/%d", n), "user": map[string]any{"id": 1, "login": "ada"},
			"created_at": "2026-03-01T10:00:00Z", "updated_at": fmt.Sprintf("2026-03-0%dT10:00:00Z", n),
		}
		all, f.at[fmt.Sprintf("%s/pulls/%d", base, n)] = append(all, pull), pull
	}
	last := f.at[base+"/pulls/1"]
	f.at[base+"/pulls/1"] = func(*http.Request) any { return first(last) }
	f.at[base+"/pulls"] = all
	return f
}

func TestPullRequestBehindALimitIsNotTakenForDeleted(t *testing.T) {
	asked := 0
	f := pulls(func(pull any) any {
		if asked++; asked < 3 {
			return refusal{http.StatusForbidden, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
		}
		return pull
	})
	x := into(t, storagetest.SQLite(t), f.serve(t))
	x.fetch("github", "acme/pay")
	if told := ingesttest.Told(t, x.space); !strings.Contains(told, `"change:github.com/acme/pay#1"`) {
		t.Errorf("the first is lost:\n%s", told)
	}
	x.nothingIsWrong()
}

func TestFetchEndsAtALimitThatDoesNotEndAndGoesOnThere(t *testing.T) {
	limited := true
	f := pulls(func(pull any) any {
		if limited {
			return refusal{http.StatusForbidden, "API rate limit exceeded"}
		}
		return pull
	})
	x := into(t, storagetest.SQLite(t), f.serve(t))
	if r, err := sync.Run(t.Context(), x.config("github", "acme/pay")); err == nil || !r.Ended.IsZero() {
		t.Errorf("it is said to have ended: %+v, %v", r, err)
	}
	limited = false
	if r := x.fetch("github", "acme/pay"); r.Looked != 3 {
		t.Errorf("%+v", r)
	}
}

func TestPullRequestThatMayNotBeReadIsReadOnceItMay(t *testing.T) {
	refused := true
	f := pulls(func(pull any) any {
		if refused {
			return refusal{http.StatusForbidden, "Resource not accessible by personal access token"}
		}
		return pull
	})
	x := into(t, storagetest.SQLite(t), f.serve(t))
	if r := x.fetch("github", "acme/pay"); !strings.Contains(r.Lists[0].Skipped, "/pulls/1: 403") {
		t.Errorf("it is not said that they could not be read: %+v", r.Lists[0])
	}
	refused = false
	if r := x.fetch("github", "acme/pay"); r.Lists[0].Looked != 3 {
		t.Errorf("the walk went past what it could not read: %+v", r.Lists[0])
	}
}

func TestPullRequestThatWasDeletedMeanwhileIsPassedOver(t *testing.T) {
	f := pulls(func(any) any { return refusal{http.StatusNotFound, "Not Found"} })
	x := into(t, storagetest.SQLite(t), f.serve(t))
	if r := x.fetch("github", "acme/pay"); r.Lists[0].Looked != 2 || r.Lists[0].Skipped != "" {
		t.Errorf("%+v", r.Lists[0])
	}
}
