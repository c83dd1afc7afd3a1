package query

import "github.com/stemma-dev/stemma/query/filter"

// summed is what the rows of a table about a run add up to; not there without any.
func summed(name, column, table, doc string) *field {
	return value(filter.Int, name, `(SELECT CAST(SUM(t."`+column+`") AS BIGINT) FROM `+table+` t WHERE t."run" = c.id)`, doc)
}

func runs() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "runs", Doc: "attempts of pipelines, and their jobs",
			Search:  []string{"name", "branch", "commit", "ref"},
			Columns: []string{"ref", "started", "repo", "branch", "commit", "attempt", "conclusion", "passed", "failed", "findings", "artifact"},
			Order:   []filter.Order{{Name: "started", Desc: true}},
		},
		from: `k_run c`, id: "c.id", key: "c.id", driver: "started",
		fields: []*field{
			ref("ref", "c.id", toRun, "the run itself: run:github-actions/…"),
			value(filter.Text, "system", `c."system"`, "what ran it: github-actions"),
			value(filter.Text, "name", `c."name"`, "of the workflow or job"),
			value(filter.Int, "number", `c."number"`, "as people see it"),
			value(filter.Int, "attempt", `c."attempt"`, "from 1"),
			enum("status", `c."status"`, "how far it is", "queued running completed"),
			enum("conclusion", `c."conclusion"`, "how it ended", "success failure cancelled skipped unknown"),
			value(filter.Text, "reason", `c."reason"`, "why it failed, as the system says"),
			ref("commit", `c."commit"`, toCommit, "what it ran on"),
			ref("change", "e.dst", toChange, "changes it ran for").many(`edge e`, "e.src", door("e.door", "of-change")),
			value(filter.Time, "started", `c."started"`, "when it began"),
			value(filter.Time, "ended", `c."ended"`, "when it ended"),
			value(filter.Text, "trigger", `c."trigger"`, "why it ran, as the system says: push, schedule"),
			value(filter.Text, "branch", `c."branch"`, "what it ran for"),
			ref("repo", `c."repository"`, toRepository, "where it ran"),
			ref("actor", `c."actor"`, toPerson, "who made it run"),
			ref("part-of", `c."part_of"`, toRun, "the run of which it is a job"),
			summed("passed", "passed", "k_test", "tests that passed, of those it reported"),
			summed("failed", "failed", "k_test", "tests that failed"),
			summed("findings", "findings", "k_scan", "what its scanners found"),
			ref("artifact", "e.src", toArtifact, "what it built").many(`edge e JOIN k_artifact ea ON ea.id = e.src`, "e.dst", door("e.door", "built-by")),
			ref("deployment", "e.src", toDeployment, "deployments that it did").many(`edge e JOIN k_deployment ed ON ed.id = e.src`, "e.dst", door("e.door", "run")),
			enum("grade", gradeOf("c.id"), "best evidence about it", "a b c d"),
			value(filter.Text, "url", `c."url"`, "page of it"),
			choice("is", "how it ended; whole runs or jobs of one; repeated: not the first attempt", with(oneOf(`c."conclusion"`, "success", "failure", "cancelled"), map[string]string{
				"whole": `c."part_of" IS NULL`, "job": `c."part_of" IS NOT NULL`, "repeated": `c."attempt" > 1`,
			})),
		},
	}
}
