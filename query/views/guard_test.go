package views

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// frames are places of a statement where a table may stand.
var frames = []string{
	"SELECT * FROM @",
	"SELECT COUNT(*) FROM @",
	"SELECT x.* FROM @ AS x",
	"SELECT 1 FROM @ x, v1_change",
	"SELECT COUNT(*) FROM v1_change, @",
	"SELECT COUNT(*) FROM v1_change,\n@",
	"SELECT COUNT(*) FROM v1_change JOIN/**/@",
	"SELECT COUNT(*) FROM v1_change CROSS JOIN (@)",
	"SELECT COUNT(*) FROM (@ JOIN v1_change)",
	"SELECT 1 FROM (SELECT 1 AS pos) x JOIN @ USING (pos)",
	"SELECT 1 FROM (SELECT 1 AS pos) x NATURAL JOIN @",
	"SELECT pos FROM (SELECT 1 AS pos WHERE 1 = 0) x FULL JOIN @ USING (pos)",
	"SELECT 1 IN @",
	"SELECT 1 FROM v1_change WHERE EXISTS (SELECT 1 FROM @)",
	"SELECT (SELECT COUNT(*) FROM @)",
	"SELECT ref FROM v1_change ORDER BY (SELECT COUNT(*) FROM @)",
	"SELECT ref FROM v1_change LIMIT (SELECT COUNT(*) FROM @)",
	"SELECT COUNT(*) OVER () FROM @",
	"SELECT 1 UNION ALL SELECT COUNT(*) FROM @",
	"SELECT COUNT(*) FROM v1_change -- '\n, @ --'",
	"SELECT '''' = /* ' */ '' FROM @",
	"WITH x AS (SELECT * FROM @) SELECT COUNT(*) FROM x",
	"WITH v1_change AS (SELECT * FROM @) SELECT * FROM v1_change",
	"WITH 'v1_change' AS (SELECT * FROM @) SELECT * FROM v1_change",
	"WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT COUNT(*) FROM @, r) SELECT * FROM r",
	"SELECT COUNT(*) FROM @ NOT INDEXED",
	"SELECT COUNT(*) FROM ONLY @",
}

// spellings are ways to write the name of a table, on one engine or the other.
var spellings = []string{
	"@", `"@"`, "'@'", "[@]", "`@`", "main.@", "main.'@'", "'main'.'@'", `"main" . '@'`, "main./* */'@'", "''.'@'", `U&"@"`, "@/**/", "'@'--",
	"-- \r\n'@'", "-- \r@", "-- \r' \n@--'",
}

// private are tables that statements may not read: of ours, of SQLite and of
// PostgreSQL. Some take arguments.
var private = []string{
	"fact", "node", "profile", "tree", "checkpoint", "k_change", "K_CHANGE_FIXES", "migration_ledger",
	"sqlite_schema", "sqlite_master", "sqlite_dbpage", "dbstat", "dbstat('main')", "pragma_table_list", "pragma_table_info('fact')", "json_each('[1]')", "pg_class",
}

func TestPrivateTablesAreReadUnderNoSpelling(t *testing.T) {
	bothDSNs(t, func(t *testing.T, dsn string) {
		db := readOnlySpace(t, dsn)
		every := 7 // a connection to PostgreSQL is dear
		if db.Engine() == storage.Postgres {
			every = 40
		}
		if testing.Short() { // the race detector looks at the code, not at spellings
			every *= 7
		}
		for i, table := range private {
			name, arguments, called := strings.Cut(table, "(")
			for j, spelling := range spellings {
				at := strings.ReplaceAll(spelling, "@", name)
				if called {
					at += "(" + arguments
				}
				for k, frame := range frames {
					if (i*7+j*5+k)%every > 0 {
						continue
					}
					text := strings.ReplaceAll(frame, "@", at)
					if answer, err := ask(t.Context(), db, text); err == nil {
						t.Errorf("%q was answered: %.80q", text, answer)
					}
				}
			}
		}
	})
}

