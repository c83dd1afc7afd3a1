package query

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/storage"
)

// groups is the statement that adds up. b has one row for each row asked, d one
// for each row and each of its values if it is grouped by a field with several:
// such a row counts in every group it belongs to.
//
// The last column is what all rows together count, each once: the shares are
// parts of it.
func (p *planner) groups(q *Query) string {
	inner := []string{q.kind.id + ` AS id`}
	var joins, keys, outer []string
	for i, g := range q.filter.Group {
		k := "k" + strconv.Itoa(i)
		keys = append(keys, "s."+k)
		f := q.kind.of(g.Field)
		if f.rel == nil {
			inner = append(inner, p.groupKey(g)+` AS `+k)
			outer = append(outer, `b.`+k)
			continue
		}
		rel := f.rel
		on := rel.key + ` = b.id`
		if rel.where != "" {
			on += ` AND ` + rel.where
		}
		// A name of its own for what the subselect gives: two fields may lie in
		// the same tables.
		j := "m" + strconv.Itoa(i)
		joins = append(joins, ` LEFT JOIN (SELECT DISTINCT `+rel.key+` AS id, `+f.value()+` AS v FROM b CROSS JOIN `+rel.from+` WHERE `+on+
			` AND `+present(f)+`) `+j+` ON `+j+`.id = b.id`)
		outer = append(outer, j+`.v AS `+k)
	}
	measures := q.kind.measures()
	var sums []string
	for i, m := range measures {
		name := "m" + strconv.Itoa(i)
		inner = append(inner, m.expr+` AS `+name)
		outer = append(outer, `b.`+name)
		sums = append(sums, fmt.Sprintf(`CAST(SUM(s.%s) AS BIGINT) AS %s`, name, name))
	}
	shown := make([]string, 0, len(q.filter.Group)+len(measures))
	for i, g := range q.filter.Group {
		k := "g.k" + strconv.Itoa(i)
		if g.Field.Type == filter.Ref {
			k = p.refOf(k)
		}
		shown = append(shown, k+` AS k`+strconv.Itoa(i))
	}
	for i := range measures {
		shown = append(shown, "g.m"+strconv.Itoa(i))
	}
	return `WITH b AS MATERIALIZED (SELECT ` + strings.Join(inner, ", ") + ` FROM ` + q.kind.from + p.where(q) + `) ` +
		`SELECT t.*, (SELECT CAST(SUM(b.m0) AS BIGINT) FROM b) AS total FROM (SELECT ` + strings.Join(shown, ", ") +
		` FROM (SELECT ` + strings.Join(append(append([]string{}, keys...), sums...), ", ") +
		` FROM (SELECT ` + strings.Join(outer, ", ") + ` FROM b` + strings.Join(joins, "") + `) s GROUP BY ` + strings.Join(keys, ", ") +
		`) g) t ORDER BY ` + strings.Join(q.groupOrders(), ", ")
}

// groupOrders sort groups: as asked, then the largest first, then by their keys.
func (q *Query) groupOrders() []string {
	names := q.filter.GroupColumns()
	at := map[string]string{}
	for i, name := range names {
		if i < len(q.filter.Group) {
			at[name] = "t.k" + strconv.Itoa(i)
		} else {
			at[name] = "t.m" + strconv.Itoa(i-len(q.filter.Group))
		}
	}
	var out []string
	for _, o := range q.filter.Sort {
		out = append(out, at[o.Name]+direction(o.Desc))
	}
	out = append(out, "t.m0"+direction(true))
	for i := range q.filter.Group {
		out = append(out, "t.k"+strconv.Itoa(i)+direction(false))
	}
	return out
}

func (p *planner) groupKey(g filter.GroupKey) string {
	f := p.kind.of(g.Field)
	x := p.fieldExpr(f)
	switch {
	case g.Bucket != "":
		return p.bucketOf(x, g.Bucket)
	case g.Field.Type == filter.Ref:
		return f.value()
	}
	return `NULLIF(` + x + `, '')`
}

// bucketOf cuts microseconds to a day, a week and so on, written so that the
// texts sort as the times do.
func (p *planner) bucketOf(x, bucket string) string {
	if p.engine == storage.Postgres {
		form := map[string]string{
			"day": `YYYY-MM-DD`, "week": `IYYY-"W"IW`, "month": `YYYY-MM`, "quarter": `YYYY-"Q"Q`, "year": `YYYY`,
		}[bucket]
		// Whole seconds: a division of microseconds would round up at the end of a day.
		return `to_char(to_timestamp(floor(` + x + ` / 1000000.0)) AT TIME ZONE 'UTC', '` + form + `') COLLATE "C"`
	}
	seconds := `(` + x + ` - ((` + x + ` % 1000000) + 1000000) % 1000000) / 1000000`
	form := map[string]string{"day": `%Y-%m-%d`, "week": `%G-W%V`, "month": `%Y-%m`, "year": `%Y`}[bucket]
	if bucket == "quarter" {
		return `strftime('%Y', ` + seconds + `, 'unixepoch') || '-Q' || ((strftime('%m', ` + seconds + `, 'unixepoch') + 2) / 3)`
	}
	return `strftime('` + form + `', ` + seconds + `, 'unixepoch')`
}
