package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest/evidence/format"
	"github.com/stemma-dev/stemma/ingest/evidence/junit"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/pipeline"
)

// recordRun says how a run stands.
func recordRun(a *program.App, o *options) *cobra.Command {
	var s reported.State
	c := &cobra.Command{
		Use:   "run",
		Short: "say that this run exists, and how it stands",
		Long: `States the run that it stands in, with its commit, attempt, who started it, the file that
told it what to do with all that this takes from elsewhere, and the machine it runs on.
Every other report does so, too. --conclusion says how it ended: success, failure,
cancelled or skipped.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			err := errors.Join(oneOf("--status", s.Status, "queued running completed"), oneOf("--conclusion", s.Conclusion, "success failure cancelled skipped unknown"))
			if err != nil {
				return program.Usage(c, fmt.Errorf("record run: %w", err))
			}
			e, err := o.envelope(c.Context(), a, reported.KindRun)
			if err != nil {
				return err
			}
			if e.Run.Ref() == "" {
				return stemma.WithHint(errors.New("record run: this is no run of a pipeline that is known"), "call it in GitHub Actions, Gitea or Forgejo Actions, GitLab CI, Jenkins, Buildkite, Azure Pipelines or CircleCI")
			}
			e.State = &s
			return o.report(c.Context(), a, e, string(e.Run.Ref())+" "+s.Conclusion)
		},
	}
	c.Flags().StringVar(&s.Name, "name", "", "name, in the place of the workflow's")
	c.Flags().StringVar(&s.Status, "status", "", "queued, running or completed")
	c.Flags().StringVar(&s.Conclusion, "conclusion", "", "success, failure, cancelled, skipped or unknown")
	return c
}

// recordTest records results of tests.
func recordTest(a *program.App, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE…",
		Short: "record results of tests: JUnit XML",
		Long: `Reads results of tests in the XML of JUnit, as nearly every test runner writes it, - for
standard input: what failed, passed and was skipped, by suite, and which tests failed.
The file is kept without secrets. That tests failed is no error of this command.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return each(c.Context(), args, func(name string) error { return runTest(c.Context(), a, o, c.InOrStdin(), name) })
		},
	}
}

func runTest(ctx context.Context, a *program.App, o *options, in io.Reader, name string) error {
	b, err := read(in, name)
	if err != nil {
		return err
	}
	suites, err := junit.Read(b)
	if err != nil {
		return unreadable(name, err)
	}
	if len(suites) == 0 {
		suites = []pipeline.Test{{Status: "unknown"}} // a report of nothing is one
	}
	e, err := o.envelope(ctx, a, reported.KindTest)
	if err != nil {
		return err
	}
	e.Tests = suites
	kept(a, e, name, junit.Media, junit.Redacted(b))
	var sum pipeline.Test
	for _, s := range suites {
		sum.Failed, sum.Passed, sum.Skipped = sum.Failed+s.Failed, sum.Passed+s.Passed, sum.Skipped+s.Skipped
	}
	return o.report(ctx, a, e, fmt.Sprintf("%s: %d failed, %d passed, %d skipped in %d suites", name, sum.Failed, sum.Passed, sum.Skipped, len(suites)))
}

// recordScan records what scanners found.
func recordScan(a *program.App, o *options) *cobra.Command {
	name := ""
	c := &cobra.Command{
		Use:   "scan FILE…",
		Short: "record what a scanner found: SARIF, gitleaks, Trivy, Grype",
		Long: `Reads reports of scanners, - for standard input: SARIF 2.1, and the JSON of gitleaks,
Trivy and Grype. The format is known by what the file says. Rules, packages and places
are recorded; what a scanner shows of a secret that it found is cut from the file before
it is kept, and is in no record. Findings are no error of this command.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return each(c.Context(), args, func(file string) error { return runScan(c.Context(), a, o, c.InOrStdin(), name, file) })
		},
	}
	c.Flags().StringVar(&name, "format", "", "format of the report: "+strings.Join(format.Scanners(), ", "))
	return c
}

func runScan(ctx context.Context, a *program.App, o *options, in io.Reader, as, name string) error {
	b, err := read(in, name)
	if err != nil {
		return err
	}
	scans, file, err := format.Scans(as, b)
	if err != nil {
		return unreadable(name, err)
	}
	if len(scans) == 0 {
		return unreadable(name, errors.New("no tool ran"))
	}
	e, err := o.envelope(ctx, a, reported.KindScan)
	if err != nil {
		return err
	}
	e.Scans = scans
	kept(a, e, name, file.Media, file.Bytes)
	findings, bad, tools := 0, 0, []string{}
	for _, s := range scans {
		findings, bad, tools = findings+s.Findings, bad+s.Critical+s.High, append(tools, s.Tool)
	}
	return o.report(ctx, a, e, fmt.Sprintf("%s: %d findings, %d of them high or critical, by %s", name, findings, bad, strings.Join(tools, ", ")))
}

// recordBom records a bill of materials.
func recordBom(a *program.App, o *options) *cobra.Command {
	var of []string
	c := &cobra.Command{
		Use:   "bom FILE…",
		Short: "record a bill of materials: SPDX, CycloneDX",
		Long: `Reads bills of materials, - for standard input: SPDX 2 and 3 in JSON, CycloneDX in JSON or
XML. They are of the artifact that --of names, by a digest or by the file itself; else of
the digests that they name themselves; else of the commit.`,
		Args: program.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			digests, err := digestsOf(of)
			if err != nil {
				return err
			}
			return each(c.Context(), args, func(name string) error { return runBom(c.Context(), a, o, c.InOrStdin(), digests, name) })
		},
	}
	c.Flags().StringArrayVar(&of, "of", nil, "what it is of: sha256:…, an image with its digest, or a file")
	return c
}

func runBom(ctx context.Context, a *program.App, o *options, in io.Reader, of []string, name string) error {
	b, err := read(in, name)
	if err != nil {
		return err
	}
	bom, subjects, file, err := format.Bom(b)
	if err != nil {
		return unreadable(name, err)
	}
	e, err := o.envelope(ctx, a, reported.KindBom)
	if err != nil {
		return err
	}
	e.Bom, e.Subjects, e.Of = &bom, subjects, of
	kept(a, e, name, file.Media, file.Bytes)
	return o.report(ctx, a, e, fmt.Sprintf("%s: %d components, in %s %s", name, bom.Count, bom.Format, bom.Version))
}

// digestsOf finds the digests of what is named: by a digest, by an image with one, or by
// a file or directory.
func digestsOf(names []string) (list []string, err error) {
	for _, name := range names {
		d, err := digestOf(name)
		if err != nil {
			return nil, err
		}
		list = append(list, d.Digest)
	}
	return list, nil
}

func digestOf(name string) (artifact.Artifact, error) {
	if artifact.Ref(name) != "" && strings.Contains(name, ":") {
		return artifact.Artifact{Digest: name}, nil
	}
	if strings.Contains(name, "@sha256:") {
		return image(name)
	}
	return built(name)
}
