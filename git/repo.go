package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/internal/packs"
	"github.com/stemma-dev/stemma/git/internal/plain"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// Object formats of a repository.
const (
	SHA1   = "sha1"
	SHA256 = "sha256"
)

// A Repo is an open repository. Its fields do not change after [Open]; its
// methods may be called concurrently, and each runs its own processes.
type Repo struct {
	WorkTree  string // root of the checked out files; "" when bare
	GitDir    string // the directory of this work tree: HEAD, index
	CommonDir string // the directory of all its work trees: refs, objects
	Prefix    string // where the opened directory lies below WorkTree: "" or "cmd/stemma/"
	Format    string // SHA1 or SHA256
	Bare      bool
	Shallow   bool            // history is cut off somewhere
	Edge      map[string]bool // ids of the commits whose parents were not fetched
	Partial   bool            // some objects were never fetched and are not going to be
	Empty     bool            // not one commit and not one ref
	Head      string          // id of the commit checked out when it was opened; "" when there is none yet
	Branch    string          // branch that HEAD names, "refs/heads/main"; "" when detached

	config   []setting
	private  string      // directory of our own
	here     child.Place // in the scanned repository: names and settings only
	apart    child.Place // in our own repository: objects
	packs    packs.Packs // asked when git calls an object missing
	count    atomic.Int64
	unlinked runtime.Cleanup
}

// Open finds the repository that dir lies in. The caller closes it.
//
// A directory that belongs to someone else is read all the same, since nothing
// in it is run. Errors carry hints.
func Open(ctx context.Context, dir string) (*Repo, error) {
	r, _, err := open(ctx, dir, func(ctx context.Context, r *Repo, dir string) ([]Ref, error) { return r.ask(ctx, dir, nil) })
	if err != nil {
		return nil, err
	}
	if r.config, err = r.readConfig(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("git: opening %s: %w", quote.Path(dir), err), r.Close())
	}
	r.Partial = slices.ContainsFunc(r.config, setting.promises)
	return r, nil
}

// Glance is [Open] for one quick question. It also tells which refs there are
// below the prefixes, as [Repo.RefNames] does but for Target, and does not read
// the configuration: Partial and Remotes say nothing. It takes one process, or
// none where the files of the repository say plainly what git would; then a ref
// may be among them whose object is not here.
func Glance(ctx context.Context, dir string, prefixes ...string) (*Repo, []Ref, error) {
	return open(ctx, dir, func(ctx context.Context, r *Repo, dir string) ([]Ref, error) {
		if found, ok := plain.Find(dir, prefixes...); ok {
			return r.take(dir, found)
		}
		return r.ask(ctx, dir, prefixes)
	})
}

func open(ctx context.Context, dir string, find finder) (*Repo, []Ref, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("git: opening %s: %w", quote.Path(dir), err)
	}
	if st, err := os.Stat(abs); err != nil {
		return nil, nil, fmt.Errorf("git: opening %s: %w", quote.Path(dir), err)
	} else if !st.IsDir() {
		return nil, nil, stemma.WithHint(fmt.Errorf("git: opening %s: not a directory", quote.Path(dir)), "name the directory of the repository")
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real // where git would find itself
	}
	tmp, err := os.MkdirTemp("", "stemma-git-")
	if err != nil {
		return nil, nil, stemma.WithHint(fmt.Errorf("git: opening %s: %w", quote.Path(dir), err), "a writable temporary directory is needed; TMPDIR names it")
	}
	r := &Repo{private: tmp}
	r.here = child.Inside(abs, filepath.Join(tmp, "home"), &r.count)
	refs, err := find(ctx, r, abs)
	if err != nil {
		_ = os.RemoveAll(tmp)
		return nil, nil, err
	}
	r.unlinked = runtime.AddCleanup(r, func(tmp string) { _ = os.RemoveAll(tmp) }, tmp)
	return r, refs, nil
}

