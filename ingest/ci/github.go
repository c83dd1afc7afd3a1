package ci

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/pipeline"
)

const gitHubActions = "github-actions"

// github reads the variables of GitHub Actions, and the event that its file tells.
func github(e env, files Files) Pipeline {
	server := e.first("GITHUB_SERVER_URL")
	p := Pipeline{
		System: gitHubActions, Repository: at(server, e["GITHUB_REPOSITORY"]), Run: e["GITHUB_RUN_ID"], Attempt: e.number("GITHUB_RUN_ATTEMPT"),
		Number: e.number("GITHUB_RUN_NUMBER"), Name: e["GITHUB_WORKFLOW"], Job: e["GITHUB_JOB"], Try: e["RUNNER_TRACKING_ID"], Commit: e["GITHUB_SHA"],
		Branch: e.first("GITHUB_HEAD_REF", "GITHUB_REF_NAME"), Event: e["GITHUB_EVENT_NAME"],
		Actor: actor(e, server), Runner: hosted(e, gitHubActions),
	}
	if p.Repository != "" && p.Run != "" {
		p.URL = server + "/" + e["GITHUB_REPOSITORY"] + "/actions/runs/" + p.Run
		if p.Attempt > 1 {
			p.URL += "/attempts/" + strconv.Itoa(p.Attempt)
		}
	}
	p.proposal(e, files, server)
	p.workflow(e, files, ".github/workflows")
	return p
}

// gitea reads the same variables, as Gitea and Forgejo set them.
func gitea(e env, files Files) Pipeline {
	p := github(e, files)
	p.System = "gitea-actions"
	if p.Runner != nil {
		p.Runner.System = p.System
	}
	if p.URL != "" { // its pages count the runs of a repository
		p.URL, _, _ = strings.Cut(p.URL, "/actions/runs/")
		p.URL += "/actions/runs/" + cmp.Or(e["GITHUB_RUN_NUMBER"], p.Run)
	}
	return p
}

// actor is who made this attempt start. Only the id of who began the first is told.
func actor(e env, server string) Actor {
	host, _, _ := strings.Cut(at(server, "x"), "/")
	a := Actor{Host: host, Login: e.first("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR")}
	if a.Login == e["GITHUB_ACTOR"] {
		a.ID = e["GITHUB_ACTOR_ID"]
	}
	return a
}

var (
	pullRef  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^refs/pull/(\d{1,9})/`) })
	queueRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`gh-readonly-queue/.+/pr-(\d{1,9})-[0-9a-f]{7,}$`) })
)

// proposal finds the merge request that the run is for.
func (p *Pipeline) proposal(e env, files Files, server string) {
	ref := e["GITHUB_REF"]
	if m := queueRef().FindStringSubmatch(ref); m != nil { // the commit is the one that will land
		p.Change, _ = strconv.Atoi(m[1])
		return
	}
	tried := pullRef().FindStringSubmatch(ref)
	if tried != nil {
		p.Change, _ = strconv.Atoi(tried[1])
	}
	if !strings.HasPrefix(p.Event, "pull_request") {
		return
	}
	told, ok := p.event(e, files)
	if !ok {
		return
	}
	p.Change = cmp.Or(p.Change, told.number)
	p.Fork = at(server, told.from)
	switch {
	case p.Event == "pull_request_target": // it ran what the target has
		p.Branch = cmp.Or(e["GITHUB_BASE_REF"], e["GITHUB_REF_NAME"])
	case tried == nil: // it was merged: the commit is the one that landed
		p.Branch = cmp.Or(e["GITHUB_REF_NAME"], p.Branch)
	case sha(told.head) != "":
		p.Commit, p.Trial = told.head, p.Commit
	}
}

// A request is a merge request, as the event of a run tells it.
type request struct {
	number     int
	head, from string // commit, and repository that it comes from
}

// maxEvent is how long the file of an event may be.
const maxEvent = 32 << 20

func (p *Pipeline) event(e env, files Files) (t request, ok bool) {
	b, err := files(e["GITHUB_EVENT_PATH"])
	if e["GITHUB_EVENT_PATH"] == "" || err != nil || len(b) > maxEvent {
		p.Problems = append(p.Problems, "the file that GITHUB_EVENT_PATH names cannot be read: the head of the pull request is not known")
		return t, false
	}
	r := jsonwalk.New(b)
	for name := range r.Object() {
		switch name {
		case "number":
			t.number = int(min(max(r.Int(), 0), 1<<31))
		case "pull_request":
			for name := range r.Object() {
				if name == "head" {
					t.head, t.from = head(r)
				}
			}
		}
	}
	if r.End() != nil {
		p.Problems = append(p.Problems, "the file that GITHUB_EVENT_PATH names is not whole: the head of the pull request is not known")
		return request{}, false
	}
	return t, true
}

func head(r *jsonwalk.Reader) (commit, from string) {
	for name := range r.Object() {
		switch name {
		case "sha":
			commit = r.String()
		case "repo":
			for name := range r.Object() {
				if name == "full_name" {
					from = r.String()
				}
			}
		}
	}
	return commit, from
}

// hosted is the machine that a job of GitHub's, or of Azure's, runs on.
func hosted(e env, system string) *pipeline.Runner {
	r := pipeline.Runner{
		System: system, Name: e.first("ImageOS", "RUNNER_ENVIRONMENT", "RUNNER_OS", "AGENT_OS"), Version: e["ImageVersion"],
		OS: e.first("RUNNER_OS", "AGENT_OS"), Arch: e.first("RUNNER_ARCH", "AGENT_OSARCHITECTURE"), Pinned: e["ImageVersion"] != "",
	}
	return whole(r)
}

// whole is a runner that has a name; of one without, nothing is known.
func whole(r pipeline.Runner) *pipeline.Runner {
	for _, text := range []*string{&r.Name, &r.Version, &r.OS, &r.Arch} {
		*text = jsonwalk.Clean(*text, maxText)
	}
	if r.Name == "" {
		return nil
	}
	return &r
}

// workflow takes the file of the workflow, if what is checked out is what it ran from.
func (p *Pipeline) workflow(e env, files Files, dir string) {
	path := ""
	if ref := e["GITHUB_WORKFLOW_REF"]; ref != "" {
		name, _, _ := strings.Cut(ref, "@")
		path = strings.TrimPrefix(name, e["GITHUB_REPOSITORY"]+"/")
		if path == name {
			p.Problems = append(p.Problems, "the workflow is that of another repository: its content is not known")
			return
		}
	}
	if from := e["GITHUB_WORKFLOW_SHA"]; from != "" && from != e["GITHUB_SHA"] {
		p.Problems = append(p.Problems, "the workflow is that of another commit: its content is not known")
		return
	}
	candidates := []string{path}
	if path == "" { // Gitea before version 1.24 tells the name of the file alone
		for _, d := range []string{".gitea/workflows", ".forgejo/workflows", dir} {
			candidates = append(candidates, d+"/"+e["GITHUB_WORKFLOW"])
		}
	}
	p.config(files, actions, candidates...)
}
