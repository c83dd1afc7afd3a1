package query

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/query/filter"
)

// A Query is one question: a filter over a kind, and which columns and rows of
// the answer are wanted. It does not change and may be used by several
// goroutines at once.
type Query struct {
	filter filter.Filter
	now    int64 // microseconds since 1970: what is so at a time is so then
	kind   *kind
	offset int64    // rows to skip before
	paged  bool     // the limit holds even if it is 0
	show   []*field // columns of a list; nil: those of the kind
}

// Parse reads a filter over one kind and checks every part of it. Relative
// times count from now. A fault of the text is a [*filter.Error].
func Parse(kindName, text string, now time.Time) (*Query, error) {
	k, err := lookupKind(kindName)
	if err != nil {
		return nil, err
	}
	f, err := filter.Parse(&k.Kind, text, now)
	if err != nil {
		return nil, err
	}
	return &Query{filter: *f, now: now.UnixMicro(), kind: k}, nil
}

// String is the canonical form: it reads back as an equal query.
func (q *Query) String() string { return q.filter.String() }

// Kind is the plural by which the asked kind is known: "changes".
func (q *Query) Kind() string { return q.kind.Name }

// At is the branch that is asked for; "" if it is the default one.
func (q *Query) At() string { return q.filter.At }

// Grouped reports whether the rows are groups.
func (q *Query) Grouped() bool { return len(q.filter.Group) > 0 }

// Page is q for the rows from offset on, at most limit of them; it never
// reaches past the limit of q itself.
func (q *Query) Page(offset, limit int64) *Query {
	p := *q
	p.offset = max(0, offset)
	if left := q.filter.Limit - p.offset; q.filter.Limit > 0 {
		limit = min(limit, max(left, 0))
	}
	p.filter.Limit, p.paged = max(0, limit), true
	return &p
}

// Select is q with other columns, named as fields are. A grouped query has the
// columns of its groups and no others.
func (q *Query) Select(names ...string) (*Query, error) {
	s := *q
	s.show = nil
	for _, name := range names {
		f := q.kind.Field(name)
		switch {
		case f == nil:
			var known []string
			for _, f := range q.kind.Fields {
				known = append(known, f.Name)
			}
			hint := cmp.Or(filter.Suggest(name, known), "there are "+strings.Join(known, ", "))
			return nil, fmt.Errorf("query: unknown column %s: %s", filter.Visible(name), hint)
		case q.Grouped() || !f.Shows():
			return nil, fmt.Errorf("query: %s cannot be a column here", f.Name)
		}
		s.show = append(s.show, q.kind.of(f))
	}
	return &s, nil
}

// Behind is the query whose rows row, a group of q, adds up: q without its
// directives, and for each field it is grouped by the value of the group.
func (q *Query) Behind(row Row) string {
	terms := make([]string, len(q.filter.Group))
	for i, g := range q.filter.Group {
		text := row[i].Text
		if g.Field.Type == filter.Path {
			text = "/" + text // this one, and not its like elsewhere
		}
		terms[i] = g.Field.Name + ":" + filter.Quote(text)
		if row[i].Null {
			terms[i] = "no:" + g.Field.Name
		}
	}
	return q.filter.With(terms...)
}
