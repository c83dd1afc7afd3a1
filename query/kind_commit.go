package query

import "github.com/stemma-dev/stemma/query/filter"

func commits() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "commits", Doc: "single commits",
			Search:  []string{"title", "sha", "ref"},
			Columns: []string{"sha", "title", "committed", "author", "author-class", "added", "deleted", "model"},
			Order:   []filter.Order{{Name: "committed", Desc: true}},
		},
		from: `k_commit c`, id: "c.id", key: "c.id", driver: "committed",
		fields: concat([]*field{
			ref("ref", "c.id", toCommit, "the commit itself: commit:sha1/9f2c…"),
			value(filter.Hash, "sha", `c."sha"`, "its hash, or the beginning of it"),
			ref("repo", `c."repository"`, toRepository, "repository"),
			ref("author", `c."author"`, toPerson, "who wrote it"),
			ref("committer", `c."committer"`, toPerson, "who committed it"),
			ref("coauthor", "e.dst", toPerson, "who is named as another author").many(`edge e`, "e.src", door("e.door", "coauthor")),
			value(filter.Time, "authored", `c."authored"`, "when it was written"),
			value(filter.Time, "committed", `c."committed"`, "when it was committed"),
			value(filter.Words, "title", `c."title"`, "first line of the message"),
			value(filter.Words, "message", `c."message"`, "the whole message"),
			value(filter.Text, "signature", `c."signature"`, "form of its signature, not verified"),
			value(filter.Text, "change-id", `c."change_id"`, "Gerrit's Change-Id"),
			value(filter.Trailer, "trailer", `tr."key"`, "a trailer of the message: Key, or Key=value; of one that names somebody, Key=name").
				many(`k_commit_trailer tr`, "tr.id", ""),
			ref("model", "cr.model", toModel, "models that wrote some of it, or that it names").many(commitModels, "cr.id", ""),
			value(filter.Text, "agent", "cr.agent", "agents that wrote some of it, or that it names").many(commitAgents, "cr.id", ""),
			ref("session", "e.dst", toSession, "sessions it came from").many(`edge e`, "e.src", door("e.door", "session")),
			ref("ticket", "e.dst", toTicket, "tickets it works on").many(`edge e`, "e.src", door("e.door", "implements")),
			ref("change", "e.src", toChange, "changes that carried it").many(`edge e`, "e.dst", door("e.door", "carries")),
			value(filter.Path, "path", `cf."path"`, "files it touches").many(`k_commit_file cf`, "cf.id", ""),
			condition("release", toRelease, "releases that contain it", `c.id IN `+reaching),
			enum("author-class", `c."author_class"`, "who wrote its lines", classes),
		}, lineCounts("c"), []*field{
			count("added", `c."added"`, "lines added"),
			count("deleted", `c."deleted"`, "lines deleted"),
			number("files", `c."files"`, "files touched"),
			number("parents", `c."parents"`, "how many parents"),
			enum("grade", gradeOf("c.id"), "best evidence about it", "a b c d"),
			choice("is", "class, shape and fate", with(oneOf(`c."author_class"`, "ai", "human", "mixed", "unknown"), map[string]string{
				"merge":    `c."merge" = 1`,
				"default":  `c."on_default" = 1`,
				"signed":   `c."signature" <> ''`,
				"root":     `COALESCE(c."parents", 0) = 0`,
				"revert":   `EXISTS (SELECT 1 FROM edge e WHERE e.src = c.id AND ` + door("e.door", "reverts") + `)`,
				"reverted": `EXISTS (SELECT 1 FROM edge e WHERE e.dst = c.id AND ` + door("e.door", "reverts") + `)`,
				"picked":   `EXISTS (SELECT 1 FROM edge e WHERE e.src = c.id AND ` + door("e.door", "picked-from") + `)`,
			})),
		}),
	}
}

// What wrote a commit is told by attributions, which count lines, and by the
// commit's own words.
const (
	commitModels = `(SELECT at."commit" AS id, ac."model" AS model FROM k_attribution at JOIN k_attribution_credit ac ON ac.id = at.id
		UNION ALL SELECT ae.src, ae.dst FROM edge ae JOIN k_model am ON am.id = ae.dst WHERE ae.door IN (SELECT d.id FROM door d WHERE d.name = 'assisted-by')) cr`
	commitAgents = `(SELECT at."commit" AS id, ac."agent" AS agent FROM k_attribution at JOIN k_attribution_credit ac ON ac.id = at.id
		UNION ALL SELECT ae.src, ag."name" FROM edge ae JOIN k_agent ag ON ag.id = ae.dst WHERE ae.door IN (SELECT d.id FROM door d WHERE d.name = 'assisted-by')) cr`
)

const deletedTag = `COALESCE(c."deleted", 0) = 1`

func releases() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "releases", Doc: "tags",
			Search:  []string{"name", "title", "ref"},
			Columns: []string{"ref", "name", "tagged", "title", "target"},
			Order:   []filter.Order{{Name: "tagged", Desc: true}},
			Past:    "deleted",
		},
		from: `k_release c`, id: "c.id", key: "c.id", driver: "tagged", past: deletedTag,
		fields: []*field{
			ref("ref", "c.id", toRelease, "the release itself"),
			ref("repo", `c."repository"`, toRepository, "repository"),
			value(filter.Text, "name", `c."name"`, "name of the tag"),
			value(filter.Words, "title", `c."title"`, "first line of its message"),
			value(filter.Time, "tagged", `c."tagged"`, "when it was made"),
			ref("target", `c."target"`, toCommit, "commit it tags"),
			ref("tagger", "e.dst", toPerson, "who made it").many(`edge e`, "e.src", door("e.door", "tagger")),
			value(filter.Text, "signature", `c."signature"`, "form of its signature, not verified"),
			choice("is", "form", map[string]string{
				"annotated": `c."annotated" = 1`, "signed": `c."signature" <> ''`, "deleted": deletedTag,
			}),
		},
	}
}
