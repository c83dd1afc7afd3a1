package ci

import (
	"cmp"
	"strings"

	"github.com/stemma-dev/stemma/pipeline"
)

// gitlab reads the variables of GitLab CI. A pipeline of merged results or of a merge
// train ran on a trial merge; the head of the merge request is told beside it. A job
// that is tried again belongs to the same pipeline.
func gitlab(e env, files Files) Pipeline {
	const system = "gitlab-ci"
	server := cmp.Or(e["CI_SERVER_URL"], "https://"+e["CI_SERVER_HOST"])
	p := Pipeline{
		System: system, Repository: at(server, e["CI_PROJECT_PATH"]), Run: e["CI_PIPELINE_ID"], Number: e.number("CI_PIPELINE_IID"),
		Name: e["CI_PIPELINE_NAME"], Job: e["CI_JOB_NAME"], Try: e["CI_JOB_ID"], Commit: e["CI_COMMIT_SHA"],
		Branch: e.first("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_TAG", "CI_COMMIT_REF_NAME"), Event: e["CI_PIPELINE_SOURCE"],
		Change: e.number("CI_MERGE_REQUEST_IID"), URL: e["CI_PIPELINE_URL"],
		Actor: Actor{Login: e["GITLAB_USER_LOGIN"], ID: e["GITLAB_USER_ID"], Name: e["GITLAB_USER_NAME"]},
	}
	p.Actor.Host, _, _ = strings.Cut(at(server, "x"), "/")
	if kind := e["CI_MERGE_REQUEST_EVENT_TYPE"]; p.Change > 0 {
		p.Target, p.Fork = at(server, e["CI_MERGE_REQUEST_PROJECT_PATH"]), at(server, e["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"])
		if head := sha(e["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"]); head != "" && kind != "detached" {
			p.Commit, p.Trial = head, p.Commit
		}
		if kind == "merge_train" {
			p.Event = kind
		}
	}
	p.Runner = container(system, e["CI_JOB_IMAGE"], e["CI_RUNNER_EXECUTABLE_ARCH"])
	if path := cmp.Or(e["CI_CONFIG_PATH"], ".gitlab-ci.yml"); strings.ContainsAny(path, "@:") {
		p.Problems = append(p.Problems, "the configuration is kept elsewhere: its content is not known")
	} else {
		p.config(files, gitLabCI, path)
	}
	return p
}

// container is the image that a job runs in.
func container(system, image, platform string) *pipeline.Runner {
	r := pipeline.Runner{System: system}
	r.OS, r.Arch, _ = strings.Cut(platform, "/")
	if image != "" {
		pin := imagePin(image)
		r.Name, r.Version, r.Pinned = pin.Uses, pin.Ref, pin.Pinned
	}
	return whole(r)
}
