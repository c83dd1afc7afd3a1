package repo

import (
	"context"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/intent"
)

// learnTrackers finds out to which tracker the keys of a project belong. A branch
// or a message says PAY-17 and not where that is; an address or a session that
// looked the ticket up does. Where several trackers have the project, or none
// is known, keys are taken for Jira's, whose form they have.
func (s *scanner) learnTrackers(ctx context.Context) error {
	if s.w.Stats().Things[stemma.KindTicket] > 0 { // the graph is to know them
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	trackers := map[string]string{}
	err := s.space.DB.Each(ctx, func(scan func(...any) error) error {
		var tracker, key string
		if err := scan(&tracker, &key); err != nil {
			return err
		}
		if strings.ContainsAny(key, "#/!") {
			return nil // of a forge, which has no such keys
		}
		project, _, _ := strings.Cut(key, "-")
		if known, ok := trackers[project]; ok && known != tracker {
			tracker = ""
		}
		trackers[project] = tracker
		return nil
	}, `SELECT DISTINCT tracker, substr(key, 1, 40) FROM k_ticket WHERE tracker <> $1 AND key LIKE '%-%'`, intent.Jira)
	if err != nil {
		return fmt.Errorf("trackers of %s: %w", s.record.ID, err)
	}
	s.trackers = trackers
	return nil
}
