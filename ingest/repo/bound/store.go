package bound

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/storage"
)

// A commit is what the store knows of one.
type commit struct {
	id                  string
	authored, committed int64             // seconds
	files               map[string]string // in which it added lines: their contents, by path as it is written in facts

	own       bool     // it has a record of its own that holds, and more than its own words
	source    bool     // a record tells of it, or it is an agent's own
	tells     bool     // whose some lines are
	far       bool     // it is not in the repository: a record alone tells of its text
	recovered bool     // lines of it were found by their text
	from      []string // in these commits
	spans     []attribution.Span
	runs      []bind.RecordedRun // of one that is far
	reverts   bool

	changed bool // a record of it has come, or went, since it was looked last
	fresh   bool // it was stated since
	bound   bool // and so were the lines that were found
}

func (r *Reader) commit(id string) *commit {
	c := r.commits[id]
	if c == nil {
		c = &commit{id: id, files: map[string]string{}}
		r.commits[id] = c
	}
	return c
}

// loadRecords finds out of which commits records tell.
func (r *Reader) loadRecords(ctx context.Context) error {
	r.commits = map[string]*commit{}
	err := r.DB.Each(ctx, func(scan func(...any) error) error {
		var ref stemma.Ref
		var format, place string
		var withdrawn, known, pos int64
		if err := scan((*string)(&ref), &format, &place, &withdrawn, &known, &pos); err != nil {
			return err
		}
		_, id := ref.Split()
		if !r.Has(id) { // it speaks of a commit of another repository, or of none that is here
			if pos >= r.Since && withdrawn != 0 {
				c := r.commit(id)
				c.far, c.changed = true, true
			}
			return nil
		}
		c := r.commit(id)
		stands, news := withdrawn == 0, pos >= r.Since
		if format == note.FormatRecovered {
			c.recovered, c.bound, c.from = stands, news, strings.Fields(place)
			return nil
		}
		if format == note.FormatDeclared && known == 0 {
			return nil // its words alone tell of no line
		}
		c.changed = c.changed || news
		if !stands {
			return nil
		}
		c.own = c.own || format != note.FormatDeclared
		c.source = true
		c.tells = c.tells || known > 0
		return nil
	}, `SELECT c.ref, a.format, COALESCE(a.note, ''), COALESCE(a.withdrawn, 0), COALESCE(a.ai_lines, 0) + COALESCE(a.human_lines, 0), n.last_pos
		FROM k_attribution a JOIN node n ON n.id = a.id JOIN node c ON c.id = a."commit"`)
	if err != nil {
		return err
	}
	return r.loadFar(ctx)
}

// loadFar reads what records tell of commits that were in no repository when they were
// read.
func (r *Reader) loadFar(ctx context.Context) error {
	err := r.DB.Each(ctx, func(scan func(...any) error) error {
		var ref stemma.Ref
		var text string
		var pos int64
		var s attribution.Span
		run := bind.RecordedRun{}
		if err := scan((*string)(&ref), &pos, &s.Path, &s.Start, &s.End, &run.Blob, &text, &s.Origin, &s.Agent, (*string)(&s.Model), &s.ModelName,
			(*string)(&s.Session), &s.Prompt, &s.ToolCall, (*string)(&s.Author)); err != nil {
			return err
		}
		_, id := ref.Split()
		run.Text, _ = base64.StdEncoding.DecodeString(text)
		if r.Has(id) || len(run.Text) != 4*(s.End-s.Start+1) {
			return nil
		}
		run.Path, run.Start = s.Path, s.Start
		c := r.commit(id)
		c.changed = c.changed || pos >= r.Since
		c.far, c.source, c.tells = true, true, true
		c.files[s.Path] = run.Blob
		c.spans, c.runs = append(c.spans, s), append(c.runs, run)
		return nil
	}, `SELECT c.ref, n.last_pos, s.path, s.start, s."end", COALESCE(s.blob, ''), s.text, s.origin, COALESCE(s.agent, ''),
			COALESCE(m.ref, ''), COALESCE(s.model_name, ''), COALESCE(t.ref, ''), COALESCE(s.prompt, 0), COALESCE(s.tool_call, ''), COALESCE(p.ref, '')
		FROM k_attribution_anchor s JOIN k_attribution a ON a.id = s.id JOIN node n ON n.id = a.id JOIN node c ON c.id = a."commit"
		LEFT JOIN node m ON m.id = s.model LEFT JOIN node t ON t.id = s.session LEFT JOIN node p ON p.id = s.author
		WHERE COALESCE(a.withdrawn, 0) = 0 ORDER BY a.format, s.seq`)
	for _, c := range r.commits {
		if c.far {
			c.order()
		}
	}
	return err
}

