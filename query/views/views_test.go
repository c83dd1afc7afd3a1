package views

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var update = flag.Bool("update", false, "rewrite docs/query.md")

// readOnlySpace is a filled space, opened for unchecked statements.
func readOnlySpace(t testing.TB, dsn string) *storage.DB {
	t.Helper()
	ctx := context.Background()
	db, err := storage.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	querytest.Pay().Store(t, db)
	for range 2 { // the second time there is nothing to do
		if err := Ensure(ctx, db); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ro, err := storage.OpenReadOnly(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ro.Close(); err != nil {
			t.Error(err)
		}
	})
	return ro
}

func TestMain(m *testing.M) { storagetest.Main(m) }

func bothDSNs(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, storagetest.SQLiteDSN(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, storagetest.PostgresDSN(t)) })
}

func TestViewsAnswerSQLAlikeOnBothEngines(t *testing.T) {
	var first []string
	bothDSNs(t, func(t *testing.T, dsn string) {
		db := readOnlySpace(t, dsn)
		var all []string
		statements := []string{
			`SELECT number, repository, author_class, merged_us FROM v1_change ORDER BY ref`,
			`SELECT origin, SUM(count) AS lines FROM v1_line WHERE branch = 'main' GROUP BY origin ORDER BY 1; -- the end`,
			`WITH ai AS (SELECT ref, lines FROM v1_change_credit WHERE origin = 'ai') SELECT COUNT(*) AS n, SUM(lines) AS lines FROM ai`,
			`SELECT effect, cause, flow FROM v1_edge WHERE door = 'carries' ORDER BY 1, 2`,
			`SELECT version FROM v1_about`,
			`SELECT 'it''s; DROP TABLE node' AS x /* node; */`,
		}
		for _, v := range views() {
			statements = append(statements, `SELECT * FROM `+v.name+` WHERE 1 = 0`, `SELECT COUNT(*) AS n FROM `+v.name)
		}
		for _, s := range statements {
			var b bytes.Buffer
			if err := ReadOnly(context.Background(), db, s, Limits{}, &b, output.CSV); err != nil {
				t.Errorf("%s: %v", s, err)
			}
			all = append(all, s+"\n"+b.String())
		}
		var b bytes.Buffer
		if err := ReadOnly(context.Background(), db, `SELECT merged FROM v1_change WHERE number = 1`, Limits{}, &b, output.NDJSON); err != nil {
			t.Error(err)
		}
		if err := ReadOnly(context.Background(), db, `SELECT SUM(count) AS lines FROM v1_line`, Limits{}, &b, output.NDJSON); err != nil {
			t.Error(err)
		}
		if got, want := b.String(), "{\"merged\":\"2026-06-07T12:00:00Z\"}\n{\"lines\":206}\n"; got != want {
			t.Errorf("a time and a sum read %s, want %s", got, want)
		}
		if first == nil {
			first = all
		} else if diff := cmp.Diff(first, all); diff != "" {
			t.Errorf("(-sqlite +postgres):\n%s", diff)
		}
	})
}

func TestSQLOnlyReadsThePublicViews(t *testing.T) {
	bothDSNs(t, func(t *testing.T, dsn string) {
		db := readOnlySpace(t, dsn)
		for s, want := range map[string]string{
			"":                                                 "only SELECT",
			"DELETE FROM v1_change":                            "only SELECT",
			"VALUES (1)":                                       "only SELECT",
			"PRAGMA table_list":                                "only SELECT",
			"EXPLAIN SELECT 1":                                 "only SELECT",
			"COPY node TO '/tmp/x'":                            "only SELECT",
			"SELECT 1; SELECT 2":                               "only one statement",
			"SELECT * FROM node":                               "node is not public",
			`SELECT * FROM "node"`:                             "node is not public",
			`SELECT * FROM main.NODE`:                          "node is not public",
			"SELECT * FROM v1_change, profile":                 "profile is not public",
			"SELECT * FROM [node]":                             "has no place",
			"SELECT * FROM `node`":                             "has no place",
			`SELECT * FROM U&"nod\0065"`:                       "this form of quotes",
			"SELECT $$x$$":                                     "has no place",
			"SELECT pg_read_file('/etc/passwd')":               "pg_read_file is not public",
			"SELECT * FROM sqlite_schema":                      "sqlite_schema is not public",
			"SELECT * FROM information_schema.tables":          "information_schema is not public",
			"SELECT query_to_xml('x', true, true, '')":         "query_to_xml is not public",
			"SELECT 1 /* /* */ FROM node */":                   "comment inside a comment",
			"SELECT * FROM v1_chnage":                          "did you mean v1_change?",
			"WITH x AS (DELETE FROM v1_change) SELECT 1":       "",
			"SELECT * FROM v1_change WHERE nothing = 1":        "",
			"SELECT 'open":                                     "",
			"SELECT load_extension('x')":                       "load_extension is not public",
			"SELECT '" + strings.Repeat("x", 70_000) + "'":     "at most",
			"SELECT 1 FROM v1_change\x00":                      "at most",
			"WITH node AS (SELECT 1 AS id) SELECT * FROM node": "node is not public",
		} {
			var b bytes.Buffer
			err := ReadOnly(context.Background(), db, s, Limits{}, &b, output.JSON)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.80s: %v, want %q", s, err, want)
			}
		}
	})
}

