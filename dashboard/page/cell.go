package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
)

// A Cell is one value: its text for the eye, where it leads, and its value in
// data. The zero cell is an empty one.
type Cell struct {
	Text  string // harmless already, see [Show]
	Href  string
	Class string // "num", "mono", "origin-ai", …
	Title string
	Time  time.Time
	Bar   *Bar
	Parts []Cell // several values
	Press *Press // the text is a button
	Value any    // in data; Text if nil
}

// A Press is what a button sends, in a table that can be posted.
type Press struct{ Name, Value, Label string }

// A Bar shows the parts of AI, people and unknown, in tenths of a percent.
type Bar struct {
	AI, Human, Unknown int64
	Label              string
}

// At is the cell as a link.
func (c Cell) At(href string) Cell {
	c.Href = href
	return c
}

// Text is a cell of text of any origin.
func Text(s string) Cell { return Cell{Text: Show(s), Value: s} }

// Mono is text in which every letter counts.
func Mono(s string) Cell { return Cell{Text: Show(s), Value: s, Class: "mono"} }

// Title is text that wants room.
func Title(s string) Cell { return Cell{Text: Show(s), Value: s, Class: "title"} }

// Path is the path of a file.
func Path(s string) Cell { return Cell{Text: Show(s), Value: s, Class: "mono path"} }

// Commit is the id of a commit, which leads to it.
func Commit(sha string) Cell {
	return Cell{Text: Abbreviate(sha), Href: CommitHref(sha), Class: "mono", Value: sha}
}

// Number is a count of something.
func Number[N int | int64](n N) Cell { return Cell{Text: Count(n), Value: int64(n), Class: "num"} }

// Money is an amount of micro-dollars.
func Money(micro int64) Cell {
	return Cell{Text: Dollars(micro), Title: Count(micro) + " micro-dollars", Value: micro, Class: "num"}
}

// Mille is a number of tenths of a percent.
func Mille(n int64) Cell { return Cell{Text: Percent(n), Value: n, Class: "num"} }

// Moment is a point in time; nothing if it is not known.
func Moment(t time.Time) Cell {
	if t.IsZero() {
		return Cell{}
	}
	return Cell{Text: Stamp(t), Time: t, Value: iso(t), Class: "when"}
}

// To leads to a thing under a given name; without one, that of its ref.
func To(ref stemma.Ref, name string) Cell {
	if ref == "" {
		return Cell{}
	}
	if name == "" {
		name = label(ref)
	}
	return Cell{Text: Show(name), Href: Href(ref), Value: string(ref), Title: string(ref)}
}

// Origin is who wrote something: ai, human, mixed or unknown.
func Origin(o string) Cell {
	if o == "" {
		return Cell{}
	}
	return Cell{Text: originName(o), Value: o, Class: "origin origin-" + o}
}

// Grade is how good a piece of evidence is.
func Grade(g stemma.Grade) Cell {
	return Cell{Text: string(g), Value: string(g), Class: "grade", Title: gradeDoc[stemma.Grade(strings.ToUpper(string(g)))]}
}

var gradeDoc = map[stemma.Grade]string{
	stemma.GradeA: "observed by the platform, or a platform's signature verified",
	stemma.GradeB: "signed by a pipeline's own identity",
	stemma.GradeC: "captured on a device by a hook",
	stemma.GradeD: "declared or inferred",
}

// Evidence leads to the fact at a position of the log; nothing if it is negative.
func Evidence(pos int64) Cell {
	if pos < 0 {
		return Cell{}
	}
	return Text(fmt.Sprintf("fact %d", pos)).At(FactHref(pos))
}

// Share is AI's share of lines, with a bar of all three; nothing if there are
// no lines.
func Share(l change.Lines) Cell {
	all := l.All()
	if all == 0 {
		return Cell{}
	}
	b := &Bar{AI: Part(l.AI, all), Human: Part(l.Human, all)}
	b.Unknown = 1000 - b.AI - b.Human
	b.Label = fmt.Sprintf("AI %s, human %s, unknown %s", Percent(b.AI), Percent(b.Human), Percent(b.Unknown))
	return Cell{Text: Percent(b.AI), Bar: b, Value: b.AI, Class: "num"}
}

// Origins are three counts and their shares; at is where the lines of an
// origin are seen.
func Origins(l change.Lines, at func(origin string) string) []Cell {
	if l.All() == 0 {
		return []Cell{Text("none were added")}
	}
	return []Cell{
		Share(l).At(at("ai")),
		{Text: Count(l.AI) + " AI", Class: "origin origin-ai", Href: at("ai")},
		{Text: Count(l.Human) + " human", Class: "origin origin-human", Href: at("human")},
		{Text: Count(l.Unknown) + " unknown", Class: "origin origin-unknown", Href: at("unknown")},
	}
}

// value is that of a cell in data.
func (c Cell) value() any {
	if len(c.Parts) > 0 {
		var all []any
		for _, p := range c.Parts {
			all = append(all, p.value())
		}
		return all
	}
	if c.Value != nil {
		return c.Value
	}
	if c.Text == "" {
		return nil
	}
	return c.Text
}