// Close removes the private directory. Streams that still run may fail.
func (r *Repo) Close() error {
	r.unlinked.Stop()
	return os.RemoveAll(r.private)
}

// Apart is where the packages below this one look at objects: in the
// repository of our own, which has nothing in force of the one that is read. Its
// directory is there; if it could not be made, the first command says so.
func (r *Repo) Apart() child.Place {
	_ = r.apart.Ready()
	return r.apart
}

// Processes is the number of git processes started so far.
func (r *Repo) Processes() int { return int(r.count.Load()) }

// A finder finds where everything is in the repository that an absolute path
// lies in, and some refs.
type finder func(ctx context.Context, r *Repo, dir string) ([]Ref, error)

// take takes what was found without git.
func (r *Repo) take(dir string, found plain.Repository) (refs []Ref, err error) {
	r.WorkTree, r.GitDir, r.CommonDir = found.WorkTree, found.GitDir, found.Common
	r.Format, r.Head, r.Branch = SHA1, found.Head, found.Branch
	r.below(dir)
	for _, ref := range found.Refs {
		refs = append(refs, Ref{Name: ref.Name, ID: ref.ID, Peeled: ref.ID})
	}
	return refs, r.separate()
}

// ask asks git, with one process where something is checked out.
func (r *Repo) ask(ctx context.Context, dir string, prefixes []string) ([]Ref, error) {
	refs, err := r.discover(ctx, dir, prefixes)
	if err != nil {
		return nil, err
	}
	if err := r.separate(); err != nil {
		return nil, fmt.Errorf("git: opening %s: %w", quote.Path(dir), err)
	}
	if err := r.readHead(ctx); err != nil {
		return nil, fmt.Errorf("git: opening %s: %w", quote.Path(dir), err)
	}
	return refs, nil
}

