package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/stemma-dev/stemma/policy"
)

// A Palette colours words of a table, or leaves them alone.
type Palette interface {
	Bold(string) string
	Faint(string) string
}

// A Show says what of the findings is listed; what is not is counted.
type Show int

// What there is to show.
const (
	Unmet Show = iota // what fails, is unknown or is waived
	Heard             // of that, not what is only observed
	All
)

// Table writes for people: of each change what holds it up first, then what fails, is
// unknown and is waived. It is buffered until the end of each change.
func Table(w io.Writer, p Palette, show Show) Handler { return &table{bufio.NewWriter(w), p, show} }

type table struct {
	w    *bufio.Writer
	p    Palette
	show Show
}

func (t *table) Begin(r Run) error {
	fmt.Fprintf(t.w, "%s %s by %s, rules of %s\n", t.p.Bold(cmp.Or(line(r.Repository, maxTitle), "here")), line(r.Asked, maxTitle),
		some(len(r.Controls), "control", "controls"), line(r.Rules, maxTitle))
	return t.w.Flush()
}

func (t *table) Change(c Change) error {
	fmt.Fprintf(t.w, "\n%s %s%s\n", t.p.Bold(c.name()), line(c.Title, maxTitle), t.p.Faint(kindOf(c)))
	counts, quiet := map[rank]int{}, 0
	for _, f := range ordered(c.Findings) {
		r := rankOf(f)
		counts[r]++
		if met(f) && t.show != All {
			continue
		}
		if t.show == Heard && levelOf(f) == noted {
			quiet++
			continue
		}
		word := fmt.Sprintf("%-7s", r)
		if r == blocks {
			word = t.p.Bold(word)
		}
		fmt.Fprintf(t.w, "  %s  %-8s  %-8s  %s\n", word, line(f.Control, maxTitle), f.Severity, line(f.Title, maxTitle))
		if why := reason(f); why != "" {
			fmt.Fprintf(t.w, "    why: %s\n", why)
		}
		if remedy := line(f.Remedy, maxReason); remedy != "" && !met(f) {
			fmt.Fprintf(t.w, "    %s\n", t.p.Faint("do:  "+remedy))
		}
	}
	rest := fmt.Sprintf("%d pass, %d not applicable", counts[passes], counts[absent])
	if quiet > 0 {
		rest += fmt.Sprintf(", %d not met but only observed", quiet)
	}
	fmt.Fprintf(t.w, "  %s\n", t.p.Faint(rest))
	return t.w.Flush()
}

func (t *table) End(s Summary) error {
	fmt.Fprintf(t.w, "\n%s: %s, %s, %d failing, %d unknown, %d waived\n", some(s.Changes, "change", "changes"), held(s), share(s.Judged()),
		s.States[policy.Fail], s.States[policy.Unknown], s.States[policy.Waived])
	if s.Loose > 0 {
		fmt.Fprintf(t.w, "of them %s no change that is known: judged as pushed\n", some(s.Loose, "commit that belongs to", "commits that belong to"))
	}
	return t.w.Flush()
}

// held says how many changes are held up.
func held(s Summary) string {
	if s.Held == 0 {
		return "nothing is held up"
	}
	return some(s.Held, "change is held up", "changes are held up")
}

// kindOf says what sort of change it is.
func kindOf(c Change) string {
	var words []string
	switch {
	case c.Loose:
		words = append(words, "of no change that is known")
	case c.Direct:
		words = append(words, "pushed")
	case c.State != "":
		words = append(words, line(c.State, maxTitle))
	}
	if c.AI {
		words = append(words, "with AI")
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}
