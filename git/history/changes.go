package history

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/patch"
)

// ask sends the questions for new commits.
func (l *run) ask(list []*Commit) error {
	if l.o.NoDiff {
		return nil
	}
	var plain, firsts, all [][]byte
	var merges []*Commit
	for _, c := range list {
		if err := l.hopeless(c); err != nil {
			c.Damage = err
		} else if l.merge(c) {
			merges = append(merges, c)
			firsts = append(firsts, question(c.ID, c.Parents[0]))
			all = append(all, question(c.ID))
		} else {
			plain = append(plain, question(c.ID))
		}
	}
	if err := errors.Join(l.patches.ask(plain), l.firsts.ask(firsts), l.trees.ask(all)); err != nil {
		return err
	}
	return l.askMerges(merges)
}

// askMerges asks for the differences of merges that have any. Most only bring
// together what their parents have, which their trees tell; to look for
// renames in those would cost more than all the rest.
func (l *run) askMerges(list []*Commit) error {
	var plain, renaming [][]byte
	for _, c := range list {
		files, err := l.trees.answer(len(c.Parents))
		var damage *DamageError
		if errors.As(err, &damage) {
			if err := l.trees.drop(); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		switch {
		case err != nil || mayRename(files):
			l.by[c.ID] = l.renamed
			renaming = append(renaming, question(c.ID))
		case len(files) > 0:
			l.by[c.ID] = l.merges
			plain = append(plain, question(c.ID))
		}
	}
	return errors.Join(l.merges.ask(plain), l.renamed.ask(renaming))
}

// mayRename: a file is new or gone by comparison with some parent.
func mayRename(files []patch.File) bool {
	return slices.ContainsFunc(files, func(f patch.File) bool {
		return slices.ContainsFunc(f.Parents, func(p patch.Parent) bool { return p.Status == patch.Added || p.Status == patch.Deleted })
	})
}

// hopeless: what is missing makes every question about the commit vain.
func (l *run) hopeless(c *Commit) error {
	if why := l.missing[c.Tree]; why != nil {
		return &DamageError{Object: c.Tree, Err: why}
	}
	return nil
}

// merge: the commit compares with several parents.
func (l *run) merge(c *Commit) bool { return len(c.Parents) > 1 && !c.Shallow }

// differences adds to a commit what it changed.
func (l *run) differences(c *Commit) error {
	l.kept = 0
	if cut := l.cut[c.ID]; cut != nil && c.Damage == nil {
		c.Damage = cut
	} else if c.Damage != nil {
		return nil // nothing was asked
	}
	if l.o.NoDiff {
		return nil
	}
	by, parents := l.patches, 1
	if l.merge(c) {
		by, parents = l.by[c.ID], len(c.Parents)
		delete(l.by, c.ID)
		if by == nil {
			return l.taken(c)
		}
	}
	files, err := by.answer(parents)
	for l.standable(by, err) {
		if err = by.restart(); err == nil {
			files, err = by.answer(parents)
		}
	}
	var damage *DamageError
	if errors.As(err, &damage) {
		c.Damage = damage
		err = by.drop()
		withoutHunks(files)
	}
	if err != nil {
		return err
	}
	c.Files, l.kept = files, by.read.Kept()
	l.markMissing(c)
	if l.merge(c) {
		return l.taken(c)
	}
	return nil
}

// withoutHunks forgets the hunks of files that could not all be read.
func withoutHunks(files []patch.File) {
	for i := range files {
		f := &files[i]
		f.Missing, f.Binary, f.Added, f.Deleted, f.Hunks = true, false, 0, 0, nil
		for j := range f.Parents {
			f.Parents[j].Hunks = nil
		}
	}
}

// markMissing flags the files that were compared by way of stand-ins, and
// tells for each of them what is missing.
func (l *run) markMissing(c *Commit) {
	if len(l.missing) == 0 {
		return
	}
	for i := range c.Files {
		f := &c.Files[i]
		blobs := []string{f.Blob, f.OldBlob}
		for _, p := range f.Parents {
			blobs = append(blobs, p.Blob)
		}
		at := slices.IndexFunc(blobs, func(id string) bool { return l.missing[id] != nil })
		if at >= 0 && f.Blob != f.OldBlob {
			withoutHunks(c.Files[i : i+1])
			c.Lost = append(c.Lost, &DamageError{Object: blobs[at], Err: l.missing[blobs[at]]})
		}
	}
}

// taken finds what a merge took over from another parent than the first.
func (l *run) taken(c *Commit) error {
	list, err := l.firsts.answer(1)
	var damage *DamageError
	if errors.As(err, &damage) {
		if c.Damage == nil {
			c.Damage = damage
		}
		return l.firsts.drop()
	} else if err != nil {
		return err
	}
	own := make(map[string]bool, len(c.Files))
	for i := range c.Files {
		own[c.Files[i].Path] = true
	}
	parent := 0
	if len(c.Parents) == 2 {
		parent = 1
	}
	for i := range list {
		f := &list[i]
		if !own[f.Path] {
			c.Taken = append(c.Taken, TakenPath{
				Path: f.Path, Blob: f.Blob, Mode: f.Mode, Old: f.OldBlob, Status: f.Status, Parent: parent,
			})
		}
	}
	return nil
}

// standable: the question failed for want of an object that now has a stand-in.
func (l *run) standable(by *differ, err error) bool {
	var damage *DamageError
	if !errors.As(err, &damage) || git.Lost(err) == "" {
		return false
	}
	if l.missing[damage.Object] != nil { // it may have begun before there were stand-ins
		return by.stands < l.stands
	}
	if err := l.standIn(damage.Object); err != nil {
		damage.Err = fmt.Errorf("%w (%w)", damage.Err, err)
		return false
	}
	return true
}
