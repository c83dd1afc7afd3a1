package query

import "github.com/stemma-dev/stemma/query/filter"

func changes() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "changes", Doc: "what landed on a branch as one decision: merge requests, squashes, direct pushes",
			Search:  []string{"title", "number", "commit", "ticket", "ref"},
			Columns: []string{"ref", "title", "merged", "author", "intent", "author-class", "ai-share", "model"},
			Order:   []filter.Order{{Name: "merged", Desc: true}},
			Past:    "dropped",
		},
		from: `k_change c`, id: "c.id", key: "c.id", driver: "merged", past: droppedChange,
		fields: concat([]*field{
			ref("ref", "c.id", toChange, "the change itself: change:github.com/acme/pay#142"),
			ref("repo", `c."repository"`, toRepository, "repository"),
			value(filter.Int, "number", `c."number"`, "number of the merge request"),
			value(filter.Words, "title", `c."title"`, "title"),
			value(filter.Time, "merged", `c."merged"`, "when it landed"),
			enum("state", `c."state"`, "of the merge request, as the forge told it", "open merged closed"),
			value(filter.Time, "opened", `c."opened"`, "when it was proposed"),
			ref("head", "e.dst", toCommit, "commits that it showed for review").many(`edge e`, "e.src", door("e.door", "head")),
			ref("author", `c."author"`, toPerson, "who opened or pushed it"),
			ref("merged-by", "e.dst", toPerson, "who let it in").many(`edge e`, "e.src", door("e.door", "merged-by")),
			ref("driver", "e.dst", toPerson, "who drove the agent that brought it").many(`edge e`, "e.src", door("e.door", "driver")),
			enum("intent", `c."intent"`, "what it is meant to do", intents).alias("type"),
			value(filter.Text, "intent-method", `c."intent_method"`, "how the intent is known"),
			value(filter.Text, "method", `c."method"`, "how it landed: merge, squash, rebase, direct"),
			value(filter.Text, "platform", `c."platform"`, "forge"),
			value(filter.Text, "branch", `c."branch"`, "branch it came from"),
			value(filter.Text, "target", `c."target"`, "branch it landed on"),
			ref("model", `cr."model"`, toModel, "models that wrote some of it").many(`k_change_credit cr`, "cr.id", ""),
			value(filter.Text, "agent", `cr."agent"`, "agents that wrote some of it").many(`k_change_credit cr`, "cr.id", ""),
			ref("session", `cr."session"`, toSession, "sessions that wrote some of it").many(`k_change_credit cr`, "cr.id", ""),
			ref("ticket", "e.dst", toTicket, "tickets it implements").many(`edge e`, "e.src", door("e.door", "implements")),
			ref("requirement", "sr.requirement", toRequirement, "requirements it satisfies, itself or by a ticket").many(satisfying+` sr`, "sr.change", ""),
			ref("commit", "e.dst", toCommit, "commits it carries").many(`edge e`, "e.src", door("e.door", "carries")),
			value(filter.Path, "path", `cf."path"`, "files its commits touch").
				many(`edge e JOIN k_commit_file cf ON cf.id = e.dst`, "e.src", door("e.door", "carries")),
			value(filter.Text, "component", `cp."path"`, "components it touches").many(`k_change_component cp`, "cp.id", ""),
			condition("release", toRelease, "releases that contain it",
				`c.id IN (SELECT e.src FROM edge e WHERE `+door("e.door", "carries")+` AND e.dst IN `+reaching+`)`),
			ref("environment", `dp."environment"`, toEnvironment, "environments to which it was deployed").alias("env").
				many(`edge e JOIN k_deployment dp ON dp.id = e.src`, "e.dst", door("e.door", "brings")),
			ref("deployment", "e.src", toDeployment, "deployments that brought it").many(`edge e`, "e.dst", door("e.door", "brings")),
			live(),
			enum("author-class", `c."author_class"`, "who wrote its lines", classes),
			enum("fix-author", `c."fix_author"`, "of a fix: who wrote it", classes),
			enum("origin-author", `c."origin_author"`, "of a fix: who wrote what it mends", classes),
			value(filter.Text, "fix-method", `c."fix_method"`, "of a fix: how what it mends was found"),
			choice("same", "of a fix: what it has in common with a change it mends", map[string]string{
				"model":  sameCredit("model"),
				"agent":  sameCredit("agent"),
				"author": `EXISTS (SELECT 1 FROM k_change_fixes fx JOIN k_change o ON o.id = fx."change" WHERE fx.id = c.id AND ` + self(`o."author"`) + ` = ` + self(`c."author"`) + `)`,
			}),
		}, judged(), verdicts(), lineCounts("c"), []*field{
			count("added", `c."added"`, "lines added"),
			count("deleted", `c."deleted"`, "lines deleted"),
			number("files", `c."files"`, "files touched"),
			number("commits", `c."commits"`, "commits carried"),
			number("altered", `c."altered"`, "files in which what landed is not what its head and its branch make together"),
			number("its", `c."attempts"`, "iterations to success: commits that pipelines judged, up to the first that all of them found good").alias("attempts"),
			number("infrastructure-failures", `c."infrastructure_failures"`, "runs of it that tell nothing: cancelled, or what ran them failed"),
			number("reprompts", `c."reprompts"`, "prompts in its sessions after tests or pipelines had failed"),
			value(filter.Int, "turns", `(SELECT CAST(SUM(ts."turns") AS BIGINT) FROM k_session ts WHERE ts.id IN (SELECT e.dst FROM edge e WHERE e.src = c.id AND `+door("e.door", "session")+`))`,
				"messages of both sides in the sessions that it came from"),
			enum("grade", gradeOf("c.id"), "best evidence about it", "a b c d"),
			value(filter.Text, "url", `c."url"`, "page on the forge"),
			choice("is", "class, intent, way of landing; stale-approved: by somebody who saw an older head; driver-approved: by nobody but who drove the agents that wrote it", with(judgedSo(), with(
				with(oneOf(`c."author_class"`, "ai", "human", "mixed", "unknown"),
					oneOf(`c."intent"`, "feature", "fix", "security-fix", "refactor", "docs", "test", "build", "revert")),
				map[string]string{
					"merge": `c."method" = 'merge'`, "squash": `c."method" = 'squash'`, "direct": `c."method" = 'direct'`,
					"breaking": `c."breaking" = 1`, "green": `c."green" = 1`, "dropped": droppedChange,
					"reverted": `EXISTS (SELECT 1 FROM edge e WHERE e.dst = c.id AND ` + door("e.door", "reverts") + `)`,
				}))),
		}),
	}
}

// droppedChange is true of what a force push took off its target.
const droppedChange = `COALESCE(c."dropped", 0) = 1`

// sameCredit is true of a fix that shares a column of a credit with what it mends.
func sameCredit(column string) string {
	return `EXISTS (SELECT 1 FROM k_change_fixes fx JOIN k_change_credit o ON o.id = fx."change"
		JOIN k_change_credit m ON m.id = fx.id AND m."` + column + `" = o."` + column + `" WHERE fx.id = c.id)`
}
