package reading

import (
	"context"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
)

// A Commit is one of those that landed with a change.
type Commit struct {
	Touched
	Author         stemma.Ref
	Committed      time.Time
	Class          string // who wrote it
	Added, Deleted int64
	Lines          change.Lines
	Merge          bool
}

// Commits are those that landed with a change, named by its node: at most 200.
func (r *Reader) Commits(ctx context.Context, node int64) ([]Commit, error) {
	return ask(ctx, r, func(c *Commit) []any {
		return []any{
			&c.Node, &c.SHA, &c.Title, &c.Files, &c.Author, (*micros)(&c.Committed), &c.Class, &c.Added, &c.Deleted,
			&c.Lines.AI, &c.Lines.Human, &c.Lines.Unknown, &c.Merge,
		}
	}, `SELECT c.id, COALESCE(c.sha, ''), COALESCE(c.title, ''), COALESCE(c.files, 0), COALESCE(n.ref, ''), c.committed, COALESCE(c.author_class, ''),
			COALESCE(c.added, 0), COALESCE(c.deleted, 0), COALESCE(c.ai_lines, 0), COALESCE(c.human_lines, 0), COALESCE(c.unknown_lines, 0), COALESCE(c.merge, 0)
		FROM edge e JOIN door d ON d.id = e.door AND d.name = 'carries' JOIN k_commit c ON c.id = e.dst LEFT JOIN node n ON n.id = c.author
		WHERE e.src = $1 ORDER BY COALESCE(c.merge, 0), c.committed, c.id LIMIT 200`, node)
}

// A Fix is one pair of a change that mends and what it mends, seen from one of
// them.
type Fix struct {
	Other  stemma.Ref // the other change
	Commit stemma.Ref // that brought the lines
	Method string
	Mended int64 // lines
	Lines  change.Lines
	Class  string // who wrote the other change
}

// Fixes are what a change mends, most lines first: at most 100.
func (r *Reader) Fixes(ctx context.Context, node int64) ([]Fix, error) {
	return r.fixes(ctx, "f.id", `f."change"`, node)
}

// FixedBy are the changes that mend lines of one, as Fixes are.
func (r *Reader) FixedBy(ctx context.Context, node int64) ([]Fix, error) {
	return r.fixes(ctx, `f."change"`, "f.id", node)
}

func (r *Reader) fixes(ctx context.Context, mine, other string, node int64) ([]Fix, error) {
	return ask(ctx, r, func(f *Fix) []any {
		return []any{&f.Other, &f.Commit, &f.Method, &f.Mended, &f.Lines.AI, &f.Lines.Human, &f.Lines.Unknown, &f.Class}
	}, `SELECT COALESCE(o.ref, ''), COALESCE(k.ref, ''), COALESCE(f.method, ''), COALESCE(f.lines, 0), COALESCE(f.ai_lines, 0),
			COALESCE(f.human_lines, 0), COALESCE(f.unknown_lines, 0), COALESCE(c.author_class, '')
		FROM k_change_fixes f LEFT JOIN node o ON o.id = `+other+` LEFT JOIN node k ON k.id = f."commit" LEFT JOIN k_change c ON c.id = `+other+`
		WHERE `+mine+` = $1 ORDER BY f.lines DESC, f.id, f.seq LIMIT 100`, node)
}
