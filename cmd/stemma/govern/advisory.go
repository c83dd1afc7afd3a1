package govern

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/exempted"
)

// Advisory tells that something is wrong with a model or a package.
func Advisory(a *program.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "advisory",
		Short: "say that something is wrong with a model or a package, and judge again what it is in",
		Long: `An advisory says what is wrong with models of a name, or with versions of packages. "stemma
serve" judges all changes again that were made with such a model, or of which something was
built that consists of such a package by its bill of materials.

  stemma advisory add 'claude-opus-4-1*' --id ACME-7 --title 'leaves secrets in tests' --severity high
  stemma advisory add --feed advisories.json --source vendor
  stemma advisory osv npm/all.zip GHSA-jf85-cpcp-j695.json`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(addAdvisory(a), readOSV(a))
	return c
}

func readOSV(a *program.App) *cobra.Command {
	var source string
	var asJSON bool
	c := &cobra.Command{
		Use:   "osv PATH…",
		Short: "add the vulnerabilities and malicious packages of records in the form of OSV",
		Long: `PATH is a file with one record or an array of them, a directory whose files end in .json, or
a zip of such files, as OSV offers for each ecosystem. What is known already is not added
again; a record that says something else than before, or that it is withdrawn, is. A record
that cannot be read is told and holds up no other; the exit code is 1 then.

Which versions are affected is looked up by the rules of the ecosystem. Where these are not
known, a version that is not named itself is unknown, and never taken for safe.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return feed(c.Context(), a, asJSON, func(ctx context.Context, s *ingest.Space) (exempted.Fed, error) {
				return exempted.FeedOSV(ctx, s, a.Now, source, args...)
			})
		},
	}
	c.Flags().StringVar(&source, "source", exempted.OSV, "who tells of them")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// feed states what files tell, and says what came of that.
func feed(ctx context.Context, a *program.App, asJSON bool, from func(context.Context, *ingest.Space) (exempted.Fed, error)) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	fed, err := from(ctx, s.Space)
	switch {
	case err != nil:
		return err
	case asJSON:
		err = terminal.JSON(a.Out, fed)
	default:
		about := ""
		if fed.Nothing > 0 {
			about = fmt.Sprintf("; %d name no package that a bill of materials could name", fed.Nothing)
		}
		_, err = fmt.Fprintf(a.Out, "%d read, %d of them new%s\n", fed.Read, fed.Added, about)
	}
	return errors.Join(err, fed.Fault())
}

func addAdvisory(a *program.App) *cobra.Command {
	var id, title, severity, link, source, feed, since string
	var withdrawn, asJSON bool
	c := &cobra.Command{
		Use:   "add [MODEL]",
		Short: "add an advisory about the models whose names fit MODEL, or those of a feed",
		Long: `MODEL is a pattern of names, in which * stands for anything. A feed is a JSON array of
objects with id, model, title, published and optionally severity, url, since, modified and
withdrawn.
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
					one = exempted.Withdrawn(one, a.Now())
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
			n, err := exempted.Advise(c.Context(), s.Space, a.Now, list...)
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
	c.Flags().StringVar(&source, "source", exempted.Local, "who tells of it")
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
