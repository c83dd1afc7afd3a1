package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/storage"
)

func (a *app) sqlCommand() *cobra.Command {
	var f formatFlags
	var rows int
	c := &cobra.Command{
		Use:   "sql STATEMENT",
		Short: "run one SELECT over the public views",
		Long: `Runs one SELECT, or WITH … SELECT, over the versioned views v1_change, v1_commit,
v1_line, v1_session, v1_model, v1_edge and others, read-only, with a limit of time
and rows. docs/query.md lists the views and their columns.`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return a.sql(c.Context(), args[0], rows, f.format())
		},
	}
	f.add(c)
	c.Flags().IntVar(&rows, "rows", 0, "at most this many rows (default 10000)")
	return c
}

func (a *app) sql(ctx context.Context, statement string, rows int, format output.Format) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(views.Ensure(ctx, s.DB), a.hintIfEmpty(ctx, s))
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	dir, err := a.store.dir()
	if err != nil {
		return err
	}
	db, err := storage.OpenReadOnly(ctx, a.store.dsn(dir))
	if err != nil {
		return err
	}
	defer db.Close()
	return views.ReadOnly(ctx, db, statement, views.Limits{Rows: rows}, a.out, format)
}
