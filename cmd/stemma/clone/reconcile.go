package clone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/settle"
)

// Reconcile binds lines of commits that were made elsewhere.
func Reconcile(a *program.App) *cobra.Command {
	var from []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "reconcile RANGE [--from REV…]",
		Short: "bind the lines of commits that were made where stemma was not, by content",
		Long: `Finds the lines that commits of RANGE added in the commits that they came from, by their
text, and writes notes that say who wrote them: after a squash or a rebase on a forge, of a
fork's pull request, behind an import. Without --from, the commits are looked for in all
branches; with it, in what REV reaches, such as the head of a pull request whose branch is
gone. A commit that has a note keeps it, and a line that is found nowhere stays unknown.`,
		Example: "  stemma reconcile main~1..main --from refs/pull/142/head",
		Args:    program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runReconcile(c.Context(), a, args[0], from, asJSON)
		},
	}
	c.Flags().StringArrayVar(&from, "from", nil, "where the lines came from; can be given more than once")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// A reconciliation is the JSON form of reconcile.
type reconciliation struct {
	Commits int `json:"commits"`
	Notes   int `json:"notes"`
	AI      int `json:"ai"`
	Human   int `json:"human"`
	Unknown int `json:"unknown"`
}

func runReconcile(ctx context.Context, a *program.App, commits string, from []string, asJSON bool) (err error) {
	r, err := git.Open(ctx, ".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	_, ids, err := ahead(ctx, commits)
	if err != nil {
		return err
	}
	var sources []string
	for _, rev := range from {
		id, err := r.Resolve(ctx, rev)
		if err != nil {
			return err
		}
		sources = append(sources, id)
	}
	done, err := settle.Reconcile(ctx, r, ids, sources, a.Now())
	if errors.Is(err, settle.ErrNoNotes) {
		return stemma.WithHint(err, "fetch them: git fetch origin %s:%s", settle.Ref, settle.Ref)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, reconciliation{done.Commits, done.Notes, done.Lines.AI, done.Lines.Human, done.Lines.Unknown})
	}
	_, err = fmt.Fprintln(a.Out, strings.Join([]string{
		fmt.Sprintf("%d commits, %d notes written", done.Commits, done.Notes),
		fmt.Sprintf("lines added: %d AI, %d human, %d unknown", done.Lines.AI, done.Lines.Human, done.Lines.Unknown),
	}, "\n"))
	return err
}
