package govern

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/exempted"
)

// Packages tells what registries say of packages.
func Packages(a *program.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "packages",
		Short: "tell what registries say of packages, by which those that AI names are vetted",
		Long: `stemma asks no registry. What one says is told by a file, which a program that may ask it
writes: since when a package is there, how often it is downloaded, or that there is none.
SUP-01 holds it against the packages of a bill of materials: see docs/controls.md.

  stemma packages add registry.json
  stemma sql 'SELECT purl, missing, first, downloads, asked FROM v1_package'`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(addPackages(a))
	return c
}

func addPackages(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "add FILE…",
		Short: "add what a registry said of packages",
		Long: `FILE is a JSON object with "asked", the time at which the registry was asked, optionally
"registry", its name, and "packages", a list of objects with "purl", a package URL without a
version, and optionally "first", when the first version was published, "downloads", in the
month before, and "missing", true if the registry has none. What is known is not added again.
A file that cannot be read adds nothing, and the exit code is 1 then.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return feed(c.Context(), a, asJSON, func(ctx context.Context, s *ingest.Space) (exempted.Fed, error) {
				return exempted.FeedPackages(ctx, s, a.Now, args...)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
