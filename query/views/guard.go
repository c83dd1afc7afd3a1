package views

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/storage"
)

// A statement that a stranger wrote is held to the public views twice. Its text
// may name no other table, on either engine. And SQLite, which takes a text for a
// name and has tables of its own, says what it would open: trees of the file that
// lie below a public view. PostgreSQL takes names from texts only in functions,
// which it knows for volatile.

// A name is a word of a statement in lower case, quoted or not.
type name struct {
	word string
	text bool // written as a text: a name to SQLite only
}

// checkStatement cuts text into words and refuses what is not one SELECT. It
// returns the names in it. Where the engines, or settings of theirs, end a text
// or a comment at different places, the statement is refused.
func checkStatement(text string) ([]name, error) {
	if len(text) > maxStatement || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, fmt.Errorf("query: a statement is text of at most %d bytes", maxStatement)
	}
	var names []name
	ended := false
	before := ' ' // the character before this one, blanks and comments left out
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		rest := text[i:]
		blank := false
		switch {
		case unicode.IsSpace(r):
			blank = true
		case strings.HasPrefix(rest, "--"):
			n, blank = until(rest, "\n"), true
			if strings.Contains(strings.TrimSuffix(rest[:n], "\r\n"), "\r") {
				return nil, fmt.Errorf("query: a carriage return inside a comment")
			}
		case strings.HasPrefix(rest, "/*"):
			n, blank = 2+until(rest[2:], "*/"), true
			if strings.Contains(rest[2:n], "/*") {
				return nil, fmt.Errorf("query: a comment inside a comment")
			}
		case r == ';':
			ended = true
		case ended:
			return nil, fmt.Errorf("query: only one statement at a time")
		case r == '\'':
			n = untilQuote(rest)
			if !strings.ContainsRune("=<>|", before) { // behind these stands a value
				names = append(names, name{strings.ToLower(strings.TrimSuffix(rest[1:n], "'")), true})
			}
		case r == '"':
			n = untilQuote(rest)
			names = append(names, name{strings.ToLower(strings.TrimSuffix(rest[1:n], `"`)), false})
		case r == '[' || r == '`' || r == '\\' || r == '$':
			return nil, fmt.Errorf("query: the character %c has no place outside quotes", r)
		case r == '_' || unicode.IsLetter(r):
			n = strings.IndexFunc(rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if n < 0 {
				n = len(rest)
			}
			if n < len(rest) && (rest[n] == '\'' || rest[n] == '&') {
				return nil, fmt.Errorf("query: %s: this form of quotes is not allowed", filter.Visible(rest[:n+1]))
			}
			names = append(names, name{strings.ToLower(rest[:n]), false})
		}
		if !blank {
			before = r
		}
		i += n
	}
	if len(names) == 0 || names[0] != (name{"select", false}) && names[0] != (name{"with", false}) {
		return nil, stemma.WithHint(fmt.Errorf("query: only SELECT, or WITH … SELECT, can be asked"), "The tables are the views v1_…: SELECT * FROM v1_change LIMIT 5")
	}
	return names, nil
}