func ask(ctx context.Context, db *storage.DB, text string) (string, error) {
	var b bytes.Buffer
	err := ReadOnly(ctx, db, text, Limits{}, &b, output.CSV)
	return b.String(), err
}

func TestTextsMayBeNamesOfTables(t *testing.T) {
	bothDSNs(t, func(t *testing.T, dsn string) {
		db := readOnlySpace(t, dsn)
		for _, text := range []string{
			`SELECT COUNT(*) FROM v1_thing WHERE kind = 'fact' OR kind <> 'node' OR kind || 'edge' = 'x'`,
			`SELECT 'facts', 'a fact', '''fact' FROM v1_change`,
			`SELECT door FROM v1_edge WHERE door IN ('carries', 'sqlite_x')`,
		} {
			if _, err := ask(t.Context(), db, text); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

func TestFunctionsThatRunSQLAreNotPublic(t *testing.T) {
	db := readOnlySpace(t, storagetest.PostgresDSN(t))
	for _, text := range []string{
		`SELECT word FROM ts_stat('SELECT to_tsvector(''simple'', CAST(pos AS TEXT)) FROM fact')`,
		`SELECT ts_rewrite('a', 'SELECT ''a''::tsquery, ''b''::tsquery FROM fact')`,
		`SELECT query_to_xml('SELECT * FROM fact', true, true, '')`,
		`SELECT table_to_xml('fact', true, true, '')`,
	} {
		if answer, err := ask(t.Context(), db, text); err == nil || !strings.Contains(err.Error(), "is not public") {
			t.Errorf("%s: %.80q, %v", text, answer, err)
		}
	}
	if _, err := ask(t.Context(), db, `SELECT ref FROM v1_change WHERE merged < now() ORDER BY random()`); err != nil {
		t.Error(err)
	}
}

// A server may be set so that a backslash quotes a quote.
func TestTextsEndWhereTheCheckSeesIt(t *testing.T) {
	dsn := storagetest.PostgresDSN(t)
	mark := "?"
	if strings.Contains(dsn, "?") {
		mark = "&"
	}
	db := readOnlySpace(t, dsn+mark+"standard_conforming_strings=off")
	answer, err := ask(t.Context(), db, `SELECT '\'', (SELECT COUNT(*) FROM fact) --'`)
	if err != nil || !strings.Contains(answer, "FROM fact") {
		t.Errorf("the text is %q, %v", answer, err)
	}
}

// FuzzReadOnly asks two spaces that differ in private tables only, and takes
// every answer that differs for a leak.
func FuzzReadOnly(f *testing.F) {
	one := emptied(f, false)
	other := emptied(f, true)
	for _, frame := range frames {
		f.Add(strings.ReplaceAll(frame, "@", "'fact'"))
		f.Add(strings.ReplaceAll(frame, "@", "v1_edge"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ask(t.Context(), one, text)
		if err != nil {
			return
		}
		second, err := ask(t.Context(), other, text)
		again, errAgain := ask(t.Context(), one, text)
		if first != again || errAgain != nil {
			return // it asks for the time, or for a random number
		}
		if err != nil || first != second {
			t.Errorf("%q answers %q, and %q (%v) where private tables are empty", text, first, second, err)
		}
	})
}

// emptied is a space, its private tables without rows if so asked.
func emptied(f *testing.F, private bool) *storage.DB {
	f.Helper()
	ctx, dsn := f.Context(), storagetest.SQLiteDSN(f)
	ro := readOnlySpace(f, dsn)
	db, err := storage.Open(ctx, dsn)
	if err != nil {
		f.Fatal(err)
	}
	err = db.Write(ctx, func(tx *storage.Tx) error {
		tables, err := treeTables(ctx, tx)
		if err != nil || !private {
			return err
		}
		public, err := below(ctx, tx, tables)
		if err != nil {
			return err
		}
		for _, table := range tables {
			if table == "fact" || table == "profile" || strings.HasPrefix(table, "k_") && !public[table] {
				if _, err := tx.Exec(ctx, `DELETE FROM `+table); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		f.Fatal(err)
	}
	return ro
}
