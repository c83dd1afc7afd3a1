package sync_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// samples are the published webhooks of GitHub about one repository.
func samples(t *testing.T, names ...string) []sample {
	t.Helper()
	examples := eventtest.Octokit(t)
	var list []sample
	for _, name := range names {
		for _, body := range examples[name] {
			v, err := event.Parse(body)
			must(t, err)
			if v.At("repository", "full_name").Name() == "Codertocat/Hello-World" {
				list = append(list, sample{name, body})
			}
		}
	}
	return list
}

// fromSamples is the interface of a GitHub whose objects are those of published webhooks,
// each as the latest of them shows it, and those webhooks: others of the same moment say
// something else of the same object.
func fromSamples(t *testing.T, list []sample) (*fake, []sample) {
	t.Helper()
	const base = "/api/v3/repos/Codertocat/Hello-World"
	f := &fake{size: 2, at: map[string]any{}}
	objects := map[string]map[string]event.Value{} // by path, then by id
	from := map[string]sample{}                    // of each object
	var s sample
	keep := func(path string, v event.Value) {
		id := event.First(v.At("id"), v.At("number")).Name()
		if objects[path] == nil {
			objects[path] = map[string]event.Value{}
		}
		old, ok := objects[path][id]
		if !ok || old.At("updated_at").Moment() <= v.At("updated_at").Moment() {
			objects[path][id] = v
			from[path+"#"+id] = s
		}
	}
	for _, s = range list {
		v, err := event.Parse(s.body)
		must(t, err)
		if v.At("action").Name() == "deleted" {
			continue
		}
		f.at[base] = v.At("repository")
		number, sha := v.At("pull_request", "number").Name(), v.At("sha").Name()
		switch s.event {
		case "pull_request":
			keep("/pulls", v.At("pull_request"))
		case "pull_request_review":
			keep("/pulls/"+number+"/reviews", v.At("review"))
		case "pull_request_review_comment":
			keep("/pulls/"+number+"/comments", v.At("comment"))
		case "check_run":
			keep("/commits/"+v.At("check_run", "head_sha").Name()+"/check-runs", v.At("check_run"))
		case "status":
			keep("/commits/"+sha+"/statuses", v)
		case "workflow_run":
			keep("/actions/runs", v.At("workflow_run"))
		case "workflow_job":
			keep("/actions/runs/"+v.At("workflow_job", "run_id").Name()+"/jobs", v.At("workflow_job"))
		case "deployment":
			keep("/deployments", v.At("deployment"))
		case "deployment_status":
			keep("/deployments", v.At("deployment"))
			keep("/deployments/"+v.At("deployment", "id").Name()+"/statuses", v.At("deployment_status"))
		case "issues":
			keep("/issues", v.At("issue"))
		case "release":
			keep("/releases", v.At("release"))
		case "code_scanning_alert":
			keep("/code-scanning/alerts", v.At("alert"))
		}
	}
	members := map[string]string{"check-runs": "check_runs", "runs": "workflow_runs", "jobs": "jobs"}
	for path, byID := range objects {
		var all []any
		for _, v := range slices.SortedFunc(maps.Values(byID), func(a, b event.Value) int {
			return int(b.At("updated_at").Moment()/1e6 - a.At("updated_at").Moment()/1e6)
		}) {
			all = append(all, v)
			if path == "/pulls" {
				f.at[base+path+"/"+v.At("number").Name()] = v
			}
		}
		f.at[base+path] = any(all)
		if name := members[path[strings.LastIndexByte(path, '/')+1:]]; name != "" {
			f.at[base+path] = held{name, all}
		}
	}
	return f, slices.Collect(maps.Values(from))
}

// association finds the role of a reviewer in a row.
var association = regexp.MustCompile(`(?m)^(\["review","[^"]*","[^"]*","[^"]*",)"[^"]*"`)

