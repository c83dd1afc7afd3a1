package bound

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/change"
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

// A Seen is what the commits have added that a scan has read, the last ones of many, so
// that they need not be read again.
type Seen struct {
	texts map[string]*bind.Source
	order []string
	lines int
}

// maxSeen is how many lines of commits are kept.
const maxSeen = 1_000_000

// Add keeps what a commit has added.
func (s *Seen) Add(commit string, text *bind.Source) {
	if text.Lines() == 0 {
		return
	}
	if s.texts == nil {
		s.texts = map[string]*bind.Source{}
	}
	s.texts[commit], s.order = text, append(s.order, commit)
	for s.lines += text.Lines(); s.lines > maxSeen; s.order = s.order[1:] {
		s.lines -= s.texts[s.order[0]].Lines()
		delete(s.texts, s.order[0])
	}
}

// bind finds the lines of the commits, after it has gathered what their sources added.
func (r *Reader) bind(ctx context.Context, tasks []task) (found map[string]Found, err error) {
	found = map[string]Found{}
	var open []task
	for _, t := range tasks {
		if len(t.beside)+len(t.below) > 0 {
			open = append(open, t)
		} else {
			found[t.id] = Found{} // what was known has no source any more
		}
	}
	f := &finder{repo: r.Repo.Repo}
	defer f.stop()
	if f.texts, err = r.sources(ctx, open); err != nil {
		return nil, err
	}
	byID := map[string]task{}
	var ids []string
	for _, t := range open {
		byID[t.id], ids = t, append(ids, t.id)
	}
	return found, r.each(ctx, ids, func(id string, text *bind.Source) error {
		t := byID[id]
		now, ok, err := f.find(ctx, t, text)
		if ok && !slices.Equal(now.Spans, t.known()) {
			found[id] = now
		}
		return err
	})
}

// sources are what the commits have added in which lines of the tasks are looked for,
// to the files of all tasks.
func (r *Reader) sources(ctx context.Context, tasks []task) (map[string]*bind.Source, error) {
	texts := map[string]*bind.Source{}
	paths := map[string]bool{}
	var list []*commit
	for _, t := range tasks {
		for path := range t.files {
			paths[path] = true
		}
		for c := range t.sources() {
			if _, listed := texts[c.id]; listed {
				continue
			}
			if texts[c.id] = nil; c.far {
				texts[c.id] = bind.Recorded(c.id, c.runs)
				continue
			}
			list = append(list, c)
		}
	}
	slices.SortFunc(list, newestFirst)
	var ids []string
	for _, c := range list {
		ids = append(ids, c.id)
	}
	lines := 0
	return texts, r.each(ctx, ids, func(id string, text *bind.Source) error {
		text = text.Within(func(path string) bool { return paths[quote.Path(path)] })
		if lines += text.Lines(); lines <= maxLines {
			texts[id] = text
		}
		return nil
	})
}

// each tells what commits have added, those first that were seen. The history is read
// for the others.
func (r *Reader) each(ctx context.Context, ids []string, tell func(id string, text *bind.Source) error) error {
	done := 0
	told := func(id string, text *bind.Source) error {
		done++
		r.Progress("commits looked at for their text", int64(done), int64(len(ids)))
		return tell(id, text)
	}
	var others []string
	for _, id := range ids {
		if text := r.Seen.texts[id]; text == nil {
			others = append(others, id)
		} else if err := told(id, text); err != nil {
			return err
		}
	}
	if len(others) == 0 {
		return nil
	}
	for c, err := range history.Log(ctx, r.Repo.Repo, history.Options{Tips: others, Only: true}) {
		if err != nil {
			return err
		}
		if err := told(c.ID, bind.SourceOf(c)); err != nil {
			return err
		}
	}
	return nil
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
func (f *finder) find(ctx context.Context, t task, of *bind.Source) (found Found, ok bool, err error) {
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
				places = append(places, bind.Place{Source: text, Below: i == 0, Far: s.far, Whose: known.whose(s)})
			}
		}
	}
	lines, err := bind.Find(f.cat, of, places)
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

// Tally says whose how many lines are of a commit that added some.
func (f Found) Tally(added int) (sum change.Lines) {
	for _, s := range f.Spans {
		n := s.End - s.Start + 1
		if s.Origin == string(stemma.OriginAI) {
			sum.AI += n
		} else {
			sum.Human += n
		}
	}
	sum.Unknown = added - sum.AI - sum.Human
	return sum
}

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
	}
	tally := f.Tally(0)
	a.AILines, a.HumanLines = tally.AI, tally.Human
	a.Files = len(files)
	a.Credits = note.RollUp(credits)
	return a
}
