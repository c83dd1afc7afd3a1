// Package early runs what a coding agent calls, before the rest of the program is there.
//
// An agent calls the program before and after every edit. Most of what that would cost is
// not the work but the start: tables of protocols, of the database and of compression that
// their packages make for themselves whenever the program runs. Go initialises packages by
// their import paths, each as soon as those that it imports are (go.dev/ref/spec,
// Program initialization). This one imports little, so it comes before all of that, does
// the work and ends the process. docs/why/0021 has the figures.
//
// So nothing may be imported here that needs a package outside this module but the parser
// of shell; a test looks at which packages were initialised.
package early

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/hook"
)

func init() {
	if len(os.Args) > 2 && os.Args[1] == "hook" && !strings.HasPrefix(os.Args[2], "-") {
		Hook(os.Args[2:], os.Stdin, os.Stdout, os.Stderr, time.Now())
		os.Exit(0)
	}
}

// patience is how long a hook waits for what the agent has to say.
const patience = 5 * time.Second

// Hook keeps what an agent says, and never fails.
func Hook(args []string, in io.Reader, out, errw io.Writer, now time.Time) {
	err := keep(args, in, out, now)
	if err != nil && os.Getenv("STEMMA_VERBOSE") == "1" {
		fmt.Fprintf(errw, "stemma: %s\n", strings.Trim(strconv.QuoteToGraphic(err.Error()), `"`))
	}
}

func keep(args []string, in io.Reader, out io.Writer, now time.Time) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("hook: %v", fault)
		}
	}()
	if len(args) == 0 {
		return errors.New("hook: of which agent?")
	}
	if args[0] == "cline" {
		fmt.Fprintln(out, `{"cancel":false}`) // it waits for that
	}
	payload, err := readPayload(in)
	if err != nil {
		return fmt.Errorf("hook of %s: reading the input: %w", args[0], err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("hook of %s: %w", args[0], err)
	}
	return capture.Keep(capture.Call{Agent: args[0], Payload: payload, Directory: dir, At: now.UTC()})
}

// readPayload reads to the end of the input, but not from a terminal and not for
// ever.
func readPayload(in io.Reader) ([]byte, error) {
	if isTerminal(in) {
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
	case <-time.After(patience):
		return nil, errors.New("it does not end")
	}
}

// isTerminal reports whether somebody would have to type the input.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
