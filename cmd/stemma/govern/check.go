package govern

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/space"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/report"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

// checkFlags are those of check.
type checkFlags struct {
	packs                                  []string
	policy, target                         string
	asJSON, stream, all, showInput         bool
	sarif, junit, oscal, markdown, quality string
	annotations                            string
}

// Check holds changes against controls.
func Check(a *program.App) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check [CHANGE or COMMIT or RANGE]",
		Short: "hold changes against the controls in force",
		Long: `Says of a change how every control in force stands for it: pass, fail, unknown because
evidence is missing, waived, or not applicable. Judged are

  stemma check                    what is ahead of the upstream, else HEAD
  stemma check origin/main..HEAD  the changes that commits of a range came with
  stemma check '#142'             one change, by its number or its whole ref

A commit that belongs to no change that is known counts as pushed; in the pipeline of a
merge request it belongs to that one. The clone is read into the store first, as "stemma
scan" does.

The rules are those of .stemma as it is on the base of the range, or on the branch that
the change goes to; never those of the work tree or of the commits that are judged.
Where the base is not part of the branch that commits go to (--target, else the default
branch), those of that branch are in force.
--policy DIR takes them from a directory instead. docs/checking.md has more.

Exit codes: 0 fine, 1 error, 2 usage, 3 a control is not met that is enforced.`,
		Args: program.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if f.annotations != "" && f.annotations != "github" && f.annotations != "gitlab" {
				return program.Usage(c, fmt.Errorf("check: --annotations %.40q is none of github, gitlab", f.annotations))
			}
			if err := f.places(); err != nil {
				return program.Usage(c, err)
			}
			return runCheck(c.Context(), a, strings.Join(args, ""), f)
		},
	}
	c.Flags().StringSliceVar(&f.packs, "pack", nil, "judge by the controls of this pack, whatever the policy says (repeatable)")
	c.Flags().StringVar(&f.policy, "policy", "", "`DIR` with the rules, in the place of .stemma on the base")
	c.Flags().StringVar(&f.target, "target", "", "`BRANCH` that commits are to go to (default: the default branch)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&f.stream, "stream", false, "print a JSON object a line, as findings come")
	c.Flags().StringVar(&f.sarif, "sarif", "", "write SARIF 2.1.0 to `FILE` (- for standard output)")
	c.Flags().StringVar(&f.junit, "junit", "", "write JUnit XML to `FILE`")
	c.Flags().StringVar(&f.oscal, "oscal", "", "write assessment results of OSCAL 1.1 to `FILE`")
	c.Flags().StringVar(&f.markdown, "markdown", "", "write a comment for the merge request to `FILE`")
	c.Flags().StringVar(&f.quality, "code-quality", "", "write a report of code quality as GitLab reads it to `FILE`")
	c.Flags().StringVar(&f.annotations, "annotations", "", "print what a forge shows beside the files: github, or gitlab (a report of code quality)")
	c.Flags().BoolVar(&f.showInput, "show-input", false, "print what the controls are asked about, as JSON, and judge nothing")
	c.Flags().BoolVar(&f.all, "all", false, "show what passes and what does not apply, too")
	c.MarkFlagsMutuallyExclusive("json", "stream", "annotations", "show-input")
	return c
}

// A form is one that findings are written in, and the file that it goes to, if it is asked for.
type form struct {
	flag, file string
	made       func(io.Writer) report.Handler
}

func (f checkFlags) forms() []form {
	return []form{
		{"sarif", f.sarif, func(w io.Writer) report.Handler { return report.SARIF(w, f.all) }},
		{"junit", f.junit, report.JUnit},
		{"oscal", f.oscal, report.OSCAL},
		{"code-quality", f.quality, report.GitLab},
		{"markdown", f.markdown, func(w io.Writer) report.Handler { return report.Markdown(w, f.all) }},
	}
}

// places refuses two forms that go to one place: one of them would be lost, or both be mixed.
func (f checkFlags) places() error {
	taken := map[string]string{}
	for name, prints := range map[string]bool{"json": f.asJSON, "stream": f.stream, "annotations": f.annotations != "", "show-input": f.showInput} {
		if prints { // these exclude each other already
			taken["-"] = name
		}
	}
	for _, form := range f.forms() {
		if form.file == "" || form.file == os.DevNull {
			continue
		}
		place, called := filepath.Clean(form.file), "the file "+terminal.OneLine(form.file)
		if form.file == "-" {
			called = "standard output"
		} else if abs, err := filepath.Abs(place); err == nil {
			place = abs
		}
		if other := taken[place]; other != "" {
			return stemma.WithHint(fmt.Errorf("check: --%s and --%s both write to %s", other, form.flag, called), "give each a file of its own")
		}
		taken[place] = form.flag
	}
	return nil
}

