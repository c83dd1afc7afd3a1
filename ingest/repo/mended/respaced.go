package mended

import (
	"context"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/storage"
)

// Respaced are the lines of a file of which a commit changed the white space
// only, as a record of the commit keeps them.
func Respaced(f *patch.File) string {
	var b strings.Builder
	for _, h := range f.Hunks {
		if len(h.Old) < h.OldLines || len(h.New) < h.NewLines {
			continue // the text was not kept
		}
		at := diff.Hunk{OldStart: h.OldStart, OldLines: h.OldLines, NewStart: h.NewStart, NewLines: h.NewLines}
		for _, m := range diff.Respaced(at, h.Old, h.New) {
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			b.WriteString(formatRanges([]diff.Range{{Start: m.New, Count: m.Count}}) + "=" + strconv.Itoa(m.Old))
		}
	}
	return words.Short(b.String(), maxMended)
}

// parseRespaced reads what Respaced wrote; it leaves out what it did not.
func parseRespaced(s string) []diff.Match {
	var matches []diff.Match
	for part := range strings.SplitSeq(s, ",") {
		lines, old, _ := strings.Cut(part, "=")
		from, err := strconv.Atoi(old)
		if r := parseRanges(lines); err == nil && from > 0 && len(r) == 1 {
			matches = append(matches, diff.Match{Old: from, New: r[0].Start, Count: r[0].Count})
		}
	}
	return matches
}

// respacings are the lines of one commit of which only the white space changed,
// by path.
type respacings map[string]respacing

type respacing struct {
	oldPath string
	matches []diff.Match
}

// loadSpace reads which lines the commits of runs only spaced anew.
func (t *Tracer) loadSpace(ctx context.Context, runs []weave.LineRun) error {
	wanted, ids := map[stemma.Ref]bool{}, map[stemma.Ref]string{}
	for _, r := range runs {
		if _, known := t.space[r.Commit]; !known && !r.Unknown {
			ref := t.Repo.CommitRef(r.Commit)
			wanted[ref], ids[ref] = true, r.Commit
			t.space[r.Commit] = nil
		}
	}
	return storage.InChunks(wanted, func(refs []any, marks string) error {
		return t.DB.Each(ctx, func(scan func(...any) error) error {
			var ref stemma.Ref
			var path, old, lines string
			if err := scan((*string)(&ref), &path, &old, &lines); err != nil {
				return err
			}
			t.addSpace(ids[ref], path, old, lines)
			return nil
		}, `SELECT n.ref, f.path, COALESCE(f.old_path, f.path), f.respaced
			FROM node n JOIN k_commit_file f ON f.id = n.id WHERE f.respaced <> '' AND n.ref IN (`+marks+`)`, refs...)
	})
}

func (t *Tracer) addSpace(commit, path, old, lines string) {
	rawPath, err1 := quote.Raw(path)
	rawOld, err2 := quote.Raw(old)
	if err1 != nil || err2 != nil {
		return
	}
	if t.space[commit] == nil {
		t.space[commit] = respacings{}
	}
	t.space[commit][rawPath] = respacing{rawOld, parseRespaced(lines)}
}
