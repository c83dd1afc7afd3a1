package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stemma-dev/stemma"
)

// A Tx is one transaction, given to the function of [DB.Read] or [DB.Write].
// It is used by one goroutine, and only until that function returns.
//
// Arguments are integers, text, bytes, nil, bool (kept as 0 or 1),
// [stemma.Digest] (kept as 32 bytes), pointers to these, and named types of
// them. Text must be UTF-8 without a zero byte. A nil slice is NULL, an empty
// one is not; read back, both may be nil, so ask for IS NULL where it matters.
type Tx struct {
	db     *DB
	s      *session
	rows   *Rows // the result being read
	asking bool  // results are being taken, see Ask
	failed error // the first statement that failed
	over   bool
}

// Engine says which SQL is spoken, for the rare statement that must differ.
func (tx *Tx) Engine() Engine { return tx.db.engine }

// Exec runs one statement that returns no rows and says how many it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := tx.ready(); err != nil {
		return 0, err
	}
	if tx.db.readOnly {
		return 0, tx.fail(ErrReadOnly, query)
	}
	values, err := bindAll(args)
	if err != nil {
		return 0, tx.fail(err, query)
	}
	if tx.db.engine == Postgres && definesTable(query) {
		query = byteOrder(query)
	}
	res, err := tx.exec(ctx, query, values)
	if err != nil {
		return 0, tx.fail(err, query)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(err, query)
	}
	return n, nil
}

func (tx *Tx) exec(ctx context.Context, query string, values []any) (sql.Result, error) {
	if tx.s.stmts == nil || definesTable(query) {
		return tx.s.conn.ExecContext(ctx, query, values...)
	}
	stmt, err := tx.s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, values...)
}

// Query runs one statement that returns rows. They must be read to the end or
// closed before the next statement.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	if err := tx.ready(); err != nil {
		return nil, err
	}
	values, err := bindAll(args)
	if err != nil {
		return nil, tx.fail(err, query)
	}
	var rows *sql.Rows
	switch {
	case tx.db.engine == Postgres && tx.db.readOnly:
		rows, err = tx.s.cursor(ctx, query, values)
	case tx.s.stmts == nil:
		rows, err = tx.s.conn.QueryContext(ctx, query, values...)
	default:
		var stmt *sql.Stmt
		if stmt, err = tx.s.prepare(ctx, query); err == nil {
			rows, err = stmt.QueryContext(ctx, values...)
		}
	}
	if err != nil {
		return nil, tx.fail(err, query)
	}
	tx.rows = &Rows{Rows: rows, tx: tx, query: query}
	return tx.rows, nil
}

// cursor runs an unchecked query. A cursor can only be declared for a query
// that changes nothing, and only a single statement can be prepared.
func (s *session) cursor(ctx context.Context, query string, values []any) (*sql.Rows, error) {
	const name = "stemma_read"
	if _, err := s.conn.ExecContext(ctx, "CLOSE ALL"); err != nil {
		return nil, err
	}
	if err := s.declare(ctx, "DECLARE "+name+" NO SCROLL CURSOR FOR "+query, values); err != nil {
		return nil, err
	}
	// Not prepared: the driver would take the columns of an earlier cursor for
	// those of this one.
	return s.conn.QueryContext(ctx, "FETCH ALL FROM "+name, pgx.QueryExecModeExec)
}

func (s *session) declare(ctx context.Context, query string, values []any) (err error) {
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	_, err = stmt.ExecContext(ctx, values...)
	return err
}

// QueryRow runs a statement and keeps its first row for Scan.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *Row {
	rows, err := tx.Query(ctx, query, args...)
	return &Row{rows: rows, err: err}
}

// ready refuses a statement that cannot run now.
func (tx *Tx) ready() error {
	switch {
	case tx.over:
		return errors.New("storage: the transaction is over")
	case tx.rows != nil, tx.asking:
		return errors.New("storage: a result of this transaction is still being read")
	}
	return tx.failed
}

// fail keeps the first failure: on PostgreSQL the transaction is lost with it,
// so on SQLite it is too.
func (tx *Tx) fail(err error, query string) error {
	err = tx.db.explainQuery(err, query)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// closeRows ends a result that the caller left open.
func (tx *Tx) closeRows() error {
	if tx.rows == nil {
		return nil
	}
	return tx.rows.Close()
}

// Rows is the result of [Tx.Query]: Next, Scan, Err and Close as in
// [database/sql.Rows].
type Rows struct {
	*sql.Rows
	tx    *Tx
	query string
}

// Next moves to the next row. After the last one the result is closed; then
// Err says whether it was really the last.
func (r *Rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.done()
	return false
}

// Close ends the result; it may be called again.
func (r *Rows) Close() error {
	err := r.Rows.Close()
	r.done()
	if err != nil {
		return r.tx.fail(err, r.query)
	}
	return nil
}

// Err is the failure that ended the result early.
func (r *Rows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return r.tx.fail(err, r.query)
	}
	return nil
}

func (r *Rows) done() {
	if r.tx.rows == r {
		r.tx.rows = nil
	}
	if err := r.Rows.Err(); err != nil {
		_ = r.tx.fail(err, r.query) // reported by Err, and by the end of the transaction
	}
}

// A Row is the result of [Tx.QueryRow].
type Row struct {
	rows *Rows
	err  error
}

// errNoRow is both errors, so that callers may test for either.
var errNoRow = fmt.Errorf("storage: no such row: %w (%w)", stemma.ErrNotFound, sql.ErrNoRows)

// Scan copies the row into dest. Without a row the error is
// [stemma.ErrNotFound] and also [database/sql.ErrNoRows].
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer func() { _ = r.rows.Close() }() // a second time after the checked one below
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return errNoRow
	}
	for _, d := range dest {
		if _, ok := d.(*sql.RawBytes); ok {
			return errors.New("storage: raw bytes do not outlive a row")
		}
	}
	if err := r.rows.Scan(dest...); err != nil {
		return fmt.Errorf("storage: reading a row: %w", err)
	}
	return r.rows.Close()
}
