// Stemma keeps the family tree of software changes.
//
// The verbs lie below, a file each: ask answers questions, clone works in a clone, space
// on the store, record in pipelines, govern holds changes against controls. What they share
// is program.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/ask"
	"github.com/stemma-dev/stemma/cmd/stemma/clone"
	"github.com/stemma-dev/stemma/cmd/stemma/govern"
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
	var made []*cobra.Command
	for _, v := range asked(args) {
		made = append(made, v.verb(a))
	}
	return a.Run(ctx, ask.FiltersLast(args), in, made...)
}

// A verb makes a command, by the name that it is called by.
type verb struct {
	name string
	verb func(*program.App) *cobra.Command
}

// asked are the verbs that are needed: one if it is named, else all. A hook runs before
// and after every edit, and is not held up by making the others.
func asked(args []string) []verb {
	for i, v := range verbs {
		if len(args) > 0 && args[0] == v.name {
			return verbs[i : i+1]
		}
	}
	return verbs
}

var verbs = []verb{
	{"init", clone.Init},
	{"deinit", clone.Deinit},
	{"doctor", clone.Doctor},
	{"status", clone.Status},
	{"reconcile", clone.Reconcile},
	{"replay", clone.Replay},
	{"scan", space.Scan},
	{"import", space.Import},
	{"blame", ask.Blame},
	{"explain", ask.Explain},
	{"trace", ask.Trace},
	{"find", ask.Find},
	{"hook", clone.Hook},
	{"githook", githook},
	{"export", clone.Export},
	{"query", ask.Query},
	{"population", ask.Population},
	{"sample", ask.Sample},
	{"incident", ask.Incident},
	{"people", ask.People},
	{"sql", ask.SQL},
	{"record", record.Record},
	{"check", govern.Check},
	{"exception", govern.Exception},
	{"advisory", govern.Advisory},
	{"packages", govern.Packages},
	{"roles", space.Roles},
	{"controls", govern.Controls},
	{"attest", govern.Attest},
	{"alerts", space.Alerts},
	{"serve", space.Serve},
	{"deliveries", space.Deliveries},
	{"sync", space.Sync},
	{"verify", space.Verify},
	{"rebuild", space.Rebuild},
	{"erase", space.Erase},
	{"version", version},
}

// githook is what hooks of git call: those of a clone, and those of a server.
func githook(a *program.App) *cobra.Command {
	c := clone.Githook(a)
	c.AddCommand(govern.Receive(a)...)
	return c
}
