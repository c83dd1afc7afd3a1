package story

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// A job is a run of the pipeline of the forge, which reports what it does.
type job struct {
	s       *stage
	run     int
	attempt int
	commit  string
	pull    *pull // it is for; nil on main
	branch  string
}

// proposed is a run for the head of a pull request.
func (r *pull) run(run, attempt int) job { return job{r.s, run, attempt, r.head(), r, r.branch} }

// onMain is a run for what landed.
func (s *stage) onMain(run int, commit string) job { return job{s, run, 1, commit, nil, "main"} }

// env is what the forge tells its jobs.
func (j job) env() []string {
	event, ref := "push", "refs/heads/main"
	if j.pull != nil {
		event, ref = "pull_request", fmt.Sprintf("refs/pull/%d/merge", j.pull.number)
	}
	path := filepath.Join(j.s.dir, "runner", "event.json")
	told := object{}
	if j.pull != nil {
		told = object{"number": j.pull.number, "pull_request": object{"head": object{"sha": j.commit, "repo": object{"full_name": "acme/pay"}}}}
	}
	b, err := json.Marshal(told)
	if err != nil {
		j.s.fail(err)
	}
	j.s.write(path, string(b))
	return []string{
		"GITHUB_ACTIONS=true", "GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=acme/pay", "GITHUB_RUN_ID=" + strconv.Itoa(j.run),
		"GITHUB_RUN_ATTEMPT=" + strconv.Itoa(j.attempt), "GITHUB_RUN_NUMBER=" + strconv.Itoa(j.run-7000), "GITHUB_JOB=build", "GITHUB_WORKFLOW=CI",
		"GITHUB_WORKFLOW_REF=acme/pay/.github/workflows/ci.yml@" + ref, "GITHUB_WORKFLOW_SHA=" + j.commit, "GITHUB_SHA=" + j.commit, "GITHUB_REF=" + ref,
		"GITHUB_REF_NAME=" + j.branch, "GITHUB_EVENT_NAME=" + event, "GITHUB_EVENT_PATH=" + path, "GITHUB_ACTOR=ada", "GITHUB_ACTOR_ID=900000001",
		"ImageOS=ubuntu24", "ImageVersion=20260901.1", "STEMMA_URL=" + j.s.url, "STEMMA_TOKEN=" + recordToken,
	}
}

// record reports something to the server.
func (j job) record(args ...string) {
	f := j.s.person("web-flow")
	args = append(append([]string{"record"}, args...), "--required", "--at", j.s.stamp())
	j.s.run(f.dir(), f.s.env(f, j.env()...), "", j.s.in.Stemma, args...)
}

// file is a report that the job has written.
func (j job) file(name, text string) string {
	path := filepath.Join(j.s.dir, "runner", name)
	j.s.write(path, text)
	return path
}

// tests reports the tests, of which one may fail, and the forge tells how the run ended.
func (j job) tests(failing string) {
	j.s.tick()
	conclusion, failure := "success", ""
	if failing != "" {
		conclusion, failure = "failure", `<failure message="paid where nothing was to be paid"/>`
	}
	name := failing
	if name == "" {
		name = "TestRefundOfNothing"
	}
	j.record("test", j.file("junit.xml", `<testsuite name="payments"><testcase classname="payments" name="TestCharge"/><testcase classname="payments" name="`+name+`">`+failure+`</testcase></testsuite>`))
	j.ended(conclusion)
}

