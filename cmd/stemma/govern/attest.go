package govern

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attest"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/statement"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
)

// Attest looks at what somebody signed.
func Attest(a *program.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "attest",
		Short: "look at signed statements, offline",
		Args:  program.Args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(verifySigned(a))
	return c
}

// verifySigned says who signed statements, by the trust that a policy says.
func verifySigned(a *program.App) *cobra.Command {
	var own ownFlag
	var asJSON bool
	repository := ""
	c := &cobra.Command{
		Use:   "verify FILE…",
		Short: "say who signed statements, and whether the policy trusts them",
		Long: `Says of every in-toto statement in files, - for standard input, who signed it by the trust of
the policy, what it says was built by whom, and to which level the builder is trusted. It
needs no store and no network. docs/controls.md says how a policy names whose signatures
count.

Exit codes: 0 all are signed by who is trusted, 1 error, 2 usage, 3 one is not.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			_, set, err := own.known(c)
			if err != nil {
				return err
			}
			list, err := signedIn(c.InOrStdin(), args, set.Policy.SettingsOf(repository))
			if err != nil {
				return err
			}
			if asJSON {
				err = terminal.JSON(a.Out, signedJSON{list})
			} else {
				err = tellSigned(a.Out, list)
			}
			return errors.Join(err, distrusted(list))
		},
	}
	own.add(c)
	c.Flags().StringVar(&repository, "repository", "", "name of the repository whose settings hold: acme/pay")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// signedJSON is the JSON form of what was found; part of the contract.
type signedJSON struct {
	Statements []signed `json:"statements"`
}

// A signed is a statement as a control sees it.
type signed struct {
	File string `json:"file"`
	subject.Attestation
}

func signedIn(in io.Reader, names []string, settings subject.Settings) (all []signed, err error) {
	signers, err := gather.Signers(settings.Trust)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		list, err := statementsIn(in, name)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			x := subject.Subject{Settings: settings, Artifacts: []subject.Artifact{{Attestations: []subject.Attestation{gather.Signed(s, signers, settings.Trust)}}}}
			x.Derive()
			all = append(all, signed{name, x.Artifacts[0].Attestations[0]})
		}
	}
	return all, nil
}

func statementsIn(in io.Reader, name string) ([]statement.Statement, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("attest: %w", err)
		}
		defer func() { _ = f.Close() }() // it is only read
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, note.MaxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("attest: reading %s: %w", terminal.OneLine(name), err)
	}
	list, problems := statement.Parse(b)
	if len(problems) > 0 {
		return nil, stemma.WithHint(fmt.Errorf("attest: %s is not read: %s: %s", terminal.OneLine(name), problems[0].Place, problems[0].Reason), "name DSSE envelopes or Sigstore bundles, one a line")
	}
	return list, nil
}

func tellSigned(out io.Writer, list []signed) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "signature\tsigner\tlevel\tbuilder\tsource\tpredicate")
	for _, s := range list {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", s.Signature, dash(s.Signer), s.Level, dash(s.Builder), dash(s.Source), dash(s.Predicate))
	}
	return w.Flush()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return terminal.OneLine(text)
}

func distrusted(list []signed) error {
	n := 0
	for _, s := range list {
		if s.Signature != string(attest.Holds) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return program.Unmet(fmt.Errorf("attest: %d of %d statements are not signed by who is trusted", n, len(list)))
}
