package ci_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/azuredevops"
	ofbuildkite "github.com/stemma-dev/stemma/ingest/event/buildkite"
	ofgitea "github.com/stemma-dev/stemma/ingest/event/gitea"
	ofgithub "github.com/stemma-dev/stemma/ingest/event/github"
	ofgitlab "github.com/stemma-dev/stemma/ingest/event/gitlab"
	ofjenkins "github.com/stemma-dev/stemma/ingest/event/jenkins"
)

// TestWebhooksNameTheSameRun: what a system tells of a run from outside, and a job that
// stands in it, are one thing, and so is its merge request.
func TestWebhooksNameTheSameRun(t *testing.T) {
	workflow := func(web string) string {
		return fmt.Sprintf(`{"action": "completed", "repository": {"id": 1, "full_name": "acme/pay", "html_url": %q, "clone_url": %q}, "sender": {"login": "ada", "id": 7},
			"workflow_run": {"id": 123456, "run_attempt": 2, "run_number": 42, "name": "CI", "head_sha": %q, "status": "completed", "conclusion": "success", "updated_at": "2026-11-27T09:00:00Z"}}`, web, web+".git", head)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		read event.Reader
		of   string
		body string
	}{
		"github": {with(github, "GITHUB_RUN_ATTEMPT", "2"), ofgithub.Read, "workflow_run", workflow("https://github.com/acme/pay")},
		"gitea": {
			with(github, "GITHUB_RUN_ATTEMPT", "2", "GITEA_ACTIONS", "true", "GITHUB_SERVER_URL", "https://git.example.com"), ofgitea.Read, "workflow_run", workflow("https://git.example.com/acme/pay"),
		},
		"gitlab": {
			gitlab, ofgitlab.Read, "Pipeline Hook",
			`{"object_kind": "pipeline", "object_attributes": {"id": 900, "iid": 12, "ref": "main", "sha": "` + head + `", "status": "success", "created_at": "2026-11-27 09:00:00 UTC"},
			"project": {"id": 1, "web_url": "https://gitlab.example.com/acme/eu/pay", "path_with_namespace": "acme/eu/pay"}, "user": {"id": 7, "username": "ada"}}`,
		},
		"jenkins": {
			jenkins, ofjenkins.Read, "",
			`{"name": "main", "url": "job/team/job/pay/job/main/", "build": {"full_url": "https://ci.example.com/jenkins/job/team/job/pay/job/main/7/", "number": 7, "phase": "FINALIZED", "status": "SUCCESS", "timestamp": 1764230400000}}`,
		},
		"buildkite": {
			buildkite, ofbuildkite.Read, "build.finished",
			`{"event": "build.finished", "build": {"id": "0190-aa", "number": 31, "state": "passed", "commit": "` + head + `", "finished_at": "2026-11-27T09:00:00Z"}, "pipeline": {"slug": "pay", "repository": "git@github.com:acme/pay.git"}}`,
		},
		"azure": {
			azure, azuredevops.Read, "",
			`{"id": "e", "eventType": "build.complete", "createdDate": "2026-11-27T09:00:00Z", "resource": {"id": 77, "url": "https://dev.azure.com/acme/71777fbc/_apis/build/Builds/77", "result": "succeeded", "definition": {"name": "pay-ci"}, "finishTime": "2026-11-27T09:00:00Z"}}`,
		},
	} {
		p, ok := ci.Detect(c.env, files{}.read)
		if !ok || p.Ref() == "" {
			t.Errorf("%s: no run: %+v", name, p)
			continue
		}
		r, err := c.read(event.Delivery{Event: c.of, Body: []byte(c.body)}, func(event.Account) stemma.Ref { return "person:ab" })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var runs []stemma.Ref
		for _, s := range r.Statements {
			if ref := s.Record.Ref(); ref.Kind() == stemma.KindRun {
				runs = append(runs, ref)
			}
		}
		if !slices.Contains(runs, p.Ref()) {
			t.Errorf("%s: a job stands in %s, a webhook tells of %q %+v", name, p.Ref(), runs, r.Problems)
		}
	}
}
