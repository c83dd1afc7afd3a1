package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks a SQLite file as ours: "stma".
const applicationID = 0x73746d61

// openSQLite opens the file at path. A new file is readable by its owner only.
func (db *DB) openSQLite(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	db.engine, db.place = SQLite, path
	if strings.ContainsRune(path, 0) {
		return errors.New("storage: the path of a database has a zero byte")
	}
	flag := os.O_RDWR | os.O_CREATE
	if db.readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return db.explain("opening", err)
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return db.explain("opening", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("storage: opening %s: it is a directory or a device, not a file", path)
	}
	if db.readOnly {
		return db.openSQLitePools(ctx, "mode=ro&_pragma=query_only(1)")
	}
	return db.openSQLitePools(ctx, "mode=rw")
}

func (db *DB) openSQLitePools(ctx context.Context, params string) error {
	// A path on Windows has no leading slash; a URI needs one.
	slashed := filepath.ToSlash(db.place)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	base := (&url.URL{Scheme: "file", Path: slashed}).String() + "?" + params + "&_pragma=case_sensitive_like(1)"
	connect := func(extra string) (*sql.DB, error) {
		c, err := sqlite.NewConnector(base + extra)
		if err != nil {
			return nil, fmt.Errorf("storage: opening %s: %w", db.place, err)
		}
		return sql.OpenDB(c), nil
	}
	readers, err := connect("")
	if err != nil {
		return err
	}
	db.readers = newPool(readers, readerCount())
	if db.readOnly {
		return db.Read(ctx, func(tx *Tx) error {
			var n int64
			return tx.QueryRow(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n)
		})
	}
	writer, err := connect("")
	if err != nil {
		return err
	}
	db.writer = newPool(writer, 1)
	db.migrations = func() (*sql.DB, error) {
		return connect("&_txlock=immediate&_pragma=synchronous(2)&_pragma=busy_timeout(" + strconv.FormatInt(db.waitMillis(), 10) + ")")
	}
	return db.claim(ctx)
}

func busyTimeout(millis int64) string { return "PRAGMA busy_timeout=" + strconv.FormatInt(millis, 10) }

// tune sets what a connection needs. Ordinary readers are kept from writing by
// mistake; against malice see guard.
func (db *DB) tune(ctx context.Context, conn *sql.Conn, write bool) error {
	if _, err := conn.ExecContext(ctx, busyTimeout(db.waitMillis())); err != nil {
		return err
	}
	pragmas := []string{"foreign_keys=0", "temp_store=memory"}
	if write {
		pragmas = append(pragmas,
			"journal_mode=wal",
			"synchronous=full",
			"secure_delete=fast", // what is erased is overwritten in its page
			"cache_size=-16384",
			"wal_autocheckpoint=4000",
			"journal_size_limit=67108864")
	} else {
		pragmas = append(pragmas, "query_only=1", "cache_size=-16384", "mmap_size=268435456")
	}
	for _, p := range pragmas {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return err
		}
	}
	if !write {
		return nil
	}
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file system does not allow a write-ahead log (journal mode is %s)", mode)
	}
	return nil
}

// claim marks a new file as ours and refuses the file of another program.
func (db *DB) claim(ctx context.Context) error {
	id, tables, err := db.owner(ctx)
	if err != nil || id == applicationID {
		return err
	}
	if id != 0 || tables != 0 {
		return fmt.Errorf("storage: opening %s: it is the database of another program", db.place)
	}
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "PRAGMA application_id="+strconv.Itoa(applicationID))
		return err
	})
}

func (db *DB) owner(ctx context.Context) (id, tables int64, err error) {
	// The writer's connection looks: it may have to recover or to make the log first.
	err = db.run(ctx, db.writer, false, func(tx *Tx) error {
		if err := tx.QueryRow(ctx, "PRAGMA application_id").Scan(&id); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables)
	})
	return id, tables, err
}

// Scrub moves the write-ahead log of SQLite into the file and empties it, so
// that bytes that were erased are in neither. A reader may prevent that; it is not
// waited for longer than a second, and the next Scrub or Close makes up for it.
func (db *DB) Scrub(ctx context.Context) error {
	if db.engine != SQLite {
		return nil
	}
	s, err := db.take(ctx, db.writer)
	if err != nil {
		return err
	}
	s.waits = 1000
	for _, p := range []string{busyTimeout(s.waits), "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, e := s.conn.ExecContext(ctx, p); err == nil {
			err = e
		}
	}
	db.give(db.writer, s, err == nil)
	return err
}

// Limits of a statement nobody has checked.
const (
	limitLength   = 64 << 20 // bytes of one value or row
	limitSQL      = 1 << 20  // bytes of one statement
	limitAttached = 0
)

// guard makes a connection safe for statements nobody has checked: only
// reading is authorised, so that ATTACH, VACUUM INTO and every PRAGMA with a
// value are refused, and sizes are bounded.
func guard(conn *sql.Conn) error {
	for id, limit := range map[int]int{
		sqlite3.SQLITE_LIMIT_LENGTH:     limitLength,
		sqlite3.SQLITE_LIMIT_SQL_LENGTH: limitSQL,
		sqlite3.SQLITE_LIMIT_ATTACHED:   limitAttached,
	} {
		if _, err := sqlite.Limit(conn, id, limit); err != nil {
			return err
		}
	}
	return conn.Raw(func(c any) error {
		r, ok := c.(sqlite.AuthorizerRegisterer)
		if !ok {
			return errors.New("the driver cannot restrict statements")
		}
		return r.RegisterAuthorizer(authorize)
	})
}

func authorize(action sqlite.AuthorizerActionCode, name, value, _, _ string) sqlite.AuthorizerReturnCode {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRead, sqlite.AuthRecursive, sqlite.AuthTransaction:
		return sqlite.AuthorizerOK
	case sqlite.AuthFunction:
		if value != "load_extension" {
			return sqlite.AuthorizerOK
		}
	case sqlite.AuthPragma:
		if slices.Contains([]string{"table_info", "table_xinfo", "table_list", "index_list", "index_info"}, name) {
			return sqlite.AuthorizerOK
		}
	}
	return sqlite.AuthorizerDeny
}
