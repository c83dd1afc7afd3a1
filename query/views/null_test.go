package views

import (
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// unknownAsNull are the numbers of views that can be NULL, as docs/query.md says.
var unknownAsNull = map[string]string{
	"v1_change": "number ai_lines human_lines unknown_lines",
	"v1_commit": "ai_lines human_lines unknown_lines",

	"v1_session":           "cost_micro_usd",
	"v1_session_model":     "cost_micro_usd",
	"v1_session_tool_call": "turn",

	"v1_deployment": "orphans direct",

	"v1_policy_control":     "version",
	"v1_assessment":         "score due",
	"v1_assessment_finding": "version",
	"v1_assessment_factor":  "weight signal",
}

// bare are records of every sort that has a view, with as little in them as can be.
func bare(t *testing.T) []stemma.Fact {
	t.Helper()
	repo := change.RepositoryRef("git.example", "acme/pay")
	commit := change.Commit{SHA: querytest.SHA(1), Author: querytest.Person(1), Files: []change.File{{Path: "a"}}}
	type stater interface {
		Fact(source string, grade stemma.Grade) (stemma.Fact, error)
	}
	var facts []stemma.Fact
	for _, r := range []stater{
		change.Repository{ID: repo, Occurred: 1},
		commit,
		change.Change{Repository: repo, MergeCommit: commit.Ref(), Merged: 1, Credits: []change.Credit{{Origin: "ai"}}, Fixes: []change.Fix{{Method: "declared"}}},
		change.Release{Repository: repo, Name: "v1", Tagged: 1},
		attribution.File{Repository: repo, Branch: "main", Path: "a", Commit: commit.Ref(), Occurred: 1, Runs: []attribution.Run{{Origin: "unknown"}}},
		session.Session{Tool: "codex", ExternalID: "s", Started: 1, Models: []session.ModelUse{{Name: "x"}}, Turns: []session.Turn{{Role: "user"}}, ToolCalls: []session.ToolCall{{Tool: "t"}}, Files: []session.File{{Path: "a"}}, Configs: []session.Config{{Kind: session.ConfigRules}}},
		attribution.Attribution{Commit: commit.Ref(), Format: "git-ai", Occurred: 1},
		identity.ParseModel("gpt-5"),
		intent.Ticket{Tracker: "jira", Key: "PAY-1", Occurred: 1},
		intent.Requirement{Source: "jira", Key: "REQ-1", Occurred: 1},
		change.Push{Repository: repo, Name: "refs/heads/main", After: querytest.SHA(1), Pushed: 1},
		change.Protection{Repository: repo, Pattern: "main"},
		review.Review{ID: review.Ref("git.example", "1")},
		pipeline.Run{ID: pipeline.RunRef("ci", "1")},
		pipeline.Test{ID: pipeline.TestRef("ci", "1"), Failures: []pipeline.Failure{{Name: "t"}}},
		pipeline.Scan{ID: pipeline.ScanRef("ci", "1"), Found: []pipeline.Finding{{Rule: "r"}}},
		pipeline.Config{Repository: repo, Path: "ci.yml", Blob: "aa", Pins: []pipeline.Pin{{Uses: "x"}}},
		artifact.Artifact{Digest: "sha256:00"},
		artifact.Attestation{ID: artifact.AttestationRef(stemma.Sum(nil))},
		artifact.Bom{ID: artifact.BomRef(stemma.Sum(nil)), Format: "spdx", Components: []artifact.Component{{Name: "c"}}},
		artifact.Package{ID: artifact.PackageRef("npm", "x"), PURL: "pkg:npm/x", Asked: 1},
		deployment.Deployment{ID: deployment.Ref("prod", "1")},
		deployment.Environment{Name: "prod"},
		deployment.Snapshot{ID: deployment.SnapshotRef("prod", "1"), Environment: deployment.EnvironmentRef("prod"), Running: []deployment.Running{{Name: "x"}}},
		incident.Incident{Source: "pagerduty", Key: "1"},
		governance.Policy{ID: governance.PolicyRef("sha256:00"), Since: 1, Controls: []governance.PolicyControl{{Control: "REV-01"}}},
		governance.Assessment{ID: governance.AssessmentRef("change:x/y"), Change: "change:x/y", Evaluated: 1, Trigger: "asked", Findings: []governance.Finding{{Control: "REV-01", State: "pass"}}, Factors: []governance.Factor{{Name: "size"}}},
		governance.Exception{ID: governance.ExceptionRef("REV-01", "1")},
		governance.Advisory{ID: governance.AdvisoryRef("x", "1"), Published: 1, Affects: []governance.Affected{{Package: "pkg:npm/x", Event: "unknown"}}},
		governance.Round{ID: governance.RoundRef("time", "1"), Trigger: "time", Started: 1, Turns: []governance.Turn{{Change: "change:x/y", Control: "REV-01"}}},
		identity.NewTie(identity.TieNoreply, querytest.Person(1), querytest.Person(2)),
		identity.Mandate{Holder: querytest.Person(1), Role: "maintainer", Method: identity.MandateMap},
		review.Standing{Review: review.Ref("git.example", "1"), Role: "owner", Method: review.StandingOwners},
	} {
		f, err := r.Fact("test", stemma.GradeD)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, f)
	}
	gap, err := stemma.Gap{Source: "test", Place: "a", Reason: "none", Seen: querytest.Noon()}.Fact()
	if err != nil {
		t.Fatal(err)
	}
	return append(facts, gap)
}

