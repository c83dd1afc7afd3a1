package ask

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/judged"
	"github.com/stemma-dev/stemma/query/causes"
	"github.com/stemma-dev/stemma/storage"
)

// Incident ranks what may have caused an incident, and takes what a person found out.
func Incident(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "incident INCIDENT",
		Short: "what may have caused an incident, and what a person found out about it",
		Long: `Ranks the changes that may have caused an incident: those that deployments brought which
were there when it was noticed, with the reasons for each place. A rank is a lead. A
person decides:

  stemma incident INC-7
  stemma incident confirm INC-7 '#142' --reason 'the refund ran twice'
  stemma incident reject INC-7 '#141'

A confirmed cause is part of every trace from then on. The last word about a cause
stands; all of them are kept.`,
		Args: program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runIncident(c.Context(), a, args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.AddCommand(judge(a, "confirm", "say that something caused the incident", true), judge(a, "reject", "say that something did not cause it", false))
	return c
}

func judge(a *program.App, verb, short string, confirmed bool) *cobra.Command {
	var by, reason string
	var asJSON bool
	c := &cobra.Command{
		Use:   verb + " INCIDENT CAUSE",
		Short: short,
		Long: `The cause is a change, a deployment or a commit, under any name that "stemma find" knows.
Who says so is who git would name as author, or --by.`,
		Args: program.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			return runJudge(c.Context(), a, args[0], args[1], by, reason, confirmed, asJSON)
		},
	}
	c.Flags().StringVar(&by, "by", "", `who says so: "Name <mail>"`)
	c.Flags().StringVar(&reason, "reason", "", "why")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func runIncident(ctx context.Context, a *program.App, name string, asJSON bool) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	ref, err := s.One(ctx, name)
	if err != nil {
		return err
	}
	var i *causes.Incident
	err = s.DB.Read(ctx, func(tx *storage.Tx) error {
		i, err = causes.Of(ctx, tx, ref)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, i)
	}
	printIncident(a, i)
	return nil
}

// maxCandidates is how many are told of to people.
const maxCandidates = 15

func printIncident(a *program.App, i *causes.Incident) {
	fmt.Fprintf(a.Out, "%s  %s\nnoticed %s", i.Ref, terminal.OneLine(i.Title), i.Opened.Format(time.RFC3339))
	if i.Environment != "" {
		fmt.Fprintf(a.Out, " in %s", strings.TrimPrefix(string(i.Environment), "environment:"))
	}
	fmt.Fprintf(a.Out, ", %d deployments before it were looked at\n", len(i.Deployments))
	if len(i.Candidates) == 0 {
		fmt.Fprintln(a.Out, "no change is known that one of them brought")
	}
	for _, c := range i.Candidates[:min(len(i.Candidates), maxCandidates)] {
		fmt.Fprintf(a.Out, "\n%4d  %s  %s", c.Points, c.Change, terminal.OneLine(c.Title))
		if c.Verdict != "" {
			fmt.Fprintf(a.Out, "  [%s]", c.Verdict)
		}
		fmt.Fprintln(a.Out)
		for _, r := range c.Reasons {
			fmt.Fprintf(a.Out, "      %+3d %s\n", r.Points, terminal.OneLine(r.Why))
		}
	}
	if n := len(i.Candidates) - maxCandidates; n > 0 {
		fmt.Fprintf(a.Out, "\n%d more: --json has all\n", n)
	}
}

// judgedRecord is the JSON form of what a person found out.
type judgedRecord struct {
	Incident  stemma.Ref `json:"incident"`
	Cause     stemma.Ref `json:"cause"`
	Confirmed bool       `json:"confirmed"`
	Reason    string     `json:"reason,omitempty"`
}

func runJudge(ctx context.Context, a *program.App, name, cause, by, reason string, confirmed, asJSON bool) error {
	v := judged.Verdict{Confirmed: confirmed, Reason: reason}
	var err error
	if v.Name, v.Mail, err = program.Author(ctx, by); err != nil {
		return program.Usage(nil, fmt.Errorf("incident: %w", err))
	}
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if v.Incident, err = s.One(ctx, name); err != nil {
		return err
	}
	if v.Cause, err = s.One(ctx, cause); err != nil {
		return err
	}
	switch v.Cause.Kind() {
	case stemma.KindChange, stemma.KindCommit, stemma.KindDeployment:
	default:
		return program.Usage(nil, fmt.Errorf("incident: %s is a %s: a change, a deployment or a commit may be a cause", v.Cause, v.Cause.Kind()))
	}
	if err := judged.Judge(ctx, s.Space, a.Now, v); err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, judgedRecord{v.Incident, v.Cause, v.Confirmed, v.Reason})
	}
	said := "did not cause"
	if confirmed {
		said = "caused"
	}
	_, err = fmt.Fprintf(a.Out, "recorded: %s %s %s\n", v.Cause, said, v.Incident)
	return err
}
