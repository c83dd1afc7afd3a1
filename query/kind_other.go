package query

import "github.com/stemma-dev/stemma/query/filter"

// counted is a number that a subselect counts.
func counted(name, from, doc string) *field {
	return value(filter.Int, name, `(SELECT COUNT(*) FROM `+from+`)`, doc)
}

// uses are the times at which a model shows in sessions and changes.
const uses = `(SELECT us."started" AS at FROM k_session_model um JOIN k_session us ON us.id = um.id WHERE um."model" = c.id
	UNION ALL SELECT uc."merged" FROM k_change_credit uk JOIN k_change uc ON uc.id = uk.id WHERE uk."model" = c.id AND COALESCE(uc."dropped", 0) = 0) u`

// records are the facts about things of the graph; when each was recorded is for the log
// to say, and no part of what it commits to.
func records() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "records", Doc: "what was recorded, fact by fact: when it was so, and when it was told",
			Search:  []string{"ref"},
			Columns: []string{"position", "ref", "occurred", "recorded", "lag"},
		},
		from: `node_fact f JOIN fact r ON r.pos = f.pos JOIN node c ON c.id = f.node`, id: "c.id", key: "f.pos", tie: "f.pos",
		fields: []*field{
			value(filter.Int, "position", "f.pos", "its place in the log"),
			value(filter.Text, "ref", "c.ref", "what it is about, as a whole ref"),
			value(filter.Text, "kind", "c.kind", "sort of that: change, deployment"),
			value(filter.Time, "occurred", "f.occurred", "when it was so, as its source says"),
			value(filter.Time, "recorded", "r.recorded", "when it was recorded, by our clock"),
			value(filter.Span, "lag", "r.recorded - f.occurred", "how much later it was recorded than it was so"),
		},
	}
}

func models() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "models", Doc: "language models",
			Search:  []string{"name", "ref"},
			Columns: []string{"ref", "first-use", "last-use", "lines", "changes", "sessions"},
		},
		from: `k_model c`, id: "c.id", key: "c.id",
		fields: []*field{
			ref("ref", "c.id", toModel, "the model itself: model:anthropic/claude-…"),
			value(filter.Text, "name", `c."name"`, "as its source spells it"),
			value(filter.Text, "provider", `c."provider"`, "who makes it, or unlisted"),
			value(filter.Text, "family", `c."family"`, "name without its version"),
			value(filter.Text, "version", `c."version"`, "as far as the name tells it"),
			value(filter.Time, "first-use", `(SELECT MIN(u.at) FROM `+uses+`)`, "first session or change with it"),
			value(filter.Time, "last-use", `(SELECT MAX(u.at) FROM `+uses+`)`, "last session or change with it"),
			value(filter.Int, "lines", `(SELECT CAST(COALESCE(SUM(ur."count"), 0) AS BIGINT) FROM k_file_run ur JOIN k_file uf ON uf.id = ur.id
			JOIN k_repository up ON up.id = uf."repository" AND up."default_branch" = uf."branch" WHERE ur."model" = c.id)`, "lines of it on default branches today"),
			value(filter.Int, "changes", `(SELECT COUNT(DISTINCT uc.id) FROM k_change_credit uc JOIN k_change ud ON ud.id = uc.id WHERE uc."model" = c.id AND COALESCE(ud."dropped", 0) = 0)`, "changes with lines of it"),
			value(filter.Int, "sessions", `(SELECT COUNT(DISTINCT us.id) FROM k_session_model us WHERE us."model" = c.id)`, "sessions that used it"),
			choice("is", "sort", map[string]string{"named": `c."named" = 1`}),
		},
	}
}

