package settle

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/ingest/settle/follow"
)

// foreign are the commits that came into the branches of the clone and were
// made elsewhere since capture began.
func (t *tree) foreign(ctx context.Context, s *state, own []follow.Commit) ([]*bind.Commit, error) {
	refs, err := t.repo.RefNames(ctx, "refs/heads/")
	if err != nil {
		return nil, err
	}
	var tips, not []string
	for _, ref := range refs {
		if !s.has(ref.ID) {
			tips = append(tips, ref.ID)
		}
	}
	if t.Base != "" {
		not = append(not, t.Base)
	}
	for id := range s.done {
		not = append(not, id)
	}
	ids, err := t.repo.Newest(ctx, bind.MaxSources, tips, not)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(append(ids, s.again...), func(id string) bool {
		if blob, done := s.done[id]; done && blob != unbound {
			return true // in another work tree
		}
		return slices.ContainsFunc(own, func(c follow.Commit) bool { return c.ID == id })
	})
	list, err := bind.Unwatched(ctx, t.repo, ids)
	return slices.DeleteFunc(list, func(c *bind.Commit) bool { return c.Committer.When.Before(t.Since.Truncate(time.Second)) }), err
}

// recognise finds what agents wrote here in commits that no move of HEAD made, such
// as one of which the reflog was cleared. A person is not recognised by text.
func (t *tree) recognise(foreign []*bind.Commit) error {
	for _, c := range foreign {
		for i := range c.Added {
			a := &c.Added[i]
			if !t.WasSeen(a.Path) {
				continue
			}
			found, err := t.Cat.Find(c.ID, a.Path)
			if err != nil || len(found) != 1 {
				continue // it is not in this copy
			}
			content, err := t.Content(found[0].ID)
			if err != nil {
				return err
			}
			lines := t.Lines(content) // of just this content: a difference to it may be of anybody
			for k, l := range a.Lines {
				if l.Number <= len(lines) && lines[l.Number-1].By > capture.Typist {
					a.Lines[k].Line = lines[l.Number-1]
				}
			}
		}
	}
	return nil
}

// tips are the commits from which sources are looked for.
func (t *tree) tips(ctx context.Context) (tips []string, err error) {
	if len(t.from) > 0 {
		return t.from, nil
	}
	refs, err := t.repo.RefNames(ctx, "refs/heads/", "refs/remotes/")
	for _, ref := range refs {
		tips = append(tips, ref.Peeled)
	}
	seen := map[string]bool{}
	for _, m := range t.Moves {
		if m.To != "" && !seen[m.To] {
			seen[m.To] = true
			tips = append(tips, m.To)
		}
	}
	return tips, err
}

// clone is where lines are looked for that were not typed here.
func (t *tree) clone() bind.Clone {
	here, stood := map[string]bool{}, map[string]bool{}
	for _, m := range t.Moves {
		stood[m.To] = true
		if follow.Makes(m) {
			here[m.To] = true
		}
	}
	return bind.Clone{Repo: t.repo, Cat: t.Cat, Notes: t.notes, Tips: t.tips, Here: here, Stood: slices.Collect(maps.Keys(stood))}
}
