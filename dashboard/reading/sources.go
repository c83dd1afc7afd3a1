package reading

import (
	"context"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
)

// Place is where a repository lies on this machine; ErrElsewhere if it does not.
func (r *Reader) Place(ctx context.Context, repository stemma.Ref) (string, error) {
	if repository == "" {
		return "", ErrElsewhere
	}
	mark, err := r.space.Bookmark(ctx, string(repository))
	if err != nil {
		return "", fmt.Errorf("reading: where %s lies: %w", repository, err)
	}
	path := mark.Progress().Path
	if path == "" {
		return "", ErrElsewhere
	}
	return path, nil
}

// A Source is a repository that was read, and when.
type Source struct {
	Ref          stemma.Ref
	Branch, Path string
	Commits      int64
	Read         time.Time
}

// Sources are the repositories, in order of their names.
func (r *Reader) Sources(ctx context.Context) ([]Source, error) {
	all, err := ask(ctx, r, func(s *Source) []any { return []any{&s.Ref, &s.Branch, &s.Commits} },
		`SELECT n.ref, COALESCE(k.default_branch, ''), (SELECT COUNT(*) FROM k_commit c WHERE c.repository = k.id)
		FROM k_repository k JOIN node n ON n.id = k.id ORDER BY n.ref`)
	if err != nil {
		return nil, err
	}
	marks, err := r.space.Bookmarks(ctx)
	byRef := map[stemma.Ref]ingest.Bookmark{}
	for _, m := range marks {
		byRef[stemma.Ref(m.Source)] = m
	}
	for i := range all {
		m := byRef[all[i].Ref]
		all[i].Read, all[i].Path = m.Read, m.Progress().Path
	}
	return all, err
}

// A GapGroup counts what could not be read of a source for one reason.
type GapGroup struct {
	Source, Reason string
	Places, Count  int64
}

// GapGroups are the open ones with the most first: at most 200.
func (r *Reader) GapGroups(ctx context.Context) ([]GapGroup, error) {
	return ask(ctx, r, func(g *GapGroup) []any { return []any{&g.Source, &g.Reason, &g.Places, &g.Count} },
		`SELECT COALESCE(source, ''), COALESCE(reason, ''), COUNT(*), CAST(COALESCE(SUM("count"), 0) AS BIGINT)
		FROM k_gap WHERE COALESCE(closed, 0) = 0 GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT 200`)
}

// A Gap is one place that could not be read.
type Gap struct {
	Ref, About            stemma.Ref
	Source, Place, Reason string
	Count                 int64
}

const gapsAsked = ` FROM k_gap g JOIN node n ON n.id = g.id LEFT JOIN node a ON a.id = g.about
	WHERE COALESCE(g.closed, 0) = 0 AND ($1 = '' OR g.source = $1) AND ($2 = '' OR g.reason = $2)`

// Gaps are the open ones of a source and a reason, where they are named, from an offset
// on: at most limit.
func (r *Reader) Gaps(ctx context.Context, source, reason string, offset, limit int64) ([]Gap, error) {
	return ask(ctx, r, func(g *Gap) []any { return []any{&g.Source, &g.Place, &g.Reason, &g.Count, &g.About, &g.Ref} },
		`SELECT COALESCE(g.source, ''), COALESCE(g.place, ''), COALESCE(g.reason, ''), COALESCE(g."count", 0), COALESCE(a.ref, ''), n.ref`+
			gapsAsked+` ORDER BY g.id LIMIT $3 OFFSET $4`, source, reason, limit, offset)
}

// CountGaps counts the places of all gaps that Gaps finds, and the records there.
func (r *Reader) CountGaps(ctx context.Context, source, reason string) (g GapGroup, err error) {
	all, err := ask(ctx, r, func(g *GapGroup) []any { return []any{&g.Places, &g.Count} },
		`SELECT COUNT(*), CAST(COALESCE(SUM(g."count"), 0) AS BIGINT)`+gapsAsked, source, reason)
	if err != nil {
		return GapGroup{}, err
	}
	return all[0], nil
}

// NotHere stands for the repository of commits that are not here.
const NotHere = "none"

// An OriginGroup counts the records of line origin of one format about the
// commits of a repository, or about commits that are not here.
type OriginGroup struct {
	Repository stemma.Ref // "" if the commits are not here
	Format     string
	Records    int64
}

