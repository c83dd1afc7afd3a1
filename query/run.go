package query

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/storage"
)

// A Column is one column of a result.
type Column struct {
	Name string
	Type filter.Type
	Many bool
	Doc  string
}

// A Cell is one value of a row.
type Cell struct {
	Type filter.Type
	Null bool
	Text string   // a text, or a ref
	Int  int64    // a number, tenths of a percent, microseconds, or microseconds since 1970
	List []string // of a column with several values
}

// Time is the value of a cell of that type.
func (c Cell) Time() time.Time { return time.UnixMicro(c.Int).UTC() }

// String is the cell as text, a span in seconds; nothing if it has no value.
func (c Cell) String() string {
	switch {
	case c.Null:
		return ""
	case c.List != nil:
		return strings.Join(c.List, " ")
	case c.Type == filter.Int:
		return strconv.FormatInt(c.Int, 10)
	case c.Type == filter.Percent:
		return fmt.Sprintf("%d.%d", c.Int/10, c.Int%10)
	case c.Type == filter.Span:
		return strconv.FormatInt(c.Int/int64(time.Second/time.Microsecond), 10)
	case c.Type == filter.Time:
		return c.Time().Format("2006-01-02T15:04:05.999999Z")
	}
	return c.Text
}

// A Row has a cell for each column.
type Row []Cell

// A Result streams the rows of one query. Rows may be ranged over once, and
// only inside the transaction that asked.
type Result struct {
	Query   string // canonical
	Kind    string
	Columns []Column
	Rows    iter.Seq2[Row, error]
}

// A column of a list; person marks the added name of a person.
type column struct {
	field  *field
	person bool
}

func (q *Query) columns() []column {
	show := q.show
	if show == nil {
		for _, name := range q.kind.Columns {
			show = append(show, q.kind.of(q.kind.Field(name)))
		}
	}
	var out []column
	for _, f := range show {
		out = append(out, column{field: f})
		if f.rel == nil && f.target == toPerson && f.Name != "ref" {
			out = append(out, column{field: f, person: true})
		}
	}
	return out
}

// Columns are those of the answer.
func (q *Query) Columns() []Column {
	var out []Column
	if !q.Grouped() {
		for _, c := range q.columns() {
			col := Column{c.field.Name, c.field.Type, c.field.Many, c.field.Doc}
			if c.person {
				col = Column{c.field.Name + "-name", filter.Text, false, "name of that person, until it is erased"}
			}
			out = append(out, col)
		}
		return out
	}
	for _, g := range q.filter.Group {
		c := Column{g.Name(), g.Field.Type, false, g.Field.Doc}
		if g.Bucket != "" {
			c.Type = filter.Text
		}
		out = append(out, c)
	}
	for _, m := range q.kind.measures() {
		out = append(out, Column{m.name, filter.Int, false, m.doc})
	}
	return append(out, Column{"share", filter.Percent, false, "part of all " + q.kind.Name + " that were asked for"})
}

// Run asks q. The result must be read before the next statement of tx.
func Run(ctx context.Context, tx *storage.Tx, q *Query) (*Result, error) {
	profiles, err := prepare(ctx, tx)
	if err != nil {
		return nil, err
	}
	text, args := q.SQL(tx.Engine(), profiles)
	r := &Result{Query: q.String(), Kind: q.kind.Name, Columns: q.Columns()}
	r.Rows = func(yield func(Row, error) bool) {
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			yield(nil, fmt.Errorf("query: asking for %s: %w", q.kind.Name, err))
			return
		}
		defer func() { _ = rows.Close() }() // Err tells of a failure
		scan := newScanner(r.Columns, q.Grouped())
		for rows.Next() {
			row, err := scan.row(rows)
			if !yield(row, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("query: asking for %s: %w", q.kind.Name, err))
		}
	}
	return r, nil
}

