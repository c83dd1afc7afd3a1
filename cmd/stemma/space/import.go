package space

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/posted"
)

// Import keeps records from files in the store.
func Import(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "import FILE…",
		Short: "keep records of origin that other tools wrote into files",
		Long: `Reads records of line origin from files that lie outside of a repository, - for standard
input, and keeps them in the store as they are, sealed:

  Chainloop's AI coding sessions (material CHAINLOOP_AI_CODING_SESSION, schema 0.1)
  records of Agent Trace 0.1, one a line

The format is recognised by what a file says. The records name commits: as soon as the
repository that has them is scanned, before or after, they tell of its lines; "stemma
blame" there knows them at once. Anybody can write such a file, so they are of grade D.
A file may be imported again: what is known is not kept twice.

The line numbers of a Chainloop session are those of a file while the agent edited it.
Where it made several commits, or they cannot be those of the commit, the lines are
unknown, with the reason. Of a session that names no commit only the session is kept.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runImport(c.Context(), a, c.InOrStdin(), args, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// runImport imports files one after the other; one that cannot be read does not
// keep the others out.
func runImport(ctx context.Context, a *program.App, in io.Reader, names []string, asJSON bool) (err error) {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	notes, err := posted.Open(ctx, s.Space, a.Now)
	if err != nil {
		return err
	}
	if err := a.TakeNotes(); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	result := importResult{Files: []importRecord{}}
	var failed []error
	for _, name := range names {
		one, err := importFile(ctx, notes, in, name)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, err)
			one.Error = strings.ToValidUTF8(err.Error(), "\uFFFD")
		}
		result.Files = append(result.Files, one)
		if !asJSON {
			printImport(a.Out, one)
		}
	}
	if asJSON {
		if err := terminal.JSON(a.Out, result); err != nil {
			return err
		}
	}
	if len(failed) > 1 {
		return fmt.Errorf("import: %d of %d files were not read, the first because: %w", len(failed), len(names), failed[0])
	}
	return errors.Join(failed...)
}

// importResult is the JSON form of import.
type importResult struct {
	Files []importRecord `json:"files"`
}

// importRecord says what became of a file. A record counts for every commit that it
// tells of.
type importRecord struct {
	File       string          `json:"file"`
	Format     string          `json:"format,omitempty"`
	Kept       int             `json:"kept"`    // records that were not there before
	Known      int             `json:"known"`   // that were
	Refused    int             `json:"refused"` // that were erased once
	Commits    []string        `json:"commits"`
	Sessions   []stemma.Ref    `json:"sessions,omitempty"`
	Unreadable []importProblem `json:"unreadable,omitempty"`
	Error      string          `json:"error,omitempty"`
}

type importProblem struct {
	Place  string `json:"place"` // the first of them
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// importFile imports one file.
func importFile(ctx context.Context, notes *posted.Notes, in io.Reader, name string) (importRecord, error) {
	r := importRecord{File: strings.ToValidUTF8(name, "\uFFFD"), Commits: []string{}}
	content, err := readRecords(in, name)
	if err != nil {
		return r, err
	}
	f, ok := posted.ReadFile(content)
	if !ok {
		return r, stemma.WithHint(fmt.Errorf("import: %s is nothing that stemma can read here", name),
			"give it an AI coding session of Chainloop, or records of Agent Trace 0.1; notes and trailers of a repository are read by stemma scan")
	}
	base := filepath.Base(name)
	if name == "-" {
		base = "standard input"
	}
	made, err := notes.Import(ctx, base, stemma.Sum(content), &f)
	if err != nil {
		return r, fmt.Errorf("import: %s: %w", name, err)
	}
	r.Format, r.Kept, r.Known, r.Refused = f.Format, made.Kept, made.Known, made.Refused
	for _, e := range f.Records {
		r.Commits = append(r.Commits, e.Commits...)
	}
	for _, x := range f.Sessions {
		r.Sessions = append(r.Sessions, x.Ref())
	}
	for _, p := range f.Problems {
		r.Unreadable = append(r.Unreadable, importProblem(p))
	}
	if len(f.Records)+len(f.Sessions) == 0 {
		return r, unreadable(name, f.Problems)
	}
	return r, nil
}

// unreadable says why nothing is left of a file.
func unreadable(name string, problems []note.Problem) error {
	why := note.Problem{Reason: "it holds no record", Place: "start of file"}
	if len(problems) > 0 {
		why = problems[0]
	}
	return stemma.WithHint(fmt.Errorf("import: nothing of %s can be kept: %s, at %s", name, why.Reason, why.Place),
		"fetch the file again from where it was made; what is missing is on the page of the sources")
}

// readRecords reads a file, or standard input.
func readRecords(in io.Reader, name string) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, stemma.WithHint(fmt.Errorf("import: %w", err), "name files that exist and may be read, or - for standard input")
		}
		defer func() { _ = f.Close() }() // it is only read
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, posted.MaxFile+1))
	if err != nil {
		return nil, stemma.WithHint(fmt.Errorf("import: reading %s: %w", name, err), "name files that may be read, or - for standard input")
	}
	if len(content) > posted.MaxFile {
		return nil, stemma.WithHint(fmt.Errorf("import: %s has more than %d bytes", name, posted.MaxFile), "take it apart: one session, or fewer records, a file")
	}
	return content, nil
}

// printImport tells a person what became of a file.
func printImport(out io.Writer, r importRecord) {
	if r.Format == "" {
		return // the error says it
	}
	commits := slices.Compact(slices.Sorted(slices.Values(r.Commits)))
	fmt.Fprintf(out, "%s: %s, %d records kept, %d known already, about %d commits\n", terminal.OneLine(r.File), r.Format, r.Kept, r.Known, len(commits))
	for _, ref := range r.Sessions {
		fmt.Fprintf(out, "  %s\n", terminal.OneLine(string(ref)))
	}
	if len(r.Sessions) > 0 && len(commits) == 0 {
		fmt.Fprintln(out, "  it names no commit by its whole name: of lines it tells nothing")
	}
	if r.Refused > 0 {
		fmt.Fprintf(out, "  not kept again, since they were erased: %d\n", r.Refused)
	}
	for _, p := range r.Unreadable {
		fmt.Fprintf(out, "  not readable: %d × %s, first at %s\n", p.Count, terminal.OneLine(p.Reason), terminal.OneLine(p.Place))
	}
}
