package rules

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
)

// far is how far a match without an end is thought to go, at first.
const far = 512

// reach returns how long a match of a rule may be, as far as its expression
// says. Where the keywords do not stand in the expression they may be anywhere,
// and the whole text is to be looked at.
func reach(r *regexp.Regexp, keywords []string) int {
	folded := strings.ToLower(r.String())
	for _, w := range keywords {
		if !strings.Contains(strings.ReplaceAll(folded, `\`, ""), strings.ToLower(w)) {
			return math.MaxInt32
		}
	}
	tree, err := syntax.Parse(r.String(), syntax.Perl)
	if err != nil {
		return math.MaxInt32
	}
	return min(width(tree), 4*far) + edge
}

// width is the greatest number of bytes that a match may have.
func width(t *syntax.Regexp) int {
	switch t.Op {
	case syntax.OpLiteral:
		return 4 * len(t.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		if n := len(t.Rune); n > 0 && t.Rune[n-1] < 0x80 {
			return 1
		}
		return 4
	case syntax.OpCapture, syntax.OpQuest:
		return width(t.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		return far
	case syntax.OpRepeat:
		if t.Max < 0 {
			return t.Min*width(t.Sub[0]) + far
		}
		return t.Max * width(t.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, sub := range t.Sub {
			n += width(sub)
		}
		return n
	case syntax.OpAlternate:
		n := 0
		for _, sub := range t.Sub {
			n = max(n, width(sub))
		}
		return n
	}
	return 0
}
