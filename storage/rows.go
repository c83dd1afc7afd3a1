package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
)

// InChunks calls do with the keys of a map, some hundred at a time and in order,
// and with the placeholders for them in a query.
func InChunks[V any](m map[stemma.Ref]V, do func(refs []any, marks string) error) error {
	const most = 400
	refs := make([]any, 0, most)
	flush := func() error {
		if len(refs) == 0 {
			return nil
		}
		marks := make([]string, len(refs))
		for i := range refs {
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
		err := do(refs, strings.Join(marks, ","))
		refs = refs[:0]
		return err
	}
	keys := make([]stemma.Ref, 0, len(m))
	for ref := range m {
		keys = append(keys, ref)
	}
	slices.Sort(keys)
	for _, ref := range keys {
		refs = append(refs, string(ref))
		if len(refs) == most {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// Each gives the rows of one query to take, one after the other, to be scanned.
func (db *DB) Each(ctx context.Context, take func(scan func(...any) error) error, query string, args ...any) error {
	return db.Read(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells of a failure
		for rows.Next() {
			if err := take(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
