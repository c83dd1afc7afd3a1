package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/storage"
)

// A planner turns one query into SQL. What a user wrote only ever becomes an
// argument; the text is made of words of ours.
type planner struct {
	engine   storage.Engine
	profiles bool // the table of people is there
	set      bool // ask many values as "id IN (all that have it)", not one by one
	kind     *kind
	args     []any
}

func (p *planner) bind(v any) string {
	p.args = append(p.args, v)
	return "$" + strconv.Itoa(len(p.args))
}

// SQL is the statement that answers q, and its arguments. Names of people
// match only if profiles says that the table of people is there.
func (q *Query) SQL(engine storage.Engine, profiles bool) (string, []any) {
	p := q.planner(engine, profiles)
	if q.Grouped() {
		return p.timed(p.groups(q)+p.page(q), q.now)
	}
	return p.timed(p.list(q), q.now)
}

// timed is a statement in which {now} stands for the time of the question, and its
// arguments.
func (p *planner) timed(text string, now int64) (string, []any) {
	if strings.Contains(text, "{now}") {
		text = strings.ReplaceAll(text, "{now}", `CAST(`+p.bind(now)+` AS BIGINT)`)
	}
	return text, p.args
}

// countSQL counts the rows of q without its limit.
func (q *Query) countSQL(engine storage.Engine, profiles bool) (string, []any) {
	p := q.planner(engine, profiles)
	if q.Grouped() {
		return p.timed(`SELECT COUNT(*) FROM (`+p.groups(q)+`) counted`, q.now)
	}
	return p.timed(`SELECT COUNT(*) FROM `+q.kind.from+p.where(q), q.now)
}

// totalsSQL adds up the rows of q without its limit.
func (q *Query) totalsSQL(engine storage.Engine, profiles bool) (string, []any) {
	p := q.planner(engine, profiles)
	var sums []string
	for _, m := range q.kind.measures() {
		sums = append(sums, `CAST(COALESCE(SUM(`+m.expr+`), 0) AS BIGINT)`)
	}
	return p.timed(`SELECT `+strings.Join(sums, ", ")+` FROM `+q.kind.from+p.where(q), q.now)
}

func (q *Query) planner(engine storage.Engine, profiles bool) *planner {
	return &planner{engine: engine, profiles: profiles, set: !q.bounded(), kind: q.kind}
}

// bounded reports whether q asks for a stretch of the time by which its kind is
// indexed. Then it is walked along that index and each row is asked for its
// other values; else the rows that have them are looked up first.
func (q *Query) bounded() bool {
	list, ok := q.filter.Where.(filter.And)
	if !ok {
		list = filter.And{q.filter.Where}
	}
	for _, x := range list {
		if t, ok := x.(*filter.Term); ok && t.Op == filter.Within && t.Field.Name == q.kind.driver && t.Lo > math.MinInt64 {
			return true
		}
	}
	return false
}

func (p *planner) page(q *Query) string {
	if q.filter.Limit == 0 && !q.paged {
		return ""
	}
	s := ` LIMIT ` + p.bind(q.filter.Limit)
	if q.offset > 0 {
		s += ` OFFSET ` + p.bind(q.offset)
	}
	return s
}

func (p *planner) where(q *Query) string {
	var all []string
	if q.kind.where != "" {
		all = append(all, q.kind.where)
	}
	if q.kind.past != "" && !filter.Asks(q.filter.Where, q.kind.Past) {
		all = append(all, `NOT `+q.kind.past)
	}
	switch {
	case q.kind.branch != "" && q.filter.At != "":
		all = append(all, q.kind.branch+` = `+p.bind(q.filter.At))
	case q.kind.branch != "":
		all = append(all, q.kind.branch+` = (SELECT rp."default_branch" FROM k_repository rp WHERE rp.id = `+q.kind.repo+`)`)
	}
	if q.filter.Where != nil {
		all = append(all, p.expr(q.filter.Where))
	}
	if len(all) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(all, ` AND `)
}

func (p *planner) list(q *Query) string {
	var cols []string
	for _, c := range q.columns() {
		cols = append(cols, p.column(c))
	}
	where := p.where(q)
	if q.filter.Limit > 0 || q.paged {
		// Find the rows of the page first: the columns of the others are
		// not worth making.
		where = ` WHERE (` + q.kind.key + `) IN (` + p.keys(q, where) + `)`
	}
	return `SELECT ` + strings.Join(cols, ", ") + ` FROM ` + q.kind.from + where + p.sorted(q, cols)
}

