package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A Misfit is a value of another type than its column was declared with.
type Misfit struct {
	Row    string // its key, as text
	Column string
	Want   string // "integer", "text" or "blob"
	Got    string // one of these, or "real"
}

// kept is how SQLite keeps the values of a column, by its declared type.
var kept = map[string]string{"BIGINT": "integer", "INTEGER": "integer", "TEXT": "text", "BYTEA": "blob"}

// Misfits calls f for every misfit in a table whose rows are named by the column
// key. PostgreSQL takes none, SQLite takes whatever another program puts in.
func (tx *Tx) Misfits(ctx context.Context, table, key string, f func(Misfit)) error {
	if tx.Engine() != SQLite {
		return nil
	}
	columns, want, err := tx.declared(ctx, table)
	if err != nil {
		return err
	}
	found := []string{`CAST("` + key + `" AS TEXT)`}
	var odd []string
	for i, c := range columns {
		found = append(found, `typeof("`+c+`")`)
		odd = append(odd, fmt.Sprintf(`typeof("%s") NOT IN ('%s', 'null')`, c, want[i]))
	}
	rows, err := tx.Query(ctx, "SELECT "+strings.Join(found, ", ")+` FROM "`+table+`" WHERE `+strings.Join(odd, " OR "))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells of a failure
	row := make([]string, len(found))
	dest := make([]any, len(found))
	for i := range row {
		dest[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, got := range row[1:] {
			if got != want[i] && got != "null" {
				f(Misfit{Row: row[0], Column: columns[i], Want: want[i], Got: got})
			}
		}
	}
	return rows.Err()
}

// declared are the columns of a table and how their values are kept.
func (tx *Tx) declared(ctx context.Context, table string) (columns, want []string, err error) {
	rows, err := tx.Query(ctx, "SELECT name, type FROM pragma_table_info($1)", table)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			return nil, nil, err
		}
		if kept[typ] == "" {
			return nil, nil, fmt.Errorf("storage: column %s of %s is declared as %q", name, table, typ)
		}
		columns, want = append(columns, name), append(want, kept[typ])
	}
	return columns, want, rows.Err()
}
