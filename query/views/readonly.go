package views

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

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
// that speaks of views v1_… only, and SQLite is asked what it would open for it.
// When there are more rows than allowed, those that are allowed are written and
// the error is [ErrTooManyRows].
func ReadOnly(ctx context.Context, db *storage.DB, text string, l Limits, w io.Writer, f output.Format) error {
	if l.Rows <= 0 {
		l.Rows = defaultRows
	}
	if l.Timeout <= 0 {
		l.Timeout = defaultTimeout
	}
	names, err := checkStatement(text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	tooMany := false
	err = db.Read(ctx, func(tx *storage.Tx) error {
		if err := checkAccess(ctx, tx, text, names); err != nil {
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
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("query: %w", ctx.Err())
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
