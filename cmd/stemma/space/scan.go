package space

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/deduced"
	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/ingest/settle"
	"github.com/stemma-dev/stemma/ingest/standing"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/spool"
)

// Scan reads repositories into the store.
func Scan(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "scan [PATH…]",
		Short: "read repositories and every record of origin in them into the store",
		Long: `Reads the whole history of the repositories at PATH (the one it stands in, without
any) and every record of origin it finds there: notes, trailers, checkpoints,
attestations, accounts of bots and agents, code owners, pipeline definitions. The
transcripts of agents on this machine that belong to the repository are read too: those
that its hooks were told of, and those in the agents' usual places that say that they
worked in it. What is kept of them has secrets and names of accounts cut out. Lines of
commits that no record tells of, as those that a forge squashed, are found by their text.

Files, lines and changes are those of the default branch: the one that origin/HEAD
names in a clone, else the one that is checked out. Commits are read from all refs.

It may be repeated: only what is new is read. It may be interrupted: the same
command continues. Nothing is written to the repository and nothing in it is run.`,
		Args: program.Args(cobra.ArbitraryArgs),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			err := runScan(c.Context(), a, args, asJSON)
			if errors.Is(err, context.Canceled) {
				err = stemma.WithHint(err, "what was read so far is kept, the same command continues")
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a repository")
	return c
}

// How much memory a scan spends to be quick: it collects garbage less often
// than a server should, and more often again before it grows large.
const (
	scanGarbage = 400       // percent, see runtime/debug.SetGCPercent
	scanMemory  = 320 << 20 // bytes, see runtime/debug.SetMemoryLimit
)

func runScan(ctx context.Context, a *program.App, paths []string, asJSON bool) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return Read(ctx, a, s, paths, func(r repo.Report) error {
		if asJSON {
			return terminal.JSON(a.Out, r)
		}
		return printReport(a.Out, r)
	})
}

// Read reads what is new in repositories into the store, and states what follows from it.
// It tells what it found in each; progress goes to standard error.
func Read(ctx context.Context, a *program.App, s *program.Store, paths []string, tell func(repo.Report) error) error {
	debug.SetGCPercent(scanGarbage)
	debug.SetMemoryLimit(scanMemory)
	for _, path := range paths {
		report, err := scanOne(ctx, a, s, path)
		if err != nil {
			return err
		}
		if err := tell(report); err != nil {
			return err
		}
	}
	if _, err := deduced.All(ctx, s.Space, a.Now); err != nil {
		return err
	}
	return views.Ensure(ctx, s.DB)
}

func scanOne(ctx context.Context, a *program.App, s *program.Store, path string) (report repo.Report, err error) {
	a.Settle(ctx, path)
	r, err := git.Open(ctx, path)
	if err != nil {
		return repo.Report{}, err
	}
	own, _ := settle.Own(path)
	defer func() { err = errors.Join(err, r.Close()) }()
	p := terminal.NewProgress(a.Err, a.Now)
	defer p.End()
	report, err = repo.Scan(ctx, s.Space, r, repo.Options{Now: a.Now, Progress: p.Show, Log: a.Log, Own: own, Local: localOf(path), User: program.GitUser(ctx, path)})
	if err != nil {
		return report, err
	}
	if _, err := standing.Owners(ctx, s.Space, r, report.Repository, a.Now); err != nil {
		return report, err
	}
	return report, stateSilence(ctx, a, s, path, report.Repository)
}

// stateSilence states what hooks could not keep.
func stateSilence(ctx context.Context, a *program.App, s *program.Store, path string, repository stemma.Ref) error {
	gaps, err := settle.Silence(path, repository)
	if err != nil || len(gaps) == 0 {
		return err
	}
	w := ingest.NewWriter(ctx, s.Space, a.Now)
	w.Within(repository)
	for _, g := range gaps {
		if err := w.Gap(ctx, g); err != nil {
			return errors.Join(err, w.Close(ctx))
		}
	}
	return w.Close(ctx)
}

// localOf looks for the transcripts of this machine that belong to the repository
// at a path. A bare one has no work trees in which an agent could work.
func localOf(path string) func(known func(string) bool) []local.File {
	return func(known func(string) bool) []local.File {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil
		}
		place, err := spool.Find(abs)
		if err != nil {
			return nil
		}
		return program.Transcripts(place.Trees(), known)
	}
}

// printReport tells a person what a scan found.
func printReport(out io.Writer, r repo.Report) error {
	name := terminal.OneLine(r.Repository.Key())
	if r.Unchanged {
		fmt.Fprintf(out, "%s: nothing new\n", name)
		return printUnreadable(out, r)
	}
	fresh := ""
	if !r.First {
		fresh = "new "
	}
	fmt.Fprintf(out, "%s (%s): %d %scommits, %d %srecords of line origin", name, terminal.OneLine(r.Branch), r.Commits, fresh, r.Notes, fresh)
	if r.Orphans > 0 {
		fmt.Fprintf(out, ", %d of them about commits that are not here", r.Orphans)
	}
	if r.Local > 0 {
		fmt.Fprintf(out, ", %d transcripts on this machine", r.Local)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, kind := range slices.Sorted(maps.Keys(r.Things)) {
		if kind != stemma.KindGap {
			fmt.Fprintf(w, "  %s\t%d\n", kind, r.Things[kind])
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printUnreadable(out, r)
}

// printUnreadable tells what cannot be read, now or since an earlier scan: how
// much of each source, and for which reasons, each with the first place.
func printUnreadable(out io.Writer, r repo.Report) error {
	const most = 5
	for _, source := range slices.Sorted(maps.Keys(r.Gaps)) {
		fmt.Fprintf(out, "  not readable of %s: %d\n", terminal.OneLine(source), r.Gaps[source])
		shown := 0
		for _, u := range r.Unreadable {
			if u.Source != source {
				continue
			}
			if shown++; shown > most {
				fmt.Fprintln(out, "    and more; --json and the page of the sources list them")
				break
			}
			fmt.Fprintf(out, "    %d × %s, first at %s\n", u.Count, terminal.OneLine(u.Reason), terminal.OneLine(u.Place))
		}
	}
	return nil
}
