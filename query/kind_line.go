package query

import "github.com/stemma-dev/stemma/query/filter"

const lineDoc = "lines of files at the tip of a branch, in runs of one origin; groups count lines"

func lines() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "lines", Doc: lineDoc,
			Search:  []string{"path", "commit"},
			Columns: []string{"path", "start", "count", "origin", "basis", "agent", "model", "session", "commit"},
		},
		from: `k_file f JOIN k_file_run c ON c.id = f.id`, id: "f.id", key: "c.id, c.seq", tie: "c.seq",
		branch: `f."branch"`, repo: `f."repository"`, weight: `COALESCE(c."count", 0)`,
		walk: walk{ // CROSS JOIN keeps SQLite to this order
			from:  `node o CROSS JOIN k_file f CROSS JOIN k_file_run c`,
			where: `o.ref >= 'file:' AND o.ref < 'file;' AND f.id = o.id AND c.id = f.id`,
			order: `o.ref, c.seq`,
		},
		fields: []*field{
			ref("repo", `f."repository"`, toRepository, "repository"),
			value(filter.Path, "path", `f."path"`, "file"),
			number("start", `c."start"`, "first line of the run"),
			number("count", `c."count"`, "lines of the run"),
			enum("origin", `c."origin"`, "who wrote them", "ai human unknown").alias("author-class"),
			value(filter.Text, "basis", `c."basis"`, "how that is known"),
			value(filter.Text, "reason", `c."reason"`, "why it is not known"),
			value(filter.Text, "agent", `c."agent"`, "agent that wrote them"),
			ref("model", `c."model"`, toModel, "model that wrote them"),
			value(filter.Text, "model-name", `c."model_name"`, "model as its source spells it"),
			ref("session", `c."session"`, toSession, "session they came from"),
			ref("commit", `c."commit"`, toCommit, "commit that brought them"),
			value(filter.Time, "committed", `(SELECT k."committed" FROM k_commit k WHERE k.id = c."commit")`, "when they were brought"),
			ref("author", `(SELECT k."author" FROM k_commit k WHERE k.id = c."commit")`, toPerson, "author of the commit that brought them"),
			value(filter.Text, "original-path", `c."path"`, "file there, if it had another path"),
			number("original-line", `c."line"`, "first line there"),
			choice("is", "origin", oneOf(`c."origin"`, "ai", "human", "unknown")),
		},
	}
}

// deletedFile is true of a path that is not at the tip any more.
const deletedFile = `COALESCE(c."deleted", 0) = 1`

func files() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "files", Doc: "files at the tip of a branch",
			Search:  []string{"path"},
			Columns: []string{"path", "lines", "ai-lines", "human-lines", "unknown-lines", "ai-share"},
			Past:    "deleted",
		},
		from: `k_file c`, id: "c.id", key: "c.id", past: deletedFile,
		branch: `c."branch"`, repo: `c."repository"`,
		fields: concat([]*field{
			ref("ref", "c.id", toFile, "the file itself"),
			ref("repo", `c."repository"`, toRepository, "repository"),
			value(filter.Path, "path", `c."path"`, "its path"),
			value(filter.Hash, "blob", `c."blob"`, "hash of its content"),
			ref("tip", `c."commit"`, toCommit, "commit it was read at"),
			count("lines", `c."lines"`, "how many lines"),
		}, lineCounts("c"), []*field{
			ref("model", `r."model"`, toModel, "models that wrote some of it").many(`k_file_run r`, "r.id", ""),
			value(filter.Text, "agent", `r."agent"`, "agents that wrote some of it").many(`k_file_run r`, "r.id", ""),
			ref("session", `r."session"`, toSession, "sessions it came from").many(`k_file_run r`, "r.id", ""),
			ref("commit", `r."commit"`, toCommit, "commits it came from").many(`k_file_run r`, "r.id", ""),
			choice("is", "what became of it", map[string]string{"deleted": deletedFile}),
		}),
	}
}
