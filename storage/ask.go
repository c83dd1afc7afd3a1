package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// An Ask is a query that returns rows, and what takes each of them. Scan fills pointers to
// int64, int, string, bool and []byte; what may be NULL is asked for with COALESCE, or as
// bytes.
type Ask struct {
	Query string
	Args  []any
	Take  func(scan func(...any) error) error
}

// Ask runs queries that do not depend on each other, and has the rows taken of one after the
// other. PostgreSQL is sent all of them at once: for small ones the way there and back takes
// longer than they do. What takes rows must not use the transaction.
func (tx *Tx) Ask(ctx context.Context, asks ...Ask) error {
	if tx.db.engine == Postgres && !tx.db.readOnly {
		return tx.pipeline(ctx, asks)
	}
	for _, a := range asks {
		rows, err := tx.Query(ctx, a.Query, a.Args...)
		if err != nil {
			return err
		}
		if err := rows.take(a.Take); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rows) take(take func(scan func(...any) error) error) error {
	defer func() { _ = r.Close() }() // Err tells of a failure
	for r.Next() {
		if err := take(r.Scan); err != nil {
			return err
		}
	}
	return r.Err()
}

func (tx *Tx) pipeline(ctx context.Context, asks []Ask) error {
	if err := tx.ready(); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, a := range asks {
		values, err := bindAll(a.Args)
		if err != nil {
			return tx.fail(err, a.Query)
		}
		batch.Queue(a.Query, values...)
	}
	tx.asking = true
	defer func() { tx.asking = false }()
	return tx.s.conn.Raw(func(c any) error {
		pg, ok := c.(*stdlib.Conn)
		if !ok {
			return errors.New("not a connection to PostgreSQL")
		}
		results := pg.Conn().SendBatch(ctx, batch)
		err := tx.results(results, asks)
		// Close reads what is left; its failure is that of a query, and was told with it.
		return cmpErr(err, results.Close())
	})
}

func (tx *Tx) results(results pgx.BatchResults, asks []Ask) error {
	for _, a := range asks {
		rows, err := results.Query()
		if unknown := (pgx.ErrPreprocessingBatch{}); errors.As(err, &unknown) && unknown.SQL() != "" {
			return tx.fail(err, unknown.SQL()) // all are prepared before the first one runs
		}
		if err != nil {
			return tx.fail(err, a.Query)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				return tx.fail(err, a.Query)
			}
			if err := a.Take(func(into ...any) error { return scan(values, into) }); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return tx.fail(err, a.Query)
		}
	}
	return nil
}

// scan fills pointers with the values of a row, as database/sql does.
func scan(values, into []any) error {
	if len(values) != len(into) {
		return fmt.Errorf("storage: reading a row: it has %d columns, not %d", len(values), len(into))
	}
	for i, to := range into {
		if !fill(to, values[i]) {
			return fmt.Errorf("storage: reading a row: column %d is %T, which does not fit %T", i+1, values[i], to)
		}
	}
	return nil
}

func fill(to, value any) (ok bool) {
	n, whole := number(value)
	switch to := to.(type) {
	case *int64:
		*to = n
		return whole
	case *int:
		*to = int(n)
		return whole
	case *bool:
		is, ok := value.(bool)
		*to = is || whole && n == 1
		return ok || whole && (n == 0 || n == 1)
	case *string:
		*to, ok = value.(string)
		return ok
	case *[]byte:
		*to, ok = value.([]byte)
		return ok || value == nil
	}
	return false
}

func number(value any) (n int64, ok bool) {
	switch v := value.(type) {
	case int64:
		return v, true
	case int32:
		return int64(v), true
	case int16:
		return int64(v), true
	}
	return 0, false
}
