package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/query/views"
)

func (a *app) rebuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "throw the graph and the views away and make them anew from the log",
		Args:  usage(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return a.rebuild(c.Context()) },
	}
}

func (a *app) rebuild(ctx context.Context) error {
	s, err := a.open(ctx)
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
	_, err = fmt.Fprintf(a.out, "the graph was derived anew from %d facts\n", n)
	return err
}
