// Package ci finds out which run of which pipeline it stands in, from the environment
// that the system gives its jobs: GitHub Actions, Gitea and Forgejo Actions, GitLab CI,
// Jenkins, Buildkite, Azure Pipelines, CircleCI.
//
// What a pipeline ran on is the head of the merge request where the system tells it,
// and the trial merge that was checked out in its place stands beside it: nobody ever
// merges that one. Where a system runs a pipeline of the target for a merge request
// (pull_request_target), it ran on the target and not on what was proposed.
//
// The package is a function of a map and of the files that it asks for; it does no
// I/O of its own and reads no clock. Nothing of the environment is taken but what is
// named here.
package ci

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/pipeline"
)

// Method says of links that the environment of a job tells them.
const Method = "ci-environment"

// A Pipeline is one run, as a job of it sees it.
type Pipeline struct {
	System     string `json:"system"`               // "github-actions"
	Repository string `json:"repository,omitempty"` // "github.com/acme/pay"
	ID         string `json:"id,omitempty"`         // of the run, where the system does not count the runs of a repository
	Run        string `json:"run"`                  // its number
	Attempt    int    `json:"attempt"`              // from 1
	Number     int    `json:"number,omitempty"`     // as people see it
	Name       string `json:"name,omitempty"`       // of the workflow
	Job        string `json:"job,omitempty"`
	Try        string `json:"try,omitempty"`    // tells apart the tries of a job within a run, and the jobs of a matrix
	Commit     string `json:"commit,omitempty"` // what it ran on
	Trial      string `json:"trial,omitempty"`  // the trial merge of it that was checked out
	Branch     string `json:"branch,omitempty"` // or tag
	Event      string `json:"event,omitempty"`  // why it ran, as the system says
	Change     int    `json:"change,omitempty"` // number of the merge request
	Target     string `json:"target,omitempty"` // repository of the merge request, if it is another
	Fork       string `json:"fork,omitempty"`   // repository that the merge request comes from, if it is another
	URL        string `json:"url,omitempty"`

	Actor   Actor            `json:"actor,omitzero"`
	Runner  *pipeline.Runner `json:"runner,omitempty"`
	Configs []Config         `json:"configs,omitempty"`

	// Problems are what the environment does not tell, or tells in a form that is not
	// known, for whoever looks into it.
	Problems []string `json:"-"`
}

// An Actor is who made a run start, as the system calls them.
type Actor struct {
	Host  string `json:"host,omitempty"`
	ID    string `json:"id,omitempty"` // which never changes there
	Login string `json:"login,omitempty"`
	Name  string `json:"name,omitempty"`
}

// A Config is one file that told the pipeline what to do.
type Config struct {
	Path   string         `json:"path"`
	Blob   string         `json:"blob"` // what git calls its content
	SHA256 string         `json:"sha256"`
	Pins   []pipeline.Pin `json:"pins,omitempty"`
}

// Files gives the content of a file: by its path from the root of the work tree, or by
// an absolute path that the environment names.
type Files func(path string) ([]byte, error)

// A system is one that runs pipelines, and how it is known.
type system struct {
	is   func(env) bool
	read func(env, Files) Pipeline
}

// systems are tried in this order: Gitea calls itself GitHub as well, and a server of
// Jenkins may be named wherever it is used.
var systems = []system{
	{func(e env) bool { return e["GITEA_ACTIONS"] == "true" || e["FORGEJO_ACTIONS"] == "true" }, gitea},
	{func(e env) bool { return e["GITHUB_ACTIONS"] == "true" }, github},
	{func(e env) bool { return e["GITLAB_CI"] != "" }, gitlab},
	{func(e env) bool { return e["BUILDKITE"] == "true" }, buildkite},
	{func(e env) bool { return strings.EqualFold(e["TF_BUILD"], "true") }, azure},
	{func(e env) bool { return e["CIRCLECI"] == "true" }, circle},
	{func(e env) bool { return e["JENKINS_URL"] != "" && e["BUILD_NUMBER"] != "" }, jenkins},
}

