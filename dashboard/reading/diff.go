package reading

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Reasons why what is in a repository is not read. What the store knows of it
// is known all the same.
var (
	ErrElsewhere  = errors.New("the repository is not on this machine")
	ErrUnreadable = errors.New("the repository cannot be read now")
)

// Touched is a commit whose patch may be asked for.
type Touched struct {
	Node       int64
	SHA, Title string
	Files      int64 // that it changed
}

// MaxFiles is how many files a commit may have changed for its patch to be read.
const MaxFiles = 300

// A Patch is what a commit changed, and who wrote the lines it added.
type Patch struct {
	Files   []patch.File
	Origins Origins
}

// Patches reads what commits of a repository changed, by their ids. Commits that
// are too large or not here are left out. It may fail with ErrElsewhere or
// ErrUnreadable.
func (r *Reader) Patches(ctx context.Context, repository stemma.Ref, commits []Touched) (map[string]Patch, error) {
	path, err := r.Place(ctx, repository)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range commits {
		if c.Files <= MaxFiles {
			ids = append(ids, c.SHA)
		}
	}
	files, err := r.repos.diffs(ctx, path, ids)
	if err != nil && len(files) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	origins, err := r.origins(ctx, commits)
	if err != nil {
		return nil, err
	}
	out := map[string]Patch{}
	for _, c := range commits {
		out[c.SHA] = Patch{files[c.SHA], origins[c.Node]}
	}
	return out, nil
}

// Origins are what records say about the lines of one commit.
type Origins struct {
	byPath map[string][]attribution.Span // ascending and disjoint
	untold string                        // why nobody knows of another line
}

const spansRead = 20000 // of one page

// origins reads what the records of some commits say about their lines.
func (r *Reader) origins(ctx context.Context, commits []Touched) (map[int64]Origins, error) {
	if len(commits) == 0 {
		return nil, nil
	}
	marks := make([]string, len(commits))
	args := make([]any, len(commits))
	for i, c := range commits {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), c.Node
	}
	type row struct {
		commit    int64
		format    string
		withdrawn bool
		attribution.Span
	}
	rows, err := ask(ctx, r, func(s *row) []any {
		return []any{&s.commit, &s.format, &s.withdrawn, &s.Path, &s.Start, &s.End, &s.Origin, &s.Reason, &s.Agent, &s.ModelName, &s.Session}
	}, `SELECT a."commit", a.format, COALESCE(a.withdrawn, 0), COALESCE(s.path, ''), COALESCE(s.start, 0), COALESCE(s."end", 0), COALESCE(s.origin, ''),
			COALESCE(s.reason, ''), COALESCE(s.agent, ''), COALESCE(s.model_name, ''), COALESCE(n.ref, '')
		FROM k_attribution a LEFT JOIN k_attribution_span s ON s.id = a.id LEFT JOIN node n ON n.id = s.session
		WHERE a."commit" IN (`+strings.Join(marks, ",")+`) ORDER BY a."commit", a.format, s.seq LIMIT `+strconv.Itoa(spansRead), args...)
	byFormat := map[int64]map[string][]attribution.Span{}
	untold := map[int64]string{}
	for _, s := range rows {
		untold[s.commit] = note.Untold(untold[s.commit], s.format, s.withdrawn)
		if s.Path == "" {
			continue
		}
		if byFormat[s.commit] == nil {
			byFormat[s.commit] = map[string][]attribution.Span{}
		}
		byFormat[s.commit][s.format] = append(byFormat[s.commit][s.format], s.Span)
	}
	out := map[int64]Origins{}
	for _, c := range commits {
		o := Origins{byPath: map[string][]attribution.Span{}, untold: cmp.Or(untold[c.Node], note.NoRecord)}
		for _, s := range note.JoinSpans(byFormat[c.Node]) {
			o.byPath[s.Path] = append(o.byPath[s.Path], s)
		}
		for _, spans := range o.byPath {
			slices.SortFunc(spans, func(a, b attribution.Span) int { return a.Start - b.Start })
		}
		out[c.Node] = o
	}
	return out, err
}

// At tells who wrote a line of a file, in the version of the commit. It says the
// same as the page of the file: several records are joined by the same rule.
func (o Origins) At(path string, line int) attribution.Span {
	spans := o.byPath[path]
	i, _ := slices.BinarySearchFunc(spans, line, func(s attribution.Span, line int) int { return s.End - line })
	if i < len(spans) && spans[i].Start <= line {
		return spans[i]
	}
	return attribution.Span{Origin: string(stemma.OriginUnknown), Reason: o.untold}
}
