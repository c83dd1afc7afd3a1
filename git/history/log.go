package history

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/patch"
)

// Options says what [Log] reads. The zero value reads nothing, since it has no
// tips.
type Options struct {
	Tips []string // ids, or names that are resolved first; histories to read
	Not  []string // ids, or names; their histories are left out; those unknown here are ignored

	Only   bool // the tips themselves and nothing they reach, in their order
	NoDiff bool // leave Files and Taken empty: much faster
	Copies bool // look for copies among the changed files too

	// Limits; zero means the default in brackets.
	MaxLine       int // bytes of a line that are kept [4 KiB]
	MaxFileText   int // text kept per file [1 MiB]
	MaxCommitText int // text kept per commit [16 MiB]
	MaxHunks      int // hunks kept per file and parent [100000]
	MaxFile       int // bytes of a file that is compared, but for merges; a larger one is told as binary [512 MiB]
	MaxMessage    int // bytes of a message that are kept [1 MiB]
}

func (o Options) limits() patch.Limits {
	return patch.Limits{
		Line: cmp.Or(max(o.MaxLine, 0), 4<<10), FileText: cmp.Or(max(o.MaxFileText, 0), 1<<20),
		CommitText: cmp.Or(max(o.MaxCommitText, 0), 16<<20), Hunks: cmp.Or(max(o.MaxHunks, 0), 100_000),
	}
}

// What makes differences the same whatever the configuration and the version.
var diffFlags = []string{
	"-r", "-z", "--raw", "--no-abbrev", "--full-index", "--root", "--no-color", "--no-ext-diff", "--no-textconv",
	"--no-relative", "--ignore-submodules=none", "--submodule=short", "-O/dev/null",
}

var patchFlags = []string{
	"-p", "--inter-hunk-context=0", "-M", "-l1000", "--diff-algorithm=myers",
	"--indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/", "--ws-error-highlight=none",
}

// Log streams the commits that the tips reach and Not does not, parents before
// children, each with what it changed. It takes at most seven git processes, or eight when
// objects are missing, however long the history. A damaged commit is given with
// Damage set and reading goes on; each costs one more process. An error ends
// the stream. Breaking off ends the processes.
//
// Attributes are not honoured: a file is binary by its content only. Renames
// are found as git finds them by default; a merge tells the files that differ
// from all its parents.
func Log(ctx context.Context, r *git.Repo, o Options) iter.Seq2[*Commit, error] {
	return func(yield func(*Commit, error) bool) { Begin(ctx, r, o).Commits(yield) }
}

// A Reading is a history that git reads, as far ahead as there is room, beside what
// its owner does. One goroutine uses it, and ends it with Commits or Close.
type Reading struct {
	ahead  chan ready
	room   *semaphore.Weighted
	end    chan error
	cancel context.CancelFunc
}

type ready struct {
	commit *Commit
	weight int64
}

