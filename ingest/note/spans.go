package note

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/identity"
)

// FormatDeclared is the format of an attribution made from the words of a
// commit, which say that an agent helped but seldom with which lines.
const FormatDeclared = "declared"

// FormatRecovered is the format of an attribution of lines that were found by their
// text in commits of which records tell. It stands only where no record tells of the
// commit itself.
const FormatRecovered = "recovered"

// Reasons why no record tells who wrote a line of a commit.
const (
	NoRecord  = "no record of origin for this commit"
	Withdrawn = "the record of this commit was withdrawn"
	NoSpan    = "the record of this commit does not speak of this line"
	Unfound   = "no record of origin for this commit, and none elsewhere for this text"
	Assisted  = "the commit names an agent, but not which lines it wrote"
	Older     = "the line may be older than this commit, where blame stops"
)

// Untold is why nobody knows who wrote a line of which no record of a commit
// speaks. It goes from record to record, beginning with "", which stands for
// NoRecord: that one stands says more than that the commit names an agent, and
// this more than that one stood once, and this more than that other lines were found.
func Untold(before, format string, withdrawn bool) string {
	switch {
	case before == NoSpan:
		return before
	case format == FormatRecovered && withdrawn:
		return before
	case format == FormatRecovered:
		return cmp.Or(before, Unfound)
	case withdrawn && before == Unfound:
		return Withdrawn
	case withdrawn:
		return cmp.Or(before, Withdrawn)
	case format == FormatDeclared:
		return Assisted
	}
	return NoSpan
}

// JoinSpans makes one list of what records of several formats say about the
// lines of a commit, by the rule of [Combine].
func JoinSpans(byFormat map[string][]attribution.Span) []attribution.Span {
	if len(byFormat) < 2 {
		for _, spans := range byFormat {
			return spans
		}
		return nil
	}
	byMark := map[Mark]attribution.Span{}
	var records []Claims
	for _, format := range slices.Sorted(maps.Keys(byFormat)) {
		record := Claims{Format: format}
		for _, s := range byFormat[format] {
			mark := Mark{
				Origin: stemma.Origin(s.Origin), Reason: s.Reason, Agent: s.Agent, ModelName: s.ModelName, Session: string(s.Session),
			}
			byMark[mark] = s
			n := len(record.Files) - 1
			if n < 0 || record.Files[n].Path != s.Path {
				record.Files = append(record.Files, ClaimedFile{Path: s.Path})
				n++
			}
			span := ClaimedSpan{Mark: &mark}
			span.Start, span.End = s.Start, s.End
			record.Files[n].Spans = append(record.Files[n].Spans, span)
		}
		records = append(records, record)
	}
	var joined []attribution.Span
	for _, f := range Combine(records...).Files {
		for _, c := range f.Spans {
			s := attribution.Span{
				Path: f.Path, Start: c.Start, End: c.End, Origin: string(c.Origin), Reason: c.Reason, Agent: c.Agent,
				Model: identity.ModelRef(c.ModelName), ModelName: c.ModelName, Session: stemma.Ref(c.Session), Basis: string(stemma.BasisImported),
			}
			if c.Origin == stemma.OriginUnknown {
				s.Basis = string(stemma.BasisUnknown)
			} else if one, ok := byMark[*c.Mark]; ok {
				s.Basis = one.Basis
			}
			joined = append(joined, s)
		}
	}
	return joined
}
