package reading

import (
	"context"
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

// A Relative is a session beside another.
type Relative struct {
	Ref          stemma.Ref
	Relation     string
	Started      time.Time
	Turns, Calls int64
}

// Family is the session that started one, the one, and those it started.
func (r *Reader) Family(ctx context.Context, node int64) ([]Relative, error) {
	return ask(ctx, r, func(s *Relative) []any { return []any{&s.Ref, &s.Relation, (*micros)(&s.Started), &s.Turns, &s.Calls} },
		`SELECT n.ref, t.relation, s.started, COALESCE(s.turns, 0), COALESCE(s.tool_calls, 0) FROM
			(SELECT parent AS id, 'started this one' AS relation, 0 AS rank FROM k_session WHERE id = $1 AND parent IS NOT NULL
			UNION ALL SELECT id, 'this one', 1 FROM k_session WHERE id = $1
			UNION ALL SELECT id, 'started by this one', 2 FROM k_session WHERE parent = $1) t
		JOIN node n ON n.id = t.id LEFT JOIN k_session s ON s.id = t.id ORDER BY t.rank, s.started, t.id LIMIT 200`, node)
}
