package reading

import (
	"context"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
)

// LinesIn are lines of one file at the tip of the default branch.
type LinesIn struct {
	Repository stemma.Ref
	Path       string
	Lines      int64
}

// LinesOfSession are the lines that a session has at the tips of default branches, most
// first, in at most 50 files. The session is named by its node.
func (r *Reader) LinesOfSession(ctx context.Context, node int64) ([]LinesIn, error) {
	return r.linesOf(ctx, "session", node)
}

// LinesOfModel is LinesOfSession for a model.
func (r *Reader) LinesOfModel(ctx context.Context, node int64) ([]LinesIn, error) {
	return r.linesOf(ctx, "model", node)
}

func (r *Reader) linesOf(ctx context.Context, by string, node int64) ([]LinesIn, error) {
	return ask(ctx, r, func(l *LinesIn) []any { return []any{&l.Repository, &l.Path, &l.Lines} },
		`SELECT COALESCE(n.ref, ''), COALESCE(f.path, ''), t.lines FROM
			(SELECT id, CAST(SUM("count") AS BIGINT) AS lines FROM k_file_run WHERE "`+by+`" = $1 GROUP BY id) t
		JOIN k_file f ON f.id = t.id JOIN k_repository h ON h.id = f.repository AND h.default_branch = f.branch LEFT JOIN node n ON n.id = f.repository ORDER BY t.lines DESC, f.path LIMIT 50`, node)
}

// A Spawned is a session in a tree of sessions.
type Spawned struct {
	Ref, Parent  stemma.Ref
	Depth        int // steps below the root of its tree
	Title, Model string
	Started      time.Time
	Turns, Calls int64
}

// treeDepth bounds how far trees of sessions are followed, up and down.
const treeDepth = 64

// Trees are the whole trees in which sessions stand: their roots first, then what these
// started, and so on. At most 200 sessions are told of.
func (r *Reader) Trees(ctx context.Context, of ...stemma.Ref) ([]Spawned, error) {
	if len(of) == 0 {
		return nil, nil
	}
	marks, args := parameters(of)
	return ask(ctx, r, func(s *Spawned) []any {
		return []any{&s.Ref, &s.Parent, &s.Depth, &s.Title, &s.Model, (*micros)(&s.Started), &s.Turns, &s.Calls}
	}, fmt.Sprintf(`WITH RECURSIVE up(id, steps) AS (
			SELECT n.id, 0 FROM node n WHERE n.ref IN (%[1]s)
			UNION SELECT e.dst, up.steps + 1 FROM up CROSS JOIN edge e WHERE e.src = up.id AND e.door = %[3]s AND up.steps < %[2]d),
		down(id, parent, depth) AS (
			SELECT DISTINCT up.id, CAST(NULL AS BIGINT), 0 FROM up WHERE NOT EXISTS (SELECT 1 FROM edge e WHERE e.src = up.id AND e.door = %[3]s)
			UNION SELECT e.src, e.dst, down.depth + 1 FROM down CROSS JOIN edge e WHERE e.dst = down.id AND e.door = %[3]s AND down.depth < %[2]d)
		SELECT n.ref, COALESCE(p.ref, ''), down.depth, COALESCE(s.title, ''), COALESCE((SELECT MIN(m.name) FROM k_session_model m WHERE m.id = s.id), ''),
			s.started, COALESCE(s.turns, 0), COALESCE(s.tool_calls, 0)
		FROM down JOIN node n ON n.id = down.id LEFT JOIN node p ON p.id = down.parent LEFT JOIN k_session s ON s.id = down.id
		ORDER BY down.depth, s.started, n.ref LIMIT 200`, marks, treeDepth, `(SELECT o.id FROM door o WHERE o.name = 'spawned-by')`), args...)
}