// An env is the environment of a process.
type env map[string]string

// first is the first of the variables that says something.
func (e env) first(names ...string) string {
	for _, name := range names {
		if e[name] != "" {
			return e[name]
		}
	}
	return ""
}

func (e env) number(name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(e[name]))
	if err != nil || n < 0 || n > 1<<31 {
		return 0
	}
	return n
}

// Detect tells which pipeline a process with the given environment runs in; it reports
// false outside of any that is known.
func Detect(environment map[string]string, files Files) (Pipeline, bool) {
	e := env(environment)
	for _, s := range systems {
		if s.is(e) {
			p := s.read(e, files)
			p.clean()
			return p, true
		}
	}
	return Pipeline{}, false
}

// maxText is how many bytes one text may have.
const maxText = 300

// clean makes what the environment says fit for records.
func (p *Pipeline) clean() {
	p.Attempt = max(p.Attempt, 1)
	for _, text := range []*string{
		&p.System, &p.Repository, &p.ID, &p.Run, &p.Name, &p.Job, &p.Try, &p.Branch, &p.Event, &p.Target, &p.Fork,
		&p.Actor.Host, &p.Actor.ID, &p.Actor.Login, &p.Actor.Name,
	} {
		*text = jsonwalk.Clean(*text, maxText)
	}
	if p.URL = jsonwalk.Clean(p.URL, 2*maxText); !strings.HasPrefix(p.URL, "https://") && !strings.HasPrefix(p.URL, "http://") {
		p.URL = ""
	}
	if p.Commit = sha(p.Commit); p.Commit == "" {
		p.Problems = append(p.Problems, "the environment names no commit by its whole name")
	}
	if p.Trial = sha(p.Trial); p.Trial == p.Commit {
		p.Trial = ""
	}
	if p.Ref() == "" {
		p.Problems = append(p.Problems, "the environment does not say which run this is")
	}
	if p.Fork == p.Repository {
		p.Fork = ""
	}
	if p.Target == p.Repository {
		p.Target = ""
	}
}

var wholeName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`) })

// sha is the whole name of a commit, or nothing.
func sha(s string) string {
	if s = strings.ToLower(strings.TrimSpace(s)); !wholeName().MatchString(s) || strings.Trim(s, "0") == "" {
		return ""
	}
	return s
}

// remote is the repository behind an address, "host/path" as a scan names it.
func remote(address string) string {
	host, name, _ := change.ParseRemote(strings.TrimSpace(address))
	if name == "" {
		return ""
	}
	return host + "/" + name
}

// at is a path at the host of an address.
func at(address, path string) string {
	if path = strings.Trim(path, "/"); path == "" {
		return ""
	}
	return remote(strings.TrimSuffix(address, "/") + "/" + path)
}

// Ref names the run; it is empty if the environment does not say which it is.
func (p Pipeline) Ref() stemma.Ref {
	switch {
	case p.System == "":
		return ""
	case p.ID != "":
		return pipeline.RunRef(p.System, p.ID)
	}
	return pipeline.AttemptRef(p.System, RepositoryRef(p.Repository), p.Run, p.Attempt)
}

// RepositoryRef names a repository that is written as "host/path"; empty if it is not.
func RepositoryRef(place string) stemma.Ref {
	host, name, ok := strings.Cut(place, "/")
	if !ok || host == "" || name == "" {
		return ""
	}
	return change.RepositoryRef(host, name)
}

// ChangeRef names the merge request that the run is for; it is empty if it is for none.
func (p Pipeline) ChangeRef() stemma.Ref {
	repository := RepositoryRef(cmp.Or(p.Target, p.Repository))
	if p.Change <= 0 || repository == "" {
		return ""
	}
	return change.NumberedRef(repository, p.Change)
}