// OriginGroups are all of them.
func (r *Reader) OriginGroups(ctx context.Context) ([]OriginGroup, error) {
	return ask(ctx, r, func(o *OriginGroup) []any { return []any{&o.Repository, &o.Format, &o.Records} },
		`SELECT COALESCE(r.ref, ''), COALESCE(a.format, ''), COUNT(*) FROM k_attribution a LEFT JOIN k_commit k ON k.id = a."commit"
			LEFT JOIN node r ON r.id = k.repository GROUP BY 1, 2 ORDER BY 1, 2`)
}

// An Origin is one record of line origin.
type Origin struct {
	Ref, Commit   stemma.Ref
	Format, Basis string
	Lines         change.Lines
	Withdrawn     bool
}

const originsAsked = ` FROM k_attribution a JOIN node n ON n.id = a.id LEFT JOIN node c ON c.id = a."commit"
	LEFT JOIN k_commit k ON k.id = a."commit" LEFT JOIN node r ON r.id = k.repository
	WHERE ($1 = '' OR r.ref = $1 OR $1 = '` + NotHere + `' AND r.ref IS NULL) AND ($2 = '' OR a.format = $2)`

// LineOrigins are the records about commits of a repository and of a format,
// where these are named, from an offset on: at most limit.
func (r *Reader) LineOrigins(ctx context.Context, repository, format string, offset, limit int64) ([]Origin, error) {
	return ask(ctx, r, func(o *Origin) []any {
		return []any{&o.Ref, &o.Commit, &o.Format, &o.Basis, &o.Lines.AI, &o.Lines.Human, &o.Lines.Unknown, &o.Withdrawn}
	}, `SELECT n.ref, COALESCE(c.ref, ''), COALESCE(a.format, ''), COALESCE(a.basis, ''), COALESCE(a.ai_lines, 0), COALESCE(a.human_lines, 0),
			COALESCE(a.unknown_lines, 0), COALESCE(a.withdrawn, 0)`+originsAsked+` ORDER BY n.ref LIMIT $3 OFFSET $4`, repository, format, limit, offset)
}

// CountLineOrigins counts all that LineOrigins finds.
func (r *Reader) CountLineOrigins(ctx context.Context, repository, format string) (int64, error) {
	return r.count(ctx, `SELECT COUNT(*)`+originsAsked, repository, format)
}

func (r *Reader) count(ctx context.Context, statement string, args ...any) (n int64, err error) {
	all, err := ask(ctx, r, func(n *int64) []any { return []any{n} }, statement, args...)
	if err != nil {
		return 0, err
	}
	return all[0], nil
}

// A KindCount counts the things of a kind.
type KindCount struct {
	Kind          stemma.Kind
	Things, Named int64 // Named of the things are named by others only
}

// Kinds counts everything that the log names, most first.
func (r *Reader) Kinds(ctx context.Context) ([]KindCount, error) {
	return ask(ctx, r, func(k *KindCount) []any { return []any{&k.Kind, &k.Things, &k.Named} },
		`SELECT kind, COUNT(*), COUNT(CASE WHEN stated = 0 THEN 1 END) FROM node GROUP BY kind ORDER BY 2 DESC, 1`)
}

// A Named thing is one that the log names.
type Named struct {
	Ref    stemma.Ref
	Stated bool // a fact is about it
}

const thingsAsked = ` FROM node WHERE kind = $1 AND ($2 = 0 OR stated = 0)`

// Things are those of a kind, or of these only what others name, from an offset
// on: at most limit.
func (r *Reader) Things(ctx context.Context, kind string, named bool, offset, limit int64) ([]Named, error) {
	return ask(ctx, r, func(n *Named) []any { return []any{&n.Ref, &n.Stated} },
		`SELECT ref, stated`+thingsAsked+` ORDER BY ref LIMIT $3 OFFSET $4`, kind, flag(named), limit, offset)
}

// CountThings counts all that Things finds.
func (r *Reader) CountThings(ctx context.Context, kind string, named bool) (int64, error) {
	return r.count(ctx, `SELECT COUNT(*)`+thingsAsked, kind, flag(named))
}

func flag(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
