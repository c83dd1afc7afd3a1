package govern

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/report"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// receiveFlags are those of the hooks of a server.
type receiveFlags struct {
	policy, repository string
	branches           []string
	within             time.Duration
}

// Receive are the hooks by which a bare repository judges what is pushed to it.
func Receive(a *program.App) []*cobra.Command {
	var list []*cobra.Command
	for name, use := range map[string]string{"pre-receive": "pre-receive", "update": "update REF OLD NEW"} {
		var f receiveFlags
		count := len(strings.Fields(use)) - 1
		c := &cobra.Command{
			Use:   use,
			Short: "refuse a push in which a control is not met that is enforced",
			Long: `Called by the hook ` + name + ` of a bare repository. It judges the commits that a push
brings to the branches that are looked after (--branch, else the default branch), and
refuses it with exit code 1 where a control is not met that is enforced.

The rules are those of --policy DIR, else those of .stemma as the branch has it before the
push. Nothing is written, neither to the repository nor to a store. What cannot be
judged in time is not let through where a control of severity high or above is enforced.`,
			Args: program.Args(cobra.ExactArgs(count)),
			RunE: func(c *cobra.Command, args []string) error {
				in := c.InOrStdin()
				if count > 0 {
					in = strings.NewReader(args[1] + " " + args[2] + " " + args[0] + "\n")
				}
				return runReceive(c.Context(), a, in, f)
			},
		}
		c.Flags().StringVar(&f.policy, "policy", "", "`DIR` with the rules")
		c.Flags().StringVar(&f.repository, "repository", "", "`HOST/NAME` of the repository, if it is not called by its directory")
		c.Flags().StringArrayVar(&f.branches, "branch", nil, "`PATTERN` of branches that are looked after, such as release/* (repeatable; refs/heads/main is main)")
		c.Flags().DurationVar(&f.within, "within", time.Minute, "how long judging may take, such as 1m")
		list = append(list, c)
	}
	return list
}

// looksAfter are the patterns of branches that are looked after, none for the default branch. One that
// no branch can fit would let every push through.
func (f receiveFlags) looksAfter() ([]string, error) {
	var list []string
	for _, p := range f.branches {
		p = strings.TrimPrefix(p, "refs/heads/")
		switch {
		case !subject.Valid(p):
			return nil, program.Usage(nil, fmt.Errorf("githook: --branch %.100q is not a pattern, and so looks after no branch", p))
		case strings.HasPrefix(p, "refs/"):
			return nil, program.Usage(nil, fmt.Errorf("githook: --branch %.100q is no branch: only those below refs/heads/ are", p))
		}
		list = append(list, p)
	}
	return list, nil
}

// toDecide is how much longer it may take than --within to read the rules, which say whether a push is
// let through that could not be judged in time.
const toDecide = 10 * time.Second

// A push moves one ref.
type push struct{ old, id, ref string }

// maxPushes bounds how many refs one push moves.
const maxPushes = 10_000

// pushesOf reads what git tells the hook: old, new and the ref, a line each.
func pushesOf(in io.Reader) ([]push, error) {
	var list []push
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		old, rest, _ := strings.Cut(lines.Text(), " ")
		id, ref, _ := strings.Cut(rest, " ")
		switch {
		case change.ShaRef(old) == "" || change.ShaRef(id) == "" || !strings.HasPrefix(ref, "refs/") || strings.ContainsAny(ref, " \t\r"):
			return nil, fmt.Errorf("the hook was told %.200q, and not OLD NEW REF", lines.Text())
		case len(list) == maxPushes:
			return nil, fmt.Errorf("the push moves more than %d refs", maxPushes)
		}
		list = append(list, push{old, id, ref})
	}
	return list, lines.Err()
}

// nothing reports whether an id stands for no commit.
func nothing(id string) bool { return strings.Trim(id, "0") == "" }

func runReceive(ctx context.Context, a *program.App, in io.Reader, f receiveFlags) (err error) {
	if f.within <= 0 {
		return program.Usage(nil, fmt.Errorf("githook: --within %s is no time in which anything can be judged: say how long it may take, such as 1m", f.within))
	}
	after, err := f.looksAfter()
	if err != nil {
		return err
	}
	pushes, err := pushesOf(in)
	if err != nil {
		return err
	}
	within, stop := context.WithTimeout(ctx, f.within)
	defer stop()
	ctx, stop = context.WithTimeout(ctx, f.within+toDecide)
	defer stop()
	r, err := git.Open(ctx, ".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	refs, err := r.RefNames(ctx, "refs/heads/", "refs/notes/")
	if err != nil {
		return err
	}
	usual := strings.TrimPrefix(r.Branch, "refs/heads/")
	if len(after) == 0 {
		after = []string{usual}
	}
	var looked []push
	for _, p := range pushes {
		branch, ok := strings.CutPrefix(p.ref, "refs/heads/")
		if ok && !nothing(p.id) && subject.Matches(branch, after...) {
			looked = append(looked, p)
		}
	}
	if len(looked) == 0 {
		return nil
	}
	seen, err := mirror(ctx, r, refs, pushes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, seen.remove()) }()
	repository, err := f.named(r)
	if err != nil {
		return err
	}
	for _, p := range looked {
		base := p.old
		if nothing(base) {
			base = tipOf(refs, "refs/heads/"+usual)
		}
		if err := f.judge(ctx, within, a, seen.Repo, repository, p, base); err != nil {
			return fmt.Errorf("the push to %s is refused: %w", terminal.OneLine(strings.TrimPrefix(p.ref, "refs/heads/")), err)
		}
	}
	return nil
}

