// Package pipeline keeps what machines did with a change before it shipped:
// runs, tests, scans, and the digest of the configuration that told them to.
//
// Refs: run:SYSTEM/ID, test:SYSTEM/ID, scan:SYSTEM/ID with ids of the system
// that ran, attempts included; config:HOST/OWNER/NAME:BLOB:PATH;
// runner:SYSTEM/NAME@VERSION.
//
// Who is told of a run by a webhook and who stands in it must name one node, so the id
// of a run is made of what both know:
//
//	github-actions   github.com/acme/pay/ID/ATTEMPT, see [AttemptRef]; ID is workflow_run.id, GITHUB_RUN_ID
//	gitea-actions    the same with the host of the forge; Forgejo too
//	gitlab-ci        HOST/PROJECT/ID/1, where ID is that of the pipeline, CI_PIPELINE_ID
//	jenkins          the address of the build without its scheme: HOST/job/pay/7
//	buildkite        the id of the build, a UUID
//	azure-pipelines  dev.azure.com/ORGANIZATION/ID, where ID is that of the build
//	circleci         the id of the workflow, a UUID
//
// A job that is tried again in GitLab, Buildkite or Azure belongs to the run that it was
// part of; GitHub counts that as another attempt of the whole run.
//
// Doors lead up to commits and changes, from tests and scans up to their run,
// aside to the configuration, to who started it, to what it ran on, and to the trial
// merge of a merge request that was checked out in the place of its head.
//
// The package does no I/O, and a run whose conclusion is not told never passed.
package pipeline

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name:  "pipeline",
	Kinds: []stemma.KindSpec{runSpec, testSpec, scanSpec, configSpec, runnerSpec},
}

var runSpec = stemma.KindSpec{
	Kind: stemma.KindRun, Stage: stemma.StagePipeline,
	Doc: "one attempt of a pipeline",
	Columns: []stemma.Column{
		{Name: "system", Type: stemma.Text, Index: true, Doc: "what ran it: github-actions"},
		{Name: "name", Type: stemma.Text, Index: true, Doc: "of the workflow or job"},
		{Name: "number", Type: stemma.Int, Doc: "as people see it"},
		{Name: "attempt", Type: stemma.Int, Doc: "from 1"},
		{Name: "status", Type: stemma.Text, Doc: "queued, running, completed"},
		{Name: "conclusion", Type: stemma.Text, Index: true, Doc: "success, failure, cancelled, skipped, unknown"},
		{Name: "reason", Type: stemma.Text, Doc: "why it failed, as the system says: script_failure, runner_system_failure"},
		{Name: "commit", Type: stemma.Link, Index: true, Doc: "what it ran on"},
		{Name: "started", Type: stemma.Time, Index: true, Doc: "when it began"},
		{Name: "ended", Type: stemma.Time, Doc: "when it ended"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "trigger", Type: stemma.Text, Index: true, Doc: "why it ran, as the system says: push, schedule"},
		{Name: "branch", Type: stemma.Text, Doc: "what it ran for"},
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where it ran"},
		{Name: "actor", Type: stemma.Link, Doc: "who made it run"},
		{Name: "part_of", Type: stemma.Link, Index: true, Doc: "the run of which it is a job"},
		{Name: "method", Type: stemma.Text, Doc: "how its commit is known"},
		{Name: "fork", Type: stemma.Link, Doc: "repository that the merge request came from, if it is another"},
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it ran"},
		{Name: "by", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "who made it run"},
		{Name: "part-of", To: []stemma.Kind{stemma.KindRun}, Flow: stemma.Up, Doc: "the run of which it is a job"},
		{Name: "of", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Up, Doc: "what it ran on"},
		{Name: "of-change", To: []stemma.Kind{stemma.KindChange}, Flow: stemma.Up, Doc: "the change it ran for"},
		{Name: "uses", To: []stemma.Kind{stemma.KindConfig}, Doc: "configuration that told it what to do"},
		{Name: "on", To: []stemma.Kind{stemma.KindRunner}, Doc: "what its jobs ran on"},
		{Name: "trial", To: []stemma.Kind{stemma.KindCommit}, Doc: "trial merge of what it ran on, which was checked out"},
	},
}

var testSpec = stemma.KindSpec{
	Kind: stemma.KindTest,
	Doc:  "results of one suite in a run",
	Columns: []stemma.Column{
		{Name: "run", Type: stemma.Link, Index: true, Doc: "the run"},
		{Name: "suite", Type: stemma.Text, Index: true, Doc: "the suite"},
		{Name: "name", Type: stemma.Text, Doc: "one test of it, if told apart"},
		{Name: "status", Type: stemma.Text, Index: true, Doc: "passed, failed, skipped, unknown"},
		{Name: "failed", Type: stemma.Int, Doc: "tests that failed"},
		{Name: "passed", Type: stemma.Int, Doc: "tests that passed"},
		{Name: "skipped", Type: stemma.Int, Doc: "tests that were left out"},
		{Name: "job", Type: stemma.Text, Doc: "of the run"},
		{Name: "method", Type: stemma.Text, Doc: "how what it tested is known"},
	},
	Lists: []stemma.List{
		{Name: "failure", Doc: "tests that failed, the first of them", Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Index: true, Doc: "of the test"},
			{Name: "class", Type: stemma.Text, Doc: "where it is"},
			{Name: "message", Type: stemma.Text, Doc: "the beginning of what it said"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "of", To: []stemma.Kind{stemma.KindRun, stemma.KindCommit}, Flow: stemma.Up, Doc: "the run, and what was tested"},
	},
}

