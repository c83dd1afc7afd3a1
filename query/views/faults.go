package views

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma/storage"
)

// errLooked ends a transaction that is to leave nothing.
var errLooked = errors.New("looked")

// Faults tells which views are not as this program made them, in words: one
// that is gone, or that says something else. Views that another version made, or
// nobody yet, have no faults: whoever asks them next makes them.
func Faults(ctx context.Context, db *storage.DB) (faults []string, err error) {
	look := db.Read
	if db.Engine() == storage.Postgres {
		look = db.Write // to compare with a view of its own
	}
	err = look(ctx, func(tx *storage.Tx) error {
		names, err := relations(ctx, tx)
		if err != nil || !names[stamp] {
			return err
		}
		var made string
		if err := tx.QueryRow(ctx, `SELECT digest FROM `+stamp).Scan(&made); err != nil || made != digest(tx.Engine()) {
			return err
		}
		for _, v := range views() {
			if !names[v.name] {
				faults = append(faults, "view "+v.name+" is gone")
			} else if same, err := v.asMade(ctx, tx); err != nil {
				return err
			} else if !same {
				faults = append(faults, "view "+v.name+" was defined anew")
			}
		}
		return errLooked
	})
	if err != nil && !errors.Is(err, errLooked) {
		return nil, fmt.Errorf("query: looking at the views: %w", err)
	}
	return faults, nil
}

// asMade reports whether what has the name of the view is the view. SQLite keeps
// the statement; PostgreSQL writes every view in its own way, and so one made for
// comparison too.
func (v view) asMade(ctx context.Context, tx *storage.Tx) (same bool, err error) {
	if tx.Engine() == storage.SQLite {
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = $1 AND sql = $2)`, v.name, v.sql(storage.SQLite)).Scan(&same)
		return same, err
	}
	const other = "pg_temp.view_as_made"
	_, body, _ := strings.Cut(v.sql(storage.Postgres), " AS ")
	if _, err := tx.Exec(ctx, `CREATE OR REPLACE TEMP VIEW view_as_made AS `+body); err != nil {
		return false, err
	}
	err = tx.QueryRow(ctx, `SELECT COALESCE(pg_get_viewdef(CAST($1 AS regclass)) = pg_get_viewdef(CAST($2 AS regclass)), FALSE)`, v.name, other).Scan(&same)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `DROP VIEW `+other)
	return same, err
}
