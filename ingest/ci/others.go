package ci

import (
	"cmp"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// jenkins reads the variables of Jenkins. Its builds have no ids but addresses; merge
// requests are those of its branch sources.
func jenkins(e env, files Files) Pipeline {
	p := Pipeline{
		System: "jenkins", Repository: remote(e.first("GIT_URL", "GIT_URL_1")), ID: remote(e["BUILD_URL"]), Run: e["BUILD_NUMBER"],
		Number: e.number("BUILD_NUMBER"), Name: e["JOB_NAME"], Job: e["STAGE_NAME"], Commit: e["GIT_COMMIT"],
		Branch: e.first("CHANGE_BRANCH", "TAG_NAME", "BRANCH_NAME"), Change: e.number("CHANGE_ID"), URL: e.first("BUILD_URL"),
	}
	if p.Branch == "" {
		p.Branch = strings.TrimPrefix(e["GIT_BRANCH"], "origin/")
	}
	if p.Change > 0 {
		p.Event = "change"
		if fork := e["CHANGE_FORK"]; fork != "" && strings.Contains(p.Repository, "/") {
			p.Fork = forkOf(p.Repository, fork)
		}
	}
	p.config(files, nil, "Jenkinsfile")
	return p
}

// forkOf is a repository at the same host: of an owner, or with a name of its own.
func forkOf(repository, fork string) string {
	host, name, _ := strings.Cut(repository, "/")
	if strings.Contains(fork, "/") {
		return host + "/" + fork
	}
	return host + "/" + fork + "/" + path.Base(name)
}

// buildkite reads the variables of Buildkite. A job that is tried again belongs to the
// same build; a build that is made anew has a number of its own.
func buildkite(e env, files Files) Pipeline {
	p := Pipeline{
		System: "buildkite", Repository: remote(e["BUILDKITE_REPO"]), ID: e["BUILDKITE_BUILD_ID"], Run: e["BUILDKITE_BUILD_NUMBER"], Number: e.number("BUILDKITE_BUILD_NUMBER"),
		Name: e.first("BUILDKITE_PIPELINE_NAME", "BUILDKITE_PIPELINE_SLUG"), Job: e.first("BUILDKITE_STEP_KEY", "BUILDKITE_LABEL"), Try: e["BUILDKITE_JOB_ID"], Commit: e["BUILDKITE_COMMIT"],
		Branch: e.first("BUILDKITE_TAG", "BUILDKITE_BRANCH"), Event: e["BUILDKITE_SOURCE"], Change: e.number("BUILDKITE_PULL_REQUEST"), URL: e["BUILDKITE_BUILD_URL"],
		Actor: Actor{Host: "buildkite.com", ID: e["BUILDKITE_BUILD_CREATOR_ID"], Name: e["BUILDKITE_BUILD_CREATOR"], Login: e["BUILDKITE_BUILD_CREATOR"]},
	}
	if m := queueRef().FindStringSubmatch(p.Branch); m != nil {
		p.Change, _ = strconv.Atoi(m[1])
	}
	if p.Change > 0 {
		p.Fork = remote(e["BUILDKITE_PULL_REQUEST_REPO"])
	}
	p.config(files, buildkitePins, ".buildkite/pipeline.yml", ".buildkite/pipeline.yaml", "buildkite.yml")
	return p
}

// azure reads the variables of Azure Pipelines. Builds are counted in an organization,
// or a collection of a server; a job that is tried again belongs to the same build.
func azure(e env, files Files) Pipeline {
	const system = "azure-pipelines"
	collection := strings.TrimSuffix(e["SYSTEM_COLLECTIONURI"], "/")
	p := Pipeline{
		System: system, Repository: remote(e["BUILD_REPOSITORY_URI"]), Run: e["BUILD_BUILDID"],
		Name: e["BUILD_DEFINITIONNAME"], Job: e.first("SYSTEM_JOBNAME", "AGENT_JOBNAME"), Try: e.first("SYSTEM_JOBID") + e.first("SYSTEM_JOBATTEMPT"), Commit: e["BUILD_SOURCEVERSION"],
		Branch: strings.TrimPrefix(strings.TrimPrefix(e["BUILD_SOURCEBRANCH"], "refs/heads/"), "refs/tags/"), Event: e["BUILD_REASON"],
		Change: cmp.Or(e.number("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER"), e.number("SYSTEM_PULLREQUEST_PULLREQUESTID")),
		Actor:  Actor{ID: e["BUILD_REQUESTEDFORID"], Name: e["BUILD_REQUESTEDFOR"], Login: e["BUILD_REQUESTEDFOR"]},
		Runner: hosted(e, system),
	}
	if place := organization(collection); place != "" && p.Run != "" {
		p.Actor.Host, _, _ = strings.Cut(place, "/")
		p.ID = place + "/" + p.Run
		p.URL = collection + "/" + url.PathEscape(e["SYSTEM_TEAMPROJECT"]) + "/_build/results?buildId=" + p.Run
	}
	if p.Change > 0 {
		p.Branch = strings.TrimPrefix(cmp.Or(e["SYSTEM_PULLREQUEST_SOURCEBRANCH"], p.Branch), "refs/heads/")
		if source := remote(e["SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI"]); strings.EqualFold(e["SYSTEM_PULLREQUEST_ISFORK"], "true") {
			p.Fork = source
		}
		if head := sha(e["SYSTEM_PULLREQUEST_SOURCECOMMITID"]); head != "" {
			p.Commit, p.Trial = head, p.Commit
		}
	}
	p.config(files, azurePins, "azure-pipelines.yml", ".azure-pipelines/azure-pipelines.yml", "azure-pipelines.yaml")
	return p
}

// organization is where builds are counted: an organization of the service by its name
// there, whatever address it is reached by, or a collection of a server.
func organization(collection string) string {
	host, _, _ := strings.Cut(remote(collection+"/x"), "/")
	if org, ok := strings.CutSuffix(host, ".visualstudio.com"); ok {
		return "dev.azure.com/" + org
	}
	return remote(collection)
}

// circle reads the variables of CircleCI. A workflow that is run again is another one.
func circle(e env, files Files) Pipeline {
	p := Pipeline{
		System: "circleci", Repository: remote(e["CIRCLE_REPOSITORY_URL"]), ID: e["CIRCLE_WORKFLOW_ID"], Run: e["CIRCLE_WORKFLOW_ID"], Number: e.number("CIRCLE_BUILD_NUM"),
		Name: e["CIRCLE_WORKFLOW_NAME"], Job: e["CIRCLE_JOB"], Try: e["CIRCLE_BUILD_NUM"], Commit: e["CIRCLE_SHA1"], Branch: e.first("CIRCLE_TAG", "CIRCLE_BRANCH"),
		Change: e.number("CIRCLE_PR_NUMBER"), URL: e["CIRCLE_BUILD_URL"], Actor: Actor{Host: "circleci.com", Login: e["CIRCLE_USERNAME"]},
	}
	if u := e["CIRCLE_PULL_REQUEST"]; p.Change == 0 && u != "" {
		p.Change, _ = strconv.Atoi(path.Base(u))
	}
	if owner := e["CIRCLE_PR_USERNAME"]; owner != "" && p.Repository != "" {
		p.Fork = forkOf(p.Repository, owner+"/"+cmp.Or(e["CIRCLE_PR_REPONAME"], path.Base(p.Repository)))
	}
	p.config(files, circlePins, ".circleci/config.yml")
	return p
}