// keys finds the rows of a page, by their keys.
func (p *planner) keys(q *Query, where string) string {
	from, order := q.kind.from, p.sorted(q, nil)
	if w := q.kind.walk; w.from != "" && (q.filter.Where == nil || w.order == "") && len(q.filter.Sort) == 0 {
		from = w.from
		if where == "" {
			where = ` WHERE ` + w.where
		} else {
			where += ` AND ` + w.where
		}
		if w.order != "" {
			order = ` ORDER BY ` + w.order
		}
	}
	return `SELECT ` + q.kind.key + ` FROM ` + from + where + order + p.page(q)
}

// sorted puts the rows of a list in order. A number stands for one of cols,
// whose value is then made once.
func (p *planner) sorted(q *Query, cols []string) string {
	var keys []string
	by := func(expr, direction string) {
		if i := slices.Index(cols, expr); i >= 0 {
			expr = strconv.Itoa(i + 1)
		}
		keys = append(keys, expr+direction)
	}
	for _, o := range q.orders() {
		by(p.orderKey(q.kind.of(o.Field)), direction(o.Desc))
	}
	by(p.refOf(q.kind.id), "") // makes the order total
	if q.kind.tie != "" {
		by(q.kind.tie, "")
	}
	return ` ORDER BY ` + strings.Join(keys, ", ")
}

// direction puts what is not there last, whichever the order: the engines
// differ if they are not told.
func direction(desc bool) string {
	if desc {
		return " DESC NULLS LAST"
	}
	return " ASC NULLS LAST"
}

// orders are the keys to sort by, resolved.
func (q *Query) orders() []filter.Order {
	if len(q.filter.Sort) > 0 {
		return q.filter.Sort
	}
	out := slices.Clone(q.kind.Order)
	for i := range out {
		out[i].Field = q.kind.Field(out[i].Name)
	}
	return out
}

func (p *planner) orderKey(f *field) string {
	if f.Type == filter.Ref {
		return p.refOf(f.value())
	}
	return p.fieldExpr(f)
}

func (p *planner) refOf(id string) string {
	return `(SELECT x.ref FROM node x WHERE x.id = ` + id + `)`
}

// fieldExpr is the SQL of a single value.
func (p *planner) fieldExpr(f *field) string {
	if f.profile && !p.profiles {
		return `CAST(NULL AS TEXT)`
	}
	return f.expr
}

// column is the SQL of a cell.
func (p *planner) column(c column) string {
	f := c.field
	switch {
	case c.person && !p.profiles:
		return `CAST(NULL AS TEXT)`
	case c.person:
		return called("name", f.expr)
	case f.rel == nil && f.Type == filter.Ref:
		return p.refOf(f.value())
	case f.rel == nil:
		return p.fieldExpr(f)
	}
	v := f.expr
	if f.Type == filter.Ref {
		v = p.refOf(f.value())
	}
	// In no order and perhaps twice: the reader sorts them for less.
	list := `json_group_array(` + v + `)`
	if p.engine == storage.Postgres {
		list = `CAST(json_agg(` + v + `) AS TEXT)`
	}
	return `(SELECT ` + list + ` FROM ` + f.rel.from + ` WHERE ` + p.related(f, present(f)) + `)`
}

// related is the condition of the rows that hold the values of f for the row asked.
func (p *planner) related(f *field, more string) string {
	s := f.rel.key + ` = ` + p.kind.id
	if f.rel.where != "" {
		s += ` AND ` + f.rel.where
	}
	return s + ` AND ` + more
}

// present is true where f has a value.
func present(f *field) string {
	switch f.Type {
	case filter.Int:
		return f.expr + ` <> 0`
	case filter.Ref, filter.Time, filter.Percent, filter.Span:
		return f.expr + ` IS NOT NULL`
	default:
		return f.expr + ` <> ''`
	}
}

