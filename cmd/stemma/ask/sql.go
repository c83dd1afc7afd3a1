package ask

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/query/views"
)

// SQL asks in SQL, over the public views.
func SQL(a *program.App) *cobra.Command {
	var f formatFlags
	var rows int
	c := &cobra.Command{
		Use:   "sql STATEMENT",
		Short: "run one SELECT over the public views",
		Long: `Runs one SELECT, or WITH … SELECT, over the versioned views v1_change, v1_commit,
v1_line, v1_session, v1_model, v1_edge and others, read-only, with a limit of time
and rows. docs/query.md lists the views and their columns.`,
		Args: program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runSQL(c.Context(), a, args[0], rows, f.format())
		},
	}
	f.add(c)
	c.Flags().IntVar(&rows, "rows", 0, "at most this many rows (default 10000)")
	return c
}

func runSQL(ctx context.Context, a *program.App, statement string, rows int, format output.Format) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(views.Ensure(ctx, s.DB), hintIfEmpty(ctx, a.Err, s))
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	db, err := a.OpenReadOnly(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return views.ReadOnly(ctx, db, statement, views.Limits{Rows: rows}, a.Out, format)
}
