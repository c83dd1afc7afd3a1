package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/storage"
)

// formatFlags choose how a result is written.
type formatFlags struct{ json, stream, csv bool }

func (f *formatFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	c.Flags().BoolVar(&f.stream, "stream", false, "with --json: one object a line, as they come")
	c.Flags().BoolVar(&f.csv, "csv", false, "print comma-separated values")
	c.MarkFlagsMutuallyExclusive("json", "csv")
	c.MarkFlagsMutuallyExclusive("stream", "csv")
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if f.stream && !f.json {
			return program.Usage(c, errStream)
		}
		return nil
	}
}

var errStream = errors.New("--stream goes with --json")

func (f *formatFlags) format() output.Format {
	switch {
	case f.csv:
		return output.CSV
	case f.stream:
		return output.NDJSON
	case f.json:
		return output.JSON
	}
	return output.Table
}

// aNegation is a filter that begins with a negated field: "-is:ai …".
var aNegation = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-[a-z][a-z-]*:`) })

// FiltersLast puts a filter that looks like a flag behind "--".
func FiltersLast(args []string) []string {
	if !slices.Contains(args, "query") || slices.Contains(args, "--") {
		return args
	}
	i := slices.IndexFunc(args, aNegation().MatchString)
	if i < 0 {
		return args
	}
	return append(slices.Delete(slices.Clone(args), i, i+1), "--", args[i])
}

// Query asks in the filter language.
func Query(a *program.App) *cobra.Command {
	var f formatFlags
	var columns []string
	var names []string
	for _, k := range query.Kinds() {
		names = append(names, k.Name)
	}
	c := &cobra.Command{
		Use:   "query KIND [FILTER]",
		Short: "ask a question in the filter language",
		Long: `Asks for things of one kind: ` + strings.Join(names, ", ") + `.

  stemma query changes 'model:claude-opus-4* merged:>-30d'
  stemma query changes 'type:security-fix fix-author:ai origin-author:human'
  stemma query lines 'path:src/** group:author-class'

"stemma query KIND --help" lists the fields of a kind; docs/query.md has the language.`,
		Args: program.Args(kindAndFilter),
		RunE: func(c *cobra.Command, args []string) error {
			return runQuery(c.Context(), a, strings.Join(args[1:], " "), args[0], columns, f.format())
		},
	}
	help := c.HelpFunc()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		help(c, args)
		if rest := c.Flags().Args(); len(rest) > 0 {
			printFields(a.Out, rest[0])
		}
	})
	f.add(c)
	c.Flags().StringSliceVar(&columns, "columns", nil, "show these fields instead of the usual ones")
	return c
}

func kindAndFilter(c *cobra.Command, args []string) error {
	if len(args) > 2 {
		return stemma.WithHint(fmt.Errorf("query: the filter is in %d arguments", len(args)-1),
			"a filter with blanks is one argument, in quotes: stemma query changes 'is:ai added:>5'")
	}
	return cobra.RangeArgs(1, 2)(c, args)
}

func printFields(out io.Writer, kind string) {
	for _, f := range query.Fields(kind) {
		fmt.Fprintf(out, "  %-16s %s\n", f.Name, f.Doc)
	}
}

func runQuery(ctx context.Context, a *program.App, filter, kind string, columns []string, format output.Format) error {
	q, err := query.Parse(kind, filter, a.Now())
	if err != nil {
		return queryFault(err)
	}
	if len(columns) > 0 {
		if q, err = q.Select(columns...); err != nil {
			return program.Usage(nil, err)
		}
	}
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := views.Ensure(ctx, s.DB); err != nil {
		return err
	}
	err = s.DB.Read(ctx, func(tx *storage.Tx) error {
		result, err := query.Run(ctx, tx, q)
		if err != nil {
			return err
		}
		return output.Write(a.Out, format, result)
	})
	return errors.Join(err, hintIfEmpty(ctx, a.Err, s))
}

// hintIfEmpty says why a store answers nothing when nothing was read into it.
func hintIfEmpty(ctx context.Context, errw io.Writer, s *program.Store) error {
	size, err := s.Ledger.Size(ctx)
	if err == nil && size == 0 {
		fmt.Fprintln(errw, "stemma: hint: this store is empty; \"stemma scan\" reads a repository into it, --data or STEMMA_DATA names another store")
	}
	return err
}

// queryFault makes a fault of a query a mistake of usage; report shows where
// it is.
func queryFault(err error) error {
	var fault *filter.Error
	if errors.As(err, &fault) {
		err = stemma.WithHint(err, "stemma query KIND --help lists the fields")
	}
	return program.Usage(nil, err)
}
