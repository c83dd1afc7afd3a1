package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Sizes of an insertion: on SQLite a statement carries a whole chunk of rows
// or one; on PostgreSQL rows are copied once there are more than a few.
const (
	chunkRows  = 64
	maxValues  = 32000 // arguments of one statement that both engines take
	copyAbove  = 16
	upsertRows = 256
)

// Insert adds rows to a table and says how many. The table and the columns
// are our names, not the user's. The slice of a row
// may be reused for the next one, bytes in it may not.
func (tx *Tx) Insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (int64, error) {
	if tx.db.engine == Postgres {
		return tx.insertPostgres(ctx, table, columns, rows)
	}
	return tx.insertChunks(ctx, table, columns, "", chunkRows, rows)
}

// Upsert is Insert with what to do about rows that are there already, for
// example "ON CONFLICT (id) DO UPDATE SET last = excluded.last". The rows of
// one call must differ in what they conflict by.
func (tx *Tx) Upsert(ctx context.Context, table string, columns []string, conflict string, rows iter.Seq[[]any]) (int64, error) {
	size := chunkRows
	if tx.db.engine == Postgres {
		size = upsertRows
	}
	return tx.insertChunks(ctx, table, columns, " "+conflict, size, rows)
}

func (tx *Tx) insertChunks(ctx context.Context, table string, columns []string, suffix string, size int, rows iter.Seq[[]any]) (int64, error) {
	if len(columns) == 0 {
		return 0, errors.New("storage: insertion without columns")
	}
	size = max(1, min(size, maxValues/len(columns)))
	values := make([]any, 0, size*len(columns))
	var total int64
	flush := func(rows int) error {
		n, err := tx.Exec(ctx, insertSQL(tx.db.engine, table, columns, rows)+suffix, values[:rows*len(columns)]...)
		total += n
		values = append(values[:0], values[rows*len(columns):]...)
		return err
	}
	for row := range rows {
		if len(row) != len(columns) {
			return total, tx.fail(fmt.Errorf("a row of %d values for %d columns", len(row), len(columns)), "INSERT INTO "+table)
		}
		if values = append(values, row...); len(values) < cap(values) {
			continue
		}
		if err := flush(size); err != nil {
			return total, err
		}
	}
	// The rest goes in a few fixed sizes, so that few statements are prepared.
	for n := size; len(values) > 0; {
		if n*len(columns) > len(values) {
			n = max(1, n/4)
			continue
		}
		if err := flush(n); err != nil {
			return total, err
		}
	}
	return total, tx.ready()
}

// insertSQL writes the statement for n rows. On SQLite the placeholders have
// no numbers: the driver looks every name up in a list of all of them, which
// takes most of the time of an insertion of many rows. There a statement that fails
// need not take back its first rows, which would cost a copy of each page that it
// changes: the transaction is lost with it, see [Tx.fail].
func insertSQL(engine Engine, table string, columns []string, n int) string {
	var b strings.Builder
	b.WriteString("INSERT ")
	if engine == SQLite {
		b.WriteString("OR FAIL ")
	}
	b.WriteString("INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	for i := range n * len(columns) {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%len(columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		if engine == SQLite {
			b.WriteString("?")
		} else {
			b.WriteString("$" + strconv.Itoa(i+1))
		}
	}
	b.WriteString(")")
	return b.String()
}

func (tx *Tx) insertPostgres(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (int64, error) {
	next, stop := iter.Pull(rows)
	defer stop()
	var first [][]any
	for len(first) <= copyAbove {
		row, ok := next()
		if !ok {
			return tx.insertChunks(ctx, table, columns, "", copyAbove, func(yield func([]any) bool) {
				for _, row := range first {
					if !yield(row) {
						return
					}
				}
			})
		}
		first = append(first, append([]any(nil), row...))
	}
	if err := tx.ready(); err != nil {
		return 0, err
	}
	src := &copySource{first: first, next: next, columns: len(columns)}
	n, err := tx.s.copyIn(ctx, table, columns, src)
	if err != nil {
		return n, tx.fail(err, "COPY "+table)
	}
	return n, nil
}

// copySource feeds rows to COPY: the ones read ahead, then the rest.
type copySource struct {
	first   [][]any
	next    func() ([]any, bool)
	row     []any
	columns int
}

// Next moves to the next row.
func (s *copySource) Next() bool {
	if len(s.first) > 0 {
		s.row, s.first = s.first[0], s.first[1:]
		return true
	}
	row, ok := s.next()
	s.row = row
	return ok
}

// Values returns the current row.
func (s *copySource) Values() ([]any, error) {
	if len(s.row) != s.columns {
		return nil, fmt.Errorf("a row of %d values for %d columns", len(s.row), s.columns)
	}
	return bindAll(s.row)
}

// Err is always nil: what can fail is in Values.
func (s *copySource) Err() error { return nil }
