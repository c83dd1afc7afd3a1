package clone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest/agenttrace"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/repo/lines"
)

// Export writes what is known in the forms of others.
func Export(a *program.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "what is known here, in the forms of others",
		Args:  program.Args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "agent-trace [COMMIT or FROM..TO]",
		Short: "whose the lines are that commits added, as Agent Trace " + agenttrace.Version,
		Long: `Prints records of Agent Trace ` + agenttrace.Version + `, one a line: for each commit, the newest first, one
for each agent that wrote lines of it, as the notes of origin in the repository say. No
scan is needed. Without an argument it is the commit that is checked out. Lines that the
commit did not add are left out, and nobody is named.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runExport(c.Context(), a, strings.Join(append(args, "HEAD")[:1], ""))
		},
	})
	return c
}

// runExport prints the records of a commit or a range.
func runExport(ctx context.Context, a *program.App, what string) (err error) {
	a.Settle(ctx, ".")
	r, err := git.Open(ctx, ".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	from, to, isRange := strings.Cut(what, "..")
	o := history.Options{Tips: []string{from}, Only: !isRange, MaxLine: 1, MaxFileText: 1, MaxCommitText: 1}
	if isRange {
		if from == "" || to == "" || to[0] == '.' {
			return stemma.WithHint(fmt.Errorf("export: %q is no range", what), "write it as FROM..TO: what TO has and FROM has not")
		}
		if o.Not, err = r.IDs(ctx, []string{from}); err != nil {
			return err
		}
		o.Tips = []string{to}
	}
	if o.Tips, err = r.IDs(ctx, o.Tips); err != nil {
		return err
	}
	var commits []*history.Commit
	for c, err := range history.Log(ctx, r, o) {
		if err != nil {
			return err
		}
		commits = append([]*history.Commit{c}, commits...)
	}
	return printTraces(ctx, a.Out, r, commits)
}

// printTraces prints the records of commits of which there are notes.
func printTraces(ctx context.Context, out io.Writer, r *git.Repo, commits []*history.Commit) error {
	cat, err := r.CatFile(ctx, note.MaxRecord)
	if err != nil {
		return err
	}
	defer cat.Kill()
	notes, err := notesOf(ctx, r, cat, commits)
	if err != nil {
		return err
	}
	for _, c := range commits {
		var told []note.Claims
		for _, n := range notes[c.ID] {
			o, err := cat.Object(n.blob)
			if err != nil {
				return err
			}
			told = append(told, n.parse(o.Data))
		}
		if len(told) == 0 {
			continue
		}
		made := note.Convert(note.Combine(told...), note.Commit{Ref: change.ShaRef(c.ID), Committed: c.Committer.When, Added: lines.Added(c)})
		traces, err := agenttrace.Records(made.Attribution, c.ID, c.Committer.When)
		if err != nil {
			return err
		}
		for _, t := range traces {
			if _, err := fmt.Fprintf(out, "%s\n", t); err != nil {
				return fmt.Errorf("export: %w", err)
			}
		}
	}
	return nil
}

// A toldNote is a note of origin with what reads it.
type toldNote struct {
	blob  string
	parse records.Parser
}

// notesOf finds the notes of origin of commits.
func notesOf(ctx context.Context, r *git.Repo, cat *git.CatFile, commits []*history.Commit) (map[string][]toldNote, error) {
	refs, err := r.RefNames(ctx, "refs/notes/")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range commits {
		ids = append(ids, c.ID)
	}
	found := map[string][]toldNote{}
	for _, ref := range refs {
		parse := records.ParserOf(ref.Name)
		if parse == nil {
			continue
		}
		notes, err := cat.NotesOn(ref.ID, ids)
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			found[n.Object] = append(found[n.Object], toldNote{n.Blob, parse})
		}
	}
	return found, nil
}