// Count is the number of rows or groups that q finds without its limit.
func Count(ctx context.Context, tx *storage.Tx, q *Query) (int64, error) {
	profiles, err := prepare(ctx, tx)
	if err != nil {
		return 0, err
	}
	text, args := q.countSQL(tx.Engine(), profiles)
	var n int64
	if err := tx.QueryRow(ctx, text, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("query: counting %s: %w", q.kind.Name, err)
	}
	return n, nil
}

// A Total is what all rows of a question have of one thing together.
type Total struct {
	Name string
	Sum  int64
}

// Totals adds up the rows that q finds without its limit: first what they count,
// then every field that groups add up. Groups cannot be added up again: of them
// there is the number only.
func Totals(ctx context.Context, tx *storage.Tx, q *Query) ([]Total, error) {
	if q.Grouped() {
		n, err := Count(ctx, tx, q)
		return []Total{{"groups", n}}, err
	}
	profiles, err := prepare(ctx, tx)
	if err != nil {
		return nil, err
	}
	measures := q.kind.measures()
	out, dest := make([]Total, len(measures)), make([]any, len(measures))
	for i, m := range measures {
		out[i].Name, dest[i] = m.name, &out[i].Sum
	}
	text, args := q.totalsSQL(tx.Engine(), profiles)
	if err := tx.QueryRow(ctx, text, args...).Scan(dest...); err != nil {
		return nil, fmt.Errorf("query: adding up %s: %w", q.kind.Name, err)
	}
	return out, nil
}

// prepare tells whether the table of people is there. On PostgreSQL it also
// keeps the server from compiling the statement, which takes longer than
// running it.
func prepare(ctx context.Context, tx *storage.Tx) (profiles bool, err error) {
	text := `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'profile'`
	if tx.Engine() == storage.Postgres {
		text = `SELECT COUNT(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname = 'profile'
			AND set_config('jit', 'off', true) <> ''`
	}
	var n int64
	if err := tx.QueryRow(ctx, text).Scan(&n); err != nil {
		return false, fmt.Errorf("query: looking for the table of people: %w", err)
	}
	return n > 0, nil
}

// A scanner reads the cells of rows of one shape.
type scanner struct {
	columns []Column
	grouped bool
	texts   []sql.NullString
	ints    []sql.NullInt64
	dest    []any
}

func newScanner(columns []Column, grouped bool) *scanner {
	s := &scanner{columns: columns, grouped: grouped, texts: make([]sql.NullString, len(columns)), ints: make([]sql.NullInt64, len(columns))}
	for i, c := range columns {
		if c.Type.Numeric() && !c.Many {
			s.dest = append(s.dest, &s.ints[i])
		} else {
			s.dest = append(s.dest, &s.texts[i])
		}
	}
	return s // the share of a group is scanned as the total it is a part of
}

func (s *scanner) row(rows *storage.Rows) (Row, error) {
	if err := rows.Scan(s.dest...); err != nil {
		return nil, fmt.Errorf("query: reading a row: %w", err)
	}
	row := make(Row, len(s.columns))
	first := -1
	for i, c := range s.columns {
		cell := Cell{Type: c.Type}
		switch {
		case c.Many:
			cell.List = []string{}
			if t := s.texts[i]; t.Valid {
				if err := json.Unmarshal([]byte(t.String), &cell.List); err != nil {
					return nil, fmt.Errorf("query: reading the values of %s: %w", c.Name, err)
				}
			}
			slices.Sort(cell.List)
			cell.List = slices.Compact(cell.List)
			cell.Null = len(cell.List) == 0
		case c.Type.Numeric():
			cell.Int, cell.Null = s.ints[i].Int64, !s.ints[i].Valid
			if first < 0 {
				first = i
			}
		default:
			cell.Text = strings.ToValidUTF8(s.texts[i].String, "\uFFFD")
			cell.Null = cell.Text == ""
		}
		row[i] = cell
	}
	if s.grouped {
		last := &row[len(row)-1]
		if total := last.Int; total > 0 {
			last.Int = row[first].Int * 1000 / total
		} else {
			*last = Cell{Type: filter.Percent, Null: true}
		}
	}
	return row, nil
}
