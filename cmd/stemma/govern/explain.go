package govern

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/policy"
)

// An explained control is all that there is to say of one.
type explained struct {
	listed
	Why     string   `json:"why"`
	Inputs  []string `json:"inputs"`
	Applies []clause `json:"applies,omitempty"`
	Knows   []clause `json:"knows,omitempty"`
	Rule    string   `json:"rule,omitempty"`
	Says    string   `json:"says,omitempty"`
	Rests   string   `json:"rests,omitempty"`
	Check   string   `json:"check,omitempty"`
	Firm    bool     `json:"firm,omitempty"`
	Remedy  string   `json:"remedy"`
	Cases   []aCase  `json:"cases,omitempty"`
}

type clause struct {
	When string `json:"when"`
	Else string `json:"else"`
}

type aCase struct {
	Name  string       `json:"name"`
	State policy.State `json:"state"`
}

func explain(a *program.App) *cobra.Command {
	var own ownFlag
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain ID",
		Short: "what a control says, why, by which rule, and what it is evidence for",
		Args:  program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			known, set, err := own.known(c)
			if err != nil {
				return err
			}
			k, err := find(c, known, args[0])
			if err != nil {
				return err
			}
			e := explained{
				listed: describe(k, known, set), Why: k.Why, Inputs: k.Inputs, Applies: clauses(k.Applies), Knows: clauses(k.Knows),
				Rule: k.Rule.Text, Says: k.Says.Text, Rests: k.Rests.Text, Check: k.Check, Firm: k.Firm, Remedy: k.Remedy,
			}
			for _, of := range k.Cases {
				e.Cases = append(e.Cases, aCase{of.Name, of.State})
			}
			if asJSON {
				return terminal.JSON(a.Out, e)
			}
			e.write(a.Out)
			return nil
		},
	}
	own.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func clauses(list []policy.Clause) []clause {
	out := make([]clause, 0, len(list))
	for _, cl := range list {
		out = append(out, clause{cl.When.Text, cl.Else})
	}
	return out
}

func (e *explained) write(out io.Writer) {
	mode := string(e.Mode)
	if mode == "" {
		mode = "not in force"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s version %d: %s\n%s, judged from the %s on, %s\n\n%s\n\n", e.ID, e.Version, e.Title, e.Severity, e.Stage, mode, strings.TrimSpace(e.Why))
	fmt.Fprintf(&b, "looks at  %s\n", strings.Join(e.Inputs, ", "))
	for _, cl := range e.Applies {
		fmt.Fprintf(&b, "\nnot applicable (%s) unless\n%s", cl.Else, indented(cl.When))
	}
	for _, cl := range e.Knows {
		fmt.Fprintf(&b, "\nunknown (%s) unless\n%s", cl.Else, indented(cl.When))
	}
	if e.Check != "" {
		fmt.Fprintf(&b, "\npasses by the check %s of the program\n", e.Check)
	} else {
		fmt.Fprintf(&b, "\npasses if\n%s", indented(e.Rule))
	}
	if e.Firm {
		b.WriteString("\nno exception waives it\n")
	}
	fmt.Fprintf(&b, "\nto mend it: %s\n", strings.TrimSpace(e.Remedy))
	if len(e.Evidence) > 0 {
		b.WriteString("\nevidence for\n")
		for _, of := range e.Evidence {
			fmt.Fprintf(&b, "  %s %s: %s (%s)\n", of.Pack, of.ID, of.Title, of.Section)
		}
	}
	if len(e.Cases) > 0 {
		b.WriteString("\ncases\n")
		for _, of := range e.Cases {
			fmt.Fprintf(&b, "  %-14s  %s\n", of.State, of.Name)
		}
	}
	fmt.Fprint(out, terminal.Plain(b.String()))
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
}
