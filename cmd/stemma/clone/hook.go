package clone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/hook"
)

// hookPatience is how long a hook waits for what the agent has to say.
const hookPatience = 5 * time.Second

// Hook is what a coding agent calls.
func Hook(a *program.App) *cobra.Command {
	return &cobra.Command{
		Use:   "hook AGENT",
		Short: "called by a coding agent: keep what it is about to do or has done",
		Long: `Reads what the agent says, one JSON object, from standard input and keeps it, with
the files it speaks of, in the git directory. Whatever happens, it ends with 0, prints
nothing that the agent did not ask for and holds nothing up; what it could not keep is
recorded there too. STEMMA_VERBOSE=1 tells on standard error what went wrong.

AGENT is one of ` + strings.Join(hook.Agents(), ", ") + `.`,
		DisableFlagParsing: true, // nothing that an agent adds is an error
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			runHook(c.Context(), a, c.InOrStdin(), args)
			return nil
		},
	}
}

// runHook never fails.
func runHook(ctx context.Context, a *program.App, in io.Reader, args []string) {
	err := keep(ctx, a, in, args)
	if err != nil && os.Getenv("STEMMA_VERBOSE") == "1" {
		fmt.Fprintf(a.Err, "stemma: %s\n", terminal.Plain(err.Error()))
	}
}

func keep(ctx context.Context, a *program.App, in io.Reader, args []string) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("hook: %v", fault)
		}
	}()
	if len(args) == 0 {
		return errors.New("hook: of which agent?")
	}
	if args[0] == "cline" {
		fmt.Fprintln(a.Out, `{"cancel":false}`) // it waits for that
	}
	payload, err := readPayload(ctx, in)
	if err != nil {
		return fmt.Errorf("hook of %s: reading the input: %w", args[0], err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("hook of %s: %w", args[0], err)
	}
	return capture.Keep(capture.Call{Agent: args[0], Payload: payload, Directory: dir, At: a.Now().UTC()})
}

// readPayload reads to the end of the input, but not from a terminal and not for
// ever.
func readPayload(ctx context.Context, in io.Reader) ([]byte, error) {
	if terminal.Is(in) {
		return nil, errors.New("it is a terminal")
	}
	type read struct {
		data []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(in, hook.MaxPayload+1))
		done <- read{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(hookPatience):
		return nil, errors.New("it does not end")
	}
}
