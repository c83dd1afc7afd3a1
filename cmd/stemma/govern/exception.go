package govern

import (
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/exempted"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/storage"
)

// Exception lets a control not hold for a while.
func Exception(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "exception",
		Short: "let a control not hold for a while, and say why",
		Long: `An exception is asked for by one person and granted by another, who did not make the
change, for one change or a whole repository, until a time. Within 48 hours somebody has to look at it again:

  stemma exception ask REV-01 '#142' --reason 'the site is down' --for 24h
  stemma exception grant EXCEPTION
  stemma exception follow-up EXCEPTION --text 'reviewed afterwards, nothing found'
  stemma exception withdraw EXCEPTION

With --emergency it holds at once, and has to be granted within 48 hours. What was waived
fails again when the exception is over. Anybody may look at it again, also who asked for it or
granted it. Without a verb all of them are listed.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return listExceptions(c.Context(), a, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.AddCommand(askException(a), decide(a, "grant", "grant an exception that somebody else asked for", "", func(ctx context.Context, s *program.Store, now time.Time, ref stemma.Ref, _ string, by exempted.Person) error {
		of, err := standing(ctx, s, now, ref)
		if err != nil {
			return err
		}
		return exempted.Grant(ctx, s.Space, now, ref, by, of)
	}), decide(a, "follow-up", "say what came out when you looked at an exception again", "what came out", func(ctx context.Context, s *program.Store, now time.Time, ref stemma.Ref, text string, by exempted.Person) error {
		return exempted.FollowUp(ctx, s.Space, now, ref, text, by)
	}), decide(a, "withdraw", "take an exception back", "", func(ctx context.Context, s *program.Store, now time.Time, ref stemma.Ref, _ string, _ exempted.Person) error {
		return exempted.Withdraw(ctx, s.Space, now, ref)
	}))
	return c
}

func askException(a *program.App) *cobra.Command {
	var by, reason, until, dir string
	var length time.Duration
	var emergency, asJSON bool
	c := &cobra.Command{
		Use:   "ask CONTROL CHANGE|REPOSITORY",
		Short: "ask that a control does not have to be met",
		Long: `Asks that one control does not have to be met, or all of them (*), but EXC-01, which nothing
waives. The controls are those that come with the program, those of .stemma on the branch that
changes go to in the clone around, and those that changes were judged by.`,
		Args: program.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			end := a.Now().Add(length)
			if until != "" {
				day, err := time.Parse(time.DateOnly, until)
				if err != nil {
					return program.Usage(c, fmt.Errorf("--until %q is no day: write it as 2026-12-31", until))
				}
				end = day.AddDate(0, 0, 1)
			}
			name, mail, err := program.Author(c.Context(), by)
			if err != nil {
				return program.Usage(c, fmt.Errorf("exception: %w", err))
			}
			s, err := a.OpenStore(c.Context())
			if err != nil {
				return err
			}
			defer s.Close()
			control, err := waivable(c.Context(), s, dir, args[0])
			if err != nil {
				return err
			}
			of, err := s.One(c.Context(), args[1])
			if err != nil {
				return err
			}
			ref, err := exempted.Ask(c.Context(), s.Space, a.Now(), exempted.Request{
				Control: control, For: of, Reason: reason, Until: end, Emergency: emergency, By: exempted.Person{Name: name, Mail: mail},
			})
			if err != nil {
				return err
			}
			if asJSON {
				return terminal.JSON(a.Out, map[string]string{"exception": string(ref)})
			}
			_, err = fmt.Fprintf(a.Out, "%s\nsomebody else grants it with: stemma exception grant %s\n", ref, ref)
			return err
		},
	}
	c.Flags().StringVar(&by, "by", "", `who asks: "Name <mail>"`)
	c.Flags().StringVar(&reason, "reason", "", "why")
	c.Flags().StringVar(&until, "until", "", "last `DAY` on which it holds")
	c.Flags().DurationVar(&length, "for", 24*time.Hour, "how long it holds")
	c.Flags().StringVar(&dir, "policy", "", "`DIR` with controls of your own, in the place of .stemma on the branch")
	c.MarkFlagsMutuallyExclusive("for", "until")
	c.Flags().BoolVar(&emergency, "emergency", false, "it holds at once, and is granted afterwards")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// decide is a verb about one exception.
func decide(
	a *program.App, verb, short, text string, do func(ctx context.Context, s *program.Store, now time.Time, ref stemma.Ref, text string, by exempted.Person) error,
) *cobra.Command {
	var by, words string
	var asJSON bool
	c := &cobra.Command{
		Use:   verb + " EXCEPTION",
		Short: short,
		Args:  program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			name, mail, err := program.Author(c.Context(), by)
			if err != nil {
				return program.Usage(c, fmt.Errorf("exception: %w", err))
			}
			ref, err := stemma.ParseRef(args[0])
			if err != nil {
				return program.Usage(c, err)
			}
			s, err := a.OpenStore(c.Context())
			if err != nil {
				return err
			}
			defer s.Close()
			if err := do(c.Context(), s, a.Now(), ref, words, exempted.Person{Name: name, Mail: mail}); err != nil {
				return err
			}
			if asJSON {
				return terminal.JSON(a.Out, map[string]string{"exception": string(ref), "done": verb})
			}
			_, err = fmt.Fprintln(a.Out, "done")
			return err
		},
	}
	c.Flags().StringVar(&by, "by", "", `who does: "Name <mail>"`)
	if text != "" {
		c.Flags().StringVar(&words, "text", "", text)
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// standing is how an exception stands with its change, as judging sees it. One for a whole
// repository is for changes that nobody made yet: who made one of them is found when that is
// judged.
func standing(ctx context.Context, s *program.Store, now time.Time, exception stemma.Ref) (of exempted.Standing, err error) {
	nodes, err := s.Graph.Nodes(ctx, exception)
	if err != nil || len(nodes) == 0 {
		return of, err // Grant says that there is none
	}
	if err := s.Graph.Fill(ctx, nodes); err != nil {
		return of, err
	}
	change := nodes[0].Attrs.Ref("change")
	if change == "" {
		return of, nil
	}
	return of, s.DB.Read(ctx, func(tx *storage.Tx) error {
		found, err := gather.Changes(ctx, tx, []stemma.Ref{change}, gather.Options{Settings: func(string) subject.Settings { return subject.Usual() }, Now: now})
		if err != nil {
			return err
		}
		for _, p := range found[0].Change.Makers {
			of.Makers = append(of.Makers, stemma.Ref(p.Ref))
		}
		for _, e := range found[0].Exceptions {
			of.Void = of.Void || e.Ref == string(exception) && e.Approver.Ref != "" && e.SelfGranted
		}
		return nil
	})
}

// An exceptionRecord is the JSON form of an exception.
type exceptionRecord struct {
	Exception  stemma.Ref `json:"exception"`
	Control    string     `json:"control"`
	For        stemma.Ref `json:"for"`
	Reason     string     `json:"reason"`
	State      string     `json:"state"` // asked, granted, emergency, over, withdrawn
	Opened     time.Time  `json:"opened"`
	Until      time.Time  `json:"until"`
	FollowedUp time.Time  `json:"followed_up,omitzero"`
	Overdue    bool       `json:"overdue,omitempty"` // nobody looked at it again in time
}

// maxListed is how many exceptions are listed, the last ones.
const maxListed = 1000

// readExceptions asks for exceptions as "stemma query exceptions" does, so that both say of
// each in which state it is.
func readExceptions(ctx context.Context, s *program.Store, now time.Time) (list []exceptionRecord, err error) {
	list = []exceptionRecord{} // none is an empty list in JSON
	q, err := query.Parse("exceptions", "", now)
	if err == nil {
		q, err = q.Select("ref", "control", "change", "repo", "reason", "state", "opened", "until", "followed-up", "overdue")
	}
	if err != nil {
		return nil, err
	}
	return list, s.DB.Read(ctx, func(tx *storage.Tx) error {
		found, err := query.Run(ctx, tx, q.Page(0, maxListed))
		if err != nil {
			return err
		}
		for row, err := range found.Rows {
			if err != nil {
				return err
			}
			r := exceptionRecord{
				Exception: stemma.Ref(row[0].Text), Control: row[1].Text, For: stemma.Ref(cmp.Or(row[2].Text, row[3].Text)), Reason: row[4].Text, State: row[5].Text,
				Opened: row[6].Time(), Until: row[7].Time(), Overdue: row[9].Text == "true",
			}
			if !row[8].Null {
				r.FollowedUp = row[8].Time()
			}
			list = append(list, r)
		}
		return nil
	})
}

func listExceptions(ctx context.Context, a *program.App, asJSON bool) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	list, err := readExceptions(ctx, s, a.Now())
	if err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, map[string]any{"exceptions": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(a.Out, "there is no exception")
		return nil
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, r := range list {
		overdue := ""
		if r.Overdue {
			overdue = "  (nobody looked at it again in time)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\tuntil %s%s\n", r.Exception, r.State, r.For, terminal.OneLine(r.Reason), r.Until.Format(time.DateTime), overdue)
	}
	return w.Flush()
}
