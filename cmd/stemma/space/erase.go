package space

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest"
)

// Erase makes bodies unreadable and forgets who people are.
func Erase(a *program.App) *cobra.Command {
	var by, because string
	var asJSON bool
	c := &cobra.Command{
		Use:   "erase REF --because WHY",
		Short: "make what a session or a person left unreadable, for good",
		Long: `Destroys the key of everything that is kept of a session (prompts, transcripts), a person or
whatever else has bodies, and deletes these. Of a person, given by pseudonym or mail address,
it also forgets who that is. Nothing of it is taken in again, and nothing brings it back.

  stemma erase session:claude-code/5c1e --because 'a password was pasted'
  stemma erase ada@acme.example --because 'she asked for it, ticket 17'

Facts stay, the log still verifies, and a gap says what was erased, by whom and why: name nobody
in it. Further accounts of the person are listed and stay. Backups made before have everything.`,
		Args: program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(because) == "" {
				return program.Usage(c, errors.New("erase: say why, with --because"))
			}
			return runErase(c.Context(), a, args[0], ingest.Erasure{Ground: because}, by, asJSON)
		},
	}
	c.Flags().StringVar(&because, "because", "", "on what ground; it is kept")
	c.Flags().StringVar(&by, "by", "", `who says so: "Name <mail>"`)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func runErase(ctx context.Context, a *program.App, name string, e ingest.Erasure, by string, asJSON bool) error {
	var err error
	if e.Name, e.Mail, err = program.Author(ctx, by); err != nil {
		return program.Usage(nil, fmt.Errorf("erase: %w", err))
	}
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if e.What, err = stemma.ParseRef(name); err != nil {
		if !strings.Contains(name, "@") {
			return stemma.WithHint(fmt.Errorf("erase: %s is neither a ref nor a mail address", terminal.OneLine(name)), "\"stemma find\" prints refs")
		}
		e.What = s.Person(strings.TrimSpace(name))
	}
	gone, err := s.Erase(ctx, a.Now, e)
	if err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, gone)
	}
	fmt.Fprintf(a.Out, "erased: %d bodies of %s\n", gone.Bodies, gone.What)
	if gone.Name {
		fmt.Fprintln(a.Out, "who that is is forgotten")
	}
	for _, o := range gone.Others {
		fmt.Fprintf(a.Out, "still there, of the same person: %s\n", o)
	}
	return nil
}
