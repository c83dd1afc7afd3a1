package query

import "github.com/stemma-dev/stemma/query/filter"

// self is the account by which the person is known whose account x is.
func self(x string) string {
	return `COALESCE((SELECT sm.self FROM same sm WHERE sm.id = ` + x + `), ` + x + `)`
}

// value is the SQL of what a field shows: of a person the account by which they are
// known, whichever of theirs it was.
func (f *field) value() string {
	if f.target == toPerson && f.Name != "ref" {
		return self(f.expr)
	}
	return f.expr
}

// everyAccount is the set of what is in a set of ids, of people with all accounts of each.
func (p *planner) everyAccount(to *target, set string) string {
	if to != toPerson {
		return `(` + set + `)`
	}
	return `(SELECT COALESCE(so.id, sm.id) FROM (` + set + `) sm LEFT JOIN same sn ON sn.id = sm.id LEFT JOIN same so ON so.self = sn.self)`
}

// accountsOf is the set of the accounts of the person who is known by x.
func accountsOf(x string) string {
	return `(SELECT ` + x + ` UNION ALL SELECT so.id FROM same so WHERE so.self = ` + x + `)`
}

// called is a column of the erasable table of people for whoever has the account x: of
// the account by which they are known if that says it, else of another one.
func called(column, x string) string {
	return `(SELECT pf.` + column + ` FROM node po JOIN profile pf ON pf.ref = po.ref WHERE po.id IN ` + accountsOf(self(x)) + ` AND pf.` + column + ` <> ''
		ORDER BY CASE WHEN po.id = ` + x + ` THEN 0 ELSE 1 END, po.ref LIMIT 1)`
}

// accounts are all accounts, each with the one by which its person is known.
const accounts = `(SELECT sm.self AS self, sm.id AS id FROM same sm
	UNION ALL SELECT x.id, x.id FROM node x WHERE x.kind IN ('person', 'bot') AND NOT EXISTS (SELECT 1 FROM same sn WHERE sn.id = x.id)) pa`

// ofPerson is a column of the erasable table of people.
func ofPerson(t filter.Type, name, doc string) *field {
	f := value(t, name, called(name, "n.id"), doc)
	f.profile = true
	return f
}

func people() *kind {
	wrote := `pc."author" IN ` + accountsOf("n.id")
	return &kind{
		Kind: filter.Kind{
			Name: "people", Doc: "people and bots that wrote, landed or operated something, each with all accounts",
			Search:  []string{"name", "login", "email", "ref"},
			Columns: []string{"ref", "name", "login", "changes", "commits", "last-active"},
		},
		from: `node n`, id: "n.id", key: "n.id",
		where: `n.kind IN ('person', 'bot') AND NOT EXISTS (SELECT 1 FROM same sm WHERE sm.id = n.id AND sm.self <> n.id)`,
		fields: []*field{
			ref("ref", "n.id", toPerson, "the pseudonym: person:…; any account of theirs finds them"),
			ofPerson(filter.Words, "name", "name, until it is erased"),
			ofPerson(filter.Words, "email", "mail address, until it is erased"),
			ofPerson(filter.Words, "login", "account, until it is erased"),
			value(filter.Int, "accounts", `(SELECT COUNT(DISTINCT so.id) FROM (SELECT n.id AS id UNION ALL SELECT sn.id FROM same sn WHERE sn.self = n.id) so)`, "accounts and addresses of theirs"),
			counted("changes", `k_change pc WHERE `+wrote+` AND COALESCE(pc."dropped", 0) = 0`, "changes they brought"),
			counted("commits", `k_commit pc WHERE `+wrote, "commits they wrote"),
			counted("reviews", `k_review pr WHERE pr."reviewer" IN `+accountsOf("n.id"), "reviews they gave"),
			value(filter.Time, "last-active", `(SELECT MAX(pc."committed") FROM k_commit pc WHERE `+wrote+`)`, "their last commit"),
			value(filter.Time, "first-active", `(SELECT MIN(pc."committed") FROM k_commit pc WHERE `+wrote+`)`, "their first commit"),
			ref("repo", `pc."repository"`, toRepository, "repositories they wrote in").many(accounts+` JOIN k_commit pc ON pc."author" = pa.id`, `pa.self`, ""),
			choice("is", "sort", map[string]string{"person": `n.kind = 'person'`, "bot": `n.kind = 'bot'`}),
		},
	}
}