func (p *planner) expr(e filter.Expr) string {
	join := func(list []filter.Expr, sep string) string {
		parts := make([]string, len(list))
		for i, x := range list {
			parts[i] = p.expr(x)
		}
		return `(` + strings.Join(parts, sep) + `)`
	}
	switch e := e.(type) {
	case filter.And:
		return join(e, ` AND `)
	case filter.Or:
		return join(e, ` OR `)
	case filter.Not:
		return `(` + p.expr(e.X) + ` IS NOT TRUE)`
	case *filter.Word:
		return join(e.In, ` OR `)
	case *filter.Term:
		return p.term(e)
	}
	panic(fmt.Sprintf("query: no plan for %T", e))
}

func (p *planner) term(t *filter.Term) string {
	f := p.kind.of(t.Field)
	switch {
	case f.profile && !p.profiles:
		return map[bool]string{true: "TRUE", false: "FALSE"}[t.Op == filter.No]
	case f.Type == filter.Choice:
		return `(` + f.conds[t.Value.Raw] + `)`
	case f.cond != "":
		return `(` + strings.ReplaceAll(f.cond, "{match}", p.match(f.target, t.Value)) + `)`
	}
	cond := present(f)
	if t.Op == filter.Like || t.Op == filter.Within {
		cond = p.holds(t)
	}
	switch {
	case f.rel == nil:
	case p.set && t.Op != filter.No && !p.slow(t):
		if f.rel.where != "" {
			cond = f.rel.where + ` AND ` + cond
		}
		cond = p.kind.id + ` IN (SELECT ` + f.rel.key + ` FROM ` + f.rel.from + ` WHERE ` + cond + `)`
	default:
		cond = `EXISTS (SELECT 1 FROM ` + f.rel.from + ` WHERE ` + p.related(f, cond) + p.rowByRow() + `)`
	}
	if t.Op == filter.No {
		return `((` + cond + `) IS NOT TRUE)`
	}
	return `(` + cond + `)`
}

// rowByRow keeps PostgreSQL from making a join of an EXISTS: it knows nothing
// of the arguments, guesses that they match much, and reads the whole table.
// The rows asked are few here, and each finds its own by the key.
func (p *planner) rowByRow() string {
	if p.engine == storage.Postgres && !p.set {
		return ` OFFSET 0`
	}
	return ``
}

// slow reports whether no index finds the values of t, so that they are better
// looked at row by row.
func (p *planner) slow(t *filter.Term) bool {
	if t.Op != filter.Like {
		return false
	}
	return t.Field.Type == filter.Trailer || t.Field.Type == filter.Path && parsePath(t.Value).prefix() == ""
}

// holds is the condition on one value.
func (p *planner) holds(t *filter.Term) string {
	f := p.kind.of(t.Field)
	text, literal := t.Value.Literal()
	switch f.Type {
	case filter.Int, filter.Percent, filter.Time, filter.Span:
		return p.between(f.expr, t.Lo, t.Hi)
	case filter.Words:
		return `lower(` + f.expr + `) LIKE ` + p.bind(`%`+lowerASCII(like(t.Value))+`%`) + ` ESCAPE '\'`
	case filter.Path:
		return p.path(f.expr, parsePath(t.Value))
	case filter.Hash:
		text = lowerASCII(text)
		return f.expr + ` >= ` + p.bind(text) + ` AND ` + f.expr + ` < ` + p.bind(text+"g")
	case filter.Ref:
		if p.engine == storage.Postgres && (literal || f.target.few) {
			return f.expr + ` = ANY (ARRAY` + p.match(f.target, t.Value) + `)` // an index takes an array
		}
		return f.expr + ` IN ` + p.match(f.target, t.Value)
	case filter.Enum:
		return f.expr + ` = ` + p.bind(text)
	case filter.Trailer:
		return p.trailer(t.Value)
	}
	return p.like(f.expr, t.Value, literal)
}

func (p *planner) between(x string, lo, hi int64) string {
	var parts []string
	if lo != math.MinInt64 {
		parts = append(parts, x+` >= `+p.bind(lo))
	}
	if hi != math.MaxInt64 {
		parts = append(parts, x+` < `+p.bind(hi))
	}
	return strings.Join(parts, ` AND `)
}

