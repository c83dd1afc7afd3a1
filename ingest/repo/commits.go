package repo

import (
	"context"
	"errors"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/repo/landing"
	"github.com/stemma-dev/stemma/ingest/repo/lines"
	"github.com/stemma-dev/stemma/ingest/repo/mended"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/intent"
)

// beginCommits begins to read the history that no scan has read, beside the steps
// that come before [scanner.readCommits].
func (s *scanner) beginCommits(ctx context.Context) error {
	if len(s.mark.Heads) == 0 {
		s.repeats = &mended.Repeats{}
	}
	s.history = history.Begin(ctx, s.repo.Repo, history.Options{Tips: s.repo.Tips(), Not: s.mark.Heads})
	return nil
}

// readCommits takes that history, parents before children, with what each commit
// changed.
func (s *scanner) readCommits(ctx context.Context) error {
	s.lines = lines.NewOrigins(s.space.DB, s.repo.CommitRef)
	tips := s.repo.Tips()
	if len(tips) == 0 {
		return nil
	}
	total, err := s.repo.Count(ctx, tips, s.mark.Heads)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	} // else a commit is missing: the log goes on behind it
	if err := s.markReach(ctx); err != nil {
		return err
	}
	for c, err := range s.history.Commits {
		if err != nil {
			return err
		}
		if err := s.readCommit(ctx, c); err != nil {
			return err
		}
		s.o.Progress("commits", int64(len(s.done)), int64(total))
		if len(s.done)%checkpointEvery == 0 {
			if err := s.flush(ctx); err != nil {
				return err
			}
			if err := s.save(ctx, false); err != nil {
				return err
			}
		}
	}
	return errors.Join(s.noticePartial(ctx), s.noticeEdge(ctx))
}

func (s *scanner) readCommit(ctx context.Context, c *history.Commit) error {
	s.done = append(s.done, s.graph.Add(c.ID, c.Parents))
	added := bind.SourceOf(c)
	if s.repeats != nil {
		s.repeats.Add(c, added)
	}
	said := words.Of(&c.Commit, s.names())
	if s.reach[c.ID] {
		s.heard = append(s.heard, landing.Hear(c, said))
	}
	if s.weave.Has(c.ID) {
		return nil // read before, in another clone that was ahead of this one
	}
	if err := s.addToWeave(ctx, c); err != nil {
		return err
	}
	s.seen.Add(c.ID, added)
	if err := s.noticeFiles(ctx, c); err != nil {
		return err
	}
	if err := s.noticeMissing(ctx, c); err != nil {
		return err
	}
	if c.Tree != "" {
		s.report.Commits++
	}
	return s.stateCommit(ctx, c, said)
}

// stateCommit states a commit and who wrote its lines.
func (s *scanner) stateCommit(ctx context.Context, c *history.Commit, said words.Message) error {
	if c.Damage != nil {
		if err := s.noticeDamage(ctx, c); err != nil || c.Tree == "" {
			return err
		}
	}
	r := change.Commit{
		Repository: s.record.ID, SHA: c.ID, Tree: c.Tree, ParentCount: len(c.Parents), Merge: c.Merge(),
		Authored: stemma.At(c.Author.When), Committed: stemma.At(c.Committer.When),
		Title: words.Title(c.Message), Message: words.Nameless(c.Message), Signature: string(c.Signature),
		Size: &change.Size{}, Files: []change.File{},
	}
	if on := s.reach[c.ID]; on {
		r.OnDefault = &on
	}
	for i, p := range c.Parents {
		ref := s.repo.CommitRef(p)
		r.Parents = append(r.Parents, ref)
		if i == 0 {
			r.FirstParent = ref
		}
	}
	var err error
	if r.Author, err = s.w.Who(ctx, c.Author); err != nil {
		return err
	}
	if r.Committer, err = s.w.Who(ctx, c.Committer); err != nil {
		return err
	}
	takeWords(&r, said)
	if err := s.noticeOddities(ctx, c, said); err != nil {
		return err
	}
	s.countFiles(&r, c, landing.Mends(said.Purpose.Intent))
	if err := s.readTrailers(ctx, &r, said); err != nil {
		return err
	}
	if err := s.attribute(ctx, &r, c, said); err != nil {
		return err
	}
	if err := s.w.Record(ctx, r, sourceGit, stemma.GradeD); err != nil {
		return err
	}
	return s.stateBound(ctx, &r)
}

