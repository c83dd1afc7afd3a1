package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stemma-dev/stemma"
)

// Reasons that callers may branch on; test with [errors.Is].
var (
	// ErrLocked: another process keeps the space for itself.
	ErrLocked = errors.New("the database is locked by another process")
	// ErrReadOnly: nothing can be written to that place.
	ErrReadOnly = errors.New("it is read-only")
	// ErrFull: no room is left for what should be written.
	ErrFull = errors.New("no space left")

	errClosed = errors.New("the database is closed")
)

// A reason is an error for errors.Is with the engine's own words behind it.
type reason struct {
	is    error
	cause error
}

func (r *reason) Error() string   { return r.is.Error() + " (" + r.cause.Error() + ")" }
func (r *reason) Unwrap() []error { return []error{r.is, r.cause} }

// explain says what was being done, to what, why it failed and what to do. An
// error that was explained already stays as it is.
func (db *DB) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	var done *explained
	if errors.As(err, &done) {
		return err
	}
	is, hint := db.diagnose(err)
	switch {
	case errors.Is(is, ErrLocked):
		err = fmt.Errorf("storage: %w: %s %s: %w", is, what, db.place, err)
	case is != nil:
		err = fmt.Errorf("storage: %s %s: %w", what, db.place, &reason{is, err})
	default:
		err = fmt.Errorf("storage: %s %s: %w", what, db.place, err)
	}
	err = &explained{err}
	if hint != "" {
		return stemma.WithHint(err, "%s", hint)
	}
	return err
}

// explained marks an error that names what was done to what.
type explained struct{ error }

func (e *explained) Unwrap() error { return e.error }

// becauseOver adds to a failure of the database that ctx was over, if the driver tells
// only what it did about that, such as closing the connection.
func becauseOver(ctx context.Context, err error) error {
	over := ctx.Err()
	var failed *explained
	if over == nil || !errors.As(err, &failed) || errors.Is(err, over) {
		return err
	}
	return fmt.Errorf("%w (%w)", err, over)
}

// explainQuery adds the start of the statement, which is our text and not the
// user's, where the reason lies in the statement itself.
func (db *DB) explainQuery(err error, query string) error {
	if is, hint := db.diagnose(err); is != nil || hint != "" {
		return db.explain("using", err)
	}
	return &explained{fmt.Errorf("storage: %.60s: %w", strings.Join(strings.Fields(query), " "), err)}
}

// diagnose finds the reason and the advice for an error of either engine.
func (db *DB) diagnose(err error) (is error, hint string) {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errClosed):
		return nil, ""
	case errors.As(err, &lite):
		return db.diagnoseSQLite(lite.Code())
	case errors.As(err, &pg):
		return diagnosePostgres(pg.Code)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return ErrReadOnly, db.permissionHint()
	case errors.Is(err, fs.ErrNotExist):
		return nil, "Make the directory " + filepath.Dir(db.place) + " first, or name another one."
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return ErrFull, fullHint
	case errors.Is(err, syscall.EISDIR):
		return nil, filepath.Base(db.place) + " is a directory: name a file in it, such as file:" + filepath.Join(db.place, "stemma.db") + "."
	case errors.As(err, &connect), errors.As(err, &network): // last: an error number of the system is a net.Error too
		return nil, "Is PostgreSQL running there, and do the address and the password in the postgres:// URL fit?"
	}
	return nil, ""
}

const fullHint = "Free some space on that disk (or raise its quota) and try again; what was stored before is unharmed."

func (db *DB) permissionHint() string {
	return "SQLite must be able to write " + filepath.Base(db.place) + " and to make files beside it in " +
		filepath.Dir(db.place) + ": change the permissions or choose another place."
}

func (db *DB) diagnoseSQLite(code int) (is error, hint string) {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrLocked, "Another stemma (or an open sqlite3 shell) is writing to " + filepath.Base(db.place) +
			": wait until it has finished, or end it, and try again."
	case sqlite3.SQLITE_FULL:
		return ErrFull, fullHint
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return ErrReadOnly, db.permissionHint()
	case sqlite3.SQLITE_IOERR:
		return nil, "The disk or file system under " + filepath.Dir(db.place) +
			" failed or is full; what was stored before is unharmed. Check it and try again."
	case sqlite3.SQLITE_NOTADB:
		return nil, "That file is not a stemma database: name another one."
	case sqlite3.SQLITE_CORRUPT:
		return stemma.ErrTampered, "The file is damaged: restore it from a backup."
	}
	return nil, ""
}

func diagnosePostgres(code string) (is error, hint string) {
	switch {
	case code == "55P03":
		return ErrLocked, "Another stemma is writing to the same schema: wait until it has finished, or end it, and try again."
	case code == "53100":
		return ErrFull, fullHint
	case code == "25006":
		return ErrReadOnly, "The server or the role allows reading only: connect to the primary with a role that may write."
	case code == "42501":
		return nil, "The role lacks a right: grant it CREATE on the database, or make it the owner of the schema."
	case code == "3D000":
		return nil, "Make the database first: createdb --encoding=UTF8 NAME."
	case strings.HasPrefix(code, "28"):
		return nil, "Check the user and the password in the postgres:// URL."
	}
	return nil, ""
}