// until is how far s goes up to and with end.
func until(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

// untilQuote is how far s goes up to and with the quote that it begins with; two
// of them are one in the text.
func untilQuote(s string) int {
	n := 1 + until(s[1:], s[:1])
	for n < len(s) && s[n] == s[0] {
		n += 1 + until(s[n+1:], s[:1])
	}
	return n
}

// checkAccess refuses a statement that reads anything but public views.
func checkAccess(ctx context.Context, tx *storage.Tx, text string, names []name) error {
	taken, err := taken(ctx, tx)
	if err != nil {
		return fmt.Errorf("query: reading the names of the tables: %w", err)
	}
	if tx.Engine() == storage.Postgres {
		return checkNames(slices.DeleteFunc(names, func(n name) bool { return n.text }), taken)
	}
	if err := checkNames(names, taken); err != nil {
		return err
	}
	return checkTrees(ctx, tx, text)
}

// taken are the names of all relations and, of PostgreSQL, of the functions that
// may read what no name in a statement tells of: those that it calls volatile,
// and those of the schema, which are not ours.
func taken(ctx context.Context, tx *storage.Tx) (map[string]bool, error) {
	names, err := relations(ctx, tx)
	if err != nil || tx.Engine() == storage.SQLite {
		return names, err
	}
	functions, err := column(ctx, tx, `SELECT CAST(proname AS TEXT) FROM pg_proc
		WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v' AND proname NOT IN ('random', 'clock_timestamp', 'system')
			OR pronamespace = current_schema()::regnamespace`)
	maps.Copy(names, functions)
	return names, err
}

// reserved are the beginnings of names by which a database tells about itself
// and its machine, or does other things than reading.
var reserved = []string{
	"pg_", "sqlite_", "information_schema", "lo_", "dblink", "set_config", "current_setting", "pragma_", "load_extension",
	"query_to_", "table_to_", "schema_to_", "database_to_", "cursor_to_", "nextval", "setval", "dbstat",
}

// checkNames refuses every name that is taken but by no public view.
func checkNames(names []name, taken map[string]bool) error {
	for _, n := range names {
		w := n.word
		if strings.HasPrefix(w, "v1_") && !n.text {
			if !taken[w] {
				var known []string
				for _, v := range views() {
					known = append(known, v.name)
				}
				return fmt.Errorf("query: unknown view %s: %s", filter.Visible(w), filter.Suggest(w, known))
			}
			continue
		}
		if n.text && taken[w] {
			return stemma.WithHint(fmt.Errorf("query: the text '%s' is the name of a table", filter.Visible(w)),
				"SQLite takes a text for a table where one may stand. Behind = it is a text; tables are the views v1_…, without quotes.")
		}
		hidden := taken[w] && !slices.ContainsFunc(views(), func(v view) bool {
			return slices.ContainsFunc(v.cols, func(c viewCol) bool { return c.name == w })
		})
		for _, r := range reserved {
			hidden = hidden || !n.text && strings.HasPrefix(w, r)
		}
		if hidden {
			return notPublic(w)
		}
	}
	return nil
}

func notPublic(w string) error {
	return stemma.WithHint(fmt.Errorf("query: %s is not public", filter.Visible(w)), "Ask the views, which stay as they are: v1_change, v1_commit, v1_line, v1_edge and so on; a column of that name needs another one.")
}

// checkTrees asks SQLite which trees of the file the statement would open, and
// refuses one that belongs to no table below a public view.
func checkTrees(ctx context.Context, tx *storage.Tx, text string) error {
	tables, err := treeTables(ctx, tx)
	if err != nil {
		return err
	}
	public, err := below(ctx, tx, tables)
	if err != nil {
		return err
	}
	trees, err := opened(ctx, tx, text)
	if err != nil {
		return err
	}
	for _, root := range trees {
		if table := tables[root]; !public[table] {
			return notPublic(table)
		}
	}
	return nil
}

// below are those of the tables that lie below a public view.
func below(ctx context.Context, tx *storage.Tx, tables map[int64]string) (map[string]bool, error) {
	public := map[string]bool{}
	for _, v := range views() {
		trees, err := opened(ctx, tx, `SELECT * FROM `+v.name)
		if err != nil {
			return nil, err
		}
		for _, root := range trees {
			public[tables[root]] = true
		}
	}
	return public, nil
}

// treeTables are the tables of SQLite by the roots of their trees and of those of
// their indexes.
func treeTables(ctx context.Context, tx *storage.Tx) (map[int64]string, error) {
	rows, err := tx.Query(ctx, `SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells of a failure
	tables := map[int64]string{noTree: "a table that SQLite computes", 1: "sqlite_schema"}
	for rows.Next() {
		var root int64
		var table string
		if err := rows.Scan(&root, &table); err != nil {
			return nil, err
		}
		tables[root] = table
	}
	return tables, rows.Err()
}

const noTree = 0 // instead of a root: what is opened is not in the file

// opened are the roots of the trees that SQLite would open for a statement.
func opened(ctx context.Context, tx *storage.Tx, text string) ([]int64, error) {
	rows, err := tx.Query(ctx, `EXPLAIN `+text)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells of a failure
	var roots []int64
	for rows.Next() {
		var op string
		var p2 int64
		var other any
		if err := rows.Scan(&other, &op, &other, &p2, &other, &other, &other, &other); err != nil {
			return nil, err
		}
		switch op {
		case "OpenRead", "ReopenIdx":
			roots = append(roots, p2)
		case "OpenAutoindex", "OpenDup", "OpenEphemeral", "OpenPseudo", "SorterOpen": // of the statement itself
		default:
			if strings.Contains(op, "Open") {
				roots = append(roots, noTree)
			}
		}
	}
	return roots, rows.Err()
}
