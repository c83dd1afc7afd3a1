package population

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// Parts of a population, by what is said of their members. "no-" and a word for what may be
// missing are the members that miss it.
const (
	Complete   = "complete"   // nothing is missing
	Incomplete = "incomplete" // something is
	Carried    = "carried"    // it is known which change carried them
	Direct     = "direct"     // and that was a push without a merge request
	Gone       = "gone"       // the last deployment has them not any more
	Without    = "no-"
)

// Parts are all of them.
var Parts = []string{Complete, Incomplete, Carried, Direct, Gone, Without + NoChange, Without + NoReview, Without + NoSession, Without + NoCommit}

// In reports whether a member is in a part; all are in "".
func (m *Member) In(part string) bool {
	switch part {
	case "":
		return true
	case Complete:
		return len(m.Missing) == 0
	case Incomplete:
		return len(m.Missing) > 0
	case Carried:
		return m.Change != ""
	case Direct:
		return m.Method == "direct"
	case Gone:
		return m.Gone
	}
	what, without := strings.CutPrefix(part, Without)
	return without && slices.Contains(m.Missing, what)
}

// Part are the members in a part, the newest first.
func (p *Population) Part(part string) []Member {
	return slices.DeleteFunc(slices.Clone(p.Members), func(m Member) bool { return !m.In(part) })
}

// Count is how many members are in a part.
func (p *Population) Count(part string) (n int) {
	for i := range p.Members {
		if p.Members[i].In(part) {
			n++
		}
	}
	return n
}

// A Place is where something was put with success: a service of an environment.
type Place struct {
	Environment stemma.Ref
	Service     string
	Production  bool
	Deployments int64
	Last        time.Time
}

// maxPlaces bounds how many places are listed.
const maxPlaces = 2000

// Places are all of them, those of an environment by the names of their services. Of more
// than are listed, production and what changed last come first.
func Places(ctx context.Context, tx *storage.Tx) (list []Place, err error) {
	rows, err := tx.Query(ctx, `SELECT e.ref, COALESCE(d."service", ''), COUNT(*), MAX(d."at"),
			MAX(CASE WHEN v."tier" = 'production' OR v."tier" IS NULL AND v."name" IN ('prod', 'production') THEN 1 ELSE 0 END)
		FROM k_deployment d JOIN node e ON e.id = d."environment" LEFT JOIN k_environment v ON v.id = e.id
		WHERE d."at" IS NOT NULL AND d."status" IN ('success', 'inactive') GROUP BY e.ref, COALESCE(d."service", '') ORDER BY 5 DESC, 4 DESC, 1, 2 LIMIT $1`, maxPlaces)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p Place
		var last int64
		if err := rows.Scan((*string)(&p.Environment), &p.Service, &p.Deployments, &last, &p.Production); err != nil {
			return nil, err
		}
		p.Last = time.UnixMicro(last).UTC()
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Service, b.Service))
	})
	return list, rows.Err()
}
