package sync_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// documented is the interface of a system, and webhooks of the same, as an archive has
// them.
func documented(t *testing.T, path string) (*fake, []sample) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	must(t, err)
	f := &fake{size: 1, at: map[string]any{}}
	var told []sample
	for _, file := range archive.Files {
		if file.Name == "told" {
			told = append(told, sample{"", file.Data})
			continue
		}
		var list []any
		if json.Unmarshal(file.Data, &list) == nil {
			f.at[file.Name] = list
			continue
		}
		f.at[file.Name] = json.RawMessage(file.Data)
	}
	return f, told
}

func TestFetchedFromGitLabIsWhatWebhooksTold(t *testing.T) {
	f, list := documented(t, "testdata/gitlab.txtar")
	f.busy = 5
	url := f.serve(t)
	told := into(t, storagetest.SQLite(t), url)
	told.told("gitlab", list)
	if r := told.fetch("gitlab", "acme/shop/pay"); r.Looked != 13 || r.Absent+r.Different > 0 {
		t.Errorf("webhooks told all, and this is missing: %+v", r)
	}
	told.nothingIsWrong()
	empty := into(t, storagetest.SQLite(t), url)
	empty.fetch("gitlab", "acme/shop/pay")
	empty.nothingIsWrong()
	empty.repeated("gitlab", "acme/shop/pay")

	// The commits of a push, and who made them, are what GitLab's interface does not tell.
	commit := "commit:sha1/" + strings.Repeat("b", 40)
	push := fmt.Sprintf(`["push","push:gitlab.com/acme/shop/pay:%s..`, strings.Repeat("a", 40))
	author := string(empty.space.Pseudonym(ingest.Account{Name: "Ada", Mail: "ada@acme.example"}))
	got, want := strings.Split(ingesttest.Told(t, empty.space), "\n"), strings.Split(ingesttest.Told(t, told.space), "\n")
	for _, line := range want {
		if !slices.Contains(got, line) && !strings.HasPrefix(line, push) && !strings.Contains(line, commit) && !strings.Contains(line, author) {
			t.Errorf("only told:    %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) && !strings.HasPrefix(line, push) && !strings.HasPrefix(line, `["node","`+commit) {
			t.Errorf("only fetched: %s", line)
		}
	}
}

func TestFastForwardOfGitLabPutTheHeadOnTheBranch(t *testing.T) {
	f, _ := documented(t, "testdata/gitlab.txtar")
	f.at["/api/v4/projects/7/merge_requests"].([]any)[0].(map[string]any)["merge_commit_sha"] = nil
	f.at["/api/v4/projects/7/merge_requests/3/commits"] = []any{map[string]any{"id": strings.Repeat("b", 40)}, map[string]any{"id": strings.Repeat("a", 40)}}
	x := into(t, storagetest.SQLite(t), f.serve(t))
	x.fetch("gitlab", "acme/shop/pay")
	var commits int
	err := x.space.DB.Each(t.Context(), func(scan func(...any) error) error { return scan(&commits) }, "SELECT commits FROM k_change WHERE number = 3")
	if err != nil || commits != 2 {
		t.Errorf("it brought %d commits, %v", commits, err)
	}
	told, found := ingesttest.Told(t, x.space), false
	for line := range strings.SplitSeq(told, "\n") {
		if strings.Contains(line, `"change:gitlab.com/acme/shop/pay#3","carries"`) {
			found = strings.Contains(line, strings.Repeat("b", 40))
			if !found {
				t.Errorf("it carried a head that was approved before: %s", line)
			}
		}
	}
	if !found {
		t.Errorf("it did not put its head on the branch:\n%s", told)
	}
}

func TestPublishedMergeRequestsOfGitLabAreRead(t *testing.T) {
	var list []any
	must(t, json.Unmarshal(eventtest.File(t, eventtest.GitLab, "testdata/get_merge_requests.json"), &list))
	f := &fake{size: 1, at: map[string]any{
		"/api/v4/projects/gitlab-org%2Fgitlab-ee": map[string]any{"id": 278964, "web_url": "https://gitlab.com/gitlab-org/gitlab-ee", "default_branch": "master"},
		"/api/v4/projects/278964/merge_requests":  list,
		"/api/v4/projects/278964/events":          []any{},
		"/api/v4/projects/278964/issues":          []any{},
		"/api/v4/projects/278964/pipelines":       []any{},
		"/api/v4/projects/278964/deployments":     []any{},
		"/api/v4/projects/278964/releases":        []any{},
	}}
	x := into(t, storagetest.SQLite(t), f.serve(t))
	r := x.fetch("gitlab", "gitlab-org/gitlab-ee")
	told := ingesttest.Told(t, x.space)
	for _, want := range []string{"#15440", "#15441", "#15442"} {
		if !strings.Contains(told, `"change:gitlab.com/gitlab-org/gitlab-ee`+want+`"`) {
			t.Errorf("the graph does not say %s", want)
		}
	}
	if r.Looked != int64(len(list)) {
		t.Errorf("%+v", r)
	}
	x.nothingIsWrong()
}

// cloud and dataCenter answer a search for issues page by page, each as its Jira does.
func cloud(f *fake, issues []any) {
	f.at["/rest/api/2/serverInfo"] = map[string]any{"deploymentType": "Cloud"}
	f.at["/rest/api/3/search/jql"] = func(r *http.Request) any {
		n, _ := strconv.Atoi(r.URL.Query().Get("nextPageToken"))
		answer := map[string]any{"issues": issues[n : n+1], "isLast": n+1 == len(issues)}
		if n+1 < len(issues) {
			answer["nextPageToken"] = strconv.Itoa(n + 1)
		}
		return answer
	}
}

func dataCenter(f *fake, issues []any) {
	f.at["/rest/api/2/serverInfo"] = map[string]any{"deploymentType": "Server"}
	f.at["/rest/api/2/search"] = func(r *http.Request) any {
		n, _ := strconv.Atoi(r.URL.Query().Get("startAt"))
		return map[string]any{"startAt": n, "maxResults": 1, "total": len(issues), "issues": issues[n : n+1]}
	}
}

func TestWhatWebhooksOfJiraMissedIsFound(t *testing.T) {
	for about, serve := range map[string]func(*fake, []any){"Cloud": cloud, "Data Center": dataCenter} {
		t.Run(about, func(t *testing.T) {
			f, told := documented(t, "testdata/jira.txtar")
			issues := f.at["issues"].([]any)
			serve(f, issues)
			x := into(t, storagetest.SQLite(t), f.serve(t))
			x.told("jira", told)
			r := x.fetch("jira", "PAY")
			want := []ingest.SyncedRef{{Ref: "ticket:jira/PAY-18", Why: "absent"}}
			if r.Looked != 3 || !slices.Equal(r.Missing, want) {
				t.Errorf("%+v", r)
			}
			x.nothingIsWrong()
			x.repeated("jira", "PAY")
		})
	}
}

// JQL counts minutes in the zone of whoever asks, so it is told how long ago.
func TestJiraIsAskedForWhatChangedSince(t *testing.T) {
	f, _ := documented(t, "testdata/jira.txtar")
	dataCenter(f, f.at["issues"].([]any))
	var asked []string
	search := f.at["/rest/api/2/search"].(func(*http.Request) any)
	f.at["/rest/api/2/search"] = func(r *http.Request) any {
		asked = append(asked, r.URL.Query().Get("jql"))
		return search(r)
	}
	x := into(t, storagetest.SQLite(t), f.serve(t))
	x.fetch("jira", "PAY")
	x.fetch("jira", "PAY")
	ago := noon().Sub(time.Date(2026, 3, 2, 10, 0, 0, 123e6, time.UTC)) / time.Minute
	want := fmt.Sprintf(`project = "PAY" AND updated >= -%dm ORDER BY updated DESC`, ago+3)
	if last := asked[len(asked)-1]; asked[0] != `project = "PAY" ORDER BY updated DESC` || last != want {
		t.Errorf("asked %q, want %q at last", asked, want)
	}
}
