package space

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/compare"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/storage"
)

func verifyGraph(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "graph",
		Short: "derive the graph anew beside the store and compare the two",
		Long: `Every answer is read from the graph, which is derived from the log. This derives
another one from the log in a temporary file and compares the two row by row,
after the tables themselves and the views of "stemma sql" with how they are made.
"stemma rebuild" mends what differs.

Exit codes: 0 they are the same, 1 error, 2 usage, 4 they differ.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runVerifyGraph(c.Context(), a, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// verifiedGraph is what is found to be wrong with a graph.
type verifiedGraph struct {
	Size    int64    `json:"size"`              // of the log
	Derived int64    `json:"derived,omitempty"` // facts up to which the graph was compared
	Rows    int      `json:"rows"`              // that differ
	Shown   []string `json:"differences"`       // the first of them
	Faults  []string `json:"faults"`            // tables or views that are not as they were made
}

func runVerifyGraph(ctx context.Context, a *program.App, asJSON bool) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	v := verifiedGraph{Shown: []string{}, Faults: []string{}}
	verdict := v.find(ctx, a, s)
	switch {
	case verdict != nil && !errors.Is(verdict, stemma.ErrTampered):
		return verdict
	case asJSON:
		return errors.Join(terminal.JSON(a.Out, v), verdict)
	}
	for _, line := range slices.Concat(v.Faults, v.Shown) {
		fmt.Fprintln(a.Out, line)
	}
	if verdict != nil {
		return verdict
	}
	said := "the graph is what the log says"
	if v.Derived < v.Size {
		said += fmt.Sprintf(", up to fact %d of %d; whoever asks next brings it up to date", v.Derived, v.Size)
	}
	_, err = fmt.Fprintln(a.Out, said)
	return err
}

// find looks for what is wrong, and fails if there is any.
func (v *verifiedGraph) find(ctx context.Context, a *program.App, s *program.Store) (err error) {
	if v.Size, err = s.Ledger.Size(ctx); err != nil {
		return err
	}
	faults, err := wholeTables(ctx, s)
	if v.Faults = append(v.Faults, faults...); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stemma-graph-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	beside, err := storage.Open(ctx, "file:"+filepath.Join(dir, "graph.db"))
	if err != nil {
		return err
	}
	defer beside.Close()
	fresh, err := derived(ctx, a, s, beside)
	if err != nil {
		return err
	}
	found, err := settled(ctx, s.Graph.Applied, func(upTo int64) (difference, error) {
		if _, err := fresh.ApplyUntil(ctx, s.Ledger, upTo); err != nil {
			return difference{}, err
		}
		return compareGraphs(ctx, s.Graph, fresh)
	})
	if err != nil {
		return err
	}
	if v.Size, err = s.Ledger.Size(ctx); err != nil { // it may have grown
		return err
	}
	if found.rows > 0 && found.upTo < v.Size { // perhaps only how far it is derived was changed
		if _, err := fresh.Apply(ctx, s.Ledger); err != nil {
			return err
		}
		whole, err := compareGraphs(ctx, s.Graph, fresh)
		if err != nil {
			return err
		}
		if whole.rows < found.rows {
			found = whole
		}
	}
	v.Derived, v.Rows, v.Shown = found.upTo, found.rows, append(v.Shown, found.told...)
	if found.rows > 0 {
		return stemma.WithHint(fmt.Errorf("the graph differs from the log in %d rows: %w", found.rows, stemma.ErrTampered), "stemma rebuild derives it anew")
	}
	return nil
}

// wholeTables fails if a table of the graph, or a view that answers are read
// from, is not as it was made, and says which.
func wholeTables(ctx context.Context, s *program.Store) ([]string, error) {
	faults, err := s.Graph.Faults(ctx)
	if err == nil && len(faults) == 0 { // views stand on the tables
		faults, err = views.Faults(ctx, s.DB)
	}
	if err == nil && len(faults) > 0 {
		err = stemma.WithHint(fmt.Errorf("%d tables or views are not as they were made: %w", len(faults), stemma.ErrTampered), "stemma rebuild makes them anew from the log")
	}
	return faults, err
}

// A difference is what a comparison of two graphs found.
type difference struct {
	upTo int64    // fact up to which both were derived
	rows int      // that only one of them has
	told []string // the first of them
}

// settled compares until nothing differs or the graph has stood still meanwhile:
// applied is how far it is derived from the log, which another process may change at
// any time.
func settled(ctx context.Context, applied func(context.Context) (int64, error), compare func(upTo int64) (difference, error)) (difference, error) {
	const tries = 10
	for range tries {
		before, err := applied(ctx)
		if err != nil {
			return difference{}, err
		}
		found, err := compare(before)
		if err != nil {
			return difference{}, err
		}
		after, err := applied(ctx)
		if err != nil {
			return difference{}, err
		}
		if found.rows == 0 || before == after {
			found.upTo = before
			return found, nil
		}
	}
	return difference{}, stemma.WithHint(fmt.Errorf("the graph has grown during each of %d comparisons", tries), "verify again when nothing is being read into the store")
}

// derived is another graph, in db, that nothing was applied to yet.
func derived(ctx context.Context, a *program.App, s *program.Store, db *storage.DB) (*graph.Graph, error) {
	// The tables of a ledger hold the cursor of the graph; it stays empty.
	if _, err := ledger.Open(ctx, db, ledger.Config{Signer: s.Key, Now: a.Now, Rand: rand.Reader}); err != nil {
		return nil, err
	}
	return graph.Open(ctx, db, lineage.Specs())
}

// compareGraphs finds the rows of either graph that the other has not.
func compareGraphs(ctx context.Context, stored, derived *graph.Graph) (difference, error) {
	const shown = 20
	var d difference
	tell := func(mark string) func([]byte) {
		return func(row []byte) {
			if d.rows++; d.rows <= shown {
				d.told = append(d.told, mark+" "+terminal.OneLine(strings.TrimSuffix(string(row), "\n")))
			}
		}
	}
	err := compare.Graphs(ctx, stored, derived, tell("only stored: "), tell("only derived:"))
	return d, err
}
