package govern

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/subject"
)

// Controls shows the controls that changes are held against, and tries an organisation's
// own ones.
func Controls(a *program.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "controls",
		Short: "the controls that changes are held against, and your own",
		Long: `Shows the controls that come with the program and those that a directory .stemma
adds to them, and tries the latter. See docs/controls.md for how to write one.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(list(a), explain(a), test(a), lint(a), showInput(a))
	return c
}

// ownFlag says where an organisation keeps what it decided.
type ownFlag struct{ dir string }

func (f *ownFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "policy", ownDir, "directory with policy.yaml, controls/ and packs/")
}

// known is all that there is, and the set that is in force.
func (f *ownFlag) known(c *cobra.Command, packs ...string) (policy.Known, *policy.Set, error) {
	dir, err := openOwn(f.dir, c.Flags().Changed("policy"))
	if err != nil && dir == nil {
		return policy.Known{}, nil, located(f.dir, err)
	}
	known, wrong := catalogue.Read(dir)
	if err = errors.Join(err, wrong); err != nil {
		return known, nil, stemma.WithHint(located(f.dir, err), "stemma controls lint")
	}
	if len(packs) > 0 {
		known.Policy.Packs = packs
	}
	set, err := policy.NewSet(known)
	if err != nil {
		return known, nil, stemma.WithHint(located(f.dir, err), "stemma controls lint")
	}
	return known, set, nil
}

// find is a control by its id, in force or not.
func find(c *cobra.Command, known policy.Known, id string) (*policy.Control, error) {
	for _, k := range slices.Concat(known.Controls, known.Own) {
		if strings.EqualFold(k.ID, id) {
			return k, nil
		}
	}
	return nil, stemma.WithHint(program.Usage(c, fmt.Errorf("controls: there is no control %s", id)), "stemma controls list --all")
}

// A listed control is one with how it stands here.
type listed struct {
	ID       string          `json:"id"`
	Version  int             `json:"version"`
	Title    string          `json:"title"`
	Severity policy.Severity `json:"severity"`
	Stage    policy.Stage    `json:"stage"`
	Mode     policy.Mode     `json:"mode,omitempty"` // "" if it is not in force
	Own      bool            `json:"own,omitempty"`
	Packs    []string        `json:"packs,omitempty"`
	Evidence []evidence      `json:"evidence_for,omitempty"`
}

// An evidence is a requirement that a control is evidence for.
type evidence struct {
	Pack    string `json:"pack"`
	ID      string `json:"requirement"`
	Title   string `json:"title"`
	Section string `json:"section"`
}

func describe(c *policy.Control, known policy.Known, set *policy.Set) listed {
	l := listed{ID: c.ID, Version: c.Version, Title: c.Title, Severity: c.Severity, Stage: c.Stage, Own: slices.Contains(known.Own, c)}
	if slices.Contains(set.Controls, c) {
		l.Mode = set.Mode(c, &subject.Subject{})
	}
	for _, p := range known.Packs {
		if slices.Contains(p.All(), c.ID) {
			l.Packs = append(l.Packs, p.ID)
		}
		for _, r := range p.For(c.ID) {
			l.Evidence = append(l.Evidence, evidence{p.ID, r.ID, r.Title, r.Section})
		}
	}
	return l
}

func list(a *program.App) *cobra.Command {
	var own ownFlag
	var packs []string
	var all, asJSON bool
	c := &cobra.Command{
		Use:   "list [--pack NAME]",
		Short: "the controls that are in force",
		Args:  program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			known, set, err := own.known(c, packs...)
			if err != nil {
				return err
			}
			controls := set.Controls
			if all {
				controls = slices.Concat(known.Controls, known.Own)
			}
			rows := make([]listed, 0, len(controls))
			for _, k := range controls {
				rows = append(rows, describe(k, known, set))
			}
			if asJSON {
				return terminal.JSON(a.Out, struct {
					Controls []listed       `json:"controls"`
					Packs    []*policy.Pack `json:"packs"`
					Digest   string         `json:"digest"`
				}{rows, set.Packs, set.Digest()})
			}
			return table(a.Out, rows)
		},
	}
	own.add(c)
	c.Flags().StringSliceVar(&packs, "pack", nil, "packs in the place of those that the policy puts in force")
	c.Flags().BoolVar(&all, "all", false, "those that are not in force too")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func table(out io.Writer, rows []listed) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "CONTROL\tSEVERITY\tFROM\tMODE\tTITLE")
	for _, l := range rows {
		mode := string(l.Mode)
		if mode == "" {
			mode = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.ID, l.Severity, l.Stage, mode, terminal.OneLine(l.Title))
	}
	return w.Flush()
}

func showInput(a *program.App) *cobra.Command {
	var own ownFlag
	var name string
	c := &cobra.Command{
		Use:   "show-input ID --case NAME",
		Short: "what a control is asked about in one of its cases, with what follows from it",
		Long: `Prints the subject of a case as JSON: what the case says, what it begins with, and all
that follows from that. Rules use these names.`,
		Args: program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			known, _, err := own.known(c)
			if err != nil {
				return err
			}
			k, err := find(c, known, args[0])
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(k.Cases, func(of policy.Case) bool { return of.Name == name }) {
				return stemma.WithHint(program.Usage(c, fmt.Errorf("controls: %s has no case %q", k.ID, name)), "%s", caseNames(k))
			}
			x, err := k.Example(name)
			if err != nil {
				return located(own.dir, err)
			}
			return terminal.JSON(a.Out, x)
		},
	}
	own.add(c)
	c.Flags().StringVar(&name, "case", "", "name of the case")
	c.Flags().Bool("json", true, "print JSON, as it always does")
	return c
}

func caseNames(k *policy.Control) string {
	if len(k.Cases) == 0 {
		return "it has no cases"
	}
	var names []string
	for _, of := range k.Cases {
		names = append(names, fmt.Sprintf("%q", of.Name))
	}
	return "there are " + strings.Join(names, ", ")
}
