package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest/reported"
)

// recordDeploy records a deployment.
func recordDeploy(a *program.App, o *options) *cobra.Command {
	var d reported.Deployment
	var shipped []string
	c := &cobra.Command{
		Use:   "deploy --env NAME",
		Short: "record that something was put into an environment",
		Long: `Records a deployment: what was put where. What it ships are the artifacts that --artifact
names, by a digest, an image with one, or a file; without any it is the commit of the run,
or the one of --commit. It replaces what was deployed before of the same service into the
same environment; the service is the repository, unless --service names a part of it.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runDeploy(c.Context(), a, o, d, shipped) },
	}
	f := c.Flags()
	f.StringVar(&d.Environment, "env", "", "environment, as prod (needed)")
	f.StringVar(&d.Version, "version", "", "version, as people call it")
	f.StringVar(&d.Service, "service", "", "what of the environment: a component (default: the repository)")
	f.StringVar(&d.Tier, "tier", "", "of the environment: production, staging, testing, development or other")
	f.StringVar(&d.Status, "status", "", "success, failure, pending, running or inactive (default success)")
	f.StringVar(&d.Task, "task", "", "what it is: deploy, rollback")
	f.StringVar(&d.ID, "id", "", "what the system that deploys calls it")
	f.StringVar(&d.URL, "link", "", "page of it")
	f.StringArrayVar(&shipped, "artifact", nil, "what it ships: sha256:…, an image with its digest, or a file")
	return c
}

func runDeploy(ctx context.Context, a *program.App, o *options, d reported.Deployment, shipped []string) error {
	if d.Environment == "" {
		return program.Usage(nil, stemma.WithHint(errors.New("record deploy: --env is missing"), "say where it was put: --env prod"))
	}
	err := errors.Join(oneOf("--status", d.Status, "pending running success failure inactive"), oneOf("--tier", d.Tier, "production staging testing development other"))
	if err != nil {
		return program.Usage(nil, fmt.Errorf("record deploy: %w", err))
	}
	digests, err := digestsOf(shipped)
	if err != nil {
		return err
	}
	e, err := o.envelope(ctx, a, reported.KindDeploy)
	if err != nil {
		return err
	}
	if d.Artifacts = digests; o.commit != "" {
		d.Commit = o.commit
	}
	if len(digests) == 0 && e.Run.Commit == "" {
		return program.Usage(nil, stemma.WithHint(errors.New("record deploy: it is not known what was put there"), "name it with --artifact sha256:… or --commit"))
	}
	e.Deployment = &d
	return o.report(ctx, a, e, strings.Join(strings.Fields(d.Service+" "+d.Version+" into "+d.Environment), " "))
}

// oneOf refuses what a flag says that is none of the words, before it is sent: a server
// would refuse it when nobody looks any more.
func oneOf(flag, value, words string) error {
	if value == "" || slices.Contains(strings.Fields(words), value) {
		return nil
	}
	return fmt.Errorf("%s %.40q is none of: %s", flag, value, words)
}

// recordIncident records something that broke.
func recordIncident(a *program.App, o *options) *cobra.Command {
	var i reported.Incident
	var opened, resolved string
	var causes []string
	c := &cobra.Command{
		Use:   "incident --key KEY",
		Short: "record that something broke",
		Long: `Records an incident. With --env the deployments that were last there when it opened are
suspected, no more. --cause names one that is confirmed: a deployment, a change or a
commit, by its whole ref.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if i.Key == "" {
				return program.Usage(nil, stemma.WithHint(errors.New("record incident: --key is missing"), "say what it is called where it is kept: --key INC-17"))
			}
			for _, cause := range causes {
				ref, err := stemma.ParseRef(cause)
				if k := ref.Kind(); err != nil || k != stemma.KindDeployment && k != stemma.KindChange && k != stemma.KindCommit {
					return program.Usage(nil, fmt.Errorf("record incident: --cause %.200q is no ref of a deployment, a change or a commit", cause))
				}
				i.Causes = append(i.Causes, ref)
			}
			return runIncident(c.Context(), a, o, i, opened, resolved)
		},
	}
	f := c.Flags()
	f.StringVar(&i.Key, "key", "", "what it is called where it is kept (needed)")
	f.StringVar(&i.Source, "source", "", "where it is kept: pagerduty (default record)")
	f.StringVar(&i.Environment, "env", "", "environment that broke")
	f.StringVar(&i.Service, "service", "", "what broke")
	f.StringVar(&i.Title, "title", "", "title")
	f.StringVar(&i.Severity, "severity", "", "as its source says")
	f.StringVar(&i.State, "state", "", "as its source says")
	f.StringVar(&i.URL, "link", "", "page of it")
	f.StringVar(&opened, "opened", "", "when it was noticed (default: when it is reported)")
	f.StringVar(&resolved, "resolved", "", "when it was over")
	f.StringArrayVar(&causes, "cause", nil, "a confirmed cause: deployment:prod/…, change:…, commit:…")
	return c
}

func runIncident(ctx context.Context, a *program.App, o *options, i reported.Incident, opened, resolved string) error {
	for flag, to := range map[string]*stemma.Moment{opened: &i.Opened, resolved: &i.Resolved} {
		if flag == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, flag)
		if err != nil {
			return program.Usage(nil, stemma.WithHint(fmt.Errorf("record incident: %.60q is not a time", flag), "write it as 2026-11-27T09:00:00Z"))
		}
		*to = stemma.At(t)
	}
	e, err := o.envelope(ctx, a, reported.KindIncident)
	if err != nil {
		return err
	}
	e.Incident = &i
	return o.report(ctx, a, e, strings.TrimSpace(i.Key+" "+i.Title))
}
