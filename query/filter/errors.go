package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// An Error says which part of a query is wrong, why, and what may be meant.
type Error struct {
	Text string // the whole query
	Pos  int    // byte at which the wrong part begins
	End  int    // byte after it
	Msg  string // "unknown field moddel"
	Hint string // "did you mean model?"; may be empty
}

// Error is one line: the place, what is wrong and what may be meant.
func (e *Error) Error() string {
	s := fmt.Sprintf("query: at column %d: %s", utf8.RuneCountInString(e.Text[:e.Pos])+1, e.Msg)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Caret shows the part of the query around the fault and marks it from below.
// It is safe to print: what is not printable shows as an escape.
func (e *Error) Caret() string {
	const around = 60
	from, to := max(0, e.Pos-around), min(len(e.Text), max(e.End, e.Pos+1)+around)
	for from > 0 && !utf8.RuneStart(e.Text[from]) {
		from--
	}
	for to < len(e.Text) && !utf8.RuneStart(e.Text[to]) {
		to++
	}
	before, wrong, after := Visible(e.Text[from:e.Pos]), Visible(e.Text[e.Pos:e.End]), Visible(e.Text[e.End:max(e.End, to)])
	return before + wrong + after + "\n" +
		strings.Repeat(" ", Width(before)) + strings.Repeat("^", max(1, Width(wrong)))
}
