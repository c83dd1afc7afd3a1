package history

import (
	"bytes"
	"context"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/patch"
)

// A differ keeps a git diff-tree at work: commits in, differences out, in the
// same order. When diff-tree dies over one commit, that commit is damaged and
// a new diff-tree goes on with the next.
type differ struct {
	r      *git.Repo
	ctx    context.Context
	args   []string
	env    []string // further variables
	limits patch.Limits
	p      *child.Process
	read   *patch.Reader
	asked  [][]byte // what was asked and not yet answered
	next   int      // number of the stand-ins that a new process will see
	stands int      // number of those that this one sees
}

// ask sends commits. What is on the way always fits the pipe.
func (d *differ) ask(lines [][]byte) error {
	if len(lines) == 0 {
		return nil
	}
	d.asked = append(d.asked, lines...)
	if d.p == nil {
		return d.restart()
	}
	_, _ = d.p.In.Write(bytes.Join(lines, nil)) // a dead one is noticed when reading
	return nil
}

// restart begins anew with all that is not answered.
func (d *differ) restart() (err error) {
	if d.p != nil {
		d.p.Kill()
	}
	if d.p, err = d.r.Apart().With(d.env...).Start(d.ctx, d.args...); err != nil {
		return err
	}
	d.stands = d.next
	d.read = patch.NewReader(d.p.Out, d.limits)
	_, _ = d.p.In.Write(bytes.Join(d.asked, nil))
	return nil
}

// answer reads the differences of the oldest question. A *DamageError is about
// that commit only; the caller decides whether to ask again or to drop it.
func (d *differ) answer(parents int) ([]patch.File, error) {
	files, err := d.read.Commit(parents)
	if err == nil {
		d.asked = d.asked[1:]
		return files, nil
	}
	err = d.p.Fail(err)
	if d.ctx.Err() != nil {
		return nil, d.ctx.Err()
	}
	return files, &DamageError{Object: git.Lost(err), Err: err}
}

// drop gives the oldest question up.
func (d *differ) drop() error {
	d.asked = d.asked[1:]
	return d.restart()
}

// question is the line for a commit, with other parents than its own if any
// are given, and the mark that ends the answer.
func question(id string, parents ...string) []byte {
	b := append(make([]byte, 0, 2*len(id)+4), id...)
	for _, p := range parents {
		b = append(append(b, ' '), p...)
	}
	return append(append(b, '\n'), patch.EndMark...)
}
