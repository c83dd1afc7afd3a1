package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"

	"github.com/stemma-dev/stemma"
)

var migrationName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`) })

// Migrate brings the tables of the package called name up to the newest of
// its migrations: files migrations/00001_what.sql of fsys with a line
// "-- +goose Up", written once for both engines. What ran is kept in a table
// of its own for every name. It may be called again and by several processes
// at once; a migration that fails leaves nothing behind.
func (db *DB) Migrate(ctx context.Context, name string, fsys fs.FS) (err error) {
	if !migrationName().MatchString(name) {
		return fmt.Errorf("storage: migrations called %.60q: not a plain name", name)
	}
	if db.readOnly {
		return fmt.Errorf("storage: migrating %s in %s: %w", name, db.place, ErrReadOnly)
	}
	what := "migrating " + name + " in"
	if fsys, err = fs.Sub(fsys, "migrations"); err != nil {
		return db.explain(what, err)
	}
	// Looked at first without a lock, so that a long Write elsewhere does not
	// keep this process from starting.
	if pending, err := db.pending(ctx, name, fsys); err != nil || !pending {
		return db.explain(what, err)
	}
	// The one writer of this process waits meanwhile.
	s, err := db.take(ctx, db.writer)
	if err != nil {
		return db.explain(what, err)
	}
	healthy := false
	defer func() { db.give(db.writer, s, healthy) }()
	if err := s.forget(); err != nil {
		return db.explain(what, err)
	}
	unlock, err := db.lockMigrations(ctx, s)
	if err != nil {
		return db.explain(what, err)
	}
	err = db.goose(ctx, name, fsys)
	if err := db.explain(what, errors.Join(err, unlock())); err != nil {
		return err
	}
	healthy = true
	return nil
}

// pending reports whether a migration of fsys has not run.
func (db *DB) pending(ctx context.Context, name string, fsys fs.FS) (bool, error) {
	files, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return false, err
	}
	want := map[int64]bool{}
	var newest int64
	for _, f := range files {
		v, err := goose.NumericComponent(f)
		if err != nil {
			return false, err
		}
		want[v] = true
		newest = max(newest, v)
	}
	if len(want) == 0 {
		return false, errors.New("there is no migration")
	}
	err = db.Read(ctx, func(tx *Tx) error {
		table := "migration_" + name
		if there, err := tx.hasTable(ctx, table); err != nil || !there {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT version_id FROM "+table+" WHERE is_applied")
		if err != nil {
			return err
		}
		for rows.Next() {
			var v int64
			if err := rows.Scan(&v); err != nil {
				return cmpErr(err, rows.Close())
			}
			if v > newest {
				return stemma.WithHint(cmpErr(rows.Close(), fmt.Errorf("its version is %d, this program knows %d", v, newest)),
					"The space was made by a newer stemma: use that one.")
			}
			delete(want, v)
		}
		return rows.Err()
	})
	return len(want) > 0, err
}

func (tx *Tx) hasTable(ctx context.Context, table string) (there bool, err error) {
	query := "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1)"
	if tx.Engine() == Postgres {
		query = "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1)"
	}
	err = tx.QueryRow(ctx, query, table).Scan(&there)
	return there, err
}

// Columns are the names of the columns of a table, in their order; none if there
// is no such table. A view is no table.
func (tx *Tx) Columns(ctx context.Context, table string) (names []string, err error) {
	query := `SELECT name FROM pragma_table_info($1) WHERE EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1) ORDER BY cid`
	if tx.Engine() == Postgres {
		query = `SELECT CAST(a.attname AS TEXT) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
			WHERE c.relnamespace = current_schema()::regnamespace AND CAST(c.relname AS TEXT) = $1 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
			ORDER BY a.attnum`
	}
	rows, err := tx.Query(ctx, query, table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// lockMigrations keeps other processes out on PostgreSQL. On SQLite each
// migration takes the write lock, see goose.
func (db *DB) lockMigrations(ctx context.Context, s *session) (unlock func() error, err error) {
	if db.engine == SQLite {
		return func() error { return nil }, nil
	}
	if err := db.begin(ctx, s, true); err != nil {
		return nil, err
	}
	return func() error { return s.end("COMMIT") }, nil
}

func (db *DB) goose(ctx context.Context, name string, fsys fs.FS) (err error) {
	pool, err := db.migrations()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	pool.SetMaxOpenConns(2)
	dialect := goose.DialectSQLite3
	if db.engine == Postgres {
		dialect, fsys = goose.DialectPostgres, byteOrderFS{fsys}
	}
	p, err := goose.NewProvider(dialect, pool, fsys,
		goose.WithTableName("migration_"+name), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	// Another process may have run a migration after goose looked; then ours
	// fails and there is less to do. A failure without progress is real.
	for last := int64(-1); ; {
		_, err := p.Up(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		version, verr := p.GetDBVersion(ctx)
		if verr != nil || version == last {
			return err
		}
		last = version
	}
}

// byteOrderFS applies byteOrder to every migration.
type byteOrderFS struct{ fs.FS }

// Open opens a file or directory.
func (f byteOrderFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return file, err
	}
	b, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return byteOrderFile{File: file, text: strings.NewReader(byteOrder(string(b)))}, nil
}

type byteOrderFile struct {
	fs.File
	text *strings.Reader
}

// Read reads the changed text.
func (f byteOrderFile) Read(b []byte) (int, error) { return f.text.Read(b) }
