package repo

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest/records"
)

// Why what a commit did to a file cannot be seen.
const (
	reasonMissing = "the content of files is not in this copy of the repository"
	reasonBroken  = "the content of files is damaged in this copy of the repository"
)

// noticeMissing says that the content of files cannot be read here. A clone
// that leaves content out on purpose says so once.
func (s *scanner) noticeMissing(ctx context.Context, c *history.Commit) error {
	counts, first := map[string]int64{}, map[string]string{}
	for _, lost := range c.Lost {
		s.w.Miss(lost.Object)
		reason := reasonMissing
		if errors.Is(lost, history.ErrBroken) {
			reason = reasonBroken
		}
		if counts[reason]++; counts[reason] == 1 {
			first[reason] = lost.Object
		}
	}
	if n := counts[reasonMissing]; s.repo.Partial && n > 0 {
		s.files.add(n, first[reasonMissing])
		delete(counts, reasonMissing)
	}
	for _, reason := range []string{reasonMissing, reasonBroken} {
		n := counts[reason]
		if n == 0 {
			continue
		}
		gap := stemma.Gap{
			Source: sourceGit, Place: "commit " + c.ID, Reason: reason, Count: n, About: s.repo.CommitRef(c.ID), Object: first[reason],
		}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}

// noticePartial says how much of the history a partial clone leaves out.
func (s *scanner) noticePartial(ctx context.Context) error {
	for _, left := range []struct {
		leftOut
		reason string
	}{{s.files, reasonMissing}, {s.trees, reasonTrees}} {
		if left.count == 0 {
			continue
		}
		gap := stemma.Gap{
			Source: sourceGit, Place: string(s.record.ID), Reason: left.reason, Count: left.count, About: s.record.ID, Object: left.first,
		}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}

// What a partial clone leaves out: how much, and one of the objects wanted.
type leftOut struct {
	count int64
	first string
}

func (l *leftOut) add(n int64, object string) { l.count, l.first = l.count+n, cmp.Or(l.first, object) }

const reasonTrees = "a tree of the commit is not in this copy of the repository"

// noticeDamage says that a commit or its trees cannot be read. A clone that
// leaves trees out on purpose says so once.
func (s *scanner) noticeDamage(ctx context.Context, c *history.Commit) error {
	gap := stemma.Gap{Source: sourceGit, Place: "commit " + c.ID, Reason: c.Damage.Error(), About: s.repo.CommitRef(c.ID)}
	var damage *history.DamageError
	if errors.As(c.Damage, &damage) && damage.Object != "" {
		gap.Object = damage.Object
		what, how := "a tree of the commit", "is not in"
		switch {
		case damage.Object == c.ID:
			what = "the commit"
		case slices.Contains(c.Parents, damage.Object):
			what = "a parent of the commit"
		}
		if s.repo.Stored(damage.Object) {
			how = "is damaged in"
		}
		gap.Reason = what + " " + how + " this copy of the repository"
	}
	if s.repo.Partial && gap.Reason == reasonTrees {
		s.w.Miss(gap.Object)
		s.trees.add(1, gap.Object)
		return nil
	}
	return s.w.Gap(ctx, gap)
}

// noticeRefs says which refs point at what cannot be read.
func (s *scanner) noticeRefs(ctx context.Context) error {
	for _, ref := range s.repo.Broken {
		reason := "it points at an object that is not in this copy of the repository"
		if s.repo.Stored(ref.ID) {
			reason = "it points at an object that is damaged in this copy of the repository"
		}
		gap := stemma.Gap{Source: sourceGit, Place: ref.Name, Reason: reason, About: s.record.ID, Object: ref.ID}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}

// noticeNotes counts, ref by ref, the notes that nothing reads.
func (s *scanner) noticeNotes(ctx context.Context) error {
	for _, ref := range s.repo.Refs {
		if !strings.HasPrefix(ref.Name, "refs/notes/") || ref.Name == provenanceNotes || strings.HasPrefix(ref.Name, records.Fetched) || records.ParserOf(ref.Name) != nil {
			continue
		}
		if _, ok := s.moved(ref.Name); !ok {
			continue
		}
		gap := stemma.Gap{Source: records.Source, Place: ref.Name, Reason: records.Unread(ref.Name), About: s.record.ID}
		notes, others, err := s.repo.Notes(ctx, ref.ID)
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			gap.Reason, gap.Object = err.Error(), s.repo.LostTree(ctx, ref.ID, err)
		} else if gap.Count = int64(len(notes) + others); gap.Count == 0 {
			continue
		}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}

// noticeEdge says that the history is cut off, as in a shallow clone, and at how
// many of the commits read now.
func (s *scanner) noticeEdge(ctx context.Context) error {
	if s.edge == 0 {
		return nil
	}
	return s.w.Gap(ctx, stemma.Gap{
		Source: sourceGit, Place: string(s.record.ID), Reason: "the history is cut off: this is a shallow clone",
		Count: s.edge, About: s.record.ID, Object: s.beyond,
	})
}
