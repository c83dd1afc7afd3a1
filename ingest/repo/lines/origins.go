// Package lines tells who wrote which line: of a commit, by the records that
// speak of it ([Origins]), and of every file at the tip of a branch, by the line
// weave and the origins together ([Branch]).
package lines

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/storage"
)

// An origin is who wrote a run of lines, as far as a record tells.
type origin struct {
	Origin    stemma.Origin
	Basis     stemma.Basis
	Reason    string
	Agent     string
	Model     stemma.Ref
	ModelName string
	Session   stemma.Ref
}

// Origins answer who wrote which lines of which commit. They hold what this scan
// read and ask the graph for the rest.
type Origins struct {
	ref    func(commit string) stemma.Ref
	db     *storage.DB
	byID   map[string]*commitOrigins
	shared map[origin]*origin
}

// commitOrigins are the spans of one commit.
type commitOrigins struct {
	files map[string][]originSpan // by path as it is written in facts
	rest  *origin                 // of lines that no span holds
}

type originSpan struct {
	start, end int32
	*origin
}

// NewOrigins makes them for a store; ref names a commit.
func NewOrigins(db *storage.DB, ref func(string) stemma.Ref) *Origins {
	return &Origins{ref: ref, db: db, byID: map[string]*commitOrigins{}, shared: map[origin]*origin{}}
}

// intern keeps one copy of each origin: there are few.
func (l *Origins) intern(o origin) *origin {
	p, ok := l.shared[o]
	if !ok {
		p = &o
		l.shared[o] = p
	}
	return p
}

func (l *Origins) unknown(reason string) *origin {
	return l.intern(origin{Origin: stemma.OriginUnknown, Basis: stemma.BasisUnknown, Reason: reason})
}

// Put remembers the spans of a commit; rest is what holds for other lines.
func (l *Origins) Put(commit string, spans []attribution.Span, reason string) {
	c := &commitOrigins{rest: l.unknown(reason)}
	for _, s := range spans {
		if c.files == nil {
			c.files = map[string][]originSpan{}
		}
		c.files[s.Path] = append(c.files[s.Path], originSpan{int32(s.Start), int32(s.End), l.intern(origin{
			Origin: stemma.Origin(s.Origin), Basis: stemma.Basis(s.Basis), Reason: s.Reason,
			Agent: s.Agent, Model: s.Model, ModelName: s.ModelName, Session: s.Session,
		})})
	}
	for _, list := range c.files {
		slices.SortFunc(list, func(a, b originSpan) int { return int(a.start) - int(b.start) })
	}
	l.byID[commit] = c
}

// An originRun is a piece of a range with one origin.
type originRun struct {
	start, count int
	*origin
}

// split divides lines [start, start+count) of a path at a commit by origin.
// The commit must have been put or loaded.
func (l *Origins) split(commit, path string, start, count int) []originRun {
	c := l.byID[commit]
	if c == nil {
		return []originRun{{start, count, l.unknown(note.NoRecord)}}
	}
	var runs []originRun
	at, end := start, start+count
	spans := c.files[path]
	from, _ := slices.BinarySearchFunc(spans, start, func(s originSpan, line int) int { return int(s.end) - line })
	for _, s := range spans[from:] {
		if int(s.start) >= end {
			break
		}
		if first := int(s.start); first > at {
			runs = append(runs, originRun{at, first - at, c.rest})
			at = first
		}
		if last := min(int(s.end)+1, end); last > at {
			runs = append(runs, originRun{at, last - at, s.origin})
			at = last
		}
	}
	if at < end {
		runs = append(runs, originRun{at, end - at, c.rest})
	}
	return runs
}

// Count counts lines of a commit, in a file by its raw path, by their origin.
// The commit must have been put or loaded.
func (l *Origins) Count(commit, path string, start, count int) (n change.Lines) {
	for _, run := range l.split(commit, quote.Path(path), start, count) {
		switch run.Origin {
		case stemma.OriginAI:
			n.AI += run.count
		case stemma.OriginHuman:
			n.Human += run.count
		default:
			n.Unknown += run.count
		}
	}
	return n
}

// Load brings in the spans of commits that an earlier scan read.
func (l *Origins) Load(ctx context.Context, commits map[string]bool) error {
	byRef := map[stemma.Ref]string{}
	for id := range commits {
		if l.byID[id] == nil {
			byRef[l.ref(id)] = id
		}
	}
	spans := map[string]map[string][]attribution.Span{} // by commit and format
	reasons := map[string]string{}
	err := storage.InChunks(byRef, func(refs []any, marks string) error {
		return l.db.Read(ctx, func(tx *storage.Tx) error {
			rows, err := tx.Query(ctx, `SELECT n.ref, a.format, COALESCE(s.path, ''), COALESCE(s.start, 0), COALESCE(s."end", 0),
					COALESCE(s.origin, ''), COALESCE(s.basis, ''), COALESCE(s.reason, ''), COALESCE(s.agent, ''),
					COALESCE(m.ref, ''), COALESCE(s.model_name, ''), COALESCE(t.ref, ''), COALESCE(a.withdrawn, 0)
				FROM node n
				JOIN k_attribution a ON a."commit" = n.id
				LEFT JOIN k_attribution_span s ON s.id = a.id
				LEFT JOIN node m ON m.id = s.model
				LEFT JOIN node t ON t.id = s.session
				WHERE n.ref IN (`+marks+`) ORDER BY n.ref, a.format, s.seq`, refs...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var ref, format string
				var withdrawn int
				var s attribution.Span
				if err := rows.Scan(&ref, &format, &s.Path, &s.Start, &s.End, &s.Origin, &s.Basis, &s.Reason,
					&s.Agent, (*string)(&s.Model), &s.ModelName, (*string)(&s.Session), &withdrawn); err != nil {
					return err
				}
				id := byRef[stemma.Ref(ref)]
				reasons[id] = note.Untold(reasons[id], format, withdrawn != 0)
				if s.Path == "" {
					continue
				}
				if spans[id] == nil {
					spans[id] = map[string][]attribution.Span{}
				}
				spans[id][format] = append(spans[id][format], s)
			}
			return rows.Err()
		})
	})
	if err != nil {
		return fmt.Errorf("origins of lines: %w", err)
	}
	for _, id := range byRef {
		l.Put(id, note.JoinSpans(spans[id]), cmp.Or(reasons[id], note.NoRecord))
	}
	return nil
}
