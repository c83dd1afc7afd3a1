package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/ingest/statement"
)

// recordAttestation records what was signed about artifacts and commits.
func recordAttestation(a *program.App, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "attestation FILE…",
		Short: "record what was signed: provenance and other in-toto statements",
		Long: `Reads in-toto statements, - for standard input: in DSSE envelopes, as cosign and in-toto
write them, or in Sigstore bundles (*.sigstore.json, and what "gh attestation download" writes), one
or several, one a line. They are kept as they are, since a signature is over bytes. What they are about and what they say
is read from them alone. Whose signature counts is said in the policy of who judges
(docs/controls.md), not here.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return each(c.Context(), args, func(name string) error { return runAttestation(c.Context(), a, o, c.InOrStdin(), name) })
		},
	}
}

func runAttestation(ctx context.Context, a *program.App, o *options, in io.Reader, name string) error {
	signed, err := attested(in, []string{name})
	if err != nil {
		return err
	}
	e, err := o.envelope(ctx, a, reported.KindAttestation)
	if err != nil {
		return err
	}
	e.File, e.Attestations = stemma.CleanText(strings.TrimPrefix(name, "./"), 300), bytesOf(signed)
	var types []string
	for _, s := range signed {
		if !slices.Contains(types, s.PredicateType) {
			types = append(types, s.PredicateType)
		}
	}
	return o.report(ctx, a, e, fmt.Sprintf("%s: %d attestations of %s", name, len(signed), strings.Join(types, ", ")))
}

// attested reads the statements of files. One that cannot be read is an error: what a
// pipeline signed must not be lost silently.
func attested(in io.Reader, names []string) (all []statement.Statement, err error) {
	for _, name := range names {
		b, err := read(in, name)
		if err != nil {
			return nil, err
		}
		list, problems := statement.Parse(b)
		if len(problems) > 0 {
			return nil, unreadable(name, fmt.Errorf("%s: %s", problems[0].Place, problems[0].Reason))
		}
		all = append(all, list...)
	}
	return all, nil
}

func bytesOf(signed []statement.Statement) (list [][]byte) {
	for _, s := range signed {
		list = append(list, s.Raw)
	}
	return list
}

// about checks that every statement speaks of one of the artifacts that it is recorded with.
func about(signed []statement.Statement, all []reported.Artifact) error {
	for _, s := range signed {
		if !slices.ContainsFunc(all, func(b reported.Artifact) bool {
			return s.Speaks(b.Ref()) || slices.ContainsFunc(b.Same, func(d string) bool { return s.Speaks(artifact.Ref(d)) })
		}) {
			return stemma.WithHint(errors.New("record artifact: an attestation speaks of none of what is recorded"), "see that it is of this build: its subjects have other digests")
		}
	}
	return nil
}
