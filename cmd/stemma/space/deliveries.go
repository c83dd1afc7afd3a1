package space

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
)

// Deliveries tells what became of webhooks.
func Deliveries(a *program.App) *cobra.Command {
	var asJSON bool
	var only string
	c := &cobra.Command{
		Use:   "deliveries",
		Short: "webhooks that wait, could not be read, or were turned away",
		Long: `Says of each source of webhooks how many deliveries were received, wait, could not be
read (dead letters) or were turned away, and lists the last of these with their reasons;
and of each place that "stemma sync" fetched from, what had been missing.

A dead letter is kept until it was read: "stemma deliveries replay" has it read again,
which makes sense after a newer version of stemma was installed. Of what was turned away
the last hundred of each source are listed, and kept up to 64 KiB each.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if only != "" && only != "sources" && only != "fetched" && only != "dead" && only != "turned" {
				return program.Usage(c, fmt.Errorf("--only %.40q is none of sources, fetched, dead, turned", only))
			}
			return runDeliveries(c.Context(), a, only, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().StringVar(&only, "only", "", "one list only: `sources`, fetched, dead or turned")
	c.AddCommand(replayDeliveries(a))
	return c
}

func replayDeliveries(a *program.App) *cobra.Command {
	var all, asJSON bool
	var admit int64
	c := &cobra.Command{
		Use:   "replay [ID]",
		Short: "have dead letters read again",
		Long: `Has one dead letter read again, or with --all every one. "stemma serve" reads them; if
none runs, the next one does.

With --admit ID a delivery that was turned away is accepted all the same, on your word: it
counts as declared (grade D), since nobody signed it.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 1) == all && admit == 0 || admit != 0 && (all || len(args) > 0) {
				return program.Usage(c, errors.New("name one delivery, or --all, or --admit ID"))
			}
			id := int64(0)
			if len(args) == 1 {
				n, err := strconv.ParseInt(args[0], 10, 64)
				if err != nil || n <= 0 {
					return program.Usage(c, fmt.Errorf("%.40q is no number of a delivery", args[0]))
				}
				id = n
			}
			return runReplay(c.Context(), a, id, admit, asJSON)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all dead letters")
	c.Flags().Int64Var(&admit, "admit", 0, "accept the delivery `ID` that was turned away")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// shown bounds the lists.
const shown = 100

// deliveriesResult is the JSON form of deliveries.
type deliveriesResult struct {
	Sources    []inbox.Health  `json:"sources,omitzero"`
	Fetched    []ingest.Synced `json:"fetched,omitzero"`
	Letters    []inbox.Letter  `json:"dead_letters,omitzero"`
	TurnedAway []turnedRecord  `json:"turned_away,omitzero"`
}

type turnedRecord struct {
	ID       int64     `json:"id"`
	Source   string    `json:"source"`
	Event    string    `json:"event,omitempty"`
	Received time.Time `json:"received"`
	Size     int64     `json:"size"`
	Kept     bool      `json:"kept"` // its bytes are
	Reason   string    `json:"reason"`
}

// openInbox opens the store and its inbox.
func openInbox(ctx context.Context, a *program.App) (*program.Store, *inbox.Inbox, error) {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return nil, nil, err
	}
	box, err := inbox.Open(ctx, s.DB, a.Now)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, box, nil
}

func runDeliveries(ctx context.Context, a *program.App, only string, asJSON bool) (err error) {
	s, box, err := openInbox(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := deliveriesResult{Sources: []inbox.Health{}, Fetched: []ingest.Synced{}, Letters: []inbox.Letter{}, TurnedAway: []turnedRecord{}}
	sources, err := box.Health(ctx)
	if err != nil {
		return err
	}
	syncs, err := s.Syncs(ctx)
	if err != nil {
		return err
	}
	letters, err := box.Letters(ctx, shown)
	if err != nil {
		return err
	}
	turned, err := box.TurnedAway(ctx, shown)
	if err != nil {
		return err
	}
	r.Sources, r.Fetched, r.Letters = append(r.Sources, sources...), append(r.Fetched, syncs...), append(r.Letters, letters...)
	for _, t := range turned {
		r.TurnedAway = append(r.TurnedAway, turnedRecord{t.ID, t.Source, t.Event, t.Received, t.Size, t.Raw != nil, t.Reason})
	}
	r.keep(only)
	if asJSON {
		return terminal.JSON(a.Out, r)
	}
	return r.print(a.Out, a.Now())
}

// keep leaves one of the lists, if one is named.
func (r *deliveriesResult) keep(only string) {
	if only != "" && only != "sources" {
		r.Sources = nil
	}
	if only != "" && only != "fetched" {
		r.Fetched = nil
	}
	if only != "" && only != "dead" {
		r.Letters = nil
	}
	if only != "" && only != "turned" {
		r.TurnedAway = nil
	}
}

func (r deliveriesResult) print(out io.Writer, now time.Time) error {
	if r.Sources != nil && len(r.Sources) == 0 {
		_, err := fmt.Fprintln(out, "nothing reports here: see \"connect your forge\" in README.md")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if r.Sources != nil {
		fmt.Fprintln(w, "SOURCE\tHOST\tLAST EVENT\tRECEIVED\tPENDING\tLAG\tDEAD\tTURNED AWAY")
	}
	for _, s := range r.Sources {
		lag := "-"
		if !s.Oldest.IsZero() {
			lag = now.Sub(s.Oldest).Round(time.Second).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%d\t%d\n", terminal.OneLine(s.Source), terminal.OneLine(cmp.Or(s.Host, "-")), stamp(s.Last), s.Accepted, s.Pending, lag, s.Refused, s.Turned)
	}
	for _, f := range r.Fetched {
		fmt.Fprintf(w, "fetched\t%s\t%s %s: %d looked at, %s\n", stamp(f.Began), f.System, terminal.OneLine(f.Place), f.Looked, missing(f))
	}
	for _, l := range r.Letters {
		fmt.Fprintf(w, "dead letter %d\t%s\t%s %s: %s\n", l.ID, stamp(l.Received), terminal.OneLine(l.Source), terminal.OneLine(l.Event), terminal.OneLine(l.Reason))
	}
	for _, t := range r.TurnedAway {
		fmt.Fprintf(w, "turned away %d\t%s\t%s %s: %s\n", t.ID, stamp(t.Received), terminal.OneLine(t.Source), terminal.OneLine(t.Event), terminal.OneLine(t.Reason))
	}
	return w.Flush()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// runReplay replays dead letters, or admits what was turned away.
func runReplay(ctx context.Context, a *program.App, id, admit int64, asJSON bool) (err error) {
	s, box, err := openInbox(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	n := int64(0)
	if admit != 0 {
		fresh, err := box.Admit(ctx, admit)
		if err != nil {
			return err
		}
		if fresh {
			n = 1
		}
	} else if n, err = box.Replay(ctx, id); err != nil {
		return err
	}
	if asJSON {
		return terminal.JSON(a.Out, map[string]int64{"replayed": n})
	}
	_, err = fmt.Fprintf(a.Out, "%d deliveries wait to be read by stemma serve\n", n)
	return err
}
