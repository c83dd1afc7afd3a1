package reading

import (
	"context"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/storage"
)

// Figures are what the overview says of a whole store.
type Figures struct {
	Changes, WithAI      int64 // landed changes; those in which AI has a part
	Recent, RecentWithAI int64 // of them, since a time
	RecentLines          change.Lines
	Tips                 change.Lines // at the tips of default branches
	Gaps                 int64
	Months               []Month // the last two years at most, empty ones included
	Latest               []Landed
	Repositories         []Repository
}

// A Month adds up the lines that changes added in it.
type Month struct {
	Name    string // 2026-03
	Changes int64
	Lines   change.Lines
}

// A Landed change is one of the latest.
type Landed struct {
	Ref, Author stemma.Ref
	Title       string
	Merged      time.Time
	Lines       change.Lines
}

// A Repository adds up the files at the tip of its default branch.
type Repository struct {
	Ref   stemma.Ref
	Files int64
	Lines change.Lines
}

// Figures reads them all on one state of the store. It reads every change once.
func (r *Reader) Figures(ctx context.Context, since time.Time) (f Figures, err error) {
	err = r.space.DB.Read(ctx, func(tx *storage.Tx) error {
		return f.read(ctx, tx, since)
	})
	for _, s := range f.Repositories {
		f.Tips = f.Tips.Plus(s.Lines)
	}
	return f, err
}

func (f *Figures) read(ctx context.Context, tx *storage.Tx, since time.Time) error {
	err := tx.QueryRow(ctx, `SELECT COUNT(*), COUNT(CASE WHEN ai_lines > 0 THEN 1 END),
			COUNT(CASE WHEN merged >= $1 THEN 1 END), COUNT(CASE WHEN merged >= $1 AND ai_lines > 0 THEN 1 END),
			CAST(COALESCE(SUM(CASE WHEN merged >= $1 THEN ai_lines END), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN merged >= $1 THEN human_lines END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN merged >= $1 THEN unknown_lines END), 0) AS BIGINT) FROM k_change WHERE COALESCE(dropped, 0) = 0`, since.UnixMicro()).
		Scan(&f.Changes, &f.WithAI, &f.Recent, &f.RecentWithAI, &f.RecentLines.AI, &f.RecentLines.Human, &f.RecentLines.Unknown)
	if err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM("count"), 0) AS BIGINT) FROM k_gap WHERE COALESCE(closed, 0) = 0`).Scan(&f.Gaps); err != nil {
		return err
	}
	if f.Months, err = months(ctx, tx); err != nil {
		return err
	}
	f.Latest, err = list(ctx, tx, func(c *Landed) []any {
		return []any{&c.Ref, &c.Author, &c.Title, (*micros)(&c.Merged), &c.Lines.AI, &c.Lines.Human, &c.Lines.Unknown}
	}, `SELECT n.ref, COALESCE(a.ref, ''), COALESCE(c.title, ''), c.merged, COALESCE(c.ai_lines, 0), COALESCE(c.human_lines, 0), COALESCE(c.unknown_lines, 0)
		FROM k_change c JOIN node n ON n.id = c.id LEFT JOIN node a ON a.id = c.author WHERE c.merged IS NOT NULL AND COALESCE(c.dropped, 0) = 0 ORDER BY c.merged DESC, n.ref LIMIT 8`)
	if err != nil {
		return err
	}
	f.Repositories, err = list(ctx, tx, func(s *Repository) []any {
		return []any{&s.Ref, &s.Files, &s.Lines.AI, &s.Lines.Human, &s.Lines.Unknown}
	}, `SELECT n.ref, COALESCE(f.files, 0), COALESCE(f.ai, 0), COALESCE(f.human, 0), COALESCE(f.unknown, 0)
		FROM k_repository k JOIN node n ON n.id = k.id LEFT JOIN
			(SELECT b.repository, COUNT(*) AS files, CAST(SUM(b.ai_lines) AS BIGINT) AS ai, CAST(SUM(b.human_lines) AS BIGINT) AS human, CAST(SUM(b.unknown_lines) AS BIGINT) AS unknown
			FROM k_file b JOIN k_repository h ON h.id = b.repository AND h.default_branch = b.branch WHERE COALESCE(b.deleted, 0) = 0 GROUP BY b.repository) f ON f.repository = k.id ORDER BY COALESCE(f.files, 0) DESC, n.ref LIMIT 200`)
	return err
}

// months reads day by day, which needs no date arithmetic of the engine.
func months(ctx context.Context, tx *storage.Tx) ([]Month, error) {
	type day struct {
		number int64 // since 1970
		Month
	}
	days, err := list(ctx, tx, func(d *day) []any {
		return []any{&d.number, &d.Changes, &d.Lines.AI, &d.Lines.Human, &d.Lines.Unknown}
	}, `SELECT merged / 86400000000, COUNT(*), CAST(COALESCE(SUM(ai_lines), 0) AS BIGINT), CAST(COALESCE(SUM(human_lines), 0) AS BIGINT),
			CAST(COALESCE(SUM(unknown_lines), 0) AS BIGINT)
		FROM k_change WHERE merged > 0 AND COALESCE(dropped, 0) = 0 GROUP BY 1 ORDER BY 1`)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	month := func(d day) int {
		at := time.Unix(d.number*86400, 0).UTC()
		return at.Year()*12 + int(at.Month()) - 1
	}
	last := month(days[len(days)-1])
	first := max(month(days[0]), last-23)
	out := make([]Month, last-first+1)
	for i := range out {
		out[i].Name = time.Date(0, time.Month(first+i+1), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
	}
	for _, d := range days {
		if at := month(d); at >= first {
			m := &out[at-first]
			m.Changes, m.Lines = m.Changes+d.Changes, m.Lines.Plus(d.Lines)
		}
	}
	return out, nil
}
