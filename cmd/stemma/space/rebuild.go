package space

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/query/views"
)

// Rebuild makes the graph anew.
func Rebuild(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "throw the graph and the views away and make them anew from the log",
		Args:  program.Args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return runRebuild(c.Context(), a, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func runRebuild(ctx context.Context, a *program.App, asJSON bool) error {
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
	if asJSON {
		return terminal.JSON(a.Out, map[string]int64{"facts": n})
	}
	_, err = fmt.Fprintf(a.Out, "the graph was derived anew from %d facts\n", n)
	return err
}