// like is equality, or a pattern over the whole text.
func (p *planner) like(x string, v filter.Value, literal bool) string {
	if text, _ := v.Literal(); literal {
		return x + ` = ` + p.bind(text)
	}
	return x + ` LIKE ` + p.bind(like(v)) + ` ESCAPE '\'`
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// like is the value as a pattern of LIKE.
func like(v filter.Value) string {
	return strings.NewReplacer("*", "%", "?", "_").Replace(likeEscape.Replace(v.Raw)) + likeEscape.Replace(v.Text)
}

// lowerASCII is what lower() does on both engines.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// trailer is the condition on one trailer of a commit. Where it names a person
// or an agent, that is what its value is compared with.
func (p *planner) trailer(v filter.Value) string {
	key, rest, ok := strings.Cut(v.Raw, "=")
	if ok {
		v.Raw = rest
	} else if key, rest, ok = strings.Cut(v.Raw+v.Text, "="); ok {
		v.Raw, v.Text = "", rest // the sign stands inside the quotes
	}
	cond := `lower(tr."key") = ` + p.bind(lowerASCII(key))
	if !ok {
		return cond
	}
	_, literal := v.Literal()
	return cond + ` AND (` + p.like(`tr."value"`, v, literal) + ` OR tr."person" IN ` + p.match(toPerson, v) + `)`
}

// aliased are the repositories whose other names are the nodes x.
const aliased = `SELECT e.src FROM k_repository tg JOIN edge e ON e.src = tg.id JOIN door d ON d.id = e.door AND d.name = 'alias' JOIN node x ON x.id = e.dst`

// match is the set of ids of what v names.
func (p *planner) match(to *target, v filter.Value) string {
	text, literal := v.Literal()
	for _, k := range to.kinds {
		if literal && strings.HasPrefix(text, k+":") {
			set := `SELECT x.id FROM node x WHERE x.ref = ` + p.bind(text)
			if to.match == "tail" {
				set += ` UNION ALL ` + aliased + ` WHERE x.ref = ` + p.bind(text)
			}
			return p.everyAccount(to, set)
		}
	}
	var sets []string
	add := func(format string, args ...any) { sets = append(sets, fmt.Sprintf(format, args...)) }
	switch {
	case to.match == "person":
		folded := filter.Value{Raw: lowerASCII(v.Raw), Text: lowerASCII(v.Text), Quoted: v.Quoted}
		if p.profiles {
			add(`SELECT x.id FROM profile pf JOIN node x ON x.ref = pf.ref WHERE %s OR %s OR %s`,
				p.like(`lower(pf.name)`, folded, literal), p.like(`lower(pf.email)`, folded, literal), p.like(`lower(pf.login)`, folded, literal))
		}
		add(`SELECT bt.id FROM k_bot bt WHERE %s`, p.like(`lower(bt."name")`, folded, literal))
	case to.match == "hash" && literal:
		if filter.IsHex(text) && len(text) >= 4 {
			add(`SELECT tg.id FROM %s tg WHERE tg."%s" >= %s AND tg."%s" < %s`, to.table,
				to.column, p.bind(lowerASCII(text)), to.column, p.bind(lowerASCII(text)+"g"))
		}
	case to.match == "tail" && literal: // pay stands for acme/pay
		add(`SELECT tg.id FROM %s tg WHERE tg."%s" = %s OR tg."%s" LIKE %s ESCAPE '\'`, to.table,
			to.column, p.bind(text), to.column, p.bind(`%/`+likeEscape.Replace(text)))
		// So do the names it had before.
		tail := p.bind(`%/` + likeEscape.Replace(text))
		add(`%s WHERE x.ref LIKE %s ESCAPE '\'`, aliased, tail)
		add(`SELECT tg.id FROM %s tg JOIN node x ON x.id = tg.id WHERE x.ref LIKE %s ESCAPE '\'`, to.table, tail)
	case to.table != "":
		add(`SELECT tg.id FROM %s tg WHERE %s`, to.table, p.like(`tg."`+to.column+`"`, v, literal))
	}
	for _, k := range to.kinds {
		if literal {
			add(`SELECT x.id FROM node x WHERE x.ref = %s`, p.bind(string(stemma.NewRef(stemma.Kind(k), text))))
		} else {
			add(`SELECT x.id FROM node x WHERE x.ref >= '%s:' AND x.ref < '%s;' AND x.ref LIKE %s ESCAPE '\'`,
				k, k, p.bind(k+":"+strings.TrimPrefix(like(v), k+":")))
		}
	}
	return p.everyAccount(to, strings.Join(sets, ` UNION ALL `))
}