// Begin begins to read what [Log] streams.
func Begin(ctx context.Context, r *git.Repo, o Options) *Reading {
	ctx, cancel := context.WithCancel(ctx)
	g := &Reading{make(chan ready, maxAhead), semaphore.NewWeighted(maxWaiting), make(chan error, 1), cancel}
	go func() {
		defer close(g.ahead)
		g.end <- read(ctx, r, o, func(c *Commit, weight int) bool {
			w := min(int64(weight), maxWaiting)
			if g.room.Acquire(ctx, w) != nil {
				return false
			}
			select {
			case g.ahead <- ready{c, w}:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	return g
}

// Commits streams them.
func (g *Reading) Commits(yield func(*Commit, error) bool) {
	defer g.Close()
	for next := range g.ahead {
		g.room.Release(next.weight)
		if !yield(next.commit, nil) {
			return
		}
	}
	if err := <-g.end; err != nil {
		yield(nil, err)
	}
}

// Close ends the reading: nothing outlives it.
func (g *Reading) Close() {
	g.cancel()
	for range g.ahead { // nothing: only wait for the end
	}
}

// How many commits are read ahead of whoever ranges over them, and how many
// bytes they may occupy. Reading and using then need not keep in step: one
// large commit makes neither wait.
const (
	maxAhead   = 4096
	maxWaiting = 32 << 20
)

// window is how many commits are asked for ahead. What is written for them fits
// the smallest pipe, so that writing never waits for reading.
const window = 24

// A run is one run of Log; one goroutine uses it.
type run struct {
	r         *git.Repo
	ctx       context.Context
	o         Options
	limits    patch.Limits
	message   int // bytes of a message that are kept
	tips, not []string
	heads     *child.Process // order and decoded text
	commits   *git.CatFile   // the commits themselves
	patches   *differ        // commits of at most one parent
	trees     *differ        // merges against all parents, without looking into files
	merges    *differ        // merges that only change files that all their parents have
	renamed   *differ        // other merges, which may rename some
	firsts    *differ        // merges against their first parents
	queue     []*Commit
	kept      int                     // text kept of the last differences
	started   bool                    // the walk has told a commit
	done      bool                    // the walk has told all
	cut       map[string]*DamageError // commits that are treated as if their parents were not fetched, and why
	by        map[string]*differ      // who was asked about a merge; nobody if it changes nothing of its own
	missing   map[string]error        // ids of objects that stand-ins replace, and why
	scanned   bool                    // missing holds all that is missing
	stand     string                  // directory of the stand-ins
	stands    int                     // how often they were made
}

func read(ctx context.Context, r *git.Repo, o Options, give func(c *Commit, weight int) bool) error {
	if len(o.Tips) == 0 {
		return nil
	}
	ids, err := r.IDs(ctx, o.Tips, o.Not)
	if err != nil {
		return err
	}
	l := &run{
		r: r, ctx: ctx, o: o, limits: o.limits(), message: cmp.Or(max(o.MaxMessage, 0), 1<<20),
		tips: ids[:len(o.Tips)], not: ids[len(o.Tips):], by: map[string]*differ{},
	}
	defer l.close()
	if err := l.begin(); err != nil {
		return err
	}
	for {
		if err := l.fill(); err != nil {
			return err
		}
		if len(l.queue) == 0 {
			return ctx.Err()
		}
		c := l.queue[0]
		if err := l.differences(c); err != nil {
			return err
		}
		l.queue = append(l.queue[:0], l.queue[1:]...)
		if !give(c, l.weight(c)) {
			return ctx.Err()
		}
	}
}

// weight is about how many bytes the commit compared last occupies.
func (l *run) weight(c *Commit) int {
	const file = 512
	return len(c.Message) + l.kept + file*(len(c.Files)+len(c.Taken)+1)
}

// begin starts the processes.
func (l *run) begin() (err error) {
	if l.commits, err = l.r.CatFile(l.ctx, 0); err != nil {
		return err
	}
	if err := l.usable(); err != nil {
		return err
	}
	if l.done = len(l.tips) == 0; l.done {
		return nil
	}
	if l.heads, err = l.walk(); err != nil || l.o.NoDiff {
		return err
	}
	l.firsts = l.differ("--no-renames")
	l.trees = l.differ("--no-renames", "-c", "--combined-all-paths")
	args := slices.Clone(patchFlags)
	if l.o.Copies {
		args = append(args, "-C")
	}
	l.patches = l.differ(append(args, "-U0")...)
	// Git counts the lines of a combined hunk at the end of a file wrongly when
	// there is no context at all.
	l.renamed = l.differ(append(args, "-U1", "-c", "--combined-all-paths")...)
	l.merges = l.differ(append(args, "-U1", "-c", "--combined-all-paths", "--no-renames")...)
	if l.r.Partial {
		return l.standIn("")
	}
	return nil
}

func (l *run) differ(flags ...string) *differ {
	args := slices.Concat([]string{"diff-tree", "--stdin"}, diffFlags, flags)
	if l.o.MaxFile > 0 {
		args = append([]string{"-c", "core.bigFileThreshold=" + strconv.Itoa(l.o.MaxFile)}, args...)
	}
	return &differ{r: l.r, ctx: l.ctx, args: args, limits: l.limits}
}

func (l *run) close() {
	if l.heads != nil {
		l.heads.Kill()
	}
	if l.commits != nil {
		l.commits.Kill()
	}
	for _, d := range []*differ{l.patches, l.trees, l.merges, l.renamed, l.firsts} {
		if d != nil && d.p != nil {
			d.p.Kill()
		}
	}
	if l.stand != "" {
		_ = os.RemoveAll(l.stand)
	}
}

// headFormat gives what needs git's knowledge of encodings; the rest is read
// from the commits themselves.
const headFormat = "--format=tformat:%H%x00%e%x00%an%x00%ae%x00%cn%x00%ce%x00%B"

// walk starts the process that tells the order.
func (l *run) walk() (*child.Process, error) {
	order := []string{"--topo-order", "--reverse"}
	if l.o.Only {
		order = []string{"--no-walk=unsorted"}
	}
	p, err := l.cutPlace().Start(l.ctx, slices.Concat([]string{"log", "--ignore-missing", "--stdin"}, order, []string{
		"-z", "-s",
		"--no-color", "--no-show-signature", "--no-notes", "--no-mailmap", "--encoding=UTF-8", headFormat,
	})...)
	if err != nil {
		return nil, err
	}
	go func() {
		w := bufio.NewWriter(p.In)
		for _, id := range l.tips {
			_, _ = w.WriteString(id + "\n")
		}
		for _, id := range l.not {
			_, _ = w.WriteString("^" + id + "\n")
		}
		_ = w.Flush()
		_ = p.In.Close()
	}()
	return p, nil
}

// fill reads the next commits and asks for their differences.
func (l *run) fill() error {
	if l.done || len(l.queue) > window/2 {
		return nil
	}
	from := len(l.queue)
	var ids []string
	for len(l.queue) < window {
		c, err := l.head()
		if errors.Is(err, io.EOF) {
			if again, err := l.walked(); err != nil {
				return err
			} else if again {
				return l.fill()
			}
			break
		} else if err != nil {
			return l.heads.Fail(err)
		}
		l.started = true
		ids = append(ids, c.ID)
		l.queue = append(l.queue, c)
	}
	if from == len(l.queue) {
		return nil
	}
	at := from
	// Signatures and merged tags come before the message and are bounded with it.
	for o, err := range l.commits.Beginnings(ids, int64(l.message)+256<<10) {
		if err != nil {
			return err
		}
		if err := l.object(l.queue[at], o); err != nil {
			return err
		}
		at++
	}
	return l.ask(l.queue[from:])
}

// walked is called at the end of the walk, which may have come too early.
func (l *run) walked() (again bool, err error) {
	err = l.heads.End()
	if err != nil && !l.started {
		return true, l.mend(err)
	}
	l.done = err == nil
	return false, err
}

// maxName bounds what is kept of a name or an address.
const maxName = 4 << 10

// head reads one commit from the walk: its id, and its text if it is encoded.
func (l *run) head() (*Commit, error) {
	f := wire.Fields{In: l.heads.Out, Limit: maxName}
	if _, err := l.heads.Out.Peek(1); err != nil {
		return nil, err
	}
	c := &Commit{Commit: git.Commit{ID: f.Next()}}
	c.Encoding = f.Next()
	c.Author.Name, c.Author.Mail = f.Next(), f.Next()
	c.Committer.Name, c.Committer.Mail = f.Next(), f.Next()
	f.Limit = l.message
	c.Message = f.Next()
	c.Cut = f.Cut
	return c, f.Err
}

// object takes over what the commit itself says. Where it names an encoding, the
// text that git has decoded stands.
func (l *run) object(c *Commit, o git.Object) error {
	if o.Type != "commit" {
		return fmt.Errorf("git: commit %s went away while it was read", c.ID)
	}
	told := *c
	c.Encoding = ""
	c.Shallow = l.r.Edge[c.ID] || l.cut[c.ID] != nil
	c.Parse(o.Data)
	if told.Encoding != "" && !isUTF8(told.Encoding) {
		c.Author.Name, c.Author.Mail = told.Author.Name, told.Author.Mail
		c.Committer.Name, c.Committer.Mail = told.Committer.Name, told.Committer.Mail
		c.Message, c.Cut = told.Message, told.Cut
		return nil
	}
	c.Cut = int64(len(o.Data)) < o.Size
	if len(c.Message) > l.message {
		c.Message, c.Cut = c.Message[:l.message], true
	}
	return nil
}

func isUTF8(name string) bool {
	return strings.EqualFold(name, "utf-8") || strings.EqualFold(name, "utf8")
}
