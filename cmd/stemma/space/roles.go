package space

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/standing"
)

// Roles takes the role map of the organisation.
func Roles(a *program.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "roles",
		Short: "the role map of the organisation",
		Long: `Which roles people have, and since when, is kept with the reviews that they give: what
forges tell, what the file of owners says, and what a role map says:

  roles:
    - {who: ada@acme.example, role: security-reviewer, from: 2026-01-01, until: 2026-07-01}
    - {who: bo@acme.example, team: "@acme/core", repository: github.com/acme/pay}

"stemma query reviews 'role:security-reviewer'" finds the reviews.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(setRoles(a))
	return c
}

func setRoles(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "set FILE",
		Short: "take a role map in the place of the one before",
		Long: `The map is YAML, or JSON. An entry that is not in it any more holds no more; reviews that
were given with it keep the role. A date without a time begins at midnight in UTC.`,
		Args: program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runSetRoles(c.Context(), a, args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func runSetRoles(ctx context.Context, a *program.App, path string, asJSON bool) error {
	data, err := bounded(path, standing.MaxMap)
	if err != nil {
		return err
	}
	entries, err := standing.ParseMap(data)
	if err != nil {
		return stemma.WithHint(fmt.Errorf("%s: %w", terminal.OneLine(path), err), "stemma roles --help shows one")
	}
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	added, gone, err := standing.SetMap(ctx, s.Space, a.Now, entries, func(name string) (stemma.Ref, error) { return holderOf(ctx, s, name) })
	if err != nil {
		return err
	}
	kept, err := standing.Link(ctx, s.Space, a.Now)
	if err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, struct {
			Entries int `json:"entries"`
			Added   int `json:"added"`
			Gone    int `json:"gone"`
			Reviews int `json:"standings"`
		}{len(entries), added, gone, kept})
	}
	_, err = fmt.Fprintf(a.Out, "%d entries, %d of them new, %d hold no more; %d roles were kept with reviews\n", len(entries), added, gone, kept)
	return err
}

// bounded reads a file that is not larger than it may be.
func bounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(f, most+1))
}

// holderOf is the account that a role map names: a mail address, also one that was never
// seen, or whatever names one person.
func holderOf(ctx context.Context, s *program.Store, name string) (stemma.Ref, error) {
	if strings.Contains(name, "@") {
		return s.Person(name), nil
	}
	called, err := s.Called(ctx, name)
	if ref, parsed := stemma.ParseRef(name); parsed == nil && (ref.Kind() == stemma.KindPerson || ref.Kind() == stemma.KindBot) {
		called = []stemma.Ref{ref}
	}
	if err != nil {
		return "", err
	}
	if len(called) != 1 {
		return "", stemma.WithHint(fmt.Errorf("role map: %s names %d accounts", terminal.OneLine(name), len(called)), "name a mail address, or one of \"stemma people --all\"")
	}
	return called[0], nil
}
