package ask

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/query/population"
	"github.com/stemma-dev/stemma/storage"
)

// populationFlags say which population is meant.
type populationFlags struct{ ask deployed.Ask }

func (f *populationFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.ask.Environment, "env", "", "environment, such as prod")
	c.Flags().StringVar(&f.ask.Service, "service", "", "one of its services (default: all)")
	c.Flags().StringVar(&f.ask.From, "from", "", "deployment behind which it begins: a ref, an id, a version or a time (default: the first one is in it)")
	c.Flags().StringVar(&f.ask.To, "to", "", "deployment with which it ends (default: the last one)")
}

// Population lists what reached an environment.
func Population(a *program.App) *cobra.Command {
	var f populationFlags
	var format formatFlags
	var orphans bool
	var only string
	c := &cobra.Command{
		Use:   "population --env NAME [--from D1] [--to D2]",
		Short: "every commit that reached an environment, and what is missing of each",
		Long: `Lists every commit that a deployment brought into an environment between two of them,
with the change that carried it and who reviewed that. It starts from what was deployed,
so what has no record shows: a commit without a change, a change without a review, text
of an agent without its session. Commits that were there for a while and are gone again
at the end are listed, too.

  stemma population --env prod --from v1.4 --to v1.5
  stemma population --env prod --from 2026-07-01 --to 2026-09-30 --csv

Deployments are known from webhooks and from "stemma record deploy".

Exit codes: 0 fine, also if something is missing; 1 it cannot be told, 2 usage.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if f.ask.Environment == "" {
				return program.Usage(c, errors.New("population: --env is missing: the environment"))
			}
			switch {
			case orphans && only != "":
				return program.Usage(c, errors.New("population: --orphans is --only incomplete: give one of them"))
			case orphans:
				only = population.Incomplete
			case only != "" && !slices.Contains(population.Parts, only):
				return program.Usage(c, fmt.Errorf("population: --only %q is none of %s", only, strings.Join(population.Parts, ", ")))
			}
			p, err := readPopulation(c.Context(), a, f.ask)
			if err != nil {
				return err
			}
			return writePopulation(a, p, format.format(), only)
		},
	}
	f.add(c)
	format.add(c)
	c.Flags().BoolVar(&orphans, "orphans", false, "only commits of which something is missing")
	c.Flags().StringVar(&only, "only", "", "only commits of a part: "+strings.Join(population.Parts, ", "))
	return c
}

func readPopulation(ctx context.Context, a *program.App, ask deployed.Ask) (p *population.Population, err error) {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	err = s.DB.Read(ctx, func(tx *storage.Tx) error {
		p, err = population.Between(ctx, tx, ask)
		return err
	})
	return p, err
}

func writePopulation(a *program.App, p *population.Population, format output.Format, only string) error {
	all := len(p.Members)
	p.Members = p.Part(only)
	switch format {
	case output.JSON:
		enc := json.NewEncoder(a.Out)
		enc.SetEscapeHTML(false)
		return enc.Encode(p)
	case output.Table:
		printPeriod(a, p, all)
	case output.CSV, output.NDJSON:
	}
	return output.Write(a.Out, format, membersTable(p, format == output.Table))
}

// printPeriod says which population it is, and what it comes to.
func printPeriod(a *program.App, p *population.Population, all int) {
	for _, d := range p.From {
		fmt.Fprintf(a.Out, "from  %s\n", describe(d))
	}
	if len(p.Deployments) > maxListed {
		fmt.Fprintf(a.Out, "      %d deployments before\n", len(p.Deployments)-maxListed)
	}
	for _, d := range p.Deployments[max(0, len(p.Deployments)-maxListed):] {
		fmt.Fprintf(a.Out, "then  %s, brought %d\n", describe(d), d.Commits)
	}
	for _, ref := range p.Unresolved {
		fmt.Fprintf(a.Out, "      of %s no commit is known\n", output.Inert(string(ref)))
	}
	if n := len(p.Removed); n > 0 {
		fmt.Fprintf(a.Out, "      %d commits were there before and are not at the end\n", n)
	}
	fmt.Fprintf(a.Out, "%d commits reached %s", all, output.Inert(p.Environment))
	for _, what := range slices.Sorted(maps.Keys(p.Orphans)) {
		fmt.Fprintf(a.Out, ", %d without %s", p.Orphans[what], what)
	}
	fmt.Fprint(a.Out, "\n\n")
}

// maxListed is how many deployments are told of to people.
const maxListed = 10

func describe(d population.Deployment) string {
	words := []string{d.At.UTC().Format(time.RFC3339), string(d.Ref)}
	for _, word := range []string{d.Service, d.Version} {
		if word != "" {
			words = append(words, word)
		}
	}
	return output.Inert(strings.Join(words, " "))
}

// membersTable has a row for each member, for people with names in short.
func membersTable(p *population.Population, short bool) *query.Result {
	r := &query.Result{Query: p.Environment, Kind: "members", Columns: []query.Column{
		{Name: "commit", Type: filter.Text},
		{Name: "committed", Type: filter.Time},
		{Name: "title", Type: filter.Text},
		{Name: "change", Type: filter.Text},
		{Name: "method", Type: filter.Text},
		{Name: "reviews", Type: filter.Int},
		{Name: "approvals", Type: filter.Int},
		{Name: "sessions", Type: filter.Int},
		{Name: "ai", Type: filter.Int},
		{Name: "unknown", Type: filter.Int},
		{Name: "deployment", Type: filter.Text},
		{Name: "gone", Type: filter.Text},
		{Name: "missing", Type: filter.Text},
	}}
	called := map[stemma.Ref]string{}
	for _, d := range p.Deployments {
		called[d.Ref] = cmp.Or(d.Version, string(d.Ref))
	}
	r.Rows = func(yield func(query.Row, error) bool) {
		for _, m := range p.Members {
			commit, carried, brought := string(m.Commit), string(m.Change), string(m.Deployment)
			if short {
				commit, carried, brought = shortName(m.Commit), shortName(m.Change), called[m.Deployment]
			}
			gone := ""
			if m.Gone {
				gone = "yes"
			}
			row := query.Row{
				asText(commit), asTime(m.Committed), asText(m.Title), asText(carried), asText(m.Method), asNumber(m.Reviews), asNumber(m.Approvals),
				asNumber(m.Sessions), asNumber(m.AI), asNumber(m.Unknown), asText(brought), asText(gone), asText(strings.Join(m.Missing, " ")),
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	return r
}

// shortName is the last part of a name, of a hash its first digits.
func shortName(ref stemma.Ref) string {
	_, name := ref.Split()
	if ref.Kind() == stemma.KindCommit {
		return name[:min(len(name), 10)]
	}
	if before, hash, ok := strings.Cut(name, "@"); ok {
		return before + "@" + hash[:min(len(hash), 10)]
	}
	return name
}

func asText(s string) query.Cell { return query.Cell{Type: filter.Text, Text: s, Null: s == ""} }

func asNumber[N int | int64](n N) query.Cell { return query.Cell{Type: filter.Int, Int: int64(n)} }

func asTime(t time.Time) query.Cell {
	return query.Cell{Type: filter.Time, Int: t.UnixMicro(), Null: t.IsZero()}
}
