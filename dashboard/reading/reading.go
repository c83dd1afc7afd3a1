// Package reading gathers what pages show: from the graph, the log, the records
// of scans, and the repositories on this machine.
//
// A [Reader] answers with plain values and knows nothing of how they will look.
// Lists are bounded, and the bounds are part of what is said here: a page that
// needs all of something asks package query. Nothing is ever written, and what
// was said in a session is never read.
package reading

import (
	"context"
	"errors"
	"time"

	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/storage"
)

// A Reader reads one space. It may be used concurrently. Of what it read from
// repositories it keeps some, which cannot change under its name.
type Reader struct {
	space *ingest.Space
	repos *repositories
}

// New returns a reader of a space. Close it when nothing is under way.
func New(space *ingest.Space) *Reader { return &Reader{space: space, repos: newRepositories()} }

// Close lets go of the repositories that were opened.
func (r *Reader) Close() error { return r.repos.close() }

// list reads all rows of a statement. into says where the columns of a row go.
func list[T any](ctx context.Context, tx *storage.Tx, into func(*T) []any, statement string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells of a failure
	var out []T
	for rows.Next() {
		var one T
		if err := rows.Scan(into(&one)...); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// ask is list on the newest state of the store.
func ask[T any](ctx context.Context, r *Reader, into func(*T) []any, statement string, args ...any) (out []T, err error) {
	err = r.space.DB.Read(ctx, func(tx *storage.Tx) error {
		out, err = list(ctx, tx, into, statement, args...)
		return err
	})
	return out, err
}

// micros reads a column of microseconds since 1970; none and 0 are no time.
type micros time.Time

// Scan implements sql.Scanner.
func (m *micros) Scan(value any) error {
	n, ok := value.(int64)
	if !ok && value != nil {
		return errors.New("a time that is no number")
	}
	*m = micros{}
	if n != 0 {
		*m = micros(time.UnixMicro(n).UTC())
	}
	return nil
}
