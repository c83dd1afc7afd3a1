package ci_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/pipeline"
)

var (
	head  = strings.Repeat("a1", 20)
	trial = strings.Repeat("b2", 20)
	base  = strings.Repeat("c3", 20)
)

// files are those of a work tree.
type files map[string]string

func (f files) read(path string) ([]byte, error) {
	if text, ok := f[path]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

// with is an environment with some variables changed.
func with(base map[string]string, more ...string) map[string]string {
	e := maps.Clone(base)
	for i := 0; i+1 < len(more); i += 2 {
		e[more[i]] = more[i+1]
	}
	return e
}

// The variables of each system as its documentation lists them, for a push.
var (
	github = map[string]string{
		"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/pay", "GITHUB_REPOSITORY_OWNER": "acme",
		"GITHUB_RUN_ID": "123456", "GITHUB_RUN_NUMBER": "42", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "test", "GITHUB_WORKFLOW": "CI",
		"GITHUB_WORKFLOW_REF": "acme/pay/.github/workflows/ci.yml@refs/heads/main", "GITHUB_WORKFLOW_SHA": head, "GITHUB_SHA": head,
		"GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "branch", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "/tmp/event.json",
		"GITHUB_ACTOR": "ada", "GITHUB_ACTOR_ID": "7", "GITHUB_TRIGGERING_ACTOR": "ada", "GITHUB_TOKEN": "ghs_secretsecretsecret",
		"RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "RUNNER_ENVIRONMENT": "github-hosted", "ImageOS": "ubuntu24", "ImageVersion": "20261101.1.0",
	}
	gitlab = map[string]string{
		"CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.example.com", "CI_SERVER_HOST": "gitlab.example.com", "CI_PROJECT_PATH": "acme/eu/pay",
		"CI_PIPELINE_ID": "900", "CI_PIPELINE_IID": "12", "CI_JOB_ID": "5001", "CI_JOB_NAME": "unit", "CI_COMMIT_SHA": head, "CI_COMMIT_REF_NAME": "main",
		"CI_PIPELINE_SOURCE": "push", "CI_PIPELINE_URL": "https://gitlab.example.com/acme/eu/pay/-/pipelines/900", "GITLAB_USER_LOGIN": "ada", "GITLAB_USER_ID": "7",
		"GITLAB_USER_NAME": "Ada", "GITLAB_USER_EMAIL": "ada@corp.example.org", "CI_JOB_IMAGE": "golang:1.26", "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64", "CI_JOB_TOKEN": "glcbt-secret",
	}
	jenkins = map[string]string{
		"JENKINS_URL": "https://ci.example.com/jenkins/", "BUILD_NUMBER": "7", "JOB_NAME": "team/pay/main", "BUILD_URL": "https://ci.example.com/jenkins/job/team/job/pay/job/main/7/",
		"BRANCH_NAME": "main", "GIT_COMMIT": head, "GIT_URL": "git@git.example.com:acme/pay.git", "GIT_BRANCH": "origin/main", "STAGE_NAME": "Test",
	}
	buildkite = map[string]string{
		"CI": "true", "BUILDKITE": "true", "BUILDKITE_ORGANIZATION_SLUG": "acme", "BUILDKITE_PIPELINE_SLUG": "pay", "BUILDKITE_PIPELINE_NAME": "Pay", "BUILDKITE_BUILD_ID": "0190-aa",
		"BUILDKITE_BUILD_NUMBER": "31", "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/pay/builds/31", "BUILDKITE_COMMIT": head, "BUILDKITE_BRANCH": "main",
		"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_REPO": "https://ada:s3cret@github.com/acme/pay.git", "BUILDKITE_SOURCE": "webhook", "BUILDKITE_STEP_KEY": "unit", "BUILDKITE_RETRY_COUNT": "0",
		"BUILDKITE_BUILD_CREATOR": "Ada", "BUILDKITE_BUILD_CREATOR_ID": "0190-bb", "BUILDKITE_BUILD_CREATOR_EMAIL": "ada@corp.example.org",
	}
	azure = map[string]string{
		"TF_BUILD": "True", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/", "SYSTEM_TEAMPROJECT": "Pay Team", "BUILD_BUILDID": "77", "BUILD_BUILDNUMBER": "20261127.3",
		"BUILD_DEFINITIONNAME": "pay-ci", "BUILD_SOURCEVERSION": head, "BUILD_SOURCEBRANCH": "refs/heads/main", "BUILD_REASON": "IndividualCI", "BUILD_REPOSITORY_URI": "https://github.com/acme/pay",
		"BUILD_REQUESTEDFOR": "Ada Author", "BUILD_REQUESTEDFORID": "11-22", "BUILD_REQUESTEDFOREMAIL": "ada@corp.example.org", "SYSTEM_JOBNAME": "unit", "SYSTEM_JOBATTEMPT": "1",
		"AGENT_OS": "Linux", "AGENT_OSARCHITECTURE": "X64", "ImageOS": "ubuntu22", "ImageVersion": "20261101.1",
	}
	circle = map[string]string{
		"CI": "true", "CIRCLECI": "true", "CIRCLE_WORKFLOW_ID": "7c-1", "CIRCLE_PROJECT_USERNAME": "acme", "CIRCLE_PROJECT_REPONAME": "pay", "CIRCLE_REPOSITORY_URL": "git@github.com:acme/pay.git",
		"CIRCLE_SHA1": head, "CIRCLE_BRANCH": "main", "CIRCLE_BUILD_NUM": "8", "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/pay/8", "CIRCLE_JOB": "unit", "CIRCLE_USERNAME": "ada",
	}
)

// pullEvent is what GitHub writes into the file of an event.
func pullEvent(number int, head, from string) files {
	return files{"/tmp/event.json": fmt.Sprintf(`{"action": "opened", "number": %d, "pull_request": {"head": {"ref": "fix", "sha": %q, "repo": {"full_name": %q, "fork": true}}, "base": {"sha": %q, "repo": {"full_name": "acme/pay"}}}}`, number, head, from, base)}
}

// TestWhichRunThisIs is about what each system tells of a push, a tag, a merge request,
// one of a fork, a merge queue or train, and of a second attempt.
func TestWhichRunThisIs(t *testing.T) {
	pull := with(github, "GITHUB_EVENT_NAME", "pull_request", "GITHUB_REF", "refs/pull/142/merge", "GITHUB_REF_NAME", "142/merge", "GITHUB_HEAD_REF", "fix", "GITHUB_BASE_REF", "main", "GITHUB_SHA", trial, "GITHUB_WORKFLOW_SHA", trial)
	gitea := with(pull, "GITEA_ACTIONS", "true", "GITHUB_SERVER_URL", "https://git.example.com", "GITHUB_REF", "refs/pull/142/head", "GITHUB_SHA", head, "GITHUB_WORKFLOW", "ci.yml", "GITHUB_WORKFLOW_REF", "")
	merged := with(gitlab, "CI_PIPELINE_SOURCE", "merge_request_event", "CI_COMMIT_SHA", trial, "CI_COMMIT_REF_NAME", "fix", "CI_MERGE_REQUEST_IID", "142", "CI_MERGE_REQUEST_EVENT_TYPE", "merged_result",
		"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "fix", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", head, "CI_MERGE_REQUEST_PROJECT_PATH", "acme/eu/pay", "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "acme/eu/pay")
	azurePull := with(azure, "BUILD_SOURCEBRANCH", "refs/pull/142/merge", "BUILD_SOURCEVERSION", trial, "BUILD_REASON", "PullRequest", "SYSTEM_PULLREQUEST_PULLREQUESTID", "99001",
		"SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "142", "SYSTEM_PULLREQUEST_SOURCECOMMITID", head, "SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/fix")
	const gh, gl, az = "run:github-actions/github.com/acme/pay/123456/", "run:gitlab-ci/gitlab.example.com/acme/eu/pay/900/1", "run:azure-pipelines/dev.azure.com/acme/77"
	for name, c := range map[string]struct {
		env   map[string]string
		files files
		want  string // run, commit, trial, branch, event, change, fork
	}{
		"github push":        {github, nil, gh + "1 head - main push - -"},
		"github second try":  {with(github, "GITHUB_RUN_ATTEMPT", "2", "GITHUB_TRIGGERING_ACTOR", "bob"), nil, gh + "2 head - main push - -"},
		"github tag":         {with(github, "GITHUB_REF", "refs/tags/v1", "GITHUB_REF_NAME", "v1", "GITHUB_REF_TYPE", "tag"), nil, gh + "1 head - v1 push - -"},
		"github pull":        {pull, pullEvent(142, head, "acme/pay"), gh + "1 head trial fix pull_request change:github.com/acme/pay#142 -"},
		"github fork":        {pull, pullEvent(142, head, "eve/pay"), gh + "1 head trial fix pull_request change:github.com/acme/pay#142 github.com/eve/pay"},
		"github fork gone":   {pull, pullEvent(142, head, ""), gh + "1 head trial fix pull_request change:github.com/acme/pay#142 -"},
		"github no event":    {pull, nil, gh + "1 trial - fix pull_request change:github.com/acme/pay#142 -"},
		"github odd event":   {pull, files{"/tmp/event.json": `{"pull_request": {"head": `}, gh + "1 trial - fix pull_request change:github.com/acme/pay#142 -"},
		"github false event": {pull, pullEvent(142, "main", "eve/pay"), gh + "1 trial - fix pull_request change:github.com/acme/pay#142 github.com/eve/pay"},
		"github merged": {
			with(pull, "GITHUB_REF", "refs/heads/main", "GITHUB_REF_NAME", "main", "GITHUB_SHA", base), pullEvent(142, head, "acme/pay"),
			gh + "1 base - main pull_request change:github.com/acme/pay#142 -",
		},
		"github target": {
			with(pull, "GITHUB_EVENT_NAME", "pull_request_target", "GITHUB_REF", "refs/heads/main", "GITHUB_SHA", base), pullEvent(142, head, "eve/pay"),
			gh + "1 base - main pull_request_target change:github.com/acme/pay#142 github.com/eve/pay",
		},
		"github queue": {
			with(github, "GITHUB_EVENT_NAME", "merge_group", "GITHUB_REF", "refs/heads/gh-readonly-queue/main/pr-142-"+base, "GITHUB_REF_NAME", "gh-readonly-queue/main/pr-142-"+base), nil,
			gh + "1 head - gh-readonly-queue/main/pr-142-" + base + " merge_group change:github.com/acme/pay#142 -",
		},
		"github enterprise": {with(github, "GITHUB_SERVER_URL", "https://GHE.example.com"), nil, "run:github-actions/ghe.example.com/acme/pay/123456/1 head - main push - -"},
		"gitea":             {gitea, pullEvent(142, head, "eve/pay"), "run:gitea-actions/git.example.com/acme/pay/123456/1 head - fix pull_request change:git.example.com/acme/pay#142 git.example.com/eve/pay"},
		"forgejo":           {with(gitea, "GITEA_ACTIONS", "", "FORGEJO_ACTIONS", "true"), pullEvent(142, head, "acme/pay"), "run:gitea-actions/git.example.com/acme/pay/123456/1 head - fix pull_request change:git.example.com/acme/pay#142 -"},

		"gitlab push":     {gitlab, nil, gl + " head - main push - -"},
		"gitlab retry":    {with(gitlab, "CI_JOB_ID", "5002"), nil, gl + " head - main push - -"},
		"gitlab tag":      {with(gitlab, "CI_COMMIT_TAG", "v1", "CI_COMMIT_REF_NAME", "v1"), nil, gl + " head - v1 push - -"},
		"gitlab detached": {with(merged, "CI_MERGE_REQUEST_EVENT_TYPE", "detached", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "", "CI_COMMIT_SHA", head), nil, gl + " head - fix merge_request_event change:gitlab.example.com/acme/eu/pay#142 -"},
		"gitlab merged":   {merged, nil, gl + " head trial fix merge_request_event change:gitlab.example.com/acme/eu/pay#142 -"},
		"gitlab train":    {with(merged, "CI_MERGE_REQUEST_EVENT_TYPE", "merge_train"), nil, gl + " head trial fix merge_train change:gitlab.example.com/acme/eu/pay#142 -"},
		"gitlab fork": {
			with(merged, "CI_PROJECT_PATH", "eve/pay", "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "eve/pay", "CI_MERGE_REQUEST_EVENT_TYPE", "detached", "CI_COMMIT_SHA", head), nil,
			"run:gitlab-ci/gitlab.example.com/eve/pay/900/1 head - fix merge_request_event change:gitlab.example.com/acme/eu/pay#142 -",
		},

		"jenkins push": {jenkins, nil, "run:jenkins/ci.example.com/jenkins/job/team/job/pay/job/main/7 head - main - - -"},
		"jenkins pull": {
			with(jenkins, "CHANGE_ID", "142", "CHANGE_BRANCH", "fix", "BRANCH_NAME", "PR-142", "JOB_NAME", "team/pay/PR-142", "BUILD_URL", "https://ci.example.com/jenkins/job/team/job/pay/job/PR-142/7/", "CHANGE_FORK", "eve"), nil,
			"run:jenkins/ci.example.com/jenkins/job/team/job/pay/job/PR-142/7 head - fix change change:git.example.com/acme/pay#142 git.example.com/eve/pay",
		},
		"jenkins one branch": {with(jenkins, "BRANCH_NAME", ""), nil, "run:jenkins/ci.example.com/jenkins/job/team/job/pay/job/main/7 head - main - - -"},

		"buildkite push":  {buildkite, nil, "run:buildkite/0190-aa head - main webhook - -"},
		"buildkite retry": {with(buildkite, "BUILDKITE_RETRY_COUNT", "2", "BUILDKITE_JOB_ID", "x"), nil, "run:buildkite/0190-aa head - main webhook - -"},
		"buildkite fork": {
			with(buildkite, "BUILDKITE_PULL_REQUEST", "142", "BUILDKITE_PULL_REQUEST_REPO", "https://github.com/eve/pay.git", "BUILDKITE_BRANCH", "eve:fix"), nil,
			"run:buildkite/0190-aa head - eve:fix webhook change:github.com/acme/pay#142 github.com/eve/pay",
		},
		"buildkite queue": {
			with(buildkite, "BUILDKITE_BRANCH", "gh-readonly-queue/main/pr-142-"+base), nil,
			"run:buildkite/0190-aa head - gh-readonly-queue/main/pr-142-" + base + " webhook change:github.com/acme/pay#142 -",
		},
		"buildkite no commit": {with(buildkite, "BUILDKITE_COMMIT", "HEAD"), nil, "run:buildkite/0190-aa - - main webhook - -"},

		"azure push":   {azure, nil, az + " head - main IndividualCI - -"},
		"azure retry":  {with(azure, "SYSTEM_JOBATTEMPT", "2"), nil, az + " head - main IndividualCI - -"},
		"azure tag":    {with(azure, "BUILD_SOURCEBRANCH", "refs/tags/v1"), nil, az + " head - v1 IndividualCI - -"},
		"azure pull":   {azurePull, nil, az + " head trial fix PullRequest change:github.com/acme/pay#142 -"},
		"azure own":    {with(azurePull, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "", "BUILD_REPOSITORY_URI", "https://acme@dev.azure.com/acme/Pay/_git/pay"), nil, az + " head trial fix PullRequest change:dev.azure.com/acme/pay/_git/pay#99001 -"},
		"azure fork":   {with(azurePull, "SYSTEM_PULLREQUEST_ISFORK", "True", "SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://github.com/eve/pay"), nil, az + " head trial fix PullRequest change:github.com/acme/pay#142 github.com/eve/pay"},
		"azure server": {with(azure, "SYSTEM_COLLECTIONURI", "https://tfs.example.com/DefaultCollection/"), nil, "run:azure-pipelines/tfs.example.com/DefaultCollection/77 head - main IndividualCI - -"},

		"azure old": {with(azure, "SYSTEM_COLLECTIONURI", "https://acme.visualstudio.com/"), nil, az + " head - main IndividualCI - -"},

		"circle push": {circle, nil, "run:circleci/7c-1 head - main - - -"},
		"circle pull": {with(circle, "CIRCLE_PULL_REQUEST", "https://github.com/acme/pay/pull/142", "CIRCLE_BRANCH", "fix"), nil, "run:circleci/7c-1 head - fix - change:github.com/acme/pay#142 -"},
		"circle fork": {
			with(circle, "CIRCLE_PR_NUMBER", "142", "CIRCLE_PR_USERNAME", "eve", "CIRCLE_PR_REPONAME", "pay", "CIRCLE_BRANCH", "pull/142"), nil,
			"run:circleci/7c-1 head - pull/142 - change:github.com/acme/pay#142 github.com/eve/pay",
		},
		"circle tag": {with(circle, "CIRCLE_TAG", "v1", "CIRCLE_BRANCH", ""), nil, "run:circleci/7c-1 head - v1 - - -"},
	} {
		p, ok := ci.Detect(c.env, c.files.read)
		if !ok {
			t.Errorf("%s: no pipeline", name)
		}
		if got := summary(p); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
		if text := fmt.Sprintf("%+v", p); strings.Contains(text, "secret") || strings.Contains(text, "corp.example.org") || strings.Contains(text, "s3cret") {
			t.Errorf("%s: more is taken than is needed: %s", name, text)
		}
	}
}

func summary(p ci.Pipeline) string {
	list := []string{string(p.Ref()), p.Commit, p.Trial, p.Branch, p.Event, string(p.ChangeRef()), p.Fork}
	for i, s := range list {
		if s == "" {
			list[i] = "-"
		}
	}
	return strings.NewReplacer(" "+head, " head", " "+trial, " trial", " "+base+" ", " base ").Replace(strings.Join(list, " "))
}

func TestOutsideOfPipelinesThereIsNone(t *testing.T) {
	for _, env := range []map[string]string{nil, {"CI": "true"}, {"JENKINS_URL": "https://ci.example.com"}, {"GITHUB_ACTIONS": "false"}} {
		if p, ok := ci.Detect(env, files{}.read); ok {
			t.Errorf("%v: %+v", env, p)
		}
	}
}

func TestWhoStartedItAndWhereItRuns(t *testing.T) {
	for _, c := range []struct {
		env    map[string]string
		actor  ci.Actor
		runner *pipeline.Runner
		url    string
	}{
		{
			github,
			ci.Actor{Host: "github.com", ID: "7", Login: "ada"},
			&pipeline.Runner{System: "github-actions", Name: "ubuntu24", Version: "20261101.1.0", OS: "Linux", Arch: "X64", Pinned: true}, "https://github.com/acme/pay/actions/runs/123456",
		},
		{ // who tried it again is not who began, whose id alone is told
			with(github, "GITHUB_TRIGGERING_ACTOR", "bob", "GITHUB_RUN_ATTEMPT", "3", "ImageOS", "", "ImageVersion", "", "RUNNER_ENVIRONMENT", "self-hosted"),
			ci.Actor{Host: "github.com", Login: "bob"},
			&pipeline.Runner{System: "github-actions", Name: "self-hosted", OS: "Linux", Arch: "X64"}, "https://github.com/acme/pay/actions/runs/123456/attempts/3",
		},
		{gitlab, ci.Actor{Host: "gitlab.example.com", ID: "7", Login: "ada", Name: "Ada"}, &pipeline.Runner{System: "gitlab-ci", Name: "golang", Version: "1.26", OS: "linux", Arch: "amd64"}, "https://gitlab.example.com/acme/eu/pay/-/pipelines/900"},
		{buildkite, ci.Actor{Host: "buildkite.com", ID: "0190-bb", Login: "Ada", Name: "Ada"}, nil, "https://buildkite.com/acme/pay/builds/31"},
		{
			azure,
			ci.Actor{Host: "dev.azure.com", ID: "11-22", Login: "Ada Author", Name: "Ada Author"},
			&pipeline.Runner{System: "azure-pipelines", Name: "ubuntu22", Version: "20261101.1", OS: "Linux", Arch: "X64", Pinned: true}, "https://dev.azure.com/acme/Pay%20Team/_build/results?buildId=77",
		},
		{with(circle, "CIRCLE_BUILD_URL", "javascript:alert(1)"), ci.Actor{Host: "circleci.com", Login: "ada"}, nil, ""},
	} {
		p, _ := ci.Detect(c.env, files{}.read)
		if d := cmp.Diff(c.actor, p.Actor) + cmp.Diff(c.runner, p.Runner) + cmp.Diff(c.url, p.URL); d != "" {
			t.Error(d)
		}
	}
}

const workflow = `on: push
jobs:
  test:
    runs-on: ubuntu-latest
    container: golang:1.26@sha256:0000000000000000000000000000000000000000000000000000000000000001
    services: {db: {image: "registry.example.com:5000/postgres:17"}}
    steps:
      - uses: actions/checkout@v4
      - uses: acme/scan/sub@a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 # v2
      - uses: ./local
      - uses: docker://alpine:3
      - uses: ${{ matrix.action }}
      - {run: "echo uses: nothing", with: {image: "x"}}
  deploy: {uses: acme/flows/.github/workflows/deploy.yml@main}
`

// TestConfigurationAndWhatItTakesFromElsewhere: a file by its blob, and each thing in
// it, whether it can change without anybody here changing anything.
func TestConfigurationAndWhatItTakesFromElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		path string
		text string
		want string
	}{
		"github": {github, ".github/workflows/ci.yml", workflow, `golang sha256:0000000000000000000000000000000000000000000000000000000000000001 true
registry.example.com:5000/postgres 17 false
actions/checkout v4 false
acme/scan/sub a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 true
./local  true
alpine 3 false
acme/flows/.github/workflows/deploy.yml main false
`},
		"gitea": {with(github, "GITEA_ACTIONS", "true", "GITHUB_WORKFLOW_REF", "", "GITHUB_WORKFLOW", "ci.yml"), ".forgejo/workflows/ci.yml", "jobs: {a: {steps: [{uses: x/y@v1}]}}", "x/y v1 false\n"},
		"gitlab": {gitlab, ".gitlab-ci.yml", `include:
  - {project: acme/templates, ref: v3, file: /ci.yml}
  - {component: gitlab.example.com/acme/scan@1.0}
  - {remote: "https://example.com/ci.yml"}
  - {local: /own.yml}
image: {name: "golang:1.26"}
unit: {image: alpine, services: ["postgres:17"]}
`, "acme/templates v3 false\ngitlab.example.com/acme/scan 1.0 false\nhttps://example.com/ci.yml  false\ngolang 1.26 false\nalpine  false\npostgres 17 false\n"},
		"buildkite": {buildkite, ".buildkite/pipeline.yml", "steps: [{plugins: [\"docker#v5\", {\"acme/x#a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\": {image: \"go:1\"}}]}]", "docker v5 false\nacme/x a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 true\ngo 1 false\n"},
		"azure":     {azure, "azure-pipelines.yml", "container: go:1\nsteps: [{task: Go@0}, {template: t.yml}, {template: t.yml@templates}]", "go 1 false\nGo 0 false\nt.yml  true\nt.yml templates false\n"},
		"circle":    {circle, ".circleci/config.yml", "orbs: {node: circleci/node@5.0}\njobs: {a: {docker: [{image: \"cimg/go:1\"}]}}", "circleci/node 5.0 false\ncimg/go 1 false\n"},
		"jenkins":   {jenkins, "Jenkinsfile", "node { }", ""},
	} {
		p, _ := ci.Detect(c.env, files{c.path: c.text}.read)
		if len(p.Configs) != 1 || p.Configs[0].Path != c.path || len(p.Configs[0].Blob) != 40 || p.Configs[0].SHA256 != stemma.Sum([]byte(c.text)).String() {
			t.Errorf("%s: %+v, %q", name, p.Configs, p.Problems)
			continue
		}
		got := ""
		for _, pin := range p.Configs[0].Pins {
			got += fmt.Sprintf("%s %s %t\n", pin.Uses, pin.Ref, pin.Pinned)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestBlobIsWhatGitCallsIt(t *testing.T) {
	p, _ := ci.Detect(jenkins, files{"Jenkinsfile": "hello\n"}.read)
	if p.Configs[0].Blob != "ce013625030ba8dba906f756967f9e9ca394464a" {
		t.Error(p.Configs[0].Blob)
	}
	p, _ = ci.Detect(with(jenkins, "GIT_COMMIT", strings.Repeat("ab", 32)), files{"Jenkinsfile": "hello\n"}.read)
	if p.Configs[0].Blob != "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4" {
		t.Error(p.Configs[0].Blob)
	}
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	broken := func(string) ([]byte, error) { return nil, errors.New("no") }
	for want, env := range map[string]map[string]string{
		"the file that tells the pipeline what to do is not here":   github,
		"the workflow is that of another repository":                with(github, "GITHUB_WORKFLOW_REF", "acme/flows/.github/workflows/x.yml@main"),
		"the workflow is that of another commit":                    with(github, "GITHUB_WORKFLOW_SHA", base),
		"the configuration is kept elsewhere":                       with(gitlab, "CI_CONFIG_PATH", "ci.yml@acme/templates"),
		"the environment names no commit by its whole name":         with(circle, "CIRCLE_SHA1", "a1a1"),
		"the environment does not say which run this is":            with(github, "GITHUB_RUN_ID", ""),
		"the file that GITHUB_EVENT_PATH names cannot be read: the": with(github, "GITHUB_EVENT_NAME", "pull_request", "GITHUB_REF", "refs/pull/1/merge"),
	} {
		p, ok := ci.Detect(env, broken)
		if text := strings.Join(p.Problems, "\n"); !ok || !strings.Contains(text, want) {
			t.Errorf("%s: %q", want, text)
		}
	}
	for _, text := range []string{"a: [", strings.Repeat("[", 20_000), "\x00"} {
		p, _ := ci.Detect(github, files{".github/workflows/ci.yml": text}.read)
		if len(p.Configs) != 1 || len(p.Configs[0].Pins) > 0 || !strings.Contains(strings.Join(p.Problems, "\n"), "is not YAML") {
			t.Errorf("%.20q: %+v", text, p)
		}
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("github", "refs/pull/1/merge", workflow, `{"pull_request":{"head":{"sha":"x"}}}`)
	f.Add("gitlab", "merge_train", "a: &a [*a]", "")
	systems := map[string]map[string]string{"github": github, "gitlab": gitlab, "jenkins": jenkins, "buildkite": buildkite, "azure": azure, "circle": circle}
	f.Fuzz(func(t *testing.T, system, value, config, event string) {
		known, ok := systems[system]
		if !ok {
			known = github
		}
		for name := range known {
			p, ok := ci.Detect(with(known, name, value), func(path string) ([]byte, error) {
				if path == "/tmp/event.json" {
					return []byte(event), nil
				}
				return []byte(config), nil
			})
			if ref := p.Ref(); ok && ref != "" && !ref.Valid() {
				t.Errorf("%s=%q names the run %q", name, value, ref)
			}
			if ref := p.ChangeRef(); ok && ref != "" && !ref.Valid() {
				t.Errorf("%s=%q names the change %q", name, value, ref)
			}
		}
	})
}
