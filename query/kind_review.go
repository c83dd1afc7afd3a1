package query

import "github.com/stemma-dev/stemma/query/filter"

// roles are those in which reviews were given: what the forge said with them, and what
// was found out about that moment.
const roles = `(SELECT rv.id AS id, rv."role" AS role, 'forge' AS method FROM k_review rv WHERE rv."role" <> ''
	UNION ALL SELECT st."review", st."role", st."method" FROM k_standing st WHERE COALESCE(st."withdrawn", 0) = 0) rs`

// stale is true of a review that saw another head than the one its change has now.
const stale = `c."head" <> ch."head"`

func reviews() *kind {
	reviewer := self(`c."reviewer"`)
	return &kind{
		Kind: filter.Kind{
			Name: "reviews", Doc: "judgements of changes, with the role that the reviewer had at that moment",
			Search:  []string{"change", "ref"},
			Columns: []string{"ref", "change", "reviewer", "role", "verdict", "head", "submitted", "standing"},
			Order:   []filter.Order{{Name: "submitted", Desc: true}},
		},
		from: `k_review c LEFT JOIN k_change ch ON ch.id = c."change"`, id: "c.id", key: "c.id", driver: "submitted",
		fields: []*field{
			ref("ref", "c.id", toReview, "the review itself: review:github.com/…"),
			ref("change", `c."change"`, toChange, "what was judged"),
			ref("repo", `ch."repository"`, toRepository, "repository"),
			ref("reviewer", `c."reviewer"`, toPerson, "who judged"),
			ref("author", `ch."author"`, toPerson, "who brought the change"),
			value(filter.Text, "role", `rs.role`, "as what the reviewer judged: owner, maintainer, member").many(roles, "rs.id", ""),
			value(filter.Text, "role-method", `rs.method`, "how a role is known: forge, forge-member, forge-team, codeowners, role-map").many(roles, "rs.id", ""),
			enum("verdict", `c."verdict"`, "what it says", "approved rejected commented requested"),
			value(filter.Time, "submitted", `c."submitted"`, "when it was given"),
			ref("head", `c."head"`, toCommit, "the commit that was seen"),
			enum("standing", `CASE WHEN COALESCE(c."dismissed", 0) = 1 THEN 'dismissed' WHEN `+stale+` THEN 'stale' ELSE 'counts' END`,
				"whether it counts still; stale: the change had another head in the end", "counts stale dismissed"),
			number("comments", `c."comments"`, "how many remarks it made"),
			value(filter.Text, "method", `c."method"`, "how it is known: event, trailer, attestation"),
			enum("grade", gradeOf("c.id"), "best evidence about it", "a b c d"),
			value(filter.Text, "url", `c."url"`, "page of it"),
			choice("is", "how it stands; self: by the author of the change, or of a commit of it; driver: by who drove an agent that wrote some of it; stale: of a head that is not the last",
				with(oneOf(`c."verdict"`, "approved", "rejected", "commented", "requested"), map[string]string{
					"dismissed": `COALESCE(c."dismissed", 0) = 1`,
					"stale":     stale,
					"self": reviewer + ` = ` + self(`ch."author"`) + ` OR EXISTS (SELECT 1 FROM edge e JOIN k_commit ck ON ck.id = e.dst
						WHERE e.src = c."change" AND ` + door("e.door", "carries") + ` AND ` + written("ck") + ` AND ` + self(`ck."author"`) + ` = ` + reviewer + `)`,
					"driver": `EXISTS (SELECT 1 FROM k_change_credit cr JOIN edge e ON e.src = cr."session" AND ` + door("e.door", "operator") + `
						WHERE cr.id = c."change" AND ` + self(`e.dst`) + ` = ` + reviewer + `)
						OR EXISTS (SELECT 1 FROM edge e WHERE e.src = c."change" AND ` + door("e.door", "driver") + ` AND ` + self(`e.dst`) + ` = ` + reviewer + `)`,
				})),
		},
	}
}
