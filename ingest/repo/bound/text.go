package bound

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/spool"
)

// basis is that of lines that were found by their text.
const basis = string(stemma.BasisRecovered) + "content"

// sources are the commits in which lines of the tasks are looked for, the newest
// first, and the paths of all that is wanted of them.
func sources(tasks []task) (list []*commit, paths map[string]bool) {
	paths = map[string]bool{}
	seen := map[*commit]bool{}
	for _, t := range tasks {
		for path := range t.files {
			paths[path] = true
		}
		for c := range t.sources() {
			if !seen[c] {
				list, seen[c] = append(list, c), true
			}
		}
	}
	slices.SortFunc(list, newestFirst)
	return list, paths
}

// bind finds the lines of the commits. The history is read once: first the sources, of
// which little is kept, then the commits themselves, one after the other.
func (r *Reader) bind(ctx context.Context, tasks []task) (found map[string]Found, err error) {
	found = map[string]Found{}
	list, paths := sources(tasks)
	var ids []string
	for _, c := range list {
		ids = append(ids, c.id)
	}
	byID := map[string]task{}
	for _, t := range tasks {
		if len(t.beside)+len(t.below) > 0 {
			ids, byID[t.id] = append(ids, t.id), t
		} else {
			found[t.id] = Found{} // what was known has no source any more
		}
	}
	if len(byID) == 0 {
		return found, nil
	}
	f := &finder{repo: r.Repo.Repo, texts: map[string]*bind.Source{}}
	defer f.stop()
	lines, done := 0, 0
	for c, err := range history.Log(ctx, r.Repo.Repo, history.Options{Tips: ids, Only: true}) {
		if err != nil {
			return nil, err
		}
		done++
		r.Progress("commits looked at for their text", int64(done), int64(len(ids)))
		t, is := byID[c.ID]
		if !is {
			s := bind.SourceOf(c, func(path string) bool { return paths[quote.Path(path)] })
			if lines += s.Lines; lines <= maxLines {
				f.texts[c.ID] = s
			}
			continue
		}
		now, ok, err := f.find(ctx, t, c)
		if err != nil {
			return nil, err
		}
		if ok && !slices.Equal(now.Spans, t.known()) {
			found[t.id] = now
		}
	}
	return found, nil
}

// A finder finds lines, with one process of git.
type finder struct {
	repo  *git.Repo
	cat   *git.CatFile
	texts map[string]*bind.Source // by commit
}

func (f *finder) stop() {
	if f.cat != nil {
		f.cat.Kill()
		f.cat = nil
	}
}

// find looks for the lines of one commit. It is not ok if git died of a damaged
// object: then the commit is left as it is.
func (f *finder) find(ctx context.Context, t task, c *history.Commit) (found Found, ok bool, err error) {
	if f.cat == nil {
		if f.cat, err = f.repo.CatFile(ctx, spool.MaxContent); err != nil {
			return found, false, err
		}
	}
	known := &hands{number: map[hand]edits.Hand{}}
	var places []bind.Place
	for i, list := range [][]*commit{t.below, t.beside} {
		for _, s := range slices.Backward(list) { // of several with one text, the newest counts
			if text := f.texts[s.id]; text != nil {
				places = append(places, bind.Place{Source: text, Below: i == 0, Whose: known.whose(s)})
			}
		}
	}
	lines, err := bind.Find(f.cat, c, places)
	if err != nil {
		f.stop()
		return found, false, context.Cause(ctx)
	}
	return known.found(lines), true, nil
}

// known are the spans that were found before.
func (c *commit) known() []attribution.Span {
	if !c.recovered {
		return nil
	}
	return c.spans
}

// hands are whom lines belong to, by number, and in which commit they were found.
type hands struct {
	list   []hand
	number map[hand]edits.Hand
}

type hand struct {
	attribution.Span // without place
	from             *commit
}