var scanSpec = stemma.KindSpec{
	Kind: stemma.KindScan,
	Doc:  "what one scanner found in a run",
	Columns: []stemma.Column{
		{Name: "run", Type: stemma.Link, Index: true, Doc: "the run"},
		{Name: "tool", Type: stemma.Text, Index: true, Doc: "the scanner"},
		{Name: "version", Type: stemma.Text, Doc: "of the scanner"},
		{Name: "rule", Type: stemma.Text, Doc: "rule of one finding that is told by itself"},
		{Name: "state", Type: stemma.Text, Doc: "of it, as its source says: open, fixed"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "findings", Type: stemma.Int, Doc: "how many in all"},
		{Name: "critical", Type: stemma.Int, Doc: "of these, critical"},
		{Name: "high", Type: stemma.Int, Doc: "of these, high"},
		{Name: "medium", Type: stemma.Int, Doc: "of these, medium"},
		{Name: "low", Type: stemma.Int, Doc: "of these, low"},
		{Name: "format", Type: stemma.Text, Doc: "of the report: sarif, gitleaks, trivy, grype"},
		{Name: "target", Type: stemma.Text, Doc: "what was scanned, as the report says"},
		{Name: "job", Type: stemma.Text, Doc: "of the run"},
		{Name: "method", Type: stemma.Text, Doc: "how what it scanned is known"},
	},
	Lists: []stemma.List{
		{Name: "finding", Doc: "what was found, the first of it", Columns: []stemma.Column{
			{Name: "rule", Type: stemma.Text, Index: true, Doc: "rule or vulnerability, as its tool calls it"},
			{Name: "severity", Type: stemma.Text, Doc: "critical, high, medium, low, none, unknown"},
			{Name: "path", Type: stemma.Text, Doc: "file"},
			{Name: "line", Type: stemma.Int, Doc: "its line"},
			{Name: "package", Type: stemma.Text, Index: true, Doc: "package that has it"},
			{Name: "version", Type: stemma.Text, Doc: "of the package"},
			{Name: "fixed_in", Type: stemma.Text, Doc: "versions without it"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "of", To: []stemma.Kind{stemma.KindRun, stemma.KindCommit}, Flow: stemma.Up, Doc: "the run, and what was scanned"},
	},
}

var configSpec = stemma.KindSpec{
	Kind: stemma.KindConfig,
	Doc:  "one content of a file that tells a pipeline what to do",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where it is"},
		{Name: "path", Type: stemma.Text, Index: true, Doc: "its path"},
		{Name: "blob", Type: stemma.Text, Index: true, Doc: "hash of its content"},
		{Name: "system", Type: stemma.Text, Doc: "whose configuration it is"},
		{Name: "commit", Type: stemma.Link, Doc: "commit that brought it"},
		{Name: "since", Type: stemma.Time, Doc: "when it came"},
		{Name: "sha256", Type: stemma.Text, Doc: "SHA-256 of its content"},
	},
	Lists: []stemma.List{
		{Name: "pin", Doc: "what it takes from elsewhere", Columns: []stemma.Column{
			{Name: "uses", Type: stemma.Text, Index: true, Doc: "an action, a workflow, an image, another file"},
			{Name: "ref", Type: stemma.Text, Doc: "version, branch or digest that is named"},
			{Name: "pinned", Type: stemma.Bool, Doc: "by the hash of what it is, so that it cannot change"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it is"},
		{Name: "at", To: []stemma.Kind{stemma.KindCommit}, Doc: "commit that brought it"},
	},
}

var runnerSpec = stemma.KindSpec{
	Kind: stemma.KindRunner,
	Doc:  "what jobs run on: an image of a machine or a container, at one version",
	Columns: []stemma.Column{
		{Name: "system", Type: stemma.Text, Doc: "whose runner it is"},
		{Name: "name", Type: stemma.Text, Index: true, Doc: "of the image"},
		{Name: "version", Type: stemma.Text, Doc: "version or digest of the image"},
		{Name: "os", Type: stemma.Text, Doc: "operating system"},
		{Name: "arch", Type: stemma.Text, Doc: "kind of processor"},
		{Name: "pinned", Type: stemma.Bool, Doc: "its version cannot change what it is"},
	},
}
