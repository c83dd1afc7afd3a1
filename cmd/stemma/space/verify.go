package space

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ledger"
)

// Verify checks that nothing was changed.
func Verify(a *program.App) *cobra.Command {
	verify := &cobra.Command{
		Use:   "verify",
		Short: "check that nothing was changed",
		Args:  program.Args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var asJSON bool
	log := &cobra.Command{
		Use:   "log",
		Short: "recompute the whole log: facts, leaves, tree, checkpoints, bodies",
		Long: `Recomputes the whole log and believes nothing that is stored: every fact is
parsed and its leaf made anew, the tree and the checkpoints are computed from the
leaves, every body is opened, its digest compared, and looked up in the list by
which it is erased. Whatever differs is named.

Exit codes: 0 nothing was changed, 1 error, 2 usage, 4 tampering found.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runVerifyLog(c.Context(), a, asJSON) },
	}
	log.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	verify.AddCommand(log, verifyGraph(a))
	return verify
}

type verifiedLog struct {
	Origin     string   `json:"origin"`
	Size       int64    `json:"size"`
	Root       string   `json:"root,omitempty"`
	Checkpoint string   `json:"checkpoint,omitempty"`
	Key        string   `json:"key"`
	Problems   []string `json:"problems"`
}

func runVerifyLog(ctx context.Context, a *program.App, asJSON bool) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()

	result := verifiedLog{Origin: s.Ledger.Origin(), Key: s.Key.VerifierKey(), Problems: []string{}}
	verdict := s.Ledger.Verify(ctx, func(p ledger.Problem) {
		result.Problems = append(result.Problems, terminal.OneLine(p.String()))
	})
	if verdict != nil && !errors.Is(verdict, stemma.ErrTampered) {
		return verdict
	}
	checkpoint, err := s.Ledger.Checkpoint(ctx)
	switch {
	case err == nil:
		result.Size, result.Root, result.Checkpoint = checkpoint.Size, checkpoint.Root.String(), string(checkpoint.Note)
	case !errors.Is(err, stemma.ErrNotFound) && verdict == nil:
		return err
	}
	if asJSON {
		return errors.Join(terminal.JSON(a.Out, result), verdict)
	}
	for _, p := range result.Problems {
		fmt.Fprintln(a.Out, p)
	}
	if verdict == nil {
		fmt.Fprintf(a.Out, "%d facts, root %s, signed by %s: nothing was changed\n", result.Size, result.Root, result.Key)
	}
	return verdict
}