func TestSQLStopsAtItsLimits(t *testing.T) {
	bothDSNs(t, func(t *testing.T, dsn string) {
		db := readOnlySpace(t, dsn)
		var b bytes.Buffer
		err := ReadOnly(context.Background(), db, `SELECT ref FROM v1_change`, Limits{Rows: 2}, &b, output.NDJSON)
		if !errors.Is(err, ErrTooManyRows) || strings.Count(b.String(), "\n") != 2 {
			t.Errorf("%v after %q", err, b.String())
		}
		err = ReadOnly(context.Background(), db, `WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r`,
			Limits{Timeout: 200 * time.Millisecond}, &b, output.NDJSON)
		if err == nil || !strings.Contains(err.Error(), "stopped after 200ms") {
			t.Errorf("an endless statement: %v", err)
		}
	})
}

func TestPrivateTablesAreNoColumnsOfViews(t *testing.T) {
	for _, private := range []string{"profile", "node", "edge", "body", "data_key", "fact", "entry", "inbox", "bookmark"} {
		for _, v := range views() {
			for _, c := range v.cols {
				if c.name == private {
					t.Errorf("column %s of %s would open the table of that name", private, v.name)
				}
			}
		}
	}
}

func TestViewsAreMadeAgainAfterTheyAreGone(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		ctx := context.Background()
		db := open()
		querytest.Pay().Store(t, db)
		for _, drop := range []string{"", "DROP VIEW v1_edge", "DROP VIEW v1_about"} {
			if drop != "" {
				if err := db.Write(ctx, func(tx *storage.Tx) error { _, err := tx.Exec(ctx, drop); return err }); err != nil {
					t.Fatal(err)
				}
			}
			if err := Ensure(ctx, db); err != nil {
				t.Fatal(err)
			}
			var n int
			err := db.Read(ctx, func(tx *storage.Tx) error { return tx.QueryRow(ctx, `SELECT COUNT(*) FROM v1_edge`).Scan(&n) })
			if err != nil || n == 0 {
				t.Errorf("after %q: %d edges, %v", drop, n, err)
			}
		}
	})
}

func TestViewsThatSaySomethingElseAreNamed(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		ctx := context.Background()
		db := open()
		querytest.Pay().Store(t, db)
		do := func(statements ...string) {
			t.Helper()
			for _, q := range statements {
				if err := db.Write(ctx, func(tx *storage.Tx) error { _, err := tx.Exec(ctx, q); return err }); err != nil {
					t.Fatal(err)
				}
			}
		}
		faults := func(want ...string) {
			t.Helper()
			got, err := Faults(ctx, db)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("faults %q, %v, want %q", got, err, want)
			}
		}
		faults() // of views that nobody made yet
		mend := func() {
			t.Helper()
			if err := Make(ctx, db); err != nil {
				t.Fatal(err)
			}
			faults()
		}
		mend()
		do(`DROP VIEW v1_edge`)
		faults("view v1_edge is gone")
		mend()
		do(`DROP VIEW v1_change`, `CREATE VIEW v1_change AS SELECT n.ref AS ref FROM node n`, `DROP VIEW v1_line`)
		faults("view v1_change was defined anew", "view v1_line is gone")
		mend()
		do(`DROP VIEW v1_change`, `CREATE TABLE v1_change (ref TEXT)`)
		faults("view v1_change was defined anew")
		mend()
		do(`DROP VIEW v1_about`, `CREATE VIEW v1_about AS SELECT 1 AS version, 'another' AS digest`, `DROP VIEW v1_line`)
		faults() // another version made them
	})
}

// The page on the language has the tables that the program knows, and its
// examples can be asked.
func TestDocumentationIsTrue(t *testing.T) {
	const path = "../../docs/query.md"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for name, want := range map[string]string{"fields": filter.Markdown(query.Kinds()), "views": Markdown()} {
		begin, end := fmt.Sprintf("<!-- %s: begin -->\n", name), fmt.Sprintf("<!-- %s: end -->", name)
		before, rest, ok := strings.Cut(text, begin)
		got, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for %s", path, name)
		}
		if got != want && !*update {
			t.Errorf("%s: the table of %s is old; run go test ./query/views -update", path, name)
		}
		text = before + begin + want + end + after
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	examples := 0
	for _, line := range strings.Split(text, "\n") {
		rest, ok := strings.CutPrefix(line, "stemma query ")
		if !ok {
			continue
		}
		examples++
		kind, filter, _ := strings.Cut(rest, " ")
		filter, _, _ = strings.Cut(strings.TrimPrefix(filter, "'"), "'")
		if _, err := query.Parse(kind, filter, querytest.Noon()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if examples < 10 {
		t.Errorf("only %d examples", examples)
	}
}
