package mended

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/storage"
)

// A Tracer traces lines to the commits that brought them. It answers by what the
// line history, the records of commits and the objects of the repository say of the
// commits on the way, so the same for whoever asks, whenever. It is for one goroutine.
type Tracer struct {
	DB    *storage.DB
	Repo  *clone.Repo
	Weave *weave.Weave        // nil if there is none: then nothing is traced
	Known *Repeats            // what need not be looked for; nil if all may have to be
	Miss  func(object string) // told what could not be read

	space  map[string]respacings        // of commits that were looked at
	looked map[string]map[string]looked // by commit and path, files that were looked at
	cat    *git.CatFile                 // once it was needed
}

// Close ends what the Tracer has started.
func (t *Tracer) Close() {
	if t.cat != nil {
		t.cat.Kill()
	}
}

// Removed returns where the lines came from that a commit took from a file as it
// was before, by the line history alone. ranges is what [Lines] said of them. Where
// nothing is known it is none.
func (t *Tracer) Removed(commit, path, ranges string) ([]weave.LineRun, error) {
	if t.Weave == nil || !t.Weave.Has(commit) {
		return nil, nil
	}
	runs, err := t.Weave.Removed(commit, path, parseRanges(ranges)...)
	if unknown(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lines that %s mended: %w", commit, err)
	}
	return runs, nil
}

// unknown: it is not known there, or contradictory, and nothing is said.
func unknown(err error) bool {
	return errors.Is(err, stemma.ErrNotFound) || errors.Is(err, weave.ErrLength)
}

// maxBehind is behind how many commits a line is followed.
const maxBehind = 100

// Behind follows the lines of several questions behind the commits that did not
// write them, to those that did.
func (t *Tracer) Behind(ctx context.Context, questions [][]weave.LineRun) ([][]weave.LineRun, error) {
	answers := make([][]weave.LineRun, len(questions))
	open := slices.Clone(questions)
	for range maxBehind {
		all := slices.Concat(open...)
		if len(all) == 0 {
			break
		}
		if err := t.load(ctx, all); err != nil {
			return nil, err
		}
		for i, runs := range open {
			open[i] = nil
			for _, r := range runs {
				older, rest, err := t.divide(r)
				if err != nil {
					return nil, err
				}
				open[i], answers[i] = append(open[i], older...), append(answers[i], rest...)
			}
		}
	}
	for i, runs := range open {
		answers[i] = append(answers[i], runs...)
	}
	return answers, nil
}

// A passage is some lines of a file that its commit did not write, and where they
// stood before: in a version of a file, 0 if that is not known.
type passage struct {
	diff.Match
	version uint32
}

// A looked is what was found of a file, and how far it was looked for.
type looked struct {
	reach
	passages []passage
}

// load finds the passages of the files that runs are of.
func (t *Tracer) load(ctx context.Context, runs []weave.LineRun) error {
	if t.looked == nil {
		t.space, t.looked = map[string]respacings{}, map[string]map[string]looked{}
	}
	if err := t.loadSpace(ctx, runs); err != nil {
		return err
	}
	wanted := map[string]map[string]reach{}
	var order []string // in which they are met: what is near in history is cheap to read
	for _, r := range runs {
		if r.Unknown {
			continue
		}
		far, err := t.Known.reach(r, func() ([]weave.FileLines, error) { return t.Weave.Before(r.Commit) })
		if err != nil {
			return fmt.Errorf("what %s moved: %w", r.Commit, err)
		}
		if was, known := t.looked[r.Commit][r.Path]; known && was.reach >= far {
			continue
		}
		if wanted[r.Commit] == nil {
			wanted[r.Commit], order = map[string]reach{}, append(order, r.Commit)
		}
		wanted[r.Commit][r.Path] = max(far, wanted[r.Commit][r.Path])
	}
	for _, commit := range order {
		if err := t.look(ctx, commit, wanted[commit]); err != nil {
			return fmt.Errorf("what %s moved: %w", commit, err)
		}
	}
	return nil
}

// divide divides a run: lines that its commit did not write come from further back.
func (t *Tracer) divide(r weave.LineRun) (older, rest []weave.LineRun, err error) {
	if r.Unknown {
		return nil, []weave.LineRun{r}, nil
	}
	piece := func(from, to int) weave.LineRun {
		p := r
		p.Start, p.Line, p.Count = r.Start+from-r.Line, from, to-from
		return p
	}
	at, end := r.Line, r.Line+r.Count
	for _, p := range t.looked[r.Commit][r.Path].passages {
		from, to := max(p.New, at), min(p.New+p.Count, end)
		if from >= to {
			continue
		}
		if from > at {
			rest = append(rest, piece(at, from))
		}
		at = to
		if p.version == 0 {
			gone := piece(from, to)
			gone.Unknown = true
			rest = append(rest, gone)
			continue
		}
		found, err := t.Weave.Version(p.version, diff.Range{Start: p.Old + from - p.New, Count: to - from})
		switch {
		case unknown(err):
			rest = append(rest, piece(from, to)) // contradictory
		case err != nil:
			return nil, nil, fmt.Errorf("lines that %s did not write: %w", r.Commit, err)
		default:
			older = append(older, found...)
		}
	}
	if at < end {
		rest = append(rest, piece(at, end))
	}
	return older, rest, nil
}
