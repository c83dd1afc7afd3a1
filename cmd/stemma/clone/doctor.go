package clone

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/install"
	"github.com/stemma-dev/stemma/spool"
)

// Doctor tells what is wrong with an installation.
func Doctor(a *program.App) *cobra.Command {
	var root string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "what is wrong with this installation and how to mend it",
		Long: `Looks at git, at the hooks of git and of the agents that are used here, at what they
told last, at notes of remotes and at other tools, and says of everything that is not as
it should be why that matters and what to do. Nothing is changed.

Exit codes: 0 nothing is broken, 1 something is, 2 usage.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runDoctor(c.Context(), a, root, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().StringVar(&root, "root", "", "what all paths of the machine begin with")
	if err := c.Flags().MarkHidden("root"); err != nil {
		panic(err) // it was added a line before
	}
	return c
}

func runDoctor(ctx context.Context, a *program.App, root string, asJSON bool) error {
	m, err := machine(root)
	if err != nil {
		return err
	}
	var at *spool.Place
	switch p, err := here(); {
	case err == nil:
		at = &p
	case !errors.Is(err, spool.ErrNoWorkTree):
		return err
	}
	found := install.Examine(ctx, m, at, a.Now())
	broken := 0
	for _, f := range found {
		if f.Level == install.Broken {
			broken++
		}
	}
	if broken > 0 {
		err = fmt.Errorf("doctor: %d of %d are broken", broken, len(found))
	}
	if asJSON {
		return errors.Join(terminal.JSON(a.Out, map[string]any{"findings": found}), err)
	}
	for _, f := range found {
		fmt.Fprintf(a.Out, "%-8s %s: %s\n", f.Level, terminal.OneLine(f.About), terminal.OneLine(f.What))
		if f.Why != "" {
			fmt.Fprintf(a.Out, "         why: %s\n", terminal.OneLine(f.Why))
		}
		if f.Do != "" {
			fmt.Fprintf(a.Out, "         do:  %s\n", terminal.OneLine(f.Do))
		}
	}
	return err
}
