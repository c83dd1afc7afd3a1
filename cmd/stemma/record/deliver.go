package record

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/deduced"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/outbox"
)

// Where a report is after it was delivered.
const (
	inStore  = "store"
	onServer = "server"
	waiting  = "waiting" // in the outbox
	refused  = "refused" // by the server, for good
	nowhere  = "nowhere" // it could be neither sent nor kept
)

// A delivered is the JSON form of what became of a report; part of the contract.
type delivered struct {
	Kind     string               `json:"kind"`
	Key      string               `json:"key"`
	State    string               `json:"state"` // store, server, waiting, refused, nowhere
	Summary  string               `json:"summary"`
	Refs     []stemma.Ref         `json:"refs"` // what the facts are about, where they are made
	Snapshot *deployment.Snapshot `json:"snapshot,omitempty"`
	Warning  string               `json:"warning,omitempty"`
	Sent     int                  `json:"sent"` // that waited before
	Left     int                  `json:"left"` // that still wait
}

// deliver brings a report to where it is kept and says so. Only if it must be there, or
// the local store fails, is it an error that it is not.
func (o *options) deliver(ctx context.Context, a *program.App, e *reported.Envelope, summary string) (d delivered, err error) {
	raw, err := e.Seal()
	if err != nil {
		return d, fmt.Errorf("record: %w", err)
	}
	d = delivered{Kind: e.Kind, Key: e.Key, Summary: summary, Refs: []stemma.Ref{}}
	if o.url == "" {
		err = o.intoStore(ctx, a, raw, &d)
	} else {
		err = o.toServer(ctx, a, raw, &d)
	}
	if err != nil {
		return d, err
	}
	if d.State != inStore && d.State != onServer {
		what := fmt.Errorf("record: the server did not take the report: %s", d.Warning)
		if o.required {
			return d, stemma.WithHint(what, "see that the server is there and the token is right; without --required the report waits")
		}
		fmt.Fprintf(a.Err, "stemma: warning: %s\n", terminal.OneLine(d.Warning))
	}
	return d, nil
}

// tell prints what became of a report.
func (o *options) tell(a *program.App, d delivered) error {
	if o.done = append(o.done, d); o.json {
		return nil
	}
	where := map[string]string{inStore: "in the local store", onServer: "the server has it", waiting: "it waits for the server", refused: "the server refused it", nowhere: "it is lost"}[d.State]
	_, err := fmt.Fprintf(a.Out, "recorded %s: %s (%s)\n", d.Kind, terminal.OneLine(d.Summary), where)
	return err
}

// report delivers and tells.
func (o *options) report(ctx context.Context, a *program.App, e *reported.Envelope, summary string) error {
	d, err := o.deliver(ctx, a, e, summary)
	if err != nil {
		return err
	}
	return o.tell(a, d)
}

// intoStore makes facts of a report at once.
func (o *options) intoStore(ctx context.Context, a *program.App, raw []byte, d *delivered) (err error) {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	taken, err := reported.Take(ctx, s.Space, a.Now, raw)
	var bad *reported.BadError
	if errors.As(err, &bad) {
		return stemma.WithHint(fmt.Errorf("record: %s", bad.Why), "see stemma record %s --help", d.Kind)
	}
	if err != nil {
		return err
	}
	d.State, d.Refs, d.Snapshot = inStore, taken.Refs, taken.Snapshot
	_, err = deduced.All(ctx, s.Space, a.Now)
	return err
}

// toServer sends a report, and what waits; if the server is away it waits, too.
func (o *options) toServer(ctx context.Context, a *program.App, raw []byte, d *delivered) error {
	s, err := o.open()
	if err != nil {
		return err
	}
	box := s.box(a)
	if !box.Due() {
		return o.wait(box, raw, d, fmt.Sprintf("%s was away a moment ago: the report waits for the next call, or for stemma record flush", s.name))
	}
	err = s.post(ctx, raw)
	var no *outbox.RefusedError
	switch {
	case errors.As(err, &no):
		d.State, d.Warning = refused, s.name+" refused the report: "+no.Why
		return nil
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		if failure := box.Failed(); failure != nil {
			a.Log.Info("record: the next try does not wait", "error", failure)
		}
		return o.wait(box, raw, d, fmt.Sprintf("%s: %v: the report waits for the next call, or for stemma record flush", s.name, err))
	}
	d.State = onServer
	box.Reached()
	return o.sendWaiting(ctx, a, s, d)
}

// wait keeps a report until the server is there.
func (o *options) wait(box *outbox.Outbox, raw []byte, d *delivered, why string) error {
	d.State, d.Warning = waiting, why
	if err := box.Keep(d.Key, raw); err != nil {
		d.State, d.Warning = nowhere, why+"; and it cannot be kept: "+err.Error()
	}
	n, err := box.Waiting()
	d.Left = n
	return err
}

// sendWaiting sends what waited while the server is there.
func (o *options) sendWaiting(ctx context.Context, a *program.App, s *sender, d *delivered) error {
	sent, err := s.box(a).Send(ctx, s.post)
	d.Sent, d.Left = sent.Sent, sent.Left
	if err != nil {
		a.Log.Info("record: what waited was not sent", "error", err)
	}
	if len(sent.Refused) > 0 {
		fmt.Fprintf(a.Err, "stemma: warning: %s refused %d reports that waited: %s\n", s.name, len(sent.Refused), terminal.OneLine(sent.Refused[0]))
	}
	return nil
}

// recordFlush sends what waits.
func recordFlush(a *program.App, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "flush",
		Short: "send the reports that wait for the server",
		Long: `Sends the reports that wait, however lately the server was away. With --required it is an
error if some still wait then, or were refused.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runFlush(c.Context(), a, o) },
	}
}

func runFlush(ctx context.Context, a *program.App, o *options) error {
	if o.url == "" {
		return program.Usage(nil, stemma.WithHint(errors.New("record flush: there is no server to send to"), "name one with --url or STEMMA_URL"))
	}
	s, err := o.open()
	if err != nil {
		return err
	}
	sent, err := s.box(a).Send(ctx, s.post)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && o.required {
		return stemma.WithHint(fmt.Errorf("record flush: %d reports still wait: %s: %w", sent.Left, s.name, err), "see that the server is there and the token is right")
	}
	if err != nil {
		fmt.Fprintf(a.Err, "stemma: warning: %d reports still wait: %s: %s\n", sent.Left, s.name, terminal.OneLine(err.Error()))
	}
	if o.json {
		return terminal.JSON(a.Out, sent)
	}
	if _, err := fmt.Fprintf(a.Out, "%d reports sent, %d still wait%s\n", sent.Sent, sent.Left, refusals(sent.Refused)); err != nil {
		return err
	}
	if n := len(sent.Refused); n > 0 && o.required {
		return stemma.WithHint(fmt.Errorf("record flush: %d reports were refused and are lost", n), "the reasons stand above; report again what they say")
	}
	return nil
}

func refusals(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf(", %d refused: %s", len(list), terminal.OneLine(strings.Join(list[:min(len(list), 3)], "; ")))
}
