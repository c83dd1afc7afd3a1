// Package database reads the database of OpenCode, an SQLite file that another
// program may be writing to. It opens it to read only, and changes nothing.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the engine

	"github.com/stemma-dev/stemma/ingest/agent/opencode"
)

// Read adds the records of the database in the file at path to a reader. A
// database without the tables of OpenCode is an error.
func Read(ctx context.Context, path string, into *opencode.Reader) (err error) {
	if info, err := os.Lstat(path); err != nil {
		return fmt.Errorf("opencode: %w", err)
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("opencode: %s is no file", path)
	}
	name := url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(2000)&_pragma=trusted_schema(0)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return fmt.Errorf("opencode: opening its database: %w", err)
	}
	defer func() {
		if e := db.Close(); err == nil && e != nil {
			err = fmt.Errorf("opencode: closing its database: %w", e)
		}
	}()
	for _, t := range []struct {
		query string
		add   func(id, of string, data []byte)
	}{
		{
			`SELECT id, '', json_object('id', id, 'parentID', parent_id, 'title', title, 'directory', directory, 'version', version)
			FROM session WHERE length(title) + length(directory) <= ? ORDER BY id`,
			func(id, _ string, data []byte) { into.Session(id, data) },
		},
		{`SELECT id, session_id, data FROM message WHERE length(data) <= ? ORDER BY id`, into.Message},
		{`SELECT id, message_id, data FROM part WHERE length(data) <= ? ORDER BY id`, into.Part},
	} {
		if err := each(ctx, db, t.query, t.add); err != nil {
			return fmt.Errorf("opencode: reading its database: %w", err)
		}
	}
	return nil
}

// maxData is the longest record that is read.
const maxData = 64 << 20

func each(ctx context.Context, db *sql.DB, query string, add func(id, of string, data []byte)) (err error) {
	rows, err := db.QueryContext(ctx, query, maxData)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, of string
		var data []byte
		if err := rows.Scan(&id, &of, &data); err != nil {
			return err
		}
		add(id, of, data)
	}
	return rows.Err()
}