// order puts what records tell of a commit that is far into the order of its lines. Of
// two that speak of one line the first counts.
func (c *commit) order() {
	at := make([]int, len(c.runs))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int {
		return cmp.Or(cmp.Compare(c.spans[i].Path, c.spans[j].Path), cmp.Compare(c.spans[i].Start, c.spans[j].Start))
	})
	var spans []attribution.Span
	var runs []bind.RecordedRun
	for _, i := range at {
		if n := len(spans); n > 0 && spans[n-1].Path == c.spans[i].Path && spans[n-1].End >= c.spans[i].Start {
			continue
		}
		spans, runs = append(spans, c.spans[i]), append(runs, c.runs[i])
	}
	c.spans, c.runs = spans, runs
}

// anyTells reports whether there is anything to be found, or was.
func (r *Reader) anyTells() bool {
	for _, c := range r.commits {
		if c.tells || c.recovered {
			return true
		}
	}
	return false
}

// candidates are the commits that are to be looked at, with what they and all
// commits that may be their sources changed.
func (r *Reader) candidates(ctx context.Context) (todo []*commit, err error) {
	if err := r.loadFresh(ctx); err != nil {
		return nil, err
	}
	news := map[string]bool{}
	for id, c := range r.commits {
		if c.changed || c.fresh {
			news[id] = true
		}
	}
	if err := r.loadFiles(ctx, "c.sha", news); err != nil {
		return nil, err
	}
	if err := r.loadFiles(ctx, "f.path", r.paths(news)); err != nil {
		return nil, err
	}
	told := r.told(news)
	if err := r.loadFiles(ctx, "f.blob", told); err != nil {
		return nil, err
	}
	written := map[string]int64{} // when the first was, of those by path whose records are news
	for id := range news {
		if c := r.commits[id]; c.changed {
			for path := range c.files {
				if at, known := written[path]; !known || c.authored < at {
					written[path] = c.authored
				}
			}
		}
	}
	ids := map[string]bool{}
	for id, c := range r.commits {
		if !c.own && !c.source && !c.far && len(c.files) > 0 && (c.changed || c.fresh && !c.bound || c.after(written) || c.same(told) || r.lost(c)) {
			todo = append(todo, c)
			ids[id] = true
		}
	}
	if err := r.loadFiles(ctx, "c.sha", ids); err != nil {
		return nil, err
	}
	if err := r.loadFiles(ctx, "f.path", r.paths(ids)); err != nil {
		return nil, err
	}
	return todo, r.loadReverts(ctx, ids)
}

// after reports whether one of the files was written by somebody else before this
// commit was made.
func (c *commit) after(written map[string]int64) bool {
	for path := range c.files {
		if at, ok := written[path]; ok && at <= c.committed+skew {
			return true
		}
	}
	return false
}

// same reports whether one of the files is the same as a record tells of.
func (c *commit) same(told map[string]bool) bool {
	for _, blob := range c.files {
		if blob != "" && told[blob] {
			return true
		}
	}
	return false
}

// told are the contents of files of which news tell that are far.
func (r *Reader) told(news map[string]bool) map[string]bool {
	blobs := map[string]bool{}
	for id := range news {
		for _, run := range r.commits[id].runs {
			if run.Blob != "" {
				blobs[run.Blob] = true
			}
		}
	}
	return blobs
}

// lost reports whether lines of a commit were found by a record that was taken away.
func (r *Reader) lost(c *commit) bool {
	return c.recovered && slices.ContainsFunc(c.from, func(id string) bool { return r.commits[id] != nil && r.commits[id].far && r.commits[id].changed })
}

// paths are the files of commits.
func (r *Reader) paths(ids map[string]bool) map[string]bool {
	paths := map[string]bool{}
	for id := range ids {
		for path := range r.commits[id].files {
			paths[path] = true
		}
	}
	return paths
}

// loadFresh finds the commits that were stated since.
func (r *Reader) loadFresh(ctx context.Context) error {
	return r.DB.Each(ctx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		if r.Has(id) {
			r.commit(id).fresh = true
		}
		return err
	}, `SELECT c.sha FROM k_commit c JOIN node n ON n.id = c.id WHERE n.last_pos >= $1 AND c.sha IS NOT NULL AND COALESCE(c.merge, 0) = 0`, r.Since)
}

