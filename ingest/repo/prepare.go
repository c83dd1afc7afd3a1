package repo

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/posted"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/ingest/repo/landing"
	"github.com/stemma-dev/stemma/ingest/repo/sessions"
)

// prepare finds out what is to be read: which repository this is, where its
// refs point, how far it was read before.
func (s *scanner) prepare(ctx context.Context, r *git.Repo) error {
	var err error
	if s.repo, err = clone.Open(ctx, r); err != nil {
		return err
	}
	if s.record, s.name, err = s.repo.Identify(ctx, s.space, s.o.Now()); err != nil {
		return err
	}
	found, err := s.space.Bookmark(ctx, string(s.record.ID))
	if err != nil {
		return err
	}
	s.stored = found.State
	s.mark = bookmark{}
	if s.stored != "" {
		if err := json.Unmarshal([]byte(s.stored), &s.mark); err != nil || s.mark.Version != bookmarkVersion {
			s.mark = bookmark{} // a bookmark of another version: read everything again
		}
	}
	nodes, err := s.space.Graph.Nodes(ctx, s.record.ID)
	if err != nil {
		return err
	}
	s.first = s.stored == "" && len(nodes) == 0
	s.mark.Path = s.repo.Place()
	s.before = s.mark.Before(s.repo)
	if s.missed, err = s.space.Missed(ctx, found.Source); err != nil {
		return err
	}
	if s.back, err = s.repo.Readable(ctx, s.missed); err != nil {
		return err
	}
	s.report = Report{
		Repository: s.record.ID, Path: quote.Path(cmp.Or(s.repo.WorkTree, s.repo.GitDir)), Branch: s.repo.BranchName(),
		First: s.stored == "",
	}
	if s.mark.Local == nil {
		s.mark.Local = map[string]sessions.Mark{}
	}
	if s.o.Local != nil {
		s.local = s.o.Local(func(path string) bool { return s.mark.Local[path].Size > 0 })
	}
	told, err := s.lookForPosted(ctx)
	if err != nil {
		return err
	}
	if s.requests, err = landing.LateRequests(ctx, s.space, s.record.ID); err != nil {
		return err
	}
	s.report.Unchanged = !told && len(s.requests) == 0 && s.mark.Bound > 0 && s.mark.Refs != "" && s.mark.Refs == s.repo.Digest() && s.record.Aliases == nil && len(s.back) == 0 &&
		!sessions.Stale(s.local, s.mark.Local)
	if !s.report.Unchanged {
		if err := s.repo.CheckTips(ctx); err != nil {
			return err
		}
		if s.repo.Tip == "" {
			s.record.Tip = ""
		}
	}
	if s.mark.Notes == nil {
		s.mark.Notes = map[string]string{}
	}
	if s.mark.Landed == nil {
		s.mark.Landed = map[string]string{}
	}
	return nil
}

// lookForPosted reports whether records came from outside since the last scan about
// commits that are here.
func (s *scanner) lookForPosted(ctx context.Context) (told bool, err error) {
	if s.posted, err = posted.Open(ctx, s.space, s.o.Now); err != nil {
		return false, err
	}
	var sent map[string][]stemma.Digest
	if sent, s.sent, err = s.posted.Since(ctx, s.mark.Posted); err != nil || len(sent) == 0 {
		return false, err
	}
	here, err := s.repo.Commits(ctx, slices.Collect(maps.Keys(sent)))
	return len(here) > 0, err
}

// judgeTip decides whether this clone's tip moves the picture of the default
// branch. What goes on from the known tip does, and what no scan has read. A tip
// that was read before moves it back only where this very clone showed the known
// tip: it was put back here. Else the clone lags behind, or branched off and was
// overtaken by a force push.
func (s *scanner) judgeTip(ctx context.Context) error {
	if s.landed == "" || s.repo.Tip == "" || s.landed == s.repo.Tip {
		return nil
	}
	shown := ""
	if s.before.Branch == s.repo.BranchName() {
		shown = s.before.Tip
	}
	known := s.weave.Has(s.repo.Tip)
	if known && shown != s.repo.Tip {
		onward, err := s.repo.Ancestor(ctx, s.landed, s.repo.Tip)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		known = err != nil || !onward
	}
	if s.lags = known && shown != s.landed; s.lags {
		s.record.Tip = ""
	}
	return nil
}

// picture is the commit whose files the store shows after this scan.
func (s *scanner) picture() string {
	if s.lags {
		return s.landed
	}
	return s.repo.Tip
}