// whose tells the hand of a line that a commit added.
func (h *hands) whose(c *commit) func(path string, line int) edits.Hand {
	var last, path string // many lines of a file are asked for in a row
	var numbers []edits.Hand
	return func(raw string, line int) edits.Hand {
		if raw != last || path == "" {
			last, path = raw, quote.Path(raw)
		}
		spans := c.spans
		i, _ := slices.BinarySearchFunc(spans, line, func(s attribution.Span, line int) int {
			return cmp.Or(cmp.Compare(s.Path, path), cmp.Compare(s.End, line))
		})
		if i == len(spans) || spans[i].Path != path || spans[i].Start > line || spans[i].Origin == string(stemma.OriginUnknown) {
			return bind.Unrecorded
		}
		if numbers == nil {
			numbers = make([]edits.Hand, len(spans))
		}
		if numbers[i] == 0 {
			numbers[i] = h.add(spans[i], c)
		}
		return numbers[i]
	}
}

// add numbers whoever wrote a span of a commit.
func (h *hands) add(s attribution.Span, from *commit) edits.Hand {
	s.Path, s.Start, s.End, s.Basis = "", 0, 0, basis
	of := hand{s, from}
	if h.number[of] == 0 {
		h.list = append(h.list, of)
		h.number[of] = capture.Typist + edits.Hand(len(h.list))
	}
	return h.number[of]
}

// found gathers the lines that are somebody's.
func (h *hands) found(c *bind.Commit) (f Found) {
	for _, a := range c.Added {
		path := quote.Path(a.Path)
		if len(path) > stemma.MaxIndexed {
			continue
		}
		for _, l := range a.Lines {
			n := int(l.By-capture.Typist) - 1
			if n < 0 || n >= len(h.list) {
				continue
			}
			s := h.list[n].Span
			s.Path, s.Start, s.End = path, l.Number, l.Number
			if !slices.Contains(f.Sources, h.list[n].from.id) {
				f.Sources = append(f.Sources, h.list[n].from.id)
			}
			f.Spans = appendSpan(f.Spans, s)
		}
	}
	slices.SortStableFunc(f.Spans, func(a, b attribution.Span) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start))
	})
	slices.Sort(f.Sources)
	return f
}

// appendSpan joins a span to the last one where it continues it.
func appendSpan(spans []attribution.Span, s attribution.Span) []attribution.Span {
	if n := len(spans) - 1; n >= 0 {
		last := spans[n]
		last.Start, last.End = s.Start, s.End
		if last == s && spans[n].End == s.Start-1 {
			spans[n].End = s.End
			return spans
		}
	}
	return append(spans, s)
}

// maxPlace bounds how much of the names of the sources is kept.
const maxPlace = 16 << 10

// Attribution is what was found as a record about the commit, withdrawn if nothing
// is known any more. How many lines are of unknown origin is for others to say.
func (f Found) Attribution(of stemma.Ref) attribution.Attribution {
	a := attribution.Attribution{
		Commit: of, Format: note.FormatRecovered, Basis: basis, Spans: f.Spans, Withdrawn: len(f.Spans) == 0,
	}
	if a.Withdrawn {
		a.Basis = string(stemma.BasisUnknown)
	}
	for _, id := range f.Sources {
		if len(a.Note)+len(id) >= maxPlace {
			break
		}
		a.Note = strings.TrimPrefix(a.Note+" "+id, " ")
	}
	files := map[string]bool{}
	credits := map[attribution.Credit]int{}
	for _, s := range f.Spans {
		n := s.End - s.Start + 1
		files[s.Path] = true
		a.ClaimedLines += n
		credits[attribution.Credit{Origin: s.Origin, Agent: s.Agent, Model: s.Model, ModelName: s.ModelName, Session: s.Session}] += n
		if s.Origin == string(stemma.OriginAI) {
			a.AILines += n
		} else {
			a.HumanLines += n
		}
	}
	a.Files = len(files)
	a.Credits = note.RollUp(credits)
	return a
}
