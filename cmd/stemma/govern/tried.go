package govern

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
)

// A fault is one as JSON has it.
type fault struct {
	Place   string `json:"place"`
	Line    int    `json:"line,omitempty"`
	Control string `json:"control,omitempty"`
	Why     string `json:"why"`
}

func plain(faults []*policy.Fault) []fault {
	out := make([]fault, 0, len(faults))
	for _, f := range faults {
		out = append(out, fault{f.Place, f.Line, f.Control, f.Why})
	}
	return out
}

// readOwn reads the directory that was named, or the one that is there by custom, and puts a set
// together of it as it would be in force. Faults are given; an error is that there is nothing to read.
func readOwn(args []string) (dir string, own []*policy.Control, faults []*policy.Fault, err error) {
	dir = ownDir
	if len(args) > 0 {
		dir = args[0]
	}
	opened, err := openOwn(dir, true)
	var known policy.Known
	if opened != nil { // links are told together with what is wrong beside them
		var wrong error
		known, wrong = catalogue.Read(opened)
		err = errors.Join(err, wrong)
	}
	if err == nil {
		_, err = policy.NewSet(known)
	}
	faults = policy.Faults(located(dir, err))
	if len(faults) > 0 {
		err = nil
	}
	return dir, known.Own, faults, err
}

func lint(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "lint [DIR]",
		Short: "what is wrong in your controls, packs and policy, with file and line",
		Args:  program.Args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, own, faults, err := readOwn(args)
			if err != nil {
				return err
			}
			for _, k := range own {
				faults = append(faults, policy.Faults(located(dir, errors.Join(k.Examples(), k.Untried())))...)
			}
			if asJSON {
				if err := terminal.JSON(a.Out, map[string]any{"faults": plain(faults), "controls": len(own)}); err != nil {
					return err
				}
			} else {
				told(a.Out, faults)
			}
			if len(faults) > 0 {
				return fmt.Errorf("controls: %d faults in %s", len(faults), dir)
			}
			if !asJSON {
				fmt.Fprintf(a.Out, "%s: %d controls of your own, nothing wrong\n", dir, len(own))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// A tested control is one with how its cases came out.
type tested struct {
	ID     string  `json:"id"`
	Place  string  `json:"place"`
	Cases  int     `json:"cases"`
	Faults []fault `json:"faults,omitempty"`
}

func test(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "test [DIR]",
		Short: "tries the cases of your own controls",
		Long: `Judges every case beside your own controls, and says which come out otherwise than
they should. A control without a case has not been tried, which is a fault. Where anything
of the directory has a fault nothing of it is in force, and no case is tried.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, own, faults, err := readOwn(args)
			if err != nil {
				return err
			}
			if len(faults) > 0 { // nothing of the directory is in force
				own = nil
			}
			results, wrong := make([]tested, 0, len(own)), 0
			for _, k := range own {
				failed := policy.Faults(located(dir, errors.Join(k.Test(), k.Untried())))
				wrong += len(failed)
				results = append(results, tested{ID: k.ID, Place: dir + "/" + k.Place, Cases: len(k.Cases), Faults: plain(failed)})
			}
			if asJSON {
				if err := terminal.JSON(a.Out, map[string]any{"controls": results, "faults": plain(faults)}); err != nil {
					return err
				}
			} else if len(faults) == 0 {
				show(a.Out, dir, results)
			} else {
				told(a.Out, faults)
			}
			switch {
			case len(faults) > 0:
				return fmt.Errorf("controls: %d faults in %s, and so nothing of it is in force and no case was tried", len(faults), dir)
			case wrong > 0:
				return fmt.Errorf("controls: %d cases in %s come out otherwise than they should", wrong, dir)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// told prints faults, one a line.
func told(out io.Writer, faults []*policy.Fault) {
	for _, f := range faults {
		fmt.Fprintln(out, terminal.OneLine(f.Error()))
	}
}

func show(out io.Writer, dir string, results []tested) {
	if len(results) == 0 {
		fmt.Fprintf(out, "%s: no controls of your own\n", dir)
	}
	for _, r := range results {
		if len(r.Faults) == 0 {
			fmt.Fprintf(out, "%s: %d cases pass\n", r.ID, r.Cases)
		}
		for _, f := range r.Faults {
			fault := policy.Fault{Place: f.Place, Line: f.Line, Control: f.Control, Why: f.Why}
			fmt.Fprintln(out, terminal.OneLine(fault.Error()))
		}
	}
}
