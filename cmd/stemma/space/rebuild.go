package space

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/query/views"
)

// Rebuild makes the graph anew.
func Rebuild(a *program.App) *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "throw the graph and the views away and make them anew from the log",
		Args:  program.Args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return runRebuild(c.Context(), a) },
	}
}

func runRebuild(ctx context.Context, a *program.App) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Graph.Rebuild(ctx, s.Ledger); err != nil {
		return err
	}
	if err := views.Make(ctx, s.DB); err != nil {
		return err
	}
	n, err := s.Graph.Applied(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "the graph was derived anew from %d facts\n", n)
	return err
}
