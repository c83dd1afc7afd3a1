package landing

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/storage"
)

// commitStats is what the graph knows of a commit that a change carries.
type commitStats struct {
	author         stemma.Ref
	merge          bool
	added, deleted int
	lines          change.Lines
	class          string
	files          []touchedFile
	format         string // of the record that credits came from
	credits        []change.Credit
}

type touchedFile struct {
	path, oldPath string
	mended        string // ranges of old lines, in a fix
}

// loadStats reads the stats of commits, with three queries per some hundred.
func (b *Branch) loadStats(ctx context.Context, commits map[stemma.Ref]bool) (map[stemma.Ref]*commitStats, error) {
	stats := map[stemma.Ref]*commitStats{}
	err := storage.InChunks(commits, func(refs []any, marks string) error {
		return b.Space.DB.Read(ctx, func(tx *storage.Tx) error {
			for _, load := range []func(context.Context, *storage.Tx, []any, string, map[stemma.Ref]*commitStats) error{
				loadCounts, loadFiles, loadCredits,
			} {
				if err := load(ctx, tx, refs, marks, stats); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("commits of %s: %w", b.Record.ID, err)
	}
	return stats, nil
}

func loadCounts(ctx context.Context, tx *storage.Tx, refs []any, marks string, stats map[stemma.Ref]*commitStats) error {
	rows, err := tx.Query(ctx, `SELECT n.ref, COALESCE(a.ref, ''), COALESCE(c.merge, 0), COALESCE(c.added, 0), COALESCE(c.deleted, 0),
			COALESCE(c.ai_lines, 0), COALESCE(c.human_lines, 0), COALESCE(c.unknown_lines, 0), COALESCE(c.author_class, '')
		FROM node n JOIN k_commit c ON c.id = n.id LEFT JOIN node a ON a.id = c.author
		WHERE n.ref IN (`+marks+`)`, refs...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var ref stemma.Ref
		var merge int
		st := &commitStats{}
		if err := rows.Scan((*string)(&ref), (*string)(&st.author), &merge, &st.added, &st.deleted,
			&st.lines.AI, &st.lines.Human, &st.lines.Unknown, &st.class); err != nil {
			return err
		}
		st.merge = merge != 0
		stats[ref] = st
	}
	return rows.Err()
}

func loadFiles(ctx context.Context, tx *storage.Tx, refs []any, marks string, stats map[stemma.Ref]*commitStats) error {
	rows, err := tx.Query(ctx, `SELECT n.ref, f.path, COALESCE(f.old_path, ''), COALESCE(f.mended, '')
		FROM node n JOIN k_commit_file f ON f.id = n.id
		WHERE n.ref IN (`+marks+`) ORDER BY n.id, f.seq`, refs...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var ref stemma.Ref
		var f touchedFile
		if err := rows.Scan((*string)(&ref), &f.path, &f.oldPath, &f.mended); err != nil {
			return err
		}
		if st := stats[ref]; st != nil {
			st.files = append(st.files, f)
		}
	}
	return rows.Err()
}

// loadCredits reads who wrote how many lines. Where a record of lines speaks
// of a commit, what the commit says of itself adds nothing; where several do,
// the first format counts, so that no line counts twice.
func loadCredits(ctx context.Context, tx *storage.Tx, refs []any, marks string, stats map[stemma.Ref]*commitStats) error {
	rows, err := tx.Query(ctx, `SELECT n.ref, a.format, c.origin, COALESCE(c.agent, ''), COALESCE(m.ref, ''), COALESCE(c.model_name, ''),
			COALESCE(t.ref, ''), c.lines
		FROM node n JOIN k_attribution a ON a."commit" = n.id JOIN k_attribution_credit c ON c.id = a.id
		LEFT JOIN node m ON m.id = c.model LEFT JOIN node t ON t.id = c.session
		WHERE n.ref IN (`+marks+`) ORDER BY n.id, a.format, c.seq`, refs...)
	if err != nil {
		return err
	}
	defer rows.Close()
	declared := map[stemma.Ref][]change.Credit{}
	for rows.Next() {
		var ref stemma.Ref
		var format string
		var c change.Credit
		if err := rows.Scan((*string)(&ref), &format, &c.Origin, &c.Agent, (*string)(&c.Model), &c.ModelName,
			(*string)(&c.Session), &c.Lines); err != nil {
			return err
		}
		switch st := stats[ref]; {
		case st == nil:
		case format == note.FormatDeclared:
			declared[ref] = append(declared[ref], c)
		case st.format == "" || st.format == format:
			st.format = format
			st.credits = append(st.credits, c)
		}
	}
	for ref, credits := range declared {
		if st := stats[ref]; len(st.credits) == 0 {
			st.credits = credits
		}
	}
	return rows.Err()
}
