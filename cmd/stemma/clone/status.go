package clone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/settle"
	"github.com/stemma-dev/stemma/spool"
)

// statusCommits is how many commits are shown where none is ahead of another branch.
const statusCommits = 20

// Status tells how far it is known who wrote the commits of a branch.
func Status(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status [RANGE]",
		Short: "what is known of who wrote the commits of this branch, and what is not",
		Long: `Says whether hooks report here and what of it was lost, and for every commit that is
ahead of the branch it goes to, how many of the lines it added an agent wrote, a person
wrote, and nobody can tell. RANGE names others, such as v1.2..HEAD.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runStatus(c.Context(), a, strings.Join(args, ""), asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// A branchStatus is the JSON form of status; part of the contract.
type branchStatus struct {
	Capture captureStatus      `json:"capture"`
	Replay  *settle.Comparison `json:"replay,omitempty"` // the last one
	Range   string             `json:"range"`
	Lines   int                `json:"lines"`
	AI      int                `json:"ai"`
	Human   int                `json:"human"`
	Unknown int                `json:"unknown"`
	Commits []commitStatus     `json:"commits"`
}

type captureStatus struct {
	Since   *time.Time `json:"since,omitempty"` // nothing was captured without it
	Last    *time.Time `json:"last,omitempty"`
	Lost    []string   `json:"lost,omitempty"`
	Damaged int        `json:"damaged,omitempty"`
}

type commitStatus struct {
	Commit  string   `json:"commit"`
	Subject string   `json:"subject"`
	Lines   int      `json:"lines"`
	AI      int      `json:"ai"`
	Human   int      `json:"human"`
	Unknown int      `json:"unknown"`
	Agents  []string `json:"agents,omitempty"`
	Reason  string   `json:"reason,omitempty"`
}

func runStatus(ctx context.Context, a *program.App, commits string, asJSON bool) (err error) {
	r, err := a.OpenOrigins(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s := branchStatus{Commits: []commitStatus{}}
	if s.Capture, s.Replay, err = captured(); err != nil {
		return err
	}
	var ids []string
	if s.Range, ids, err = ahead(ctx, commits); err != nil {
		return err
	}
	covered, err := r.Coverage(ctx, ids)
	if err != nil {
		return err
	}
	for _, c := range covered {
		s.Lines, s.AI, s.Human, s.Unknown = s.Lines+c.Lines, s.AI+c.AI, s.Human+c.Human, s.Unknown+c.Unknown
		s.Commits = append(s.Commits, statusOf(c))
	}
	if asJSON {
		return terminal.JSON(a.Out, s)
	}
	return writeStatus(a.Out, s)
}

func statusOf(c origins.Covered) commitStatus {
	subject, _, _ := strings.Cut(c.Message, "\n")
	return commitStatus{
		Commit: c.ID, Subject: strings.ToValidUTF8(subject, "\uFFFD"), Lines: c.Lines, AI: c.AI, Human: c.Human, Unknown: c.Unknown, Agents: c.Agents, Reason: c.Why,
	}
}

// captured is what hooks have kept in this work tree, and how transcripts compared
// with it last.
func captured() (s captureStatus, last *settle.Comparison, err error) {
	abs, err := filepath.Abs(".")
	if err != nil {
		return s, nil, err
	}
	place, err := spool.Find(abs)
	if err != nil {
		return s, nil, nil // a bare repository has no hooks of agents
	}
	if c, ok := settle.Compared(place); ok {
		last = &c
	}
	kept, err := settle.Heard(place)
	if err != nil || kept.Entries == 0 {
		return s, last, err
	}
	return captureStatus{Since: &kept.First, Last: &kept.Last, Lost: kept.Lost, Damaged: kept.Damaged}, last, nil
}

// ahead are the commits of a range, the newest first. Without one it is what is
// ahead of the upstream or of the default branch of the remote.
func ahead(ctx context.Context, commits string) (string, []string, error) {
	list := func(args ...string) ([]string, error) {
		out, err := userGit(ctx, append([]string{"rev-list", "--end-of-options"}, args...)...)
		return strings.Fields(out), err
	}
	if commits != "" {
		ids, err := list(commits)
		return commits, ids, err
	}
	for _, base := range []string{"@{upstream}", "origin/HEAD"} {
		if ids, err := list(base + "..HEAD"); err == nil && len(ids) > 0 {
			return base + "..HEAD", ids, nil
		}
	}
	out, err := userGit(ctx, "rev-list", fmt.Sprintf("--max-count=%d", statusCommits), "HEAD")
	return fmt.Sprintf("the last %d commits", statusCommits), strings.Fields(out), err
}

func writeStatus(out io.Writer, s branchStatus) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if s.Capture.Since == nil {
		fmt.Fprintln(w, "capture\tnothing was captured here yet: see stemma init, stemma doctor")
	} else {
		fmt.Fprintf(w, "capture\tsince %s, last %s\n", s.Capture.Since.Format("2006-01-02 15:04"), s.Capture.Last.Format("2006-01-02 15:04"))
	}
	if n := len(s.Capture.Lost) + s.Capture.Damaged; n > 0 {
		fmt.Fprintf(w, "lost\t%d times something was not kept or cannot be read\n", n)
		for _, why := range s.Capture.Lost {
			fmt.Fprintf(w, "\t%s\n", terminal.Plain(why))
		}
	}
	if s.Replay != nil {
		fmt.Fprintf(w, "replay\t%s: %d transcripts, %d notes; %s\n",
			s.Replay.At.Format("2006-01-02 15:04"), s.Replay.Transcripts, s.Replay.Notes, agreement(s.Replay.Agreement))
	}
	fmt.Fprintf(w, "commits\t%d: %s\n", len(s.Commits), terminal.Plain(s.Range))
	fmt.Fprintf(w, "lines\t%d added: %s AI, %s human, %s unknown\n", s.Lines, share(s.AI, s.Lines), share(s.Human, s.Lines), share(s.Unknown, s.Lines))
	if err := w.Flush(); err != nil {
		return err
	}
	if len(s.Commits) == 0 {
		return nil
	}
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ncommit\tlines\tAI\thuman\tunknown\t")
	for _, c := range s.Commits {
		who := strings.Join(c.Agents, " ")
		if c.Reason != "" && c.Unknown > 0 {
			who = c.Reason
		}
		if who != "" {
			who = " (" + terminal.Plain(who) + ")"
		}
		fmt.Fprintf(w, "%.8s\t%d\t%d\t%d\t%d\t%s%s\n", c.Commit, c.Lines, c.AI, c.Human, c.Unknown, terminal.Plain(c.Subject), who)
	}
	return w.Flush()
}

// share is a count with its part of a whole.
func share(n, of int) string {
	if of == 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d (%d %%)", n, n*100/of)
}