func runCheck(ctx context.Context, a *program.App, text string, f checkFlags) (err error) {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	var repository stemma.Ref
	if err := space.Read(ctx, a, s, []string{"."}, func(r repo.Report) error { repository = r.Repository; return nil }); err != nil {
		return err
	}
	r, err := a.OpenOrigins(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	what, err := resolve(ctx, s, r.Repo.Repo, repository, text, f.target)
	if err != nil {
		return err
	}
	if what.lost != nil && f.policy == "" {
		return what.lost
	}
	set, err := rulesOf(ctx, r.Repo.Repo, f.policy, what.base, what.named, f.packs)
	if err != nil {
		return err
	}
	judged, err := subjects(ctx, a, s.DB, s.Vault, r.Repo, repository, set, what)
	if err != nil {
		return err
	}
	log, err := assess.LogState(ctx, s.Space)
	if err != nil {
		return err
	}
	for _, j := range judged {
		j.Log = log
	}
	if f.showInput {
		for _, j := range judged {
			if err := terminal.JSON(a.Out, j.Subject); err != nil {
				return err
			}
		}
		return nil
	}
	_, name := repository.Split()
	run := report.Run{
		Version: version(), Started: a.Now().UTC(), Repository: name, Asked: what.text, Rules: set.from, Packs: set.packs,
		Digest: set.Digest(), Controls: report.ControlsOf(set.Set),
	}
	sum, err := f.tell(a, run, set.Set, judged)
	if err == nil && sum.Blocks > 0 {
		err = program.Unmet(fmt.Errorf("check: %w", unmet(sum)))
	}
	return err
}

// unmet says that controls are not met that are enforced.
func unmet(s report.Summary) error {
	return fmt.Errorf("%d of the controls that are enforced are not met, %d of %d changes are held up", s.Blocks, s.Held, s.Changes)
}

// version is that of the program.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// A judged is a subject, and whether it is a commit of no change.
type judged struct {
	*subject.Subject
	loose bool
}

// subjects fills those of what was asked. Without bodies nobody knows who signed what.
func subjects(ctx context.Context, a *program.App, db *storage.DB, bodies *vault.Vault, r *origins.Repo, repository stemma.Ref, set rules, what asked) ([]judged, error) {
	c := clone{r, repository, set.settings, a.Now()}
	number, request := mergeRequest(), stemma.Ref("")
	if number > 0 {
		request = change.NumberedRef(repository, number)
	}
	var list []judged
	loose := what.commits
	if db != nil {
		var found []*subject.Subject
		err := db.Read(ctx, func(tx *storage.Tx) error {
			refs, rest, err := changesOf(ctx, tx, what.commits, request)
			if err != nil {
				return err
			}
			loose = rest
			found, err = gather.Changes(ctx, tx, append(what.changes, refs...), gather.Options{Settings: set.settings, Now: c.now})
			return err
		})
		if err == nil && bodies != nil {
			err = gather.NewVerifier(bodies).Verify(ctx, found)
		}
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			list = append(list, judged{x, false})
		}
	}
	pushed, err := c.loose(ctx, loose, number)
	for _, x := range pushed {
		list = append(list, judged{x, true})
	}
	return list, err
}

// settings are those of a repository, by its ref. Who asks now is answered now: what is not
// known is not waited for, and no date that a commit bears puts it before the controls.
func (r rules) settings(repository string) subject.Settings {
	if ref := stemma.Ref(repository); ref.Kind() == stemma.KindRepository {
		_, repository = ref.Split()
	}
	s := r.Policy.SettingsOf(repository)
	s.GraceMinutes, s.Since = 0, time.Time{}
	return s
}

// tell judges and writes the findings in every form that is asked for.
func (f checkFlags) tell(a *program.App, run report.Run, set *policy.Set, list []judged) (sum report.Summary, err error) {
	handlers := []report.Handler{f.main(a)}
	for _, form := range f.forms() {
		if form.file == "" {
			continue
		}
		w, failed := toFile(form.file, a.Out)
		if failed != nil {
			return sum, failed
		}
		defer func() { err = errors.Join(err, w.Close()) }()
		if form.file == "-" {
			handlers[0] = form.made(w) // in the place of the table
		} else {
			handlers = append(handlers, form.made(w))
		}
	}
	if f.annotations == "github" {
		handlers = append(handlers, report.GitHub(a.Out))
	}
	return report.Tell(report.Several(handlers...), run, func(yield func(report.Change, error) bool) {
		for _, j := range list {
			c := report.Of(j.Subject, at(set, j.Subject).Judge(j.Subject))
			c.Loose = j.loose
			if !yield(c, nil) {
				return
			}
		}
	})
}

// main is the form that is printed.
func (f checkFlags) main(a *program.App) report.Handler {
	switch {
	case f.asJSON:
		return report.JSON(a.Out)
	case f.stream:
		return report.Lines(a.Out)
	case f.annotations == "gitlab":
		return report.GitLab(a.Out)
	}
	show := report.Unmet
	if f.all {
		show = report.All
	}
	return report.Table(a.Out, terminal.Colours(a.Out), show)
}

// at are the controls that can be judged of a change by now.
func at(set *policy.Set, x *subject.Subject) *policy.Set {
	if x.Change.State == "open" {
		return set.Stage(policy.AtHead)
	}
	return set
}
