package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/server"
)

func (a *app) serveCommand() *cobra.Command {
	addr := os.Getenv("STEMMA_ADDR")
	if addr == "" {
		addr = "127.0.0.1:7171"
	}
	c := &cobra.Command{
		Use:   "serve",
		Short: "serve the dashboard and the log",
		Long: `Serves the dashboard, the log in C2SP tlog-tiles form (/checkpoint, /tile/…), JSON
(/api/v1/…) and /healthz, /readyz. It listens on the loopback interface unless
told otherwise, and ends with an interrupt.`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), addr) },
	}
	c.Flags().StringVar(&addr, "addr", addr, "address to listen on [STEMMA_ADDR]")
	return c
}

func (a *app) serve(ctx context.Context, addr string) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := views.Ensure(ctx, s.DB); err != nil {
		return err
	}
	h, err := server.New(server.Config{Space: s.Space, Now: a.now, Log: a.log, Addr: addr, VerifierKey: s.key.VerifierKey()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return server.Serve(ctx, addr, h, a.log, func(addr string) {
		fmt.Fprintf(a.out, "stemma serves http://%s\n", addr)
	})
}
