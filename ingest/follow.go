package ingest

import (
	"context"
	"encoding/json"
	"time"
)

// followed is how far the log was when something that follows from it was found last.
type followed struct {
	Log int64 `json:"log"`
}

// Follow has find state what follows from the graph, if facts came since it did so last:
// those from the given position on are news. It remembers under a source how far it was,
// and returns how many things were found. Several processes may follow at once: they
// state the same.
func (s *Space) Follow(ctx context.Context, source string, now func() time.Time, find func(since int64) (int, error)) (n int, err error) {
	before, err := s.Bookmark(ctx, source)
	if err != nil {
		return 0, err
	}
	var since followed
	if before.State != "" && json.Unmarshal([]byte(before.State), &since) != nil {
		since = followed{} // all is looked at again
	}
	size, err := s.Graph.Applied(ctx) // what others append meanwhile is for the next time
	if err != nil || size == since.Log {
		return 0, err
	}
	if n, err = find(since.Log); err != nil {
		return 0, err
	}
	state, err := json.Marshal(followed{size})
	if err != nil {
		return 0, err
	}
	_, err = s.MoveBookmark(ctx, Move{Source: source, From: before.State, To: string(state), Now: now()})
	return n, err
}
