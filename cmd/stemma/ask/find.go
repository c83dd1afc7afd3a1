package ask

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
)

// Find lists what a name may stand for.
func Find(a *program.App) *cobra.Command {
	var f formatFlags
	c := &cobra.Command{
		Use:   "find NAME",
		Short: "everything that a name may stand for",
		Long: `Lists what NAME may stand for, the likeliest first: a commit or its first digits,
"#142", "PAY-17", a tag, a session, a model, a digest, a path or the end of one,
a mail address or a person's name, a whole ref.`,
		Args: program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runFind(c.Context(), a, args[0], f.format()) },
	}
	f.add(c)
	return c
}

func runFind(ctx context.Context, a *program.App, name string, format output.Format) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	found, err := s.Find(ctx, name)
	if err != nil {
		return err
	}
	return output.Write(a.Out, format, candidates(name, found))
}

// candidates are the rows of what was found.
func candidates(name string, found []lineage.Candidate) *query.Result {
	r := &query.Result{Query: name, Kind: "things"}
	for _, column := range []string{"ref", "kind", "title", "match"} {
		r.Columns = append(r.Columns, query.Column{Name: column, Type: filter.Text})
	}
	rows := func(yield func(query.Row, error) bool) {
		for _, c := range found {
			row := query.Row{}
			for _, text := range []string{string(c.Ref), string(c.Kind), c.Title, c.Match} {
				row = append(row, query.Cell{Type: filter.Text, Text: text, Null: text == ""})
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	r.Rows = iter.Seq2[query.Row, error](rows)
	return r
}
