package query

import (
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query/filter"
)

// last is true of the latest snapshot of its environment.
const last = `NOT EXISTS (SELECT 1 FROM k_snapshot ls WHERE ls."environment" = c."environment" AND (ls."taken" > c."taken" OR ls."taken" = c."taken" AND ls.id > c.id))`

// now is true of a deployment that nothing is known to have replaced.
const now = `c."status" = 'success' AND (` + deployed.Until + `) IS NULL`

func deployments() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "deployments", Doc: "versions put into environments",
			Search:  []string{"version", "service", "ref"},
			Columns: []string{"ref", "environment", "service", "version", "status", "at", "until"},
			Order:   []filter.Order{{Name: "at", Desc: true}},
		},
		from: `k_deployment c`, id: "c.id", key: "c.id", driver: "at",
		fields: []*field{
			ref("ref", "c.id", toDeployment, "the deployment itself: deployment:prod/…"),
			ref("environment", `c."environment"`, toEnvironment, "where").alias("env"),
			value(filter.Text, "service", `c."service"`, "what of the environment: a component, or a repository"),
			value(filter.Text, "version", `c."version"`, "as people call it"),
			enum("status", `c."status"`, "how it went", "pending running success failure inactive unknown"),
			value(filter.Time, "at", `c."at"`, "when it was put there"),
			value(filter.Time, "until", deployed.Until, "when another took its place"),
			ref("repo", `c."repository"`, toRepository, "whose software it is"),
			ref("actor", `c."actor"`, toPerson, "who made it so"),
			value(filter.Text, "task", `c."task"`, "as the system says: deploy, rollback"),
			ref("artifact", "e.dst", toArtifact, "artifacts it ships").many(`edge e JOIN k_artifact ea ON ea.id = e.dst`, "e.src", door("e.door", "ships")),
			ref("commit", "e.dst", toCommit, "commits it ships").many(`edge e JOIN k_commit ec ON ec.id = e.dst`, "e.src", door("e.door", "ships")),
			ref("run", "e.dst", toRun, "runs that did it").many(`edge e`, "e.src", door("e.door", "run")),
			ref("replaces", "e.dst", toDeployment, "what was there before").many(`edge e`, "e.src", door("e.door", "replaces")),
			enum("grade", gradeOf("c.id"), "best evidence about it", "a b c d"),
			value(filter.Text, "url", `c."url"`, "page of it"),
			choice("is", "how it stands", with(oneOf(`c."status"`, "pending", "success", "failure"), map[string]string{"live": now})),
		},
	}
}

func running() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "running", Doc: "what was seen to run in environments, and what explains it",
			Search:  []string{"name", "image"},
			Columns: []string{"environment", "name", "image", "artifact", "deployment", "why", "taken"},
			Order:   []filter.Order{{Name: "taken", Desc: true}},
		},
		from: `k_snapshot c JOIN k_snapshot_running r ON r.id = c.id`, id: "c.id", key: "c.id, r.seq", tie: "r.seq", driver: "taken",
		fields: []*field{
			ref("snapshot", "c.id", toSnapshot, "the snapshot that shows it"),
			ref("environment", `c."environment"`, toEnvironment, "where").alias("env"),
			value(filter.Time, "taken", `c."taken"`, "when it was seen"),
			value(filter.Text, "name", `r."name"`, "workload and container"),
			value(filter.Text, "image", `r."image"`, "as it was asked for"),
			ref("artifact", `r."artifact"`, toArtifact, "what ran, if it was told by digest"),
			ref("deployment", `r."deployment"`, toDeployment, "what explains it"),
			value(filter.Text, "why", `r."why"`, "why nothing explains it"),
			choice("is", "explained or not; latest: in the last snapshot of its environment", map[string]string{
				"explained": `COALESCE(r."explained", 0) = 1`, "unexplained": `COALESCE(r."explained", 0) = 0`, "latest": last,
			}),
		},
	}
}
