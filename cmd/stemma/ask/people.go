package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/judged"
	"github.com/stemma-dev/stemma/query/people"
)

// People tells which accounts are one person, and takes what a person says about that.
func People(a *program.App) *cobra.Command {
	var form peopleForm
	c := &cobra.Command{
		Use:   "people [NAME]",
		Short: "which accounts are one person, and what a person says about that",
		Long: `Lists the people of whom more than one account or address is known, each with what ties
these and how good that evidence is; with NAME only that person, with --all everybody.
What a mail map says of two addresses is a suggestion: nothing follows until a person
says it too. What is missing or wrong, a person says:

  stemma people merge ada@work.example ada@home.example --because 'she told me'
  stemma people split ada@work.example ci@work.example --because 'two people share the name'

  stemma people forget ada@work.example ci@work.example --because 'it was an error'

The last word about two accounts stands before all evidence. The opposite word is a word
too; with forget, evidence alone counts again.
Names come from a table that can be erased; --pseudonyms leaves them out.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runPeople(c.Context(), a, args, form) },
	}
	c.Flags().BoolVar(&form.json, "json", false, "print one JSON object")
	c.Flags().BoolVar(&form.all, "all", false, "also those of whom one account is known")
	c.Flags().BoolVar(&form.pseudonyms, "pseudonyms", false, "do not tell who they are")
	c.AddCommand(
		tell(a, "merge", "say that two accounts are one person", judged.Sameness{}),
		tell(a, "split", "say that two accounts are two people", judged.Sameness{Apart: true}),
		tell(a, "forget", "take back what was said of two accounts", judged.Sameness{Open: true}))
	return c
}

// A peopleForm says what of people is printed, and how.
type peopleForm struct{ json, all, pseudonyms bool }

func runPeople(ctx context.Context, a *program.App, args []string, form peopleForm) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	ask := people.Ask{Alone: form.all, Names: !form.pseudonyms}
	for _, name := range args {
		if ask.Of, err = accounts(ctx, s, name); err != nil {
			return err
		}
	}
	list, more, err := people.Of(ctx, s.DB, ask)
	if err != nil {
		return err
	}
	if form.json {
		return terminal.JSON(a.Out, struct {
			People []*people.Person `json:"people"`
			More   bool             `json:"more"`
		}{list, more})
	}
	for _, p := range list {
		printPerson(a.Out, p)
	}
	if more {
		fmt.Fprintf(a.Out, "there are more than %d\n", people.Max)
	}
	return nil
}

// accounts are all that a name may stand for: whole, of people and bots.
func accounts(ctx context.Context, s *program.Store, name string) ([]stemma.Ref, error) {
	found, err := s.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	var refs []stemma.Ref
	for _, f := range found {
		if f.Exact && (f.Kind == stemma.KindPerson || f.Kind == stemma.KindBot) {
			refs = append(refs, f.Ref)
		}
	}
	if len(refs) == 0 {
		return nil, stemma.WithHint(fmt.Errorf("people: %s: nobody is called so: %w", terminal.OneLine(name), stemma.ErrNotFound),
			"\"stemma people --all\" lists everybody")
	}
	return refs, nil
}

// account is the one account that a name stands for; an address stands for itself,
// whichever accounts have it too.
func account(ctx context.Context, s *program.Store, name string) (stemma.Ref, error) {
	refs, err := accounts(ctx, s, name)
	if err != nil {
		return "", err
	}
	if own := s.Person(strings.TrimSpace(name)); strings.Contains(name, "@") && slices.Contains(refs, own) {
		return own, nil
	}
	if len(refs) > 1 {
		var names []string
		for _, r := range refs {
			names = append(names, string(r))
		}
		return "", stemma.WithHint(fmt.Errorf("people: %s names several accounts", terminal.OneLine(name)), "choose one of: %s", strings.Join(names, "  "))
	}
	return refs[0], nil
}

func printPerson(out io.Writer, p *people.Person) {
	fmt.Fprintf(out, "%s\n", p.Ref)
	for _, x := range p.Accounts {
		fmt.Fprintf(out, "    %s", x.Ref)
		for _, text := range []string{x.Name, x.Login, x.Mail, x.Host} {
			if text != "" {
				fmt.Fprintf(out, "  %s", terminal.OneLine(text))
			}
		}
		fmt.Fprintln(out)
	}
	for _, t := range p.Ties {
		what, how := "is", ""
		if t.Apart {
			what = "is not"
		}
		switch {
		case t.Open && t.By == "":
			how = ", suggested"
		case t.Open:
			how = ", taken back"
		case !t.Followed:
			how = ", not followed"
		}
		fmt.Fprintf(out, "    %s %s %s  [%s, grade %s%s]", t.One, what, t.Other, terminal.OneLine(t.Method), t.Grade, how)
		if t.By != "" {
			fmt.Fprintf(out, " %s by %s: %s", when(t.At), t.By, terminal.OneLine(t.Reason))
		}
		fmt.Fprintln(out)
	}
}

func when(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.RFC3339)
}

func tell(a *program.App, verb, short string, word judged.Sameness) *cobra.Command {
	var by, because string
	var asJSON bool
	c := &cobra.Command{
		Use:   verb + " ACCOUNT ACCOUNT --because WHY",
		Short: short,
		Long: `An account is given by its pseudonym, a mail address, or a name that no other account has.
Who says so is who git would name as author, or --by.`,
		Args: program.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(because) == "" {
				return program.Usage(c, errors.New("people: say why, with --because"))
			}
			word.Reason = because
			return runTell(c.Context(), a, args, word, by, asJSON)
		},
	}
	c.Flags().StringVar(&because, "because", "", "why; it is kept with the word")
	c.Flags().StringVar(&by, "by", "", `who says so: "Name <mail>"`)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func runTell(ctx context.Context, a *program.App, names []string, word judged.Sameness, by string, asJSON bool) error {
	var err error
	if word.Name, word.Mail, err = program.Author(ctx, by); err != nil {
		return program.Usage(nil, fmt.Errorf("people: %w", err))
	}
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if word.One, err = account(ctx, s, names[0]); err != nil {
		return err
	}
	if word.Other, err = account(ctx, s, names[1]); err != nil {
		return err
	}
	one, err := judged.Tell(ctx, s.Space, a.Now, word)
	if err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, struct {
			One   stemma.Ref `json:"one"`
			Other stemma.Ref `json:"other"`
			Apart bool       `json:"apart"`
			Open  bool       `json:"open"` // what was said is taken back
			Same  bool       `json:"same"` // what is so now
		}{word.One, word.Other, word.Apart, word.Open, one})
	}
	said := map[bool]string{false: "are one", true: "are two"}
	if word.Open {
		_, err = fmt.Fprintf(a.Out, "recorded: nobody says anything of %s and %s; by evidence they %s\n", word.One, word.Other, said[!one])
		return err
	}
	_, err = fmt.Fprintf(a.Out, "recorded: %s and %s %s\n", word.One, word.Other, said[word.Apart])
	return err
}
