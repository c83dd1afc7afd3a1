// Package pipeline keeps what machines did with a change before it shipped:
// runs, tests, scans, and the digest of the configuration that told them to.
//
// Refs: run:SYSTEM/ID, test:SYSTEM/ID, scan:SYSTEM/ID with ids of the system
// that ran, attempts included, see [AttemptRef]; config:HOST/OWNER/NAME:BLOB:PATH.
//
// Doors lead up to commits and changes, from tests and scans up to their run,
// aside to the configuration.
//
// The package does no I/O, and a run whose conclusion is not told never passed.
package pipeline

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name:  "pipeline",
	Kinds: []stemma.KindSpec{runSpec, testSpec, scanSpec, configSpec},
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
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it ran"},
		{Name: "by", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "who made it run"},
		{Name: "part-of", To: []stemma.Kind{stemma.KindRun}, Flow: stemma.Up, Doc: "the run of which it is a job"},
		{Name: "of", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Up, Doc: "what it ran on"},
		{Name: "of-change", To: []stemma.Kind{stemma.KindChange}, Flow: stemma.Up, Doc: "the change it ran for"},
		{Name: "uses", To: []stemma.Kind{stemma.KindConfig}, Doc: "configuration that told it what to do"},
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
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it is"},
		{Name: "at", To: []stemma.Kind{stemma.KindCommit}, Doc: "commit that brought it"},
	},
}