func tipOf(refs []git.Ref, name string) string {
	for _, r := range refs {
		if r.Name == name {
			return r.ID
		}
	}
	return ""
}

// named is the repository that is pushed to.
func (f receiveFlags) named(r *git.Repo) (stemma.Ref, error) {
	of := f.repository
	if of == "" {
		dir, err := filepath.Abs(r.CommonDir)
		if err != nil {
			return "", err
		}
		return change.RepositoryRef("local", strings.TrimSuffix(filepath.Base(strings.TrimSuffix(dir, "/.git")), ".git")), nil
	}
	host, name, _ := change.ParseRemote("https://" + of)
	if name == "" {
		return "", program.Usage(nil, fmt.Errorf("githook: --repository %.100q is not written as git.example.com/acme/pay", of))
	}
	return change.RepositoryRef(host, name), nil
}

// rolledBack refuses a push that takes commits away from a branch whose own commits say by what it is
// judged, if anything is enforced: the next push would be judged by the rules of before.
func (f receiveFlags) rolledBack(ctx context.Context, r *git.Repo, p push, base string, set rules) error {
	if f.policy != "" || nothing(p.old) || !holds(set.Set) {
		return nil
	}
	ahead, err := r.Ancestor(ctx, base, p.id)
	if err != nil || ahead {
		return err
	}
	return stemma.WithHint(errors.New("it takes commits away, and with them the rules that it is judged by"), "keep the rules on the server: stemma githook %s --policy DIR", "pre-receive")
}

// judge says why a push to a branch is not let through, and tells the person who pushes
// what else is to be said. It is judged within one context, and decided on within another, longer one.
func (f receiveFlags) judge(ctx, within context.Context, a *program.App, r *origins.Repo, repository stemma.Ref, p push, base string) error {
	set, err := rulesOf(ctx, r.Repo, f.policy, base, strings.TrimPrefix(p.ref, "refs/heads/"), nil)
	if err != nil {
		return err
	}
	if err := f.rolledBack(ctx, r.Repo, p, base, set); err != nil {
		return err
	}
	what := asked{text: strings.TrimPrefix(p.ref, "refs/heads/")}
	changes, err := f.changes(within, a, r, repository, set, &what, p.id, base)
	if err == nil {
		return tellPusher(a, set, repository, what, changes)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = stemma.WithHint(fmt.Errorf("it took longer than %s (--within): %w", f.within, err), "let it take longer, with --within in the hook, or push less at once")
	}
	if holds(set.Set) {
		return fmt.Errorf("it could not be judged, and controls are enforced: %w", err)
	}
	fmt.Fprintf(a.Err, "stemma: warning: the push was not judged: %s\n", terminal.Plain(err.Error()))
	return nil
}

// changes are those that a push brings, judged.
func (f receiveFlags) changes(ctx context.Context, a *program.App, r *origins.Repo, repository stemma.Ref, set rules, what *asked, tip, base string) (changes []report.Change, err error) {
	what.commits, err = r.Newest(ctx, maxAsked+1, []string{tip}, slices.DeleteFunc([]string{base}, func(s string) bool { return s == "" }))
	if err != nil {
		return nil, fmt.Errorf("reading which commits it brings: %w", err)
	}
	if len(what.commits) > maxAsked {
		return nil, fmt.Errorf("it brings more than %d commits", maxAsked)
	}
	list, err := f.subjects(ctx, a, r, repository, set, *what)
	if err != nil {
		return nil, fmt.Errorf("reading the commits that it brings: %w", err)
	}
	for _, j := range list {
		findings, err := set.JudgeWithin(ctx, j.Subject)
		if err != nil {
			return nil, err
		}
		c := report.Of(j.Subject, findings)
		c.Loose = j.loose
		changes = append(changes, c)
	}
	return changes, nil
}

