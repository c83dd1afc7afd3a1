package ingest

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/stemma-dev/stemma"
)

// maxReasons bounds how many reasons of gaps are listed.
const maxReasons = 200

// maxMissed bounds how many missing objects are remembered, each of which every
// scan asks for: git takes some 50 µs for one.
const maxMissed = 1 << 17

// A GapCount is how often a source could not be read for one reason.
type GapCount struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
	Place  string `json:"place"` // the first of them
	Count  int64  `json:"count"`
}

// Within says that the gaps stated from now on are in the history of a
// repository.
func (w *Writer) Within(repository stemma.Ref) { w.repository = repository }

// Gap queues the statement that something could not be read.
func (w *Writer) Gap(ctx context.Context, g stemma.Gap) error {
	if g.Count == 0 {
		g.Count = 1
	}
	g.Repository = w.repository
	g.Place, g.Reason = clean(g.Place), clean(g.Reason)
	if g.About != "" && !g.About.Valid() {
		g.About = ""
	}
	if g.Object != "" {
		w.Miss(g.Object)
	}
	return w.putGap(ctx, g)
}

func (w *Writer) putGap(ctx context.Context, g stemma.Gap) error {
	f, err := g.Fact()
	if err != nil {
		return fmt.Errorf("ingest: gap of %s: %w", g.Source, err)
	}
	return w.Put(ctx, f)
}

// Miss remembers an object of git that could not be read. Of many the last ones
// are kept: they are nearest to what the files are now.
func (w *Writer) Miss(object string) {
	if len(w.missed) == 2*maxMissed {
		w.missed = slices.Clone(w.missed[maxMissed:])
	}
	w.missed = append(w.missed, object)
}

// Missed are the objects that could not be read, by this Writer and those before
// it, each once: at most maxMissed, the last ones.
func (w *Writer) Missed(before []string) []string {
	var last []string
	seen := map[string]bool{}
	for _, id := range slices.Backward(slices.Concat(before, w.missed)) {
		if !seen[id] && len(last) < maxMissed {
			seen[id] = true
			last = append(last, id)
		}
	}
	slices.Reverse(last)
	return last
}

// Stated reports whether this Writer stated something about ref.
func (w *Writer) Stated(ref stemma.Ref) bool { return w.things[maphash.String(w.seed, string(ref))] }

// OpenGaps are the open gaps of the repository, with those stated until now.
func (w *Writer) OpenGaps(ctx context.Context) ([]stemma.Gap, error) {
	if err := w.Flush(ctx); err != nil {
		return nil, err
	}
	var gaps []stemma.Gap
	err := w.space.DB.Each(ctx, func(scan func(...any) error) error {
		g := stemma.Gap{Repository: w.repository}
		err := scan(&g.Source, &g.Place, &g.Reason, &g.Count, (*string)(&g.About), &g.Object)
		gaps = append(gaps, g)
		return err
	}, `SELECT g.source, g.place, g.reason, g."count", COALESCE(a.ref, ''), COALESCE(g.object, '') FROM k_gap g
		JOIN node r ON r.id = g.repository LEFT JOIN node a ON a.id = g.about
		WHERE r.ref = $1 AND g.closed = 0 ORDER BY g.id`, string(w.repository))
	if err != nil {
		return nil, fmt.Errorf("ingest: gaps of %s: %w", w.repository, err)
	}
	return gaps, nil
}

// CloseGaps states that gaps are no more.
func (w *Writer) CloseGaps(ctx context.Context, gaps []stemma.Gap) error {
	for _, g := range gaps {
		g.Closed, g.Seen = true, w.now()
		if err := w.putGap(ctx, g); err != nil {
			return err
		}
	}
	return w.Flush(ctx)
}

// OpenGaps counts what could not be read of a repository and has not been read
// since: by source, and by reason, the most frequent first.
func (s *Space) OpenGaps(ctx context.Context, repository stemma.Ref) (bySource map[string]int64, byReason []GapCount, err error) {
	bySource, byReason = map[string]int64{}, []GapCount{}
	err = s.DB.Each(ctx, func(scan func(...any) error) error {
		var g GapCount
		err := scan(&g.Source, &g.Reason, &g.Place, &g.Count)
		if bySource[g.Source] += g.Count; len(byReason) < maxReasons {
			byReason = append(byReason, g)
		}
		return err
	}, `SELECT t.source, t.reason, f.place, t.n FROM (
			SELECT g.source, g.reason, MIN(g.id) AS id, CAST(SUM(g."count") AS BIGINT) AS n FROM k_gap g JOIN node r ON r.id = g.repository
			WHERE r.ref = $1 AND g.closed = 0 GROUP BY g.source, g.reason
		) t JOIN k_gap f ON f.id = t.id ORDER BY t.n DESC, t.source, t.reason`, string(repository))
	if err != nil {
		return nil, nil, fmt.Errorf("ingest: gaps of %s: %w", repository, err)
	}
	return bySource, byReason, nil
}