// ended has the forge tell of the run and its one job.
func (j job) ended(conclusion string) {
	began := j.s.stamp()
	j.s.tick()
	pulls, event := []object{}, "push"
	if j.pull != nil {
		event = "pull_request"
		pulls = append(pulls, object{"number": j.pull.number, "base": object{"repo": object{"id": repositoryID}}})
	}
	ada := j.s.who("ada").account()
	app := object{"slug": "github-actions"}
	j.s.github("check_run", ada, object{"action": "completed", "check_run": object{
		"id": j.run*10 + j.attempt, "name": "build", "head_sha": j.commit, "status": "completed", "conclusion": conclusion, "app": app, "pull_requests": pulls,
		"started_at": began, "completed_at": j.s.stamp(), "html_url": fmt.Sprintf("%s/actions/runs/%d/job/1", web, j.run),
		"check_suite": object{"id": j.run * 100, "head_branch": j.branch, "app": app},
	}})
	j.s.github("workflow_run", ada, object{"action": "completed", "workflow_run": object{
		"id": j.run, "name": "CI", "run_number": j.run - 7000, "run_attempt": j.attempt, "head_sha": j.commit, "head_branch": j.branch, "status": "completed",
		"conclusion": conclusion, "event": event, "created_at": began, "run_started_at": began, "updated_at": j.s.stamp(),
		"actor": ada, "triggering_actor": ada, "html_url": fmt.Sprintf("%s/actions/runs/%d", web, j.run), "pull_requests": pulls,
	}})
}

// releases builds a version, says what is in it and what a scanner found.
func (j job) releases(version string) {
	j.s.tick()
	f := j.s.person("web-flow")
	f.git("tag", "-a", version, "-m", "pay "+version)
	f.git("push", "-q", "origin", version)
	binary := []byte("pay " + version + " of " + j.commit + "\n")
	sum := sha256.Sum256(binary)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	j.s.told.Images[version] = digest
	j.tests("")
	j.record("artifact", j.file("pay-"+version, string(binary)), "--name", "pay "+version)
	j.record("bom", j.file("bom.json", `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"application","name":"pay","version":"`+version+`"}},
		"components":[{"type":"library","name":"bank-client","version":"1.4.2","purl":"pkg:golang/example.com/bank-client@v1.4.2"}]}`), "--of", digest)
	j.record("scan", j.file("scan.sarif", sarif))
}

const sarif = `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"CodeQL","version":"2.19.0","rules":[{"id":"go/timing","properties":{"security-severity":"5.9"}}]}},
	"results":[{"ruleId":"go/timing","level":"warning","message":{"text":"a token is compared byte by byte"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"auth/token.go"},"region":{"startLine":5}}}]}]}]}`

// deploys puts a version into production; the forge tells of the same deployment.
func (j job) deploys(id int, version, task string) {
	j.s.tick()
	dan := j.s.who("dan").account()
	deployment := object{"id": id, "ref": version, "sha": j.commit, "task": task, "environment": "prod", "production_environment": true, "created_at": j.s.stamp(), "creator": dan}
	j.s.github("deployment", dan, object{"action": "created", "deployment": deployment})
	j.record("deploy", "--env", "prod", "--tier", "production", "--id", Repository+"/"+strconv.Itoa(id), "--version", version, "--task", task, "--artifact", j.s.told.Images[version])
	j.s.tick()
	j.s.github("deployment_status", dan, object{"action": "created", "deployment": deployment, "deployment_status": object{
		"state": "success", "environment": "prod", "created_at": j.s.stamp(), "environment_url": "https://pay.example.com",
	}})
}

// begin makes the repository of the forge, with the first commit.
func (s *stage) begin() {
	for _, e := range everybody {
		if err := os.MkdirAll(filepath.Join(s.dir, e.login), 0o700); err != nil {
			s.fail(err)
		}
	}
	ben := everybody[1]
	work := filepath.Join(s.dir, "first")
	s.run(s.dir, s.env(&ben), "", "git", "init", "-q", "-b", "main", "--bare", "hub.git")
	s.run(s.dir, s.env(&ben), "", "git", "init", "-q", "-b", "main", "first")
	for path, text := range firstFiles {
		s.write(filepath.Join(work, path), text)
	}
	s.run(work, s.env(&ben), "", "git", "add", "-A")
	s.run(work, s.env(&ben), "", "git", "commit", "-q", "-m", "Begin")
	s.run(work, s.env(&ben), "", "git", "push", "-q", filepath.Join(s.dir, "hub.git"), "main")
}
