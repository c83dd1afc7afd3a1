package clone

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/ingest/replay"
	"github.com/stemma-dev/stemma/ingest/settle"
	"github.com/stemma-dev/stemma/spool"
)

// Replay finds out from transcripts who wrote lines.
func Replay(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "replay [TRANSCRIPT…]",
		Short: "find out from transcripts who wrote the lines of commits where no hook ran",
		Long: `Goes through the edits that transcripts of agents tell of with what was in the file before
and after, and through the commits, in the order of time, and writes notes for commits that
have none. An edit of which that cannot be rebuilt is left out and counted. Sessions that
hooks reported are not replayed but compared with what the hooks saw, as are all notes that
are there; stemma status shows where they differ.

Without TRANSCRIPT, those on this machine are read that belong to the repository. One that
is named may come from another machine: the directory in which its session began is then
taken to be the root of the repository.`,
		Args: program.Args(cobra.ArbitraryArgs),
		RunE: func(c *cobra.Command, args []string) error { return runReplay(c.Context(), a, args, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// A replayed is the JSON form of replay.
type replayed struct {
	Transcripts int              `json:"transcripts"`
	Unreadable  int              `json:"unreadable"`
	Edits       int              `json:"edits"`   // that were replayed
	Rebuilt     int              `json:"rebuilt"` // of them, from what was known of the file otherwise
	Skipped     map[string]int   `json:"skipped"` // edits, by why
	Commits     int              `json:"commits"` // that had no note
	Notes       int              `json:"notes"`   // that were written
	AI          int              `json:"ai"`      // lines that the commits added
	Human       int              `json:"human"`
	Unknown     int              `json:"unknown"`
	Compared    settle.Agreement `json:"compared"`
}

func runReplay(ctx context.Context, a *program.App, paths []string, asJSON bool) error {
	dir, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	place, err := spool.Find(dir)
	if err != nil {
		return stemma.WithHint(err, "replay works in a clone with a work tree")
	}
	trees := place.Trees()
	if len(paths) == 0 {
		for _, f := range program.Transcripts(trees, func(string) bool { return false }) {
			paths = append(paths, f.Path)
		}
	}
	for i, p := range paths {
		if paths[i], err = filepath.Abs(p); err != nil {
			return err
		}
	}
	a.Settle(ctx, ".")
	book := replay.Read(paths, func(dir string) bool { return local.Within(dir, trees) })
	r, err := settle.Replay(ctx, dir, book, a.Now())
	if err != nil {
		return err
	}
	out := replayed{
		Transcripts: book.Transcripts, Unreadable: book.Unread, Edits: r.Looks, Rebuilt: r.Rebuilt, Skipped: r.Skipped,
		Commits: r.Report.Commits, Notes: r.Notes, AI: r.Lines.AI, Human: r.Lines.Human, Unknown: r.Lines.Unknown, Compared: r.Compared,
	}
	if asJSON {
		return terminal.JSON(a.Out, out)
	}
	return printReplayed(a.Out, out)
}

func printReplayed(out io.Writer, r replayed) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "transcripts\t%d", r.Transcripts)
	if r.Unreadable > 0 {
		fmt.Fprintf(w, ", and %d that cannot be read", r.Unreadable)
	}
	fmt.Fprintf(w, "\nedits\t%d replayed\n", r.Edits)
	for _, why := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(w, "\t%d left out: %s\n", r.Skipped[why], terminal.Plain(why))
	}
	fmt.Fprintf(w, "commits\t%d without a note, %d notes written\n", r.Commits, r.Notes)
	fmt.Fprintf(w, "lines\t%d AI, %d human, %d unknown\n", r.AI, r.Human, r.Unknown)
	fmt.Fprintf(w, "compared\t%s\n", agreement(r.Compared))
	return w.Flush()
}

// agreement says how transcripts compare with what is known otherwise.
func agreement(a settle.Agreement) string {
	s := fmt.Sprintf("%d lines agree, %d differ", a.Agree, a.Differ)
	if a.Transcript > 0 {
		s += fmt.Sprintf(", %d only a transcript tells of", a.Transcript)
	}
	if a.Other > 0 {
		s += fmt.Sprintf(", %d their transcript does not tell of", a.Other)
	}
	return s
}
