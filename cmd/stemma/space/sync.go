package space

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/deduced"
	"github.com/stemma-dev/stemma/ingest/sync"
	"github.com/stemma-dev/stemma/query/views"
)

// syncFlags are those of sync.
type syncFlags struct {
	server, web, tokenFile string
	whole, asJSON          bool
}

// Sync fetches what webhooks did not tell.
func Sync(a *program.App) *cobra.Command {
	var flags syncFlags
	c := &cobra.Command{
		Use:   "sync SYSTEM PLACE…",
		Short: "fetch from forges and trackers what their webhooks did not tell",
		Long: `Asks the interface of SYSTEM (` + strings.Join(sync.Systems(), ", ") + `) for what it knows of PLACE,
a repository as OWNER/NAME or a project of Jira by its key, and says what was missing: of
which no webhook had told, or something else. The first fetch brings what was before
webhooks were set up.

The token is read from STEMMA_SYNC_SYSTEM_TOKEN (STEMMA_SYNC_GITHUB_TOKEN), from the file
that STEMMA_SYNC_SYSTEM_TOKEN_FILE names, or from --token-file; docs/sources.md says what it
has to be allowed. In Jira Cloud it is MAIL:TOKEN.

What comes back is about PLACE at that server alone: an answer about another one ends the
fetch.

It may be repeated: only what changed since is asked for. It may be interrupted: the same
command continues. It waits when the system says so, and may run beside "stemma serve".`,
		Args: program.Args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			err := runSync(c.Context(), a, args[0], args[1:], flags)
			if errors.Is(err, context.Canceled) {
				err = stemma.WithHint(err, "what was read so far is kept, the same command continues")
			}
			return err
		},
	}
	c.Flags().StringVar(&flags.server, "url", "", "address of the server, if it is not the one that everybody knows")
	c.Flags().StringVar(&flags.web, "web", "", "address under which the server says that it is browsed, if it is not that of --url")
	c.Flags().StringVar(&flags.tokenFile, "token-file", "", "`FILE` with the token")
	c.Flags().BoolVar(&flags.whole, "all", false, "read everything again, not only what changed")
	c.Flags().BoolVar(&flags.asJSON, "json", false, "print one JSON object a place")
	return c
}

func runSync(ctx context.Context, a *program.App, system string, places []string, flags syncFlags) (err error) {
	token, err := syncToken(system, flags.tokenFile)
	if err != nil {
		return err
	}
	name, err := holder("sync")
	if err != nil {
		return err
	}
	s, box, err := openInbox(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	config := sync.Config{
		Space: s.Space, Inbox: box, Now: a.Now, Log: a.Log, System: system, Server: flags.server, Web: flags.web, Token: token, Whole: flags.whole, Holder: name, Sleep: sleep,
	}
	var failed error // of some places: the others are fetched all the same
	for _, place := range places {
		config.Place = place
		if failed = errors.Join(failed, syncOne(ctx, a, config, flags.asJSON)); ctx.Err() != nil {
			return failed
		}
	}
	if _, err := deduced.All(ctx, s.Space, a.Now); err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, views.Ensure(ctx, s.DB))
}

// syncOne fetches one place and says what it found.
func syncOne(ctx context.Context, a *program.App, c sync.Config, asJSON bool) error {
	p := terminal.NewProgress(a.Err, a.Now)
	c.Progress = p.Show
	report, err := sync.Run(ctx, c)
	p.End()
	switch {
	case err != nil:
		return err
	case asJSON:
		return terminal.JSON(a.Out, report)
	}
	return printSynced(a.Out, report)
}

// syncToken is the token for a system.
func syncToken(system, file string) (string, error) {
	if file != "" {
		return secretFile(file, "--token-file")
	}
	return secret("STEMMA_SYNC_" + strings.ToUpper(strings.ReplaceAll(system, "-", "_")) + "_TOKEN")
}

// sleep waits for a while, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// namedMissing is how many of the things that were missing are listed to a person.
const namedMissing = 10

// missing tells a person how much a fetch found that had not been told.
func missing(r ingest.Synced) string {
	said := "nothing was missing"
	if n := r.Absent + r.Different; n > 0 {
		said = fmt.Sprintf("%d were missing: of %d nothing had been told, of %d something else", n, r.Absent, r.Different)
	}
	if r.Ended.IsZero() {
		said += "; it was broken off, and goes on with the next one"
	}
	return said
}

// printSynced tells a person what a fetch found.
func printSynced(out io.Writer, r ingest.Synced) error {
	fmt.Fprintf(out, "%s %s: %d looked at, %s\n", r.System, terminal.OneLine(r.Place), r.Looked, missing(r))
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, l := range r.Lists {
		if l.Skipped != "" {
			fmt.Fprintf(w, "  %s\tnot read: %s\n", l.Name, terminal.OneLine(l.Skipped))
			continue
		}
		fmt.Fprintf(w, "  %s\t%d looked at\t%d missing", l.Name, l.Looked, l.Missing)
		if l.Partly != "" {
			fmt.Fprintf(w, "\tnot read of it: %s", terminal.OneLine(l.Partly))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i, m := range r.Missing {
		if i == namedMissing {
			fmt.Fprintf(out, "  and %d more, see --json\n", len(r.Missing)-i)
			break
		}
		fmt.Fprintf(out, "  %s: %s\n", m.Why, terminal.OneLine(m.Ref))
	}
	return nil
}
