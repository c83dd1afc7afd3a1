package views

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/storage"
)

// Limits bound one statement of [ReadOnly].
type Limits struct {
	Rows    int           // 0: 10 000
	Timeout time.Duration // 0: 30 s; the store itself stops after a minute
}

const (
	defaultRows    = 10_000
	defaultTimeout = 30 * time.Second
	maxStatement   = 64 << 10
)

// ErrTooManyRows is why the end of an answer is missing.
var ErrTooManyRows = fmt.Errorf("query: more rows than allowed")

// ReadOnly runs one SELECT, or WITH … SELECT, over the public views and writes
// the answer to w. db must come from [storage.OpenReadOnly], which keeps
// anything from being changed; the text itself is checked to be one statement
// that speaks of views v1_… only. When there are more rows than allowed, those
// that are allowed are written and the error is [ErrTooManyRows].
func ReadOnly(ctx context.Context, db *storage.DB, text string, l Limits, w io.Writer, f output.Format) error {
	if l.Rows <= 0 {
		l.Rows = defaultRows
	}
	if l.Timeout <= 0 {
		l.Timeout = defaultTimeout
	}
	words, err := checkStatement(text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	tooMany := false
	err = db.Read(ctx, func(tx *storage.Tx) error {
		names, err := relations(ctx, tx)
		if err != nil {
			return fmt.Errorf("query: reading the names of the tables: %w", err)
		}
		if err := checkNames(words, names); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, text)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells of a failure
		r, err := newSheet(rows, l.Rows, &tooMany)
		if err != nil {
			return err
		}
		return output.Write(w, f, r)
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return stemma.WithHint(fmt.Errorf("query: stopped after %s: %w", l.Timeout, err), "Ask for less, or allow more time.")
	case err != nil:
		return err
	case tooMany:
		return stemma.WithHint(fmt.Errorf("%w: %d were written", ErrTooManyRows, l.Rows), "Add a LIMIT, or allow more rows.")
	}
	return nil
}

// newSheet makes a result of rows of any shape.
func newSheet(rows *storage.Rows, most int, tooMany *bool) (*query.Result, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("query: reading the columns: %w", err)
	}
	r := &query.Result{Kind: "sql"}
	for _, t := range types {
		r.Columns = append(r.Columns, query.Column{Name: t.Name(), Type: filter.Text})
	}
	values, dest := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		dest[i] = &values[i]
	}
	r.Rows = iter.Seq2[query.Row, error](func(yield func(query.Row, error) bool) {
		for n := 0; rows.Next(); n++ {
			if n == most {
				*tooMany = true
				return
			}
			if err := rows.Scan(dest...); err != nil {
				yield(nil, fmt.Errorf("query: reading a row: %w", err))
				return
			}
			row := make(query.Row, len(values))
			for i, v := range values {
				row[i] = anyCell(v, types[i].DatabaseTypeName())
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	})
	return r, nil
}

func anyCell(v any, typ string) query.Cell {
	switch v := v.(type) {
	case nil:
		return query.Cell{Type: filter.Text, Null: true}
	case int64:
		return query.Cell{Type: filter.Int, Int: v}
	case float64:
		return query.Cell{Type: filter.Text, Text: strconv.FormatFloat(v, 'g', -1, 64)}
	case []byte:
		return query.Cell{Type: filter.Text, Text: strings.ToValidUTF8(string(v), "\uFFFD")}
	case time.Time:
		return query.Cell{Type: filter.Time, Int: v.UnixMicro()}
	case string:
		// PostgreSQL adds up numbers to a type of any length.
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && typ == "NUMERIC" {
			return query.Cell{Type: filter.Int, Int: n}
		}
		return query.Cell{Type: filter.Text, Text: strings.ToValidUTF8(v, "\uFFFD")}
	}
	return query.Cell{Type: filter.Text, Text: fmt.Sprint(v)}
}

// checkStatement cuts text into words and refuses what is not one SELECT. It
// returns the names in it, quoted or not, in lower case.
func checkStatement(text string) ([]string, error) {
	if len(text) > maxStatement || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, fmt.Errorf("query: a statement is text of at most %d bytes", maxStatement)
	}
	var words []string
	ended := false
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		rest := text[i:]
		switch {
		case unicode.IsSpace(r):
		case strings.HasPrefix(rest, "--"):
			n = until(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			n = 2 + until(rest[2:], "*/")
			if strings.Contains(rest[2:n], "/*") {
				return nil, fmt.Errorf("query: a comment inside a comment")
			}
		case r == ';':
			ended = true
		case ended:
			return nil, fmt.Errorf("query: only one statement at a time")
		case r == '\'':
			n = 1 + until(rest[1:], "'")
		case r == '"':
			n = 1 + until(rest[1:], `"`)
			words = append(words, strings.ToLower(strings.TrimSuffix(rest[1:n], `"`)))
		case r == '[' || r == '`' || r == '\\' || r == '$':
			return nil, fmt.Errorf("query: the character %c has no place outside quotes", r)
		case r == '_' || unicode.IsLetter(r):
			n = strings.IndexFunc(rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if n < 0 {
				n = len(rest)
			}
			if n < len(rest) && (rest[n] == '\'' || rest[n] == '&') {
				return nil, fmt.Errorf("query: %s: this form of quotes is not allowed", filter.Visible(rest[:n+1]))
			}
			words = append(words, strings.ToLower(rest[:n]))
		}
		i += n
	}
	if len(words) == 0 || words[0] != "select" && words[0] != "with" {
		return nil, stemma.WithHint(fmt.Errorf("query: only SELECT, or WITH … SELECT, can be asked"), "The tables are the views v1_…: SELECT * FROM v1_change LIMIT 5")
	}
	return words, nil
}

// until is how far s goes up to and with end.
func until(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

// reserved are the beginnings of names by which a database tells about itself
// and its machine, or does other things than reading.
var reserved = []string{
	"pg_", "sqlite_", "information_schema", "lo_", "dblink", "set_config", "current_setting", "pragma_", "load_extension",
	"query_to_", "table_to_", "schema_to_", "database_to_", "cursor_to_", "nextval", "setval",
}

// checkNames refuses every name that is a table but no public view.
func checkNames(words []string, tables map[string]bool) error {
	for _, w := range words {
		if strings.HasPrefix(w, "v1_") {
			if !tables[w] {
				var names []string
				for _, v := range views() {
					names = append(names, v.name)
				}
				return fmt.Errorf("query: unknown view %s: %s", filter.Visible(w), filter.Suggest(w, names))
			}
			continue
		}
		hidden := tables[w] && !slices.ContainsFunc(views(), func(v view) bool {
			return slices.ContainsFunc(v.cols, func(c viewCol) bool { return c.name == w })
		})
		for _, r := range reserved {
			hidden = hidden || strings.HasPrefix(w, r)
		}
		if hidden {
			return stemma.WithHint(fmt.Errorf("query: %s is not public", filter.Visible(w)), "Ask the views, which stay as they are: v1_change, v1_commit, v1_line, v1_edge and so on; a column of that name needs another one.")
		}
	}
	return nil
}
