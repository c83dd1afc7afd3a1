package repo

import (
	"bytes"
	"context"
	"io"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/repo/lines"
)

const sourceHistory = "line-history"

// judgeMark makes the scan read everything again if what was cut off or missing
// may be here now: all that rests on it is another.
func (s *scanner) judgeMark(context.Context) error {
	cut := s.mark.Boundary != "" && s.mark.Boundary != s.repo.Boundary()
	if cut || len(s.back) > 0 {
		s.forget()
	}
	return nil
}

// loadWeave brings back the line history of earlier scans. If a segment is
// damaged or missing, everything is read again.
func (s *scanner) loadWeave(ctx context.Context) error {
	s.weave = weave.New()
	s.landed = s.mark.Landed[s.repo.BranchName()]
	segments, err := s.space.Segments(ctx, string(s.record.ID), s.mark.Weave)
	if err != nil {
		return err
	}
	if s.mark.Weave == 0 {
		s.whole = true
		return nil
	}
	if int64(len(segments)) == s.mark.Weave {
		readers := make([]io.Reader, len(segments))
		for i, segment := range segments {
			readers[i] = bytes.NewReader(segment)
		}
		w, mark, loadErr := weave.Load(io.MultiReader(readers...))
		if loadErr == nil {
			s.weave, s.saved = w, mark
			return nil
		}
		err = loadErr
	}
	s.o.Log.Warn("the line history cannot be used; all commits are read again", "repository", s.record.ID, "error", err)
	s.weave = weave.New()
	s.landed, s.whole = "", true
	s.forget()
	return nil
}

// forget makes the scan read everything again.
func (s *scanner) forget() {
	s.mark.Boundary, s.mark.Total.Commits, s.mark.Bound = "", 0, 0
	s.mark.Weave, s.mark.Heads, s.mark.Notes, s.mark.Landed = 0, nil, map[string]string{}, map[string]string{}
}

// segment is what the weave learned since it was saved last, or nil.
func (s *scanner) segment() ([]byte, weave.Mark, error) {
	if s.weave == nil {
		return nil, s.saved, nil
	}
	var b bytes.Buffer
	mark, err := s.weave.Save(&b, s.saved)
	if b.Len() == 0 {
		return nil, mark, err
	}
	return b.Bytes(), mark, err
}

// addToWeave adds a commit to the line history. What contradicts itself there
// is unknown from then on, and said.
func (s *scanner) addToWeave(ctx context.Context, c *history.Commit) error {
	if c.Shallow {
		s.mark.Boundary = s.repo.Boundary()
	}
	if s.repo.Edge[c.ID] && len(c.Parents) > 0 {
		s.edge, s.beyond = s.edge+1, c.Parents[0]
	}
	faults, err := s.weave.Add(lines.Step(c))
	if err != nil {
		return s.w.Gap(ctx, stemma.Gap{Source: sourceHistory, Place: "commit " + c.ID, Reason: err.Error(), About: s.repo.CommitRef(c.ID)})
	}
	for _, f := range faults {
		gap := stemma.Gap{Source: sourceHistory, Place: "commit " + c.ID + " " + quote.Path(f.Path), Reason: f.Why, About: s.repo.CommitRef(c.ID)}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	return nil
}