func (f receiveFlags) subjects(ctx context.Context, a *program.App, r *origins.Repo, repository stemma.Ref, set rules, what asked) ([]judged, error) {
	var db *storage.DB
	db, err := a.OpenReadOnly(ctx)
	if err != nil {
		a.Log.Info("githook: there is no store that knows changes", "why", err)
		return subjects(ctx, a, nil, nil, r, repository, set, what)
	}
	defer db.Close()
	return subjects(ctx, a, db, nil, r, repository, set, what)
}

// holds reports whether a control is enforced that blocks where nothing is known: in any
// repository and for any path, since nobody knows which these are.
func holds(set *policy.Set) bool {
	grave := func(id string, s policy.Severity, mode policy.Mode, of ...string) bool {
		return mode == policy.Enforce && s.AtLeast(policy.High) && (len(of) == 0 || subject.Matches(id, of...))
	}
	x := &subject.Subject{}
	x.Risk, _ = policy.Risk(x)
	return slices.ContainsFunc(set.Controls, func(c *policy.Control) bool {
		return grave(c.ID, c.Severity, set.Mode(c, x)) || slices.ContainsFunc(set.Policy.Rules, func(r policy.Scope) bool {
			return grave(c.ID, c.Severity, r.Mode, r.Controls...)
		})
	})
}

// tellPusher prints what holds the push up and what is to be said of it, and says whether
// anything holds it up.
func tellPusher(a *program.App, set rules, repository stemma.Ref, what asked, changes []report.Change) error {
	_, name := repository.Split()
	run := report.Run{Version: version(), Started: a.Now().UTC(), Repository: name, Asked: what.text, Rules: set.from, Digest: set.Digest(), Controls: report.ControlsOf(set.Set)}
	var said []report.Change
	for _, c := range changes {
		if slices.ContainsFunc(c.Findings, func(x policy.Finding) bool {
			return x.Blocks || x.Mode != policy.Observe && (x.State == policy.Fail || x.State == policy.Unknown)
		}) {
			said = append(said, c)
		}
	}
	if len(said) == 0 {
		return nil
	}
	sum, err := report.Tell(report.Table(a.Err, terminal.Colours(a.Err), report.Heard), run, func(yield func(report.Change, error) bool) {
		for _, c := range said {
			if !yield(c, nil) {
				return
			}
		}
	})
	if err == nil && sum.Blocks > 0 {
		return unmet(sum)
	}
	return err
}

// A mirrored is a repository of our own that shows what another one would be if a push were
// let through. It borrows the objects, those that wait for the decision too.
type mirrored struct {
	*origins.Repo
	dir string
}

func (m mirrored) remove() error { return errors.Join(m.Close(), os.RemoveAll(m.dir)) }

// mirror makes one.
func mirror(ctx context.Context, r *git.Repo, refs []git.Ref, pushes []push) (m mirrored, err error) {
	m.dir, err = os.MkdirTemp("", "stemma-push-")
	if err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(m.dir))
		}
	}()
	objects, err := filepath.Abs(filepath.Join(r.CommonDir, "objects"))
	if err != nil {
		return m, err
	}
	borrowed := []string{objects}
	for _, name := range []string{"GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"} {
		if dir := os.Getenv(name); dir != "" {
			if dir, err = filepath.Abs(dir); err != nil {
				return m, err
			}
			borrowed = append(borrowed, dir)
		}
	}
	slices.Sort(borrowed)
	config := "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
	if r.Format != git.SHA1 {
		config = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = " + r.Format + "\n"
	}
	if err := os.Mkdir(filepath.Join(m.dir, "refs"), 0o700); err != nil {
		return m, err
	}
	for name, text := range map[string]string{
		"HEAD": "ref: " + cmp.Or(r.Branch, "refs/heads/main") + "\n", "config": config, "packed-refs": packed(refs, pushes),
		"objects/info/alternates": strings.Join(slices.Compact(borrowed), "\n") + "\n",
	} {
		file := filepath.Join(m.dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			return m, err
		}
	}
	m.Repo, err = origins.Open(ctx, m.dir, origins.Own{}, origins.Cache{})
	return m, err
}

// packed are the refs after a push, as git keeps them in one file.
func packed(refs []git.Ref, pushes []push) string {
	after := map[string]string{}
	for _, r := range refs {
		if r.Target == "" {
			after[r.Name] = r.ID
		}
	}
	for _, p := range pushes {
		after[p.ref] = p.id
	}
	var lines []string
	for name, id := range after {
		if !nothing(id) && (strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/notes/")) {
			lines = append(lines, id+" "+name+"\n")
		}
	}
	slices.SortFunc(lines, func(a, b string) int {
		return strings.Compare(a[strings.IndexByte(a, ' '):], b[strings.IndexByte(b, ' '):])
	})
	return strings.Join(lines, "")
}
