// Package gather fills subjects from the graph.
package gather

import (
	"context"
	"database/sql"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// Options are what the graph does not know.
type Options struct {
	Settings func(repository string) subject.Settings
	Now      time.Time
	Log      subject.Log
}

// Changes fills a subject for each change, in their order, and derives it.
func Changes(ctx context.Context, tx *storage.Tx, refs []stemma.Ref, opt Options) ([]*subject.Subject, error) {
	list := make([]*subject.Subject, 0, len(refs))
	for _, ref := range refs {
		x := &subject.Subject{Now: opt.Now, Log: opt.Log}
		c := &x.Change
		c.Ref = string(ref)
		var id int64
		var text [7]sql.NullString
		var number [7]sql.NullInt64
		err := tx.QueryRow(ctx, `SELECT n.id, n.grade, c."title", c."method", c."state", c."target", m.ref, h.ref, r.ref, c."number", c."merged", c."opened",
			c."added", c."ai_lines", c."human_lines", c."unknown_lines" FROM node n JOIN k_change c ON c.id = n.id LEFT JOIN node m ON m.id = c."merge_commit"
			LEFT JOIN node h ON h.id = c."head" LEFT JOIN node r ON r.id = c."repository" WHERE n.ref = $1`, string(ref)).Scan(&id, &c.Grade,
			&text[0], &text[1], &text[2], &text[3], &text[4], &text[5], &text[6], &number[0], &number[1], &number[2], &number[3], &number[4], &number[5], &number[6])
		if err != nil {
			return nil, err
		}
		c.Title, c.Method, c.State, c.Target, c.Landed, c.Head = text[0].String, text[1].String, text[2].String, text[3].String, text[4].String, text[5].String
		c.Number, c.Added, c.AILines, c.HumanLines, c.UnknownLines = int(number[0].Int64), int(number[3].Int64), int(number[4].Int64), int(number[5].Int64), int(number[6].Int64)
		if number[1].Valid {
			c.Merged = time.UnixMicro(number[1].Int64).UTC()
		}
		if number[2].Valid {
			c.Opened = time.UnixMicro(number[2].Int64).UTC()
		}
		x.Repository.Ref = text[6].String
		x.Repository.Host, x.Repository.Name = stemma.Ref(text[6].String).Split()
		x.Settings = opt.Settings(x.Repository.Ref)
		rows, err := tx.Query(ctx, `SELECT DISTINCT f."path" FROM edge e JOIN door d ON d.id = e.door AND d.name = 'carries' JOIN k_commit_file f ON f.id = e.dst WHERE e.src = $1 ORDER BY 1`, id)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var f subject.File
			if err := rows.Scan(&f.Path); err != nil {
				return nil, err
			}
			x.Files = append(x.Files, f)
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
		x.Derive()
		list = append(list, x)
	}
	return list, nil
}
