package assess

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
)

// spoils are changes that could not be judged, each with why.
type spoils struct {
	mu  sync.Mutex
	why map[stemma.Ref]string
}

// spoiled records that a change cannot be judged: it stands as it stood, and a gap says why.
func (s *spoils) spoiled(ctx context.Context, j *Judge, change stemma.Ref, why error) error {
	j.Log.Error("a change cannot be judged", "change", string(change), "error", why)
	s.mu.Lock()
	known := s.why[change] == why.Error()
	s.why[change] = why.Error()
	s.mu.Unlock()
	if known {
		return nil
	}
	return s.gap(ctx, j, change, why.Error(), false)
}

// mended closes the gaps of changes that could be judged after all, whichever process opened
// them.
func (s *spoils) mended(ctx context.Context, j *Judge, changes []stemma.Ref) error {
	s.mu.Lock()
	for _, c := range changes {
		delete(s.why, c)
	}
	s.mu.Unlock()
	for part := range slices.Chunk(changes, perQuery) {
		closed := map[stemma.Ref]string{}
		args, marks := make([]any, len(part)), make([]string, len(part))
		for i, c := range part {
			args[i], marks[i] = string(c), "$"+itoa(i+1)
		}
		err := j.Space.DB.Each(ctx, func(scan func(...any) error) error {
			var change, why string
			err := scan(&change, &why)
			closed[stemma.Ref(change)] = why
			return err
		}, `SELECT n.ref, COALESCE(g."reason", '') FROM node n CROSS JOIN k_gap g WHERE n.ref IN (`+strings.Join(marks, ", ")+`)
			AND g."about" = n.id AND g."source" = '`+Source+`' AND COALESCE(g."closed", 0) = 0`, args...)
		if err != nil {
			return err
		}
		for c, why := range closed {
			if err := s.gap(ctx, j, c, why, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *spoils) gap(ctx context.Context, j *Judge, change stemma.Ref, why string, closed bool) error {
	w := ingest.NewWriter(ctx, j.Space, j.Now)
	err := w.Gap(ctx, stemma.Gap{Source: Source, Place: string(change), About: change, Reason: stemma.CleanText(why, maxText), Seen: j.Now(), Closed: closed})
	return errors.Join(err, w.Close(ctx))
}