func TestFetchedFromGitHubIsWhatWebhooksTold(t *testing.T) {
	f, list := fromSamples(t, samples(t, "pull_request", "pull_request_review", "pull_request_review_comment", "check_run", "status", "workflow_run", "workflow_job",
		"deployment", "deployment_status", "issues", "release", "code_scanning_alert"))
	f.busy = 7
	url := f.serve(t)
	storagetest.Both(t, func(t *testing.T, openDB func() *storage.DB) {
		told := into(t, openDB(), url)
		told.told("github", list)
		r := told.fetch("github", "Codertocat/Hello-World")
		if r.Looked < 10 || r.Absent+r.Different > 0 {
			t.Errorf("webhooks told all, and this is missing: %+v", r)
		}
		told.nothingIsWrong()
	})
	t.Run("empty", func(t *testing.T) {
		told := into(t, storagetest.SQLite(t), url)
		told.told("github", list)
		empty := into(t, storagetest.SQLite(t), url)
		r := empty.fetch("github", "Codertocat/Hello-World")
		for _, l := range r.Lists {
			if l.Skipped != "" && l.Name != "pushes" && l.Name != "branch rules" {
				t.Errorf("%+v", l)
			}
		}
		if r.Absent < 14 {
			t.Errorf("%+v", r)
		}
		empty.nothingIsWrong()
		empty.repeated("github", "Codertocat/Hello-World")
		got, want := ingesttest.Told(t, empty.space), ingesttest.Told(t, told.space)
		want += association.ReplaceAllString(want, `${1}null`) // of when it was given, which an interface does not tell
		for line := range strings.SplitSeq(got, "\n") {
			if !strings.Contains(want, line) && !strings.HasPrefix(line, `["meta"`) {
				t.Errorf("only fetched: %s", line)
			}
		}
	})
}

// pushed and protected are what GitHub documents for its activity and branch protection.
const (
	pushed = `[
{"id": 2, "before": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "after": "827efc6d56897b048c772eb4087f854f46256132", "ref": "refs/heads/main",
 "timestamp": "2011-01-26T19:06:43Z", "activity_type": "force_push", "actor": {"login": "octocat", "id": 1, "type": "User"}},
{"id": 1, "before": "0000000000000000000000000000000000000000", "after": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "ref": "refs/heads/main",
 "timestamp": "2011-01-26T19:01:12Z", "activity_type": "branch_creation", "actor": {"login": "octocat", "id": 1, "type": "User"}}]`
	protected = `{"required_status_checks": {"strict": true, "contexts": ["ci"]}, "enforce_admins": {"enabled": true},
"required_pull_request_reviews": {"dismiss_stale_reviews": true, "require_code_owner_reviews": true, "required_approving_review_count": 2},
"allow_force_pushes": {"enabled": false}}`
)

func TestPushesAndRulesAreFetchedFromGitHub(t *testing.T) {
	const base = "/api/v3/repos/octocat/hello"
	var pushes []any
	must(t, json.Unmarshal([]byte(pushed), &pushes))
	f := &fake{size: 1, at: map[string]any{
		base:                                   map[string]any{"full_name": "octocat/hello", "html_url": "https://github.com/octocat/hello", "default_branch": "main"},
		base + "/activity":                     pushes,
		base + "/branches":                     []any{map[string]any{"name": "main", "protected": true}, map[string]any{"name": "feat/x", "protected": true}, map[string]any{"name": "secret", "protected": true}},
		base + "/branches/main/protection":     json.RawMessage(protected),
		base + "/branches/feat%2Fx/protection": json.RawMessage(strings.Replace(protected, "2}", "1}", 1)),
	}}
	x := into(t, storagetest.SQLite(t), f.serve(t))
	r := x.fetch("github", "octocat/hello")
	told := ingesttest.Told(t, x.space)
	for _, want := range []string{
		`"push:github.com/octocat/hello:6dcb09b5b57875f334f61aebed695e2e4193db5e..827efc6d56897b048c772eb4087f854f46256132:refs/heads/main","repository:github.com/octocat/hello"`,
		`"push:github.com/octocat/hello:..6dcb09b5b57875f334f61aebed695e2e4193db5e:refs/heads/main"`,
		`"protection:github.com/octocat/hello:main"`, `"protection:github.com/octocat/hello:feat/x"`,
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the graph says\n%s\nnot %s", told, want)
		}
	}
	if len(r.Lists) != 8 || r.Lists[0].Skipped == "" || !strings.HasPrefix(r.Lists[7].Partly, "protection: api: ") {
		t.Errorf("what is switched off, or may not be read, is not said: %+v", r.Lists)
	}
	x.nothingIsWrong()
	x.repeated("github", "octocat/hello")
	if n := fmt.Sprint(f.asked); strings.Contains(n, "%2F%2F") {
		t.Errorf("asked %s", n)
	}
}
