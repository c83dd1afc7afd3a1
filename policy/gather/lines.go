package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// declared is the format of a record that only repeats what a commit says of itself.
const declared = "declared"

// A record is what one record says about the lines of a commit.
type record struct {
	id, commit                    int64
	format, writer                string
	ai, human, claimed, misplaced int
	stretches                     []stretch
	cut                           bool // there are more stretches than are read
}

func (r *record) declared() bool { return r.format == declared }

// A stretch is lines of one origin in the commit's version of a file.
type stretch struct {
	credit
	start, end int
}

// readRecords reads the records that are in force: a later one says what another one
// says too, and what a commit says of itself comes last.
func (g *gatherer) readRecords() {
	g.each(keys(g.commits), `SELECT a.id, a."commit", COALESCE(a."format", ''), COALESCE(a."writer", ''), COALESCE(a."ai_lines", 0), COALESCE(a."human_lines", 0),
			COALESCE(a."claimed_lines", 0), COALESCE(a."misplaced_lines", 0)
		FROM {ids} CROSS JOIN k_attribution a WHERE a."commit" = i.value AND COALESCE(a."withdrawn", 0) = 0
		ORDER BY a."commit", CASE WHEN a."format" = '`+declared+`' THEN 1 ELSE 0 END, a."format"`, func(scan func(...any) error) error {
		r := &record{}
		err := scan(&r.id, &r.commit, &r.format, &r.writer, &r.ai, &r.human, &r.claimed, &r.misplaced)
		g.records[r.commit] = append(g.records[r.commit], r)
		g.recordOf[r.id] = r
		return err
	})
}

func (g *gatherer) readSpans() {
	g.each(keys(g.recordOf), `SELECT t.id, COALESCE(t."path", ''), COALESCE(t."start", 0), COALESCE(t."end", 0), COALESCE(t."origin", ''), COALESCE(t."agent", ''),
			COALESCE(t."model", 0), COALESCE(t."model_name", ''), COALESCE(t."session", 0)
		FROM {ids} CROSS JOIN k_attribution_span t WHERE t.id = i.value AND t.seq <= $2 ORDER BY t.id, t.seq`, func(scan func(...any) error) error {
		var id int64
		var x stretch
		if err := scan(&id, &x.span.Path, &x.start, &x.end, &x.span.Origin, &x.span.Agent, &x.model, &x.span.ModelName, &x.session); err != nil {
			return err
		}
		r := g.recordOf[id]
		if r.cut = len(r.stretches) == maxSpans; !r.cut {
			r.stretches = append(r.stretches, x)
			g.need(x.model, x.session)
		}
		return nil
	}, maxSpans)
}

// putSpans tells whose the lines are that a change added. What records say of its commits
// has paths. Where they say more than the change is known to have added, as of a rebase of
// which some lines were there already, or too much to be read, its credits stand; what
// neither tells is added without a path, so that the sum is that of the change.
func (g *gatherer) putSpans(s *subject.Subject, c *changeRow) {
	known := map[string]int{"ai": s.Change.AILines, "human": s.Change.HumanLines, "unknown": s.Change.UnknownLines}
	spans, whole := g.spans(c)
	if !whole || exceeds(spans, known) {
		if len(c.credits) > 0 || !whole {
			spans = nil
		}
		for _, x := range c.credits {
			spans = append(spans, g.span(x, x.span.Lines))
		}
		if exceeds(spans, known) {
			s.Gaps = append(s.Gaps, subject.Gap{Source: Source, Place: s.Change.Ref, Reason: "records tell of more lines than it added"})
		}
	}
	for _, x := range spans {
		known[x.Origin] -= x.Lines
	}
	for _, origin := range []string{"ai", "human", "unknown"} {
		if known[origin] > 0 {
			spans = append(spans, subject.Span{Lines: known[origin], Origin: origin})
		}
	}
	s.Spans = most(s, merged(spans), maxSpans, "stretches of lines")
	byPath := map[string]int{}
	for _, x := range s.Spans {
		if x.Origin == "ai" && x.Path != "" {
			byPath[x.Path] += x.Lines
		}
	}
	for i := range s.Files {
		f := &s.Files[i]
		f.AILines = byPath[f.Path]
		f.ByAI = f.ByAI || f.AILines > 0
	}
}

func exceeds(spans []subject.Span, known map[string]int) bool {
	sum := map[string]int{}
	for _, x := range spans {
		if sum[x.Origin] += x.Lines; sum[x.Origin] > known[x.Origin] {
			return true
		}
	}
	return false
}

// spans are the lines of the commits of a change by their records, and whether all was
// read.
func (g *gatherer) spans(c *changeRow) (spans []subject.Span, whole bool) {
	ids := g.own(c)
	for _, id := range ids[:min(len(ids), maxCommits)] {
		taken := map[string][]stretch{}
		for _, r := range g.records[id] {
			if r.cut || len(spans) > maxSpans {
				return nil, false
			}
			mine := map[string][]stretch{}
			for _, x := range r.stretches {
				if n := x.lines() - covered(x, taken[x.span.Path]); n > 0 {
					spans = append(spans, g.span(x.credit, n))
				}
				mine[x.span.Path] = append(mine[x.span.Path], x)
			}
			for path, list := range mine {
				taken[path] = append(taken[path], list...)
			}
		}
	}
	return spans, len(ids) <= maxCommits
}

func (x stretch) lines() int { return max(0, x.end-x.start+1) }

// covered is how many lines of a stretch others tell of, which do not overlap in one
// record.
func covered(x stretch, others []stretch) (n int) {
	if len(others) == 0 {
		return 0
	}
	others = slices.Clone(others)
	slices.SortFunc(others, func(a, b stretch) int { return cmp.Compare(a.start, b.start) })
	from := x.start
	for _, o := range others {
		if lo, hi := max(from, o.start), min(x.end, o.end); lo <= hi {
			n += hi - lo + 1
			from = hi + 1
		}
	}
	return n
}

func (g *gatherer) span(x credit, lines int) subject.Span {
	p := x.span
	p.Lines, p.Session, p.Model, p.Stated = lines, g.ref(x.session), g.ref(x.model), g.names[x.session].stated
	return p
}

// merged adds up spans that only differ in their lines, in order.
func merged(spans []subject.Span) (list []subject.Span) {
	at := map[subject.Span]int{}
	for _, x := range spans {
		n := x.Lines
		x.Lines = 0
		at[x] += n
	}
	for x, n := range at {
		x.Lines = n
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b subject.Span) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Origin, b.Origin), cmp.Compare(a.Session, b.Session), cmp.Compare(a.Model, b.Model),
			cmp.Compare(a.ModelName, b.ModelName), cmp.Compare(a.Agent, b.Agent))
	})
	return list
}