func TestCountsAndTruthsAreZeroAndNeverNull(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		ctx, db := t.Context(), open()
		querytest.Tell(t, db, bare(t)...)
		if err := Ensure(ctx, db); err != nil {
			t.Fatal(err)
		}
		for _, v := range views() {
			for _, c := range v.cols {
				if c.kind != count {
					continue
				}
				var rows, known, zeros int
				err := db.Read(ctx, func(tx *storage.Tx) error {
					q := `SELECT COUNT(*), COUNT("` + c.name + `"), COUNT(CASE WHEN "` + c.name + `" = 0 THEN 1 END) FROM ` + v.name
					return tx.QueryRow(ctx, q).Scan(&rows, &known, &zeros)
				})
				if err != nil {
					t.Fatal(err)
				}
				if rows == 0 || known != rows || zeros != rows && c.name != "named" {
					t.Errorf("%s.%s: of %d rows %d are not NULL and %d are 0", v.name, c.name, rows, known, zeros)
				}
			}
		}
	})
}

// TestNumbersOfViewsAreCountsOrCanBeUnknown goes by what the rooms declare, so
// that a column that is added is thought about.
func TestNumbersOfViewsAreCountsOrCanBeUnknown(t *testing.T) {
	kinds := map[string]stemma.ColumnType{} // table and column
	for _, spec := range lineage.Specs() {
		table := "k_" + strings.ReplaceAll(string(spec.Kind), "-", "_")
		for _, c := range spec.Columns {
			kinds[table+"."+c.Name] = c.Type
		}
		for _, l := range spec.Lists {
			for _, c := range l.Columns {
				kinds[table+"_"+l.Name+"."+c.Name] = c.Type
			}
		}
	}
	for _, v := range views() {
		tables := map[string]string{} // by alias
		words := strings.Fields(v.from)
		for i, w := range words {
			if strings.HasPrefix(w, "k_") {
				tables[words[i+1]] = w
			}
		}
		for _, c := range v.cols {
			alias, column, _ := strings.Cut(c.expr, ".")
			typ := kinds[tables[alias]+"."+strings.Trim(column, `"`)]
			number := typ == stemma.Int || typ == stemma.Bool
			unknown := slices.Contains(strings.Fields(unknownAsNull[v.name]), c.name)
			if number && unknown == (c.kind == count) {
				t.Errorf("%s.%s is a number: it must be a count, or be NULL where it is not known and listed as such", v.name, c.name)
			}
			if !number && c.kind == count {
				t.Errorf("%s.%s is shown as a count, but is declared as %q", v.name, c.name, typ)
			}
		}
	}
}
