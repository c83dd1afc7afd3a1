package landing

import (
	"context"
	"errors"
	"fmt"
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

// maxSpaced is through how many changes of white space a line is followed.
const maxSpaced = 100

// throughSpace follows lines behind the commits that only changed their white
// space, to those that brought them.
func (d *deriver) throughSpace(ctx context.Context, runs []weave.LineRun) ([]weave.LineRun, error) {
	var settled []weave.LineRun
	for range maxSpaced {
		if len(runs) == 0 {
			break
		}
		if err := d.loadSpace(ctx, runs); err != nil {
			return nil, err
		}
		var older []weave.LineRun
		for _, r := range runs {
			more, rest, err := d.behindSpace(r)
			if err != nil {
				return nil, err
			}
			older, settled = append(older, more...), append(settled, rest...)
		}
		runs = older
	}
	return append(settled, runs...), nil
}

// behindSpace divides a run: lines of which its commit only changed the white
// space come from further back.
func (d *deriver) behindSpace(r weave.LineRun) (older, rest []weave.LineRun, err error) {
	file, ok := d.space[r.Commit][r.Path]
	if !ok || r.Unknown {
		return nil, []weave.LineRun{r}, nil
	}
	piece := func(from, to int) weave.LineRun {
		p := r
		p.Start, p.Line, p.Count = r.Start+from-r.Line, from, to-from
		return p
	}
	at, end := r.Line, r.Line+r.Count
	for _, m := range file.matches {
		from, to := max(m.New, at), min(m.New+m.Count, end)
		if from >= to {
			continue
		}
		if from > at {
			rest = append(rest, piece(at, from))
		}
		found, err := d.Weave.Removed(r.Commit, file.oldPath, diff.Range{Start: m.Old + from - m.New, Count: to - from})
		switch {
		case errors.Is(err, stemma.ErrNotFound) || errors.Is(err, weave.ErrLength):
			rest = append(rest, piece(from, to)) // not known further back
		case err != nil:
			return nil, nil, fmt.Errorf("lines that %s spaced anew: %w", r.Commit, err)
		default:
			older = append(older, found...)
		}
		at = to
	}
	if at < end {
		rest = append(rest, piece(at, end))
	}
	return older, rest, nil
}

// loadSpace reads which lines the commits of runs only spaced anew.
func (d *deriver) loadSpace(ctx context.Context, runs []weave.LineRun) error {
	wanted, ids := map[stemma.Ref]bool{}, map[stemma.Ref]string{}
	for _, r := range runs {
		if _, known := d.space[r.Commit]; !known && !r.Unknown {
			ref := d.Repo.CommitRef(r.Commit)
			wanted[ref], ids[ref] = true, r.Commit
			d.space[r.Commit] = nil
		}
	}
	return storage.InChunks(wanted, func(refs []any, marks string) error {
		return d.Space.DB.Each(ctx, func(scan func(...any) error) error {
			var ref stemma.Ref
			var path, old, lines string
			if err := scan((*string)(&ref), &path, &old, &lines); err != nil {
				return err
			}
			d.addSpace(ids[ref], path, old, lines)
			return nil
		}, `SELECT n.ref, f.path, COALESCE(f.old_path, f.path), f.respaced
			FROM node n JOIN k_commit_file f ON f.id = n.id WHERE f.respaced <> '' AND n.ref IN (`+marks+`)`, refs...)
	})
}

func (d *deriver) addSpace(commit, path, old, lines string) {
	rawPath, err1 := quote.Raw(path)
	rawOld, err2 := quote.Raw(old)
	if err1 != nil || err2 != nil {
		return
	}
	if d.space[commit] == nil {
		d.space[commit] = respacings{}
	}
	d.space[commit][rawPath] = respacing{rawOld, parseRespaced(lines)}
}
