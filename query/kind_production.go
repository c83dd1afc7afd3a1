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
			ref("change", "e.dst", toChange, "changes it brought").many(`edge e`, "e.src", door("e.door", "brings")),
			ref("ticket", "i.dst", toTicket, "tickets that changes it brought implement").
				many(`edge e JOIN edge i ON i.src = e.dst AND `+door("i.door", "implements"), "e.src", door("e.door", "brings")),
			ref("requirement", "sr.requirement", toRequirement, "requirements that changes it brought satisfy").
				many(`edge e JOIN `+satisfying+` sr ON sr.change = e.dst`, "e.src", door("e.door", "brings")),
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

// snapshotted is the number in a column of the latest snapshot of an environment.
func snapshotted(column string) string {
	return `(SELECT s."` + column + `" FROM k_snapshot s WHERE s."environment" = n.id ORDER BY s."taken" DESC, s.id DESC LIMIT 1)`
}

func environments() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "environments", Doc: "places where software runs",
			Search:  []string{"ref", "tier"},
			Columns: []string{"ref", "tier", "live", "deployments", "last-deployed", "incidents", "unexplained"},
			Order:   []filter.Order{{Name: "last-deployed", Desc: true}},
		},
		from: `node n LEFT JOIN k_environment c ON c.id = n.id`, id: "n.id", key: "n.id",
		where: `n.ref >= 'environment:' AND n.ref < 'environment;'`, // an index finds them, also those that are only named
		fields: []*field{
			ref("ref", "n.id", toEnvironment, "the environment itself: environment:prod"),
			value(filter.Text, "tier", `c."tier"`, "production, staging, testing, development, other"),
			counted("deployments", `k_deployment d WHERE d."environment" = n.id`, "versions that were put there, or were to be"),
			counted("live", `k_deployment c WHERE c."environment" = n.id AND `+now, "deployments that nothing is known to have replaced"),
			value(filter.Time, "last-deployed", `(SELECT MAX(d."at") FROM k_deployment d WHERE d."environment" = n.id)`, "when something was put there last"),
			counted("incidents", `k_incident i WHERE i."environment" = n.id`, "incidents there"),
			value(filter.Time, "seen", snapshotted("taken"), "when it was seen last what runs there"),
			value(filter.Int, "unexplained", snapshotted("unexplained"), "of what ran then, what no deployment explains"),
			ref("repo", `d."repository"`, toRepository, "whose software was put there").many(`k_deployment d`, `d."environment"`, ""),
		},
	}
}

// toCause is what may have caused an incident.
var toCause = &target{kinds: []string{"change", "commit", "deployment"}}

func incidents() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "incidents", Doc: "what broke",
			Search:  []string{"key", "title", "service", "ref"},
			Columns: []string{"ref", "title", "severity", "state", "environment", "service", "opened", "resolved", "cause"},
			Order:   []filter.Order{{Name: "opened", Desc: true}},
		},
		from: `k_incident c`, id: "c.id", key: "c.id", driver: "opened",
		fields: []*field{
			ref("ref", "c.id", toIncident, "the incident itself: incident:pagerduty/Q1"),
			value(filter.Text, "key", `c."key"`, "its name where it is kept"),
			value(filter.Text, "source", `c."source"`, "where it is kept: pagerduty"),
			value(filter.Words, "title", `c."title"`, "title"),
			value(filter.Text, "severity", `c."severity"`, "as its source says"),
			value(filter.Text, "state", `c."state"`, "as its source says"),
			ref("environment", `c."environment"`, toEnvironment, "where it broke").alias("env"),
			value(filter.Text, "service", `c."service"`, "what broke"),
			value(filter.Time, "opened", `c."opened"`, "when it was noticed"),
			value(filter.Time, "resolved", `c."resolved"`, "when it was over"),
			ref("cause", "e.dst", toCause, "confirmed causes").many(`edge e`, "e.src", door("e.door", "caused-by")),
			ref("suspect", "e.dst", toCause, "suspected causes").many(`edge e`, "e.src", door("e.door", "suspects")),
			ref("deployment", "e.dst", toDeployment, "deployments that caused it, or are suspected").
				many(`edge e JOIN k_deployment d ON d.id = e.dst`, "e.src", `e.door IN (SELECT d.id FROM door d WHERE d.name IN ('caused-by', 'suspects'))`),
			enum("grade", gradeOf("c.id"), "best evidence about it", "a b c d"),
			value(filter.Text, "url", `c."url"`, "page of it"),
			choice("is", "how far it is", map[string]string{
				"open": `c."resolved" IS NULL`, "over": `c."resolved" IS NOT NULL`,
				"explained": `EXISTS (SELECT 1 FROM edge e WHERE e.src = c.id AND ` + door("e.door", "caused-by") + `)`,
			}),
		},
	}
}
