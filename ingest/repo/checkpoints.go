package repo

import (
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/repo/sessions"
)

const (
	reasonCheckpoint = "the checkpoint that the commit names is not here, or tells no session"
	atCheckpoint     = " checkpoint " // in the place of the gap, before the id
)

// readEntire reads the sessions that Entire keeps.
func (s *scanner) readEntire(ctx context.Context) (err error) {
	s.checkpoints, err = s.sessions.ReadEntire(ctx, s.mark.Notes)
	return err
}

// noticeCheckpoint says that a commit names a checkpoint in vain.
func (s *scanner) noticeCheckpoint(ctx context.Context, c *change.Commit, id string) error {
	return s.w.Gap(ctx, stemma.Gap{
		Source: sessions.SourceEntire, Place: "commit " + c.SHA + atCheckpoint + id, Reason: reasonCheckpoint, About: c.Ref(),
	})
}

// checkpointOf is the checkpoint that a gap is for want of; "" if it is for want
// of none.
func checkpointOf(g stemma.Gap) string {
	if g.Source != sessions.SourceEntire || g.Reason != reasonCheckpoint {
		return ""
	}
	_, id, _ := strings.Cut(g.Place, atCheckpoint)
	return id
}

// judgeCheckpoints makes the scan read everything again if a checkpoint has come
// that a commit of an earlier scan named in vain: branches arrive in any order.
func (s *scanner) judgeCheckpoints(ctx context.Context) error {
	if len(s.checkpoints) == 0 || s.mark.Weave == 0 {
		return nil
	}
	open, err := s.w.OpenGaps(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(open, func(g stemma.Gap) bool { return len(s.checkpoints[checkpointOf(g)]) > 0 }) {
		read := s.mark.Notes
		s.forget()
		s.mark.Notes = read // the checkpoints have been read just now
	}
	return nil
}
