// Stemma keeps the family tree of software changes.
//
// One file of this package holds one verb: its flags, its help and its run
// function. The rest is what all verbs share: main.go the frame, store.go the
// wiring of the parts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
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
	exitTampered = 4
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// An app is what every verb gets: where to write, what time it is, which store.
type app struct {
	out   io.Writer
	err   io.Writer
	now   func() time.Time
	store storeFlags
	log   *slog.Logger
}

// run is the whole program with everything it touches as an argument. It
// returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()

	a := &app{out: out, err: errw, now: time.Now}
	root := a.root()
	root.SetArgs(filtersLast(args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	return a.report(root.ExecuteContext(ctx))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "stemma",
		Short: "the family tree of software changes",
		Long: `stemma keeps the family tree of software changes: from the requirement over the
ticket, the agent session, the commit, the review and the pipeline to production.

Exit codes: 0 fine, 1 error, 2 usage, 3 a control is not met, 4 tampering found.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	verbose := root.PersistentFlags().BoolP("verbose", "v", false, "log what is being done to standard error")
	a.store.add(root.PersistentFlags())
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		level := slog.LevelWarn
		if *verbose {
			level = slog.LevelDebug
		}
		a.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
		if err := c.ValidateFlagGroups(); err != nil {
			return usageError{err, c}
		}
		return nil
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError{err, c} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		a.initCommand(), a.deinitCommand(), a.doctorCommand(), a.statusCommand(), a.reconcileCommand(), a.replayCommand(),
		a.scanCommand(), a.importCommand(), a.blameCommand(), a.explainCommand(), a.traceCommand(), a.findCommand(),
		a.hookCommand(), a.githookCommand(), a.exportCommand(), a.queryCommand(), a.sqlCommand(), a.serveCommand(), a.verifyCommand(), a.rebuildCommand(), a.versionCommand(),
	)
	return root
}

// A usageError is a mistake in the command line: exit code 2.
type usageError struct {
	err error
	cmd *cobra.Command
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usage makes the arguments of a verb be checked with the usage exit code.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{err, c}
		}
		return nil
	}
}

// report prints what went wrong and what to do about it, and says with which
// code to exit.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(a.err, "stemma: interrupted; what was read so far is kept, the same command continues")
		return exitError
	}
	fmt.Fprintf(a.err, "stemma: %s\n", terminal.Plain(err.Error()))
	var fault *filter.Error
	if errors.As(err, &fault) {
		fmt.Fprintln(a.err, fault.Caret())
	}
	var hint *stemma.HintError
	if errors.As(err, &hint) {
		fmt.Fprintf(a.err, "stemma: hint: %s\n", terminal.Plain(hint.Hint))
	}
	var bad usageError
	switch {
	case errors.As(err, &bad):
		if hint == nil && bad.cmd != nil {
			fmt.Fprintf(a.err, "stemma: hint: %s --help\n", bad.cmd.CommandPath())
		}
		return exitUsage
	case errors.Is(err, stemma.ErrTampered):
		return exitTampered
	}
	return exitError
}