func tickets() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "tickets", Doc: "pieces of work that somebody asked for",
			Search:  []string{"key", "title", "ref"},
			Columns: []string{"ref", "title", "state", "changes", "commits", "sessions"},
		},
		from: `k_ticket c`, id: "c.id", key: "c.id",
		fields: []*field{
			ref("ref", "c.id", toTicket, "the ticket itself: ticket:jira/PAY-17"),
			value(filter.Text, "key", `c."key"`, "its name there: PAY-17"),
			value(filter.Text, "tracker", `c."tracker"`, "where it is kept"),
			value(filter.Words, "title", `c."title"`, "title"),
			value(filter.Text, "state", `c."state"`, "as the tracker says"),
			value(filter.Text, "url", `c."url"`, "page of it"),
			ref("requirement", "e.dst", toRequirement, "requirements it serves").many(`edge e`, "e.src", door("e.door", "refines")),
			ref("change", "e.src", toChange, "changes that implement it").many(`edge e JOIN k_change ec ON ec.id = e.src`, "e.dst", door("e.door", "implements")),
			ref("commit", "e.src", toCommit, "commits that work on it").many(`edge e JOIN k_commit ec ON ec.id = e.src`, "e.dst", door("e.door", "implements")),
			ref("session", "e.src", toSession, "sessions that were asked to do it").many(`edge e`, "e.dst", door("e.door", "works-on")),
			counted("changes", `edge e JOIN k_change ec ON ec.id = e.src WHERE e.dst = c.id AND COALESCE(ec."dropped", 0) = 0 AND `+door("e.door", "implements"), "changes that implement it"),
			counted("commits", `edge e JOIN k_commit ec ON ec.id = e.src WHERE e.dst = c.id AND `+door("e.door", "implements"), "commits that work on it"),
			counted("sessions", `edge e WHERE e.dst = c.id AND `+door("e.door", "works-on"), "sessions that were asked to do it"),
		},
	}
}

// satisfying are changes with the requirements that they satisfy, themselves or by the
// tickets that they implement; perhaps twice.
var satisfying = `(SELECT e.src AS change, e.dst AS requirement FROM edge e WHERE ` + door("e.door", "satisfies") + `
	UNION ALL SELECT i.src, r.dst FROM edge r JOIN edge i ON i.dst = r.src AND ` + door("i.door", "implements") + ` WHERE ` + door("r.door", "refines") + `)`

// satisfiers are the changes that satisfy the requirement c, once each.
var satisfiers = `SELECT e.src FROM edge e WHERE e.dst = c.id AND ` + door("e.door", "satisfies") + `
	UNION SELECT i.src FROM edge r JOIN edge i ON i.dst = r.src AND ` + door("i.door", "implements") + ` WHERE r.dst = c.id AND ` + door("r.door", "refines")

func requirements() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "requirements", Doc: "what the software has to do",
			Search:  []string{"key", "title", "ref"},
			Columns: []string{"ref", "title", "source", "tickets", "changes"},
		},
		from: `k_requirement c`, id: "c.id", key: "c.id",
		fields: []*field{
			ref("ref", "c.id", toRequirement, "the requirement itself: requirement:jira/PAY-1"),
			value(filter.Text, "key", `c."key"`, "its name there"),
			value(filter.Text, "source", `c."source"`, "where it is written down"),
			value(filter.Words, "title", `c."title"`, "title"),
			value(filter.Text, "url", `c."url"`, "page of it"),
			ref("ticket", "e.src", toTicket, "tickets that serve it").many(`edge e JOIN k_ticket ec ON ec.id = e.src`, "e.dst", door("e.door", "refines")),
			ref("change", "sr.change", toChange, "changes that satisfy it, themselves or by a ticket").many(satisfying+` sr JOIN k_change sc ON sc.id = sr.change`, "sr.requirement", ""),
			counted("tickets", `edge e JOIN k_ticket ec ON ec.id = e.src WHERE e.dst = c.id AND `+door("e.door", "refines"), "tickets that serve it"),
			counted("changes", `k_change sc WHERE sc.id IN (`+satisfiers+`) AND COALESCE(sc."dropped", 0) = 0`, "changes that satisfy it"),
		},
	}
}
