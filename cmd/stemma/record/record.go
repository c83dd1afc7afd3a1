package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/reported"
)

// An options is what every kind of report may be told.
type options struct {
	url       string
	tokenFile string
	insecure  bool
	required  bool
	json      bool

	commit     string
	repository string
	branch     string
	change     int
	at         string

	done []delivered // what was reported, for --json
}

// Record says what a pipeline did.
func Record(a *program.App) *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   "record",
		Short: "say what a pipeline did: tests, scans, artifacts, what was signed, deployments and what runs",
		Long: `Says what a step of a pipeline did, one line for each thing:

  stemma record test junit.xml
  stemma record scan results.sarif
  stemma record artifact dist/app --oci registry.example.com/pay@sha256:…
  stemma record bom sbom.json
  stemma record attestation provenance.sigstore.json
  stemma record deploy --env prod --version v1 --artifact sha256:…
  kubectl get pods -A -o json | stemma record snapshot --env prod

The run, its attempt, commit, who started it, and what told it what to do are found by
themselves in GitHub Actions, Gitea and Forgejo Actions, GitLab CI, Jenkins, Buildkite,
Azure Pipelines and CircleCI; flags come before them.

With --url or STEMMA_URL it reports to a server, with the token in STEMMA_TOKEN or in the
file that STEMMA_TOKEN_FILE or --token-file names; else into the local store. Where the
server is away the report waits in the git directory and is sent by the next call, and
the exit code is 0, unless --required is given: a build does not fail for it. A file that
cannot be read as a report is an error.

docs/record.md has a line for each system, and the form of what is sent.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := c.PersistentFlags()
	f.StringVar(&o.url, "url", os.Getenv("STEMMA_URL"), "server to report to [STEMMA_URL]")
	f.StringVar(&o.tokenFile, "token-file", os.Getenv("STEMMA_TOKEN_FILE"), "file with the token of the server [STEMMA_TOKEN_FILE]; or set STEMMA_TOKEN")
	f.BoolVar(&o.insecure, "insecure", false, "send the token over http to another machine")
	f.BoolVar(&o.required, "required", false, "fail if the server did not take the report")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.commit, "commit", "", "commit that it is about, by its whole name, in the place of the run's")
	f.StringVar(&o.repository, "repository", "", "repository, as github.com/acme/pay")
	f.StringVar(&o.branch, "branch", "", "branch or tag")
	f.IntVar(&o.change, "change", 0, "number of the merge request")
	f.StringVar(&o.at, "at", "", "when it happened, as 2026-11-27T09:00:00Z (default now)")
	for _, kind := range []*cobra.Command{
		recordRun(a, o), recordTest(a, o), recordScan(a, o), recordBom(a, o), recordArtifact(a, o), recordAttestation(a, o), recordDeploy(a, o), recordIncident(a, o), recordSnapshot(a, o),
	} {
		kind.RunE = o.around(a, kind.RunE)
		c.AddCommand(kind)
	}
	c.AddCommand(recordFlush(a, o))
	return c
}

// reportsJSON is the JSON form of what a call reported; part of the contract.
type reportsJSON struct {
	Reports []delivered `json:"reports"`
}

// around does what every kind of report does around its own work. A store that is named
// in the command line comes before a server that the environment names.
func (o *options) around(a *program.App, run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("db") && !c.Flags().Changed("url") {
			o.url = ""
		}
		err := run(c, args)
		if o.json && len(o.done) > 0 {
			err = errors.Join(err, terminal.JSON(a.Out, reportsJSON{o.done}))
		}
		return err
	}
}

// ahead is how far clocks may differ.
const ahead = 24 * time.Hour

// moment is when what is reported happened.
func (o *options) moment(now time.Time) (stemma.Moment, error) {
	if o.at == "" {
		return stemma.At(now), nil
	}
	t, err := time.Parse(time.RFC3339, o.at)
	if err == nil && t.After(now.Add(ahead)) {
		return 0, program.Usage(nil, stemma.WithHint(fmt.Errorf("record: --at %.60q is more than a day ahead", o.at), "report what happened once it has"))
	}
	if m := stemma.At(t); err == nil && m.Valid() && m != 0 {
		return m, nil
	}
	return 0, program.Usage(nil, stemma.WithHint(fmt.Errorf("record: --at %.60q is not a time", o.at), "write it as 2026-11-27T09:00:00Z"))
}

// read reads a report from a file, or from standard input for "-".
func read(in io.Reader, name string) ([]byte, error) {
	hint := "name a file that exists and may be read, or - for standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, stemma.WithHint(fmt.Errorf("record: %w", err), "%s", hint)
		}
		defer func() { _ = f.Close() }() // it is only read
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, evidence.MaxFile+1))
	if err != nil {
		return nil, stemma.WithHint(fmt.Errorf("record: reading %s: %w", name, err), "%s", hint)
	}
	return b, nil
}

// unreadable says which file is no report, and what to do about it.
func unreadable(name string, err error) error {
	return stemma.WithHint(fmt.Errorf("record: %s is not read: %w", name, err), "write the report again, or leave the step away if there is none; docs/record.md lists the formats")
}

// kept puts the file that was read into an envelope, unless it is too large: the report
// then says all the same what was read of it.
func kept(a *program.App, e *reported.Envelope, name, media string, body []byte) {
	e.File = stemma.CleanText(strings.TrimPrefix(name, "./"), 300)
	if len(body) == 0 || len(body) > reported.MaxReport {
		a.Log.Info("record: the file itself is not kept", "file", name, "most", evidence.MaxKept)
		return
	}
	e.Report = &reported.Report{Name: e.File, Media: media, Body: body}
}

// each does something with every file; one that fails does not keep the others from
// being read.
func each(ctx context.Context, names []string, do func(name string) error) error {
	var failed []error
	for _, name := range names {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := do(name); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 1 {
		return fmt.Errorf("record: %d of %d files were not recorded, the first because: %w", len(failed), len(names), failed[0])
	}
	return errors.Join(failed...)
}
