package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/stemma-dev/stemma"
)

const defaultSchema = "stemma"

// openPostgres opens a schema and makes it where it is missing.
func (db *DB) openPostgres(ctx context.Context, dsn string) error {
	db.engine = Postgres
	config, schema, err := parsePostgres(dsn)
	if err != nil {
		return err
	}
	db.schema = schema
	db.place = fmt.Sprintf("schema %s of %s on %s", schema, config.Database, config.Host)
	sum := sha256.Sum256([]byte("stemma/writer/" + schema))
	db.lock = int64(binary.BigEndian.Uint64(sum[:8]))
	if db.readOnly {
		config.RuntimeParams["default_transaction_read_only"] = "on"
		config.RuntimeParams["statement_timeout"] = fmt.Sprint(readOnlyTime.Milliseconds())
		config.RuntimeParams["standard_conforming_strings"] = "on" // who checks a statement must know where its texts end
	}
	db.readers = newPool(stdlib.OpenDB(*config), readerCount())
	there := false
	err = db.Read(ctx, func(tx *Tx) error {
		const query = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)"
		return tx.QueryRow(ctx, query, schema).Scan(&there)
	})
	if err == nil && db.readOnly && !there {
		err = fmt.Errorf("storage: opening %s: %w", db.place, stemma.ErrNotFound)
	}
	if err != nil || db.readOnly {
		return err
	}
	db.writer = newPool(stdlib.OpenDB(*config), 1)
	db.migrations = func() (*sql.DB, error) { return stdlib.OpenDB(*config), nil }
	if there {
		return nil
	}
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{schema}.Sanitize())
		return err
	})
}

var schemaName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`) })

// parsePostgres takes the schema out of the query, which the driver would send
// to the server as a setting. Its errors show no part of a password.
func parsePostgres(dsn string) (*pgx.ConnConfig, string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, "", errors.New("storage: the postgres:// address is not a URL")
	}
	q := u.Query()
	schema := q.Get("schema")
	if schema == "" {
		schema = q.Get("search_path")
	}
	if schema == "" {
		schema = defaultSchema
	}
	if !schemaName().MatchString(schema) || strings.HasPrefix(schema, "pg_") {
		return nil, "", fmt.Errorf("storage: the schema %.80q is not a plain lower-case name", schema)
	}
	q.Del("schema")
	q.Del("search_path")
	u.RawQuery = q.Encode()
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, "", fmt.Errorf("storage: reading the postgres:// address: %w", err)
	}
	config.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	config.RuntimeParams["application_name"] = "stemma"
	config.RuntimeParams["client_encoding"] = "UTF8"
	return config, schema, nil
}

// beginPostgres starts a transaction in one round trip. The query before the
// end of a read-only one fixes its mode: from then on SET TRANSACTION READ
// WRITE is refused.
func (db *DB) beginPostgres(ctx context.Context, conn *sql.Conn, write bool) error {
	begin := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	switch {
	case write:
		begin = fmt.Sprintf("BEGIN; SET LOCAL lock_timeout = %d; SELECT pg_advisory_xact_lock(%d)",
			db.waitMillis(), db.lock)
	case db.readOnly:
		begin += "; SELECT 1"
	}
	_, err := conn.ExecContext(ctx, begin, pgx.QueryExecModeSimpleProtocol)
	return err
}

// dead reports whether a connection was lost, for example because the server
// was restarted while it was idle.
func (s *session) dead() bool {
	closed := false
	err := s.conn.Raw(func(c any) error {
		if c, ok := c.(*stdlib.Conn); ok {
			closed = c.Conn().IsClosed()
		}
		return nil
	})
	return closed || err != nil
}

// copyIn streams rows into a table.
func (s *session) copyIn(ctx context.Context, table string, columns []string, src pgx.CopyFromSource) (n int64, err error) {
	err = s.conn.Raw(func(c any) error {
		pg, ok := c.(*stdlib.Conn)
		if !ok {
			return errors.New("not a connection to PostgreSQL")
		}
		n, err = pg.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, src)
		return err
	})
	return n, err
}

var textType = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bTEXT\b`) })

// byteOrder gives every TEXT column of a schema statement the order of its
// bytes, whatever the locale of the database, so that both engines sort and
// compare alike.
func byteOrder(ddl string) string {
	var b strings.Builder
	from := 0
	for _, at := range textType().FindAllStringIndex(ddl, -1) {
		before := strings.TrimSpace(ddl[from:at[0]])
		after := strings.TrimSpace(ddl[at[1]:])
		b.WriteString(ddl[from:at[1]])
		from = at[1]
		if strings.HasSuffix(before, " AS") || strings.HasSuffix(before, "::") || strings.HasPrefix(after, "COLLATE") {
			continue // a cast, or said already
		}
		b.WriteString(` COLLATE "C"`)
	}
	b.WriteString(ddl[from:])
	return b.String()
}

// definesTable reports whether a statement names column types.
func definesTable(query string) bool {
	query = strings.TrimSpace(query)
	return strings.HasPrefix(query, "CREATE ") && !strings.HasPrefix(query, "CREATE VIEW") || strings.HasPrefix(query, "ALTER ")
}
