// Package program is what all verbs share: the frame that runs one of them and
// reports how it ended, the store, and the origins of lines in the repository it
// stands in. It knows no verb.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/query/filter"
)

// Exit codes, the same for every verb.
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitUnmet    = 3
	exitTampered = 4
)

// An App is what every verb gets: where to write, what time it is, which store.
type App struct {
	Out io.Writer
	Err io.Writer
	Now func() time.Time
	Log *slog.Logger // there once the command line is read

	store storeFlags
}

// Run runs the one of the verbs that args name and returns the exit code.
func (a *App) Run(ctx context.Context, args []string, in io.Reader, verbs ...*cobra.Command) int {
	root := a.root()
	root.AddCommand(verbs...)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	return a.report(root.ExecuteContext(ctx))
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "stemma",
		Short: "the family tree of software changes",
		Long: `stemma keeps the family tree of software changes: from the requirement over the
ticket, the agent session, the commit, the review and the pipeline to production.

Exit codes: 0 fine, 1 error, 2 usage, 3 a control is not met, 4 tampering found.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          Args(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	verbose := root.PersistentFlags().BoolP("verbose", "v", false, "log what is being done to standard error")
	a.store.add(root.PersistentFlags())
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		level := slog.LevelWarn
		if *verbose {
			level = slog.LevelDebug
		}
		a.Log = slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: level}))
		if err := c.ValidateFlagGroups(); err != nil {
			return Usage(c, err)
		}
		return nil
	}
	root.SetFlagErrorFunc(Usage)
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// A usageError is a mistake in the command line: exit code 2.
type usageError struct {
	err error
	cmd *cobra.Command
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// Usage makes an error a mistake in the command line of a verb, whose help is then
// pointed to; nil for no verb.
func Usage(c *cobra.Command, err error) error { return usageError{err, c} }

// An unmetError says that something was found which should not be: exit code 3.
type unmetError struct{ err error }

func (e unmetError) Error() string { return e.err.Error() }
func (e unmetError) Unwrap() error { return e.err }

// Unmet makes an error one of what was looked at, not of looking at it.
func Unmet(err error) error { return unmetError{err} }

// Args makes the arguments of a verb be checked with the usage exit code.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return Usage(c, err)
		}
		return nil
	}
}

// report prints what went wrong and what to do about it, and says with which
// code to exit.
func (a *App) report(err error) int {
	if err == nil {
		return exitOK
	}
	what := terminal.Plain(err.Error())
	if errors.Is(err, context.Canceled) {
		what = "interrupted"
	}
	fmt.Fprintf(a.Err, "stemma: %s\n", what)
	var fault *filter.Error
	if errors.As(err, &fault) {
		fmt.Fprintln(a.Err, fault.Caret())
	}
	var hint *stemma.HintError
	if errors.As(err, &hint) {
		fmt.Fprintf(a.Err, "stemma: hint: %s\n", terminal.Plain(hint.Hint))
	}
	var bad usageError
	switch {
	case errors.As(err, &bad):
		if hint == nil && bad.cmd != nil {
			fmt.Fprintf(a.Err, "stemma: hint: %s --help\n", bad.cmd.CommandPath())
		}
		return exitUsage
	case errors.Is(err, stemma.ErrTampered):
		return exitTampered
	case errors.As(err, new(unmetError)):
		return exitUnmet
	}
	return exitError
}