// noticeOddities records what of a commit could not be read or was cut.
func (s *scanner) noticeOddities(ctx context.Context, c *history.Commit, w words.Message) error {
	for _, odd := range []struct {
		reason string
		is     bool
	}{
		{"the author cannot be read", c.Author.Malformed || c.Author.When.IsZero()},
		{"the committer cannot be read", c.Committer.Malformed || c.Committer.When.IsZero()},
		{"the message is too long", c.Cut},
		{"more tickets than are kept", w.Overfull},
	} {
		if !odd.is {
			continue
		}
		gap := stemma.Gap{Source: sourceGit, Place: "commit " + c.ID, Reason: odd.reason, About: s.repo.CommitRef(c.ID)}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}

// countFiles fills in what the commit changed.
func (s *scanner) countFiles(r *change.Commit, c *history.Commit, mends bool) {
	for i := range c.Files {
		f := &c.Files[i]
		file := change.File{
			Path: quote.Path(f.Path), Status: string(f.Status), Added: f.Added, Deleted: f.Deleted,
			Blob: f.Blob, OldBlob: f.OldBlob, Binary: f.Binary,
		}
		if f.OldPath != f.Path {
			file.OldPath = quote.Path(f.OldPath)
		}
		if mends && len(f.Parents) == 0 && f.OldBlob != "" && !f.Submodule() {
			file.Mended = mended.Lines(f)
		}
		if len(f.Parents) == 0 {
			file.Respaced = mended.Respaced(f)
		}
		if len(file.Path) > stemma.MaxIndexed {
			continue // counted below, but no column can hold the name
		}
		r.Files = append(r.Files, file)
	}
	for _, f := range c.Files {
		r.FileCount++
		r.Added += f.Added
		r.Deleted += f.Deleted
	}
}

// readOrphans states the records that no commit of the history took: those of
// commits that earlier scans read, and those of commits no ref reaches.
func (s *scanner) readOrphans(ctx context.Context) error {
	var err error
	if s.late, err = s.readLate(ctx, s.claims.Left()); err != nil {
		return err
	}
	return s.claims.StateOrphans(ctx)
}

// readLate states again the commits of earlier scans whose records are new or
// have changed, and reports which those were.
func (s *scanner) readLate(ctx context.Context, commits []string) (map[string]bool, error) {
	late := map[string]bool{}
	commits = slices.DeleteFunc(slices.Clone(commits), func(id string) bool { return !s.weave.Has(id) })
	if len(commits) == 0 {
		return late, nil
	}
	here, err := s.repo.Commits(ctx, commits)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, id := range commits {
		if here[id] {
			known = append(known, id)
		} else {
			s.claims.Drop(id) // gone from this copy: what is known of it stays
		}
	}
	if len(known) == 0 {
		return late, nil
	}
	for c, err := range history.Log(ctx, s.repo.Repo, history.Options{Tips: known, Only: true}) {
		if err != nil {
			return nil, err
		}
		late[c.ID] = true
		if err := s.stateCommit(ctx, c, words.Of(&c.Commit, s.names())); err != nil {
			return nil, err
		}
	}
	return late, nil
}

// names is where short names of tickets lead.
func (s *scanner) names() intent.Context {
	return intent.Context{Host: s.record.Host, Repo: s.name, Trackers: s.trackers}
}

// markReach finds out which of the commits that are about to be read belong to
// the default branch.
func (s *scanner) markReach(ctx context.Context) error {
	s.reach = map[string]bool{}
	if s.repo.Tip == "" {
		return nil
	}
	ids, err := s.repo.Reach(ctx, []string{s.repo.Tip}, s.mark.Heads)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, id := range ids { // as far as git came, if a commit is missing
		s.reach[id] = true
	}
	return nil
}