// discover asks git where everything is, what is checked out and where refs
// point.
func (r *Repo) discover(ctx context.Context, dir string, prefixes []string) ([]Ref, error) {
	var refs []string
	for _, prefix := range prefixes {
		refs = append(refs, "--glob="+prefix)
	}
	const mark = "--is-bare-repository" // also stands between the lists
	out, err := r.here.Output(ctx, nil, 1<<30, slices.Concat([]string{
		"rev-parse", "--show-cdup", "--absolute-git-dir",
		mark, "--is-inside-work-tree", "--show-object-format", "--is-shallow-repository", "--revs-only",
	}, refs, []string{mark, "HEAD", mark, "--symbolic"}, refs, []string{mark})...)
	var bad *child.Error
	if errors.As(err, &bad) {
		return nil, openError(dir, bad)
	} else if err != nil {
		return nil, err
	}
	return r.discovered(ctx, dir, prefixes, strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"))
}

// discovered reads the answer from its end, as the path in front may contain
// line ends. Where nothing is checked out git says nothing after "HEAD".
func (r *Repo) discovered(ctx context.Context, dir string, prefixes, lines []string) ([]Ref, error) {
	pop := func() (last string) {
		if n := len(lines); n > 0 {
			last, lines = lines[n-1], lines[:n-1]
		}
		return last
	}
	popAll := func(of func(string) bool) (list []string) {
		for n := len(lines); n > 0 && of(lines[n-1]); n-- {
			list = append(list, pop())
		}
		return list
	}
	pop()
	names := popAll(func(s string) bool { return strings.HasPrefix(s, "refs/") })
	born := len(lines) > 1 && !wire.IsID(lines[len(lines)-1]) && wire.IsID(lines[len(lines)-2])
	if born {
		pop()
		r.Head = pop()
		pop()
	}
	ids := popAll(wire.IsID)
	r.Shallow, r.Format = pop() == "true", pop()
	inside := pop() == "true"
	r.Bare = pop() == "true"
	switch {
	case r.Format == "--show-object-format" || len(lines) == 0:
		return nil, stemma.WithHint(fmt.Errorf("git: opening %s: this git is too old", quote.Path(dir)), "install git 2.30 or later")
	case r.Format != SHA1 && r.Format != SHA256:
		return nil, fmt.Errorf("git: opening %s: unknown object format %s", quote.Path(dir), quote.Line(r.Format))
	}
	r.places(dir, inside, strings.Join(lines, "\n"))
	if len(ids) != len(names) { // nothing is checked out, or the refs just changed
		return r.RefNames(ctx, prefixes...)
	}
	var refs []Ref
	for i, id := range ids {
		if strings.Trim(id, "0") != "" { // git leaves out what names nothing at all
			refs = append(refs, Ref{Name: names[i], ID: id, Peeled: id})
		}
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}

// places takes where the work tree and the repository are. In a bare
// repository --show-cdup prints nothing, not even a line.
func (r *Repo) places(dir string, inside bool, rest string) {
	r.GitDir = rest
	if inside {
		cdup, gitDir, _ := strings.Cut(rest, "\n")
		r.GitDir, r.WorkTree = gitDir, filepath.Join(dir, cdup)
		if filepath.IsAbs(cdup) {
			r.WorkTree = filepath.Clean(cdup)
		}
		r.below(dir)
	}
	r.CommonDir = r.GitDir
	if b, err := os.ReadFile(filepath.Join(r.GitDir, "commondir")); err == nil {
		common := strings.TrimRight(string(b), "\n")
		if !filepath.IsAbs(common) {
			common = filepath.Join(r.GitDir, common)
		}
		r.CommonDir = filepath.Clean(common)
	}
}

// below takes where a directory lies in the work tree.
func (r *Repo) below(dir string) {
	if rel, err := filepath.Rel(r.WorkTree, dir); err == nil && rel != "." {
		r.Prefix = filepath.ToSlash(rel) + "/"
	}
}

func openError(dir string, bad *child.Error) error {
	err := fmt.Errorf("git: opening %s: %w", quote.Path(dir), bad)
	switch {
	case strings.Contains(bad.Line, "not a git repository"):
		return stemma.WithHint(fmt.Errorf("%w: %w", err, stemma.ErrNotFound), "name a directory inside a git repository, or make one with: git init")
	case strings.Contains(bad.Line, "dubious ownership"):
		return stemma.WithHint(err, "run as the owner of the repository, or allow it: git config --global --add safe.directory %s", quote.Path(dir))
	case strings.Contains(bad.Line, "repository version"), strings.Contains(bad.Line, "unknown repository extension"):
		return stemma.WithHint(err, "this repository needs a newer git than the one installed")
	}
	return err
}

// separate sets the repository of our own apart, which the first command there
// makes, and points it at the objects.
func (r *Repo) separate() error {
	shallow, err := os.ReadFile(filepath.Join(r.CommonDir, "shallow"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err == nil {
		r.Edge = map[string]bool{}
	}
	for line := range bytes.Lines(shallow) {
		r.Edge[string(bytes.TrimSpace(line))] = true
	}
	r.apart = r.here.Apart(filepath.Join(r.private, "git"), r.Format, filepath.Join(r.CommonDir, "objects"), shallow)
	return nil
}

// readHead finds which branch is checked out and whether there is anything at all.
func (r *Repo) readHead(ctx context.Context) error {
	b, err := os.ReadFile(filepath.Join(r.GitDir, "HEAD"))
	if err != nil {
		return err
	}
	name, named := strings.CutPrefix(strings.TrimSpace(string(b)), "ref:")
	if name = strings.TrimSpace(name); named && name == "refs/heads/.invalid" { // refs are not kept as files
		out, err := r.here.Output(ctx, nil, 1<<16, "symbolic-ref", "-q", "HEAD")
		name, named = strings.TrimSpace(string(out)), err == nil
	}
	if named {
		r.Branch = name
	}
	if r.Head != "" {
		return nil
	}
	out, err := r.here.Output(ctx, nil, 1<<16, "for-each-ref", "--count=1", "--format=%(refname)")
	if err != nil {
		return err
	}
	r.Empty = len(out) == 0
	return nil
}