// maxAsked is how many names the store is asked for one by one; of more, all is read.
const maxAsked = 5000

// loadFiles reads in which files commits added lines: where a column is one of the
// values.
func (r *Reader) loadFiles(ctx context.Context, column string, values map[string]bool) error {
	take := func(scan func(...any) error) error {
		var id, path, blob string
		var authored, committed int64
		if err := scan(&id, &authored, &committed, &path, &blob); err != nil {
			return err
		}
		if !r.Has(id) {
			return nil
		}
		c := r.commit(id)
		c.authored, c.committed, c.files[path] = authored/1e6, committed/1e6, blob
		return nil
	}
	const all = `SELECT c.sha, COALESCE(c.authored, 0), COALESCE(c.committed, 0), f.path, COALESCE(f.blob, '')
		FROM k_commit c JOIN k_commit_file f ON f.id = c.id WHERE f.added > 0 AND c.sha IS NOT NULL AND COALESCE(c.merge, 0) = 0`
	if len(values) > maxAsked {
		return r.DB.Each(ctx, take, all)
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(values)), 400) {
		args, marks := listed(chunk)
		if err := r.DB.Each(ctx, take, all+` AND `+column+` IN (`+marks+`)`, args...); err != nil {
			return err
		}
	}
	return nil
}

// loadReverts finds which of the commits take others back.
func (r *Reader) loadReverts(ctx context.Context, ids map[string]bool) error {
	return r.DB.Each(ctx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		if ids[id] {
			r.commits[id].reverts = true
		}
		return err
	}, `SELECT c.sha FROM door d JOIN edge e ON e.door = d.id JOIN k_commit c ON c.id = e.src WHERE d.name = 'reverts' AND c.sha IS NOT NULL`)
}

// loadSpans reads whose the lines of the sources are, and of the commits themselves
// what was found before.
func (r *Reader) loadSpans(ctx context.Context, tasks []task) error {
	wanted := map[stemma.Ref]*commit{}
	for _, t := range tasks {
		if t.recovered {
			wanted[r.Repo.CommitRef(t.id)] = t.commit
		}
		for c := range t.sources() {
			if c.tells && !c.far {
				wanted[r.Repo.CommitRef(c.id)] = c
			}
		}
	}
	byFormat := map[*commit]map[string][]attribution.Span{}
	err := storage.InChunks(wanted, func(refs []any, marks string) error {
		return r.DB.Each(ctx, func(scan func(...any) error) error {
			var ref stemma.Ref
			var format string
			var s attribution.Span
			if err := scan((*string)(&ref), &format, &s.Path, &s.Start, &s.End, &s.Origin, &s.Basis, &s.Reason, &s.Agent, (*string)(&s.Model), &s.ModelName,
				(*string)(&s.Session), &s.Prompt, &s.ToolCall, (*string)(&s.Author)); err != nil {
				return err
			}
			c := wanted[ref]
			if byFormat[c] == nil {
				byFormat[c] = map[string][]attribution.Span{}
			}
			byFormat[c][format] = append(byFormat[c][format], s)
			return nil
		}, `SELECT n.ref, a.format, s.path, s.start, s."end", s.origin, COALESCE(s.basis, ''), COALESCE(s.reason, ''), COALESCE(s.agent, ''),
				COALESCE(m.ref, ''), COALESCE(s.model_name, ''), COALESCE(t.ref, ''), COALESCE(s.prompt, 0), COALESCE(s.tool_call, ''), COALESCE(p.ref, '')
			FROM node n JOIN k_attribution a ON a."commit" = n.id JOIN k_attribution_span s ON s.id = a.id
			LEFT JOIN node m ON m.id = s.model LEFT JOIN node t ON t.id = s.session LEFT JOIN node p ON p.id = s.author
			WHERE COALESCE(a.withdrawn, 0) = 0 AND n.ref IN (`+marks+`) ORDER BY n.ref, a.format, s.seq`, refs...)
	})
	if err != nil {
		return fmt.Errorf("origins of lines: %w", err)
	}
	for c, formats := range byFormat {
		c.spans = note.JoinSpans(formats)
		slices.SortStableFunc(c.spans, func(a, b attribution.Span) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start))
		})
	}
	return nil
}

func listed(values []string) (args []any, marks string) {
	for i, v := range values {
		args = append(args, v)
		marks += fmt.Sprintf(",$%d", i+1)
	}
	return args, marks[1:]
}
