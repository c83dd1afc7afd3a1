package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/evidence/format"
	"github.com/stemma-dev/stemma/ingest/reported"
)

// recordSnapshot records what runs.
func recordSnapshot(a *program.App, o *options) *cobra.Command {
	environment, allow := "", false
	c := &cobra.Command{
		Use:   "snapshot --env NAME [FILE]",
		Short: "record what really runs, and say what no deployment explains",
		Long: `Reads what runs in an environment, from a file or standard input: what "kubectl get pods
-A -o json" prints, any list of objects of Kubernetes or their manifests, what "docker
inspect" or "podman inspect" prints of containers and images, or plain digests, one a
line. Give it the part of a cluster that you deploy to.

A thing is explained if a deployment into the environment is known that ships it: by any
digest that it has, since a registry and a runtime give an image different ones, or by
the commit it was built from.

Exit codes: 0 everything is explained, or the server did not say in time; 3 something
runs that nothing explains, unless --allow-unexplained is given; 1 an error.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			name := "-"
			if len(args) > 0 {
				name = args[0]
			}
			return runSnapshot(c.Context(), a, o, c.InOrStdin(), environment, name, allow)
		},
	}
	c.Flags().StringVar(&environment, "env", "", "environment, as prod (needed)")
	c.Flags().BoolVar(&allow, "allow-unexplained", false, "exit with 0 also if something is not explained")
	return c
}

func runSnapshot(ctx context.Context, a *program.App, o *options, in io.Reader, environment, name string, allow bool) error {
	if environment == "" {
		return program.Usage(nil, stemma.WithHint(errors.New("record snapshot: --env is missing"), "say where it runs: --env prod"))
	}
	b, err := read(in, name)
	if err != nil {
		return err
	}
	sight, as, err := format.Running(b)
	if err != nil {
		return unreadable(name, err)
	}
	e, err := o.envelope(ctx, a, reported.KindSnapshot)
	if err != nil {
		return err
	}
	e.Snapshot = snapshotOf(environment, as, sight)
	d, err := o.deliver(ctx, a, e, fmt.Sprintf("%d things run in %s", len(sight.Running), environment))
	if err != nil {
		return err
	}
	if d.State == onServer {
		if d.Snapshot, err = o.explained(ctx, environment, d.Key); err != nil {
			fmt.Fprintf(a.Err, "stemma: warning: what explains it is not known yet: %s\n", terminal.OneLine(err.Error()))
		}
	}
	if err := o.tell(a, d); err != nil {
		return err
	}
	return judge(a.Out, o.json, d.Snapshot, allow)
}

func snapshotOf(environment, as string, sight evidence.Sight) *reported.Snapshot {
	s := &reported.Snapshot{Environment: environment, Format: as, Running: sight.Running}
	if s.Running == nil {
		s.Running = []deployment.Running{}
	}
	for _, x := range sight.Artifacts {
		one := reported.Artifact{Artifact: x}
		for _, e := range x.Same {
			algorithm, hex := e.To.Split()
			one.Same, one.Method = append(one.Same, algorithm+":"+hex), e.Method
		}
		s.Artifacts = append(s.Artifacts, one)
	}
	return s
}

// judge shows what nothing explains, and makes it the exit code.
func judge(out io.Writer, asJSON bool, s *deployment.Snapshot, allow bool) error {
	if s == nil || s.Unexplained == 0 {
		return nil
	}
	if !asJSON {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, r := range s.Running {
			if !r.Explained {
				fmt.Fprintf(w, "unexplained\t%s\t%s\t%s\t%s\n", terminal.OneLine(r.Name), terminal.OneLine(r.Image), r.Artifact, terminal.OneLine(r.Why))
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if allow {
		return nil
	}
	return program.Unmet(stemma.WithHint(fmt.Errorf("record snapshot: %d of %d things run that no recorded deployment explains", s.Unexplained, s.Things),
		"record the deployments that put them there with stemma record deploy, or find out who did"))
}

// How long to wait for what a server makes of a snapshot.
const (
	asked = 500 * time.Millisecond
	times = 40
)

// explained asks the server what it made of a snapshot.
func (o *options) explained(ctx context.Context, environment, key string) (*deployment.Snapshot, error) {
	s, err := o.open()
	if err != nil {
		return nil, err
	}
	var told struct {
		State    string               `json:"state"`
		Reason   string               `json:"reason"`
		Snapshot *deployment.Snapshot `json:"snapshot"`
	}
	for range times {
		status, b, err := s.do(ctx, http.MethodGet, "/api/v1/records/"+key, url.Values{"environment": {environment}}, nil)
		switch {
		case err != nil:
			return nil, err
		case status != http.StatusOK:
			return nil, errors.New(said(status, b))
		}
		if err := json.Unmarshal(b, &told); err != nil {
			return nil, errors.New("the server answered in a form that is not known")
		}
		switch told.State {
		case "done":
			return told.Snapshot, nil
		case "refused":
			return nil, errors.New(stemma.CleanText(told.Reason, 300))
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(asked):
		}
	}
	return nil, errors.New("the server is still busy with what came before")
}
