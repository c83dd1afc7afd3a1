// Stemma keeps the family tree of software changes.
//
// One file of this package holds one verb: its flags, its help and its run
// function. What all verbs share is program.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program with everything it touches as an argument. It
// returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()

	a := &program.App{Out: out, Err: errw, Now: time.Now}
	return a.Run(
		ctx, filtersLast(args), in,
		Init(a), Deinit(a), Doctor(a), Status(a), Reconcile(a), Replay(a),
		Scan(a), Import(a), Blame(a), Explain(a), Trace(a), Find(a),
		Hook(a), Githook(a), Export(a), Query(a), SQL(a), Serve(a), Verify(a), Rebuild(a), version(a),
	)
}
