package govern

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest/exempted"
)

// Advisory tells that something is wrong with a model.
func Advisory(a *program.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "advisory",
		Short: "say that something is wrong with a model, and judge again what it wrote",
		Long: `An advisory says what is wrong with models of a name. "stemma serve" judges all changes
again that were made with one.

  stemma advisory add 'claude-opus-4-1*' --id ACME-7 --title 'leaves secrets in tests' --severity high
  stemma advisory add --feed advisories.json --source vendor`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(addAdvisory(a))
	return c
}

func addAdvisory(a *program.App) *cobra.Command {
	var id, title, severity, link, source, feed, since string
	var withdrawn, asJSON bool
	c := &cobra.Command{
		Use:   "add [MODEL]",
		Short: "add an advisory about the models whose names fit MODEL, or those of a feed",
		Long: `MODEL is a pattern of names, in which * stands for anything. A feed is a JSON array of
objects with id, model, title, published and optionally severity, url, since and withdrawn.
What is known already is not added again.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			var list []governance.Advisory
			switch {
			case feed != "" && len(args) == 0:
				body, err := readFeed(feed, c.InOrStdin())
				if err != nil {
					return err
				}
				if list, err = exempted.ParseFeed(source, body); err != nil {
					return err
				}
			case feed == "" && len(args) == 1:
				one, err := exempted.NewAdvisory(source, id, args[0], title, a.Now())
				if err != nil {
					return program.Usage(c, fmt.Errorf("advisory: %w", err))
				}
				one.Severity, one.URL = severity, link
				if since != "" {
					day, err := time.Parse(time.DateOnly, since)
					if err != nil {
						return program.Usage(c, fmt.Errorf("--since %q is no day: write it as 2026-12-31", since))
					}
					one.Since = stemma.At(day)
				}
				if withdrawn {
					one.Withdrawn = stemma.At(a.Now())
				}
				list = append(list, one)
			default:
				return program.Usage(c, fmt.Errorf("advisory: give a MODEL, or --feed"))
			}
			s, err := a.OpenStore(c.Context())
			if err != nil {
				return err
			}
			defer s.Close()
			n, err := exempted.Advise(c.Context(), s.Space, list...)
			if err != nil {
				return err
			}
			if asJSON {
				return terminal.JSON(a.Out, map[string]int{"read": len(list), "added": n})
			}
			_, err = fmt.Fprintf(a.Out, "%d read, %d of them new\n", len(list), n)
			return err
		},
	}
	c.Flags().StringVar(&id, "id", "", "what the advisory is called")
	c.Flags().StringVar(&title, "title", "", "what is wrong")
	c.Flags().StringVar(&severity, "severity", "", "critical, high, medium or low")
	c.Flags().StringVar(&link, "link", "", "where to read on")
	c.Flags().StringVar(&since, "since", "", "uses from that `DAY` on are concerned")
	c.Flags().BoolVar(&withdrawn, "withdrawn", false, "it is taken back")
	c.Flags().StringVar(&source, "source", "local", "who tells of it")
	c.Flags().StringVar(&feed, "feed", "", "`FILE` with a feed, - for standard input")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// maxFeed is how much is read of a feed; the parser says what is too much.
const maxFeed = 32 << 20

func readFeed(path string, in io.Reader) ([]byte, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("advisory: %w", err)
		}
		defer func() { _ = f.Close() }() // it is only read
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxFeed))
}
