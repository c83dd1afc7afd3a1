package query

// samePerson is true where two accounts are known to be one person's.
func samePerson(a, b string) string { return self(a) + ` = ` + self(b) }

// approving are the approvals of a change c that were not taken back.
const approving = `k_review rv WHERE rv."change" = c.id AND rv."verdict" = 'approved' AND COALESCE(rv."dismissed", 0) = 0`

// drove is true of a review rv by somebody who drove an agent that wrote some of c.
var drove = `EXISTS (SELECT 1 FROM k_change_credit dc JOIN edge oe ON oe.src = dc."session" AND ` + door("oe.door", "operator") + `
	WHERE dc.id = c.id AND ` + samePerson("oe.dst", `rv."reviewer"`) + `)`

// written is true of commits but merges without a line of their own: who makes one of
// those has only put together what others wrote.
func written(commit string) string {
	return `NOT (COALESCE(` + commit + `."merge", 0) = 1 AND COALESCE(` + commit + `."added", 0) + COALESCE(` + commit + `."deleted", 0) = 0)`
}

// wrote is true of a review rv by somebody who wrote a commit of c.
var wrote = `EXISTS (SELECT 1 FROM edge we JOIN k_commit wk ON wk.id = we.dst WHERE we.src = c.id AND ` + door("we.door", "carries") + `
	AND ` + written("wk") + ` AND ` + samePerson(`wk."author"`, `rv."reviewer"`) + `)`

// recanted is true of a review rv whose author rejected c later.
var recanted = `EXISTS (SELECT 1 FROM k_review lr WHERE lr."change" = c.id AND lr."verdict" = 'rejected' AND lr."submitted" > rv."submitted"
	AND ` + samePerson(`lr."reviewer"`, `rv."reviewer"`) + `)`

// judged are the fields of changes about who approved them.
func judged() []*field {
	return []*field{
		ref("approver", `ar."reviewer"`, toPerson, "who approved it, unless that was dismissed").many(`k_review ar`, `ar."change"`,
			`ar."verdict" = 'approved' AND COALESCE(ar."dismissed", 0) = 0`),
		number("approvals", `(SELECT COUNT(DISTINCT `+self(`rv."reviewer"`)+`) FROM `+approving+` AND (rv."head" IS NULL OR c."head" IS NULL OR rv."head" = c."head")
			AND EXISTS (SELECT 1 FROM node pn WHERE pn.id = rv."reviewer" AND pn.kind = 'person') AND (c."author" IS NULL OR NOT `+samePerson(`rv."reviewer"`, `c."author"`)+`)
			AND NOT `+wrote+` AND NOT `+drove+` AND NOT `+recanted+`)`,
			"people who approved the last head of it, as far as it is known what they saw: by their last word, and not who opened it, wrote a commit of it (a merge without a line of its own is none) or drove an agent that did"),
	}
}

// judgedSo are the conditions of changes about who approved them.
func judgedSo() map[string]string {
	return map[string]string{
		"stale-approved":  `EXISTS (SELECT 1 FROM ` + approving + ` AND rv."head" <> c."head")`,
		"driver-approved": `EXISTS (SELECT 1 FROM ` + approving + `) AND NOT EXISTS (SELECT 1 FROM ` + approving + ` AND (` + drove + `) IS NOT TRUE)`,
	}
}

// standing are the commits that stand in an environment now: what the deployments ship that
// nothing is known to have replaced, by way of artifacts, runs and tags as package deployed
// follows them, with all before it.
var standing = `(WITH RECURSIVE shipped(id) AS (SELECT c.id FROM k_deployment c WHERE c."environment" IN {match} AND ` + now + `
	UNION SELECT CASE WHEN e.src = shipped.id THEN e.dst ELSE e.src END FROM shipped JOIN edge e ON
		e.src = shipped.id AND e.door IN (SELECT d.id FROM door d WHERE d.name IN ('ships', 'from', 'tags', 'built-by', 'of', 'same-as'))
		OR e.dst = shipped.id AND ` + door("e.door", "same-as") + `),
	anc(id) AS (SELECT k.id FROM k_commit k JOIN shipped ON shipped.id = k.id
	UNION SELECT pe.dst FROM anc JOIN edge pe ON pe.src = anc.id AND ` + door("pe.door", "parent") + `)
	SELECT anc.id FROM anc)`

// live asks for what stands in an environment now.
func live() *field {
	return condition("live", toEnvironment, "environments in which it stands now: what was taken back there by another change does, too",
		`c.id IN (SELECT e.src FROM edge e WHERE `+door("e.door", "carries")+` AND e.dst IN `+standing+`)`)
}
