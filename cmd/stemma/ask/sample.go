package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/query/population"
	"github.com/stemma-dev/stemma/storage"
)

// Sample draws a sample that anybody can draw again.
func Sample(a *program.App) *cobra.Command {
	var f populationFlags
	var seed, kind string
	var n int
	var asJSON bool
	c := &cobra.Command{
		Use:   "sample --n N --seed S [FILTER]",
		Short: "draw an auditor's sample that anybody can draw again",
		Long: `Draws N things at random: changes that a filter finds, or, with --env, commits of a
population (see "stemma population"). The seed decides which: whoever has the population
and the seed draws the same. Chosen are those with the smallest SHA-256 of the seed, a
line feed and the ref, which can be computed without stemma:

  printf '%s\n%s' "$SEED" "$REF" | sha256sum

  stemma sample --n 25 --seed 20261123 'merged:>=2026-07-01 merged:<2026-10-01'
  stemma sample --n 25 --seed 20261123 --env prod --from v1.4 --to v1.5`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case seed == "":
				return program.Usage(c, errors.New("sample: --seed is missing: any text that was not chosen by who is looked at"))
			case f.ask.Environment == "" && f.ask != (deployed.Ask{}):
				return program.Usage(c, errors.New("sample: --from, --to and --service are of a population, which --env names"))
			case f.ask.Environment != "" && len(args) > 0:
				return program.Usage(c, errTwoPopulations)
			}
			return runSample(c.Context(), a, f.ask, kind, strings.Join(args, " "), seed, n, asJSON)
		},
	}
	f.add(c)
	c.Flags().StringVar(&seed, "seed", "", "any text that was not chosen by who is looked at")
	c.Flags().StringVar(&kind, "kind", "changes", "what the filter is about")
	c.Flags().IntVar(&n, "n", 25, "how many")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

var errTwoPopulations = errors.New("--env names a population and the filter another one: give one of them")

// A sampled is what "stemma sample --json" prints.
type sampled struct {
	Seed  string        `json:"seed"`
	Query string        `json:"query,omitempty"`
	Of    int           `json:"population"` // how many there were
	Log   int64         `json:"log"`        // length of the log that this was read from
	Drawn []sampledItem `json:"sample"`
}

type sampledItem struct {
	Ref   stemma.Ref `json:"ref"`
	Title string     `json:"title,omitempty"`
	Lot   string     `json:"lot"`
}

func runSample(ctx context.Context, a *program.App, ask deployed.Ask, kind, text, seed string, n int, asJSON bool) error {
	if n < 1 {
		return program.Usage(nil, fmt.Errorf("sample: --n %d: a sample has one thing at least", n))
	}
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	out := sampled{Seed: seed, Drawn: []sampledItem{}}
	if out.Log, err = s.Ledger.Size(ctx); err != nil {
		return err
	}
	var names []string
	if ask.Environment != "" {
		err = s.DB.Read(ctx, func(tx *storage.Tx) error {
			p, err := population.Between(ctx, tx, ask)
			if err == nil {
				names = refsOf(p)
			}
			return err
		})
	} else {
		names, out.Query, err = refsFound(ctx, a, s, kind, text)
	}
	if err != nil {
		return err
	}
	for _, d := range population.Draw(seed, n, names) {
		node, err := s.Graph.Node(ctx, stemma.Ref(d.Name))
		if err != nil && !errors.Is(err, stemma.ErrNotFound) {
			return err
		}
		out.Drawn = append(out.Drawn, sampledItem{stemma.Ref(d.Name), lineage.Title(stemma.Ref(d.Name), node.Attrs), d.Lot})
	}
	out.Of = len(names)
	return writeSample(a, out, asJSON)
}

func refsOf(p *population.Population) (names []string) {
	for _, m := range p.Members {
		names = append(names, string(m.Commit))
	}
	return names
}

// refsFound are all things that a filter finds.
func refsFound(ctx context.Context, a *program.App, s *program.Store, kind, text string) (names []string, canonical string, err error) {
	q, err := query.Parse(kind, text, a.Now())
	if err != nil {
		return nil, "", queryFault(err)
	}
	if q.Grouped() {
		return nil, "", program.Usage(nil, errors.New("sample: groups cannot be drawn: leave out \"group:\" of the filter"))
	}
	if q, err = q.Select("ref"); err != nil {
		return nil, "", program.Usage(nil, err)
	}
	err = s.DB.Read(ctx, func(tx *storage.Tx) error {
		result, err := query.Run(ctx, tx, q)
		if err != nil {
			return err
		}
		canonical = result.Query
		for row, err := range result.Rows {
			if err != nil {
				return err
			}
			names = append(names, row[0].Text)
		}
		return nil
	})
	return names, canonical, err
}

func writeSample(a *program.App, out sampled, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(a.Out)
		enc.SetEscapeHTML(false)
		return enc.Encode(out)
	}
	fmt.Fprintf(a.Out, "%d of %d, seed %s, log of %d entries\n\n", len(out.Drawn), out.Of, output.Inert(strconv.Quote(out.Seed)), out.Log)
	r := &query.Result{Query: out.Query, Kind: "sample"}
	for _, name := range []string{"lot", "ref", "title"} {
		r.Columns = append(r.Columns, query.Column{Name: name, Type: filter.Text})
	}
	r.Rows = func(yield func(query.Row, error) bool) {
		for _, d := range out.Drawn {
			if !yield(query.Row{asText(d.Lot[:16]), asText(string(d.Ref)), asText(d.Title)}, nil) {
				return
			}
		}
	}
	return output.Write(a.Out, output.Table, r)
}
