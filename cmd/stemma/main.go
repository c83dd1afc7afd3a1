// Stemma keeps the family tree of software changes.
//
// The verbs lie below, a file each: ask answers questions, clone works in a clone, space
// on the store, record in pipelines. What they share is program.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stemma-dev/stemma/cmd/stemma/ask"
	"github.com/stemma-dev/stemma/cmd/stemma/clone"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/record"
	"github.com/stemma-dev/stemma/cmd/stemma/space"
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
		ctx, ask.FiltersLast(args), in,
		clone.Init(a), clone.Deinit(a), clone.Doctor(a), clone.Status(a), clone.Reconcile(a), clone.Replay(a),
		space.Scan(a), space.Import(a), ask.Blame(a), ask.Explain(a), ask.Trace(a), ask.Find(a),
		clone.Hook(a), clone.Githook(a), clone.Export(a), ask.Query(a), ask.Population(a), ask.Sample(a), ask.Incident(a), ask.People(a), ask.SQL(a),
		record.Record(a), space.Roles(a), space.Serve(a), space.Deliveries(a), space.Sync(a), space.Verify(a), space.Rebuild(a), space.Erase(a), version(a),
	)
}
