package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/internal/wire"
)

// A DamageError tells why something of a commit cannot be read.
type DamageError struct {
	Object string // the object that is missing or broken, "" when git does not say
	Err    error
}

func (e *DamageError) Error() string {
	if e.Object == "" {
		return fmt.Sprintf("damaged: %v", e.Err)
	}
	return fmt.Sprintf("damaged: object %s: %v", e.Object, e.Err)
}

// Unwrap gives the cause.
func (e *DamageError) Unwrap() error { return e.Err }

// ErrMissing means: the object is not in this copy of the repository.
var ErrMissing = errors.New("not in this copy of the repository")

// ErrBroken means: the object is there, but cannot be read.
var ErrBroken = errors.New("damaged in this copy of the repository")

// reason tells why git has no such object.
func (l *run) reason(id string) error {
	if l.r.Stored(id) {
		return ErrBroken
	}
	return ErrMissing
}

// usable sorts out the tips that are not there; they are given first.
func (l *run) usable() error {
	tips := l.tips
	l.tips = nil
	for len(tips) > 0 {
		for o, err := range l.commits.Objects(tips, 0) {
			id := tips[0]
			tips = tips[1:]
			if err != nil { // cat-file died of this object
				l.broken(id, ErrBroken)
				if err := l.askAgain(); err != nil {
					return err
				}
				break
			}
			if o.Missing {
				l.broken(id, l.reason(id))
			} else {
				l.tips = append(l.tips, id)
			}
		}
	}
	return nil
}

// askAgain starts another cat-file for one that died.
func (l *run) askAgain() (err error) {
	if l.ctx.Err() == nil {
		l.commits, err = l.r.CatFile(l.ctx, 0)
	}
	return errors.Join(l.ctx.Err(), err)
}

// broken queues a commit of which nothing but the id is known.
func (l *run) broken(id string, err error) {
	l.queue = append(l.queue, &Commit{Commit: git.Commit{ID: id, Signature: git.Unsigned}, Damage: &DamageError{Object: id, Err: err}})
}

// cutPlace is where the walk runs: there, the cut commits have no parents.
func (l *run) cutPlace() child.Place {
	if l.cut == nil {
		return l.r.Apart()
	}
	return l.r.Apart().With(l.cutEnv())
}

func (l *run) cutEnv() string { return "GIT_SHALLOW_FILE=" + filepath.Join(l.stand, "shallow") }

// mend is called when the walk died at once with cause: some commit cannot be
// read. It walks the history itself, cuts the children of such commits off, and
// starts the walk again. The cut commits compare with nothing, like those at
// the edge of a shallow clone.
func (l *run) mend(cause error) error {
	if l.cut != nil || l.ctx.Err() != nil {
		return cause
	}
	s := survey{l: l, seen: map[string]bool{}, parents: map[string][]string{}}
	if err := s.run(); err != nil {
		return err
	}
	l.cut = map[string]*DamageError{}
	for id, parents := range s.parents {
		for _, p := range parents {
			if s.bad[p] != nil {
				l.cut[id] = &DamageError{Object: p, Err: fmt.Errorf("a parent: %w", s.bad[p])}
				l.tips = append(l.tips, parents...)
				break
			}
		}
	}
	if len(s.bad) == 0 {
		return cause
	}
	l.tips = sound(l.tips, s.bad)
	for id, err := range s.bad {
		l.broken(id, err)
	}
	if err := l.standDir(); err != nil {
		return err
	}
	var list strings.Builder
	for id := range l.r.Edge {
		list.WriteString(id + "\n")
	}
	for id := range l.cut {
		list.WriteString(id + "\n")
	}
	if err := os.WriteFile(filepath.Join(l.stand, "shallow"), []byte(list.String()), 0o600); err != nil {
		return err
	}
	for _, d := range []*differ{l.patches, l.firsts} {
		if d != nil {
			d.env = append(d.env, l.cutEnv())
		}
	}
	if l.done = len(l.tips) == 0; l.done {
		return nil
	}
	var err error
	l.heads, err = l.walk()
	return err
}

func sound(tips []string, bad map[string]error) []string {
	var good []string
	for _, id := range tips {
		if bad[id] == nil {
			good = append(good, id)
		}
	}
	return good
}

// standDir makes the directory for what this run puts in the place of damage.
func (l *run) standDir() (err error) {
	if l.stand == "" {
		l.stand, err = os.MkdirTemp(l.r.Apart().Dir, "stand-")
	}
	return err
}

// A survey walks a history commit by commit with cat-file, over which a broken
// commit has no power.
type survey struct {
	l       *run
	seen    map[string]bool
	parents map[string][]string
	bad     map[string]error
}

func (s *survey) run() (err error) {
	s.bad = map[string]error{}
	todo := append([]string(nil), s.l.tips...)
	for len(todo) > 0 {
		n := min(len(todo), window)
		batch := append([]string(nil), todo[len(todo)-n:]...)
		todo = todo[:len(todo)-n]
		if todo, err = s.batch(batch, todo); err != nil {
			return err
		}
	}
	return nil
}

// batch asks for some commits and appends their parents to todo.
func (s *survey) batch(ids, todo []string) ([]string, error) {
	fresh := ids[:0]
	for _, id := range ids {
		if !s.seen[id] && wire.IsID(id) {
			s.seen[id] = true
			fresh = append(fresh, id)
		}
	}
	for len(fresh) > 0 {
		for o, err := range s.l.commits.Objects(fresh, 16<<20) {
			id := fresh[0]
			fresh = fresh[1:]
			if err != nil { // cat-file died of this object
				s.bad[id] = err
				if err := s.l.askAgain(); err != nil {
					return nil, err
				}
				break
			}
			todo = append(todo, s.take(o)...)
		}
	}
	return todo, nil
}

// take notes the parents of a commit and returns what to look at next.
func (s *survey) take(o git.Object) []string {
	switch {
	case o.Missing:
		s.bad[o.ID] = s.l.reason(o.ID)
	case o.Type == "tag":
		rest, _ := strings.CutPrefix(string(o.Data), "object ")
		id, _, _ := strings.Cut(rest, "\n")
		return []string{id}
	case o.Type == "commit" && !o.TooBig && !s.l.r.Edge[o.ID]:
		s.parents[o.ID] = git.ParseCommit(o.ID, o.Data).Parents
		return s.parents[o.ID]
	}
	return nil
}
