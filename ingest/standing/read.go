package standing

import (
	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/identity"
)

// load reads the mandates, by whom their holder is known, and the standings.
func (l *linker) load() error {
	l.held, l.grades, l.known = map[int64][]identity.Mandate{}, map[stemma.Ref]stemma.Grade{}, map[stemma.Ref]bool{}
	err := l.space.DB.Each(l.ctx, func(scan func(...any) error) error {
		var m identity.Mandate
		var ref stemma.Ref
		var grade stemma.Grade
		var self int64
		if err := scan(&ref, &grade, &self, &m.Holder, &m.Role, &m.Team, &m.Host, &m.Repository, &m.Since, &m.Until, &m.Method, &m.Withdrawn); err != nil {
			return err
		}
		l.held[self] = append(l.held[self], m)
		l.grades[m.Ref()] = grade
		return nil
	}, `SELECT n.ref, n.grade, COALESCE(s.self, m."holder"), x.ref, COALESCE(m."role", ''), COALESCE(m."team", ''), COALESCE(m."host", ''), COALESCE(q.ref, ''),
			COALESCE(m."since", 0), COALESCE(m."until", 0), COALESCE(m."method", ''), COALESCE(m."withdrawn", 0)
		FROM k_mandate m JOIN node n ON n.id = m.id JOIN node x ON x.id = m."holder" LEFT JOIN same s ON s.id = m."holder"
			LEFT JOIN node q ON q.id = m."repository" ORDER BY n.ref`)
	if err != nil {
		return err
	}
	return l.space.DB.Each(l.ctx, func(scan func(...any) error) error {
		var ref stemma.Ref
		var withdrawn bool
		err := scan(&ref, &withdrawn)
		l.known[ref] = !withdrawn
		return err
	}, `SELECT n.ref, COALESCE(s."withdrawn", 0) FROM k_standing s JOIN node n ON n.id = s.id`)
}

// reviews gives those that meet a condition, of which it is known by whom and when they
// were given, in the order of their refs.
func (l *linker) reviews(where string, args []any, take func(given)) error {
	return l.space.DB.Each(l.ctx, func(scan func(...any) error) error {
		var g given
		if err := scan(&g.ref, &g.reviewer, &g.self, &g.at, &g.change, &g.repository, &g.platform, &g.target); err != nil {
			return err
		}
		take(g)
		return nil
	}, `SELECT n.ref, x.ref, COALESCE(s.self, r."reviewer"), r."submitted", COALESCE(c.id, 0), COALESCE(q.ref, ''), COALESCE(c."platform", ''), COALESCE(c."target", '')
		FROM k_review r JOIN node n ON n.id = r.id JOIN node x ON x.id = r."reviewer" LEFT JOIN same s ON s.id = r."reviewer"
			LEFT JOIN k_change c ON c.id = r."change" LEFT JOIN node q ON q.id = c."repository"
		WHERE r."submitted" > 0 AND COALESCE(r."verdict", '') <> 'requested' AND `+where+` ORDER BY n.ref`, args...)
}

// An account is what a file of owners may call somebody.
type account struct{ login, mail, host string }

// accounts are those of the people who are known by the given ids.
func (l *linker) accounts(of map[int64]bool) (map[int64][]account, error) {
	found := map[int64][]account{}
	err := l.space.DB.Each(l.ctx, func(scan func(...any) error) error {
		var self int64
		var a account
		if err := scan(&self, &a.login, &a.mail, &a.host); err != nil {
			return err
		}
		if of[self] {
			found[self] = append(found[self], a)
		}
		return nil
	}, `SELECT COALESCE(s.self, n.id), p.login, p.email, p.host FROM profile p JOIN node n ON n.ref = p.ref LEFT JOIN same s ON s.id = n.id`)
	return found, err
}

// paths are the files that the commits of a change touch, those that it showed and
// those that landed, as a forge holds them against its file of owners: by their bytes. A
// file that is renamed is two of them, as where the policy says who owns a path.
func (l *linker) paths(change int64) (paths []string, err error) {
	err = l.space.DB.Each(l.ctx, func(scan func(...any) error) error {
		var form string
		if err := scan(&form); err != nil {
			return err
		}
		path, err := quote.Raw(form)
		if err != nil {
			path = form
		}
		paths = append(paths, path)
		return nil
	}, `WITH touched AS (SELECT f."path", f."old_path", f."status" FROM edge e JOIN k_commit_file f ON f.id = e.dst
			WHERE e.src = $1 AND e.door IN (SELECT d.id FROM door d WHERE d.name IN ('carries', 'head')))
		SELECT "path" FROM touched WHERE "path" IS NOT NULL
		UNION SELECT "old_path" FROM touched WHERE "path" IS NOT NULL AND "old_path" <> '' AND COALESCE("status", '') <> 'C' ORDER BY 1`, change)
	return paths, err
}
