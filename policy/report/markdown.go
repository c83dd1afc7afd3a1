package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/stemma-dev/stemma/policy"
)

// MaxMarkdown is how many bytes a comment may have: forges refuse longer ones.
const MaxMarkdown = 65536

// Mark is the first line of what Markdown writes: who posts it finds the comment that it
// replaces by it.
const Mark = "<!-- stemma check -->"

// Markdown writes a comment on a merge request, of at most [MaxMarkdown] bytes. What there
// is no room for is counted.
func Markdown(w io.Writer, all bool) Handler { return &markdown{w: w, all: all} }

type markdown struct {
	w       io.Writer
	all     bool
	run     Run
	changes []Change
}

func (m *markdown) Begin(r Run) error {
	m.run = r
	return nil
}

func (m *markdown) Change(c Change) error {
	m.changes = append(m.changes, c)
	return nil
}

// Room that is kept free: behind a change for its end, behind all for the last words.
const (
	roomOfChange = 300
	roomOfEnd    = 600
)

func (m *markdown) End(s Summary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### stemma: %s\n\n", Mark, held(s))
	fmt.Fprintf(&b, "%s, %s, %d failing, %d unknown, %d waived.\n", some(s.Changes, "change", "changes"), share(s.Judged()),
		s.States[policy.Fail], s.States[policy.Unknown], s.States[policy.Waived])
	left := 0
	for _, c := range m.changes {
		if left > 0 || !m.change(&b, c) {
			left++
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%s not shown here for want of room; the output of the step has all.\n", some(left, "change is", "changes are"))
	}
	fmt.Fprintf(&b, "\n<sub>Rules of %s, %s, %s</sub>\n", escaped(line(m.run.Rules, maxTitle)), some(len(m.run.Controls), "control", "controls"), escaped(line(m.run.Digest, 20)))
	_, err := io.WriteString(m.w, b.String())
	return err
}

// change adds one, or reports that there is no room for any of it.
func (m *markdown) change(b *strings.Builder, c Change) bool {
	room := MaxMarkdown - roomOfEnd - b.Len()
	var head, rows strings.Builder
	list := ordered(c.Findings)
	open := ""
	if len(list) > 0 && rankOf(list[0]) == blocks {
		open = " open"
	}
	fmt.Fprintf(&head, "\n<details%s><summary>%s %s%s</summary>\n\n", open, escaped(c.name()), escaped(line(c.Title, maxTitle)), escaped(kindOf(c)))
	head.WriteString("| | control | why | what to do |\n|---|---|---|---|\n")
	counts, left := map[rank]int{}, 0
	for _, f := range list {
		counts[rankOf(f)]++
		if met(f) && !m.all {
			continue
		}
		row := fmt.Sprintf("| %s | %s %s | %s | %s |\n", rankOf(f), escaped(f.Control), escaped(line(f.Title, maxTitle)), escaped(reason(f)), escaped(line(f.Remedy, maxReason)))
		if left > 0 || head.Len()+rows.Len()+len(row)+roomOfChange > room {
			left++
			continue
		}
		rows.WriteString(row)
	}
	if head.Len()+rows.Len()+roomOfChange > room {
		return false
	}
	if rows.Len() > 0 {
		b.WriteString(head.String() + rows.String())
	} else {
		b.WriteString(strings.TrimSuffix(head.String(), "| | control | why | what to do |\n|---|---|---|---|\n"))
	}
	if left > 0 {
		fmt.Fprintf(b, "\n%s not shown here for want of room.\n", some(left, "finding is", "findings are"))
	}
	fmt.Fprintf(b, "\n%d pass, %d not applicable\n\n</details>\n", counts[passes], counts[absent])
	return true
}

// escaped is text of somebody else that stays text in Markdown and HTML, of all forges: no
// markup, no table, no link, and nobody and nothing is mentioned. It is one line already.
func escaped(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '@', r == '#', r == '!', r == '~', r == '%', r == '$', r == '&', r == ':':
			fmt.Fprintf(&b, "&#%d;", r)
			if i+1 < len(s) && s[i+1] != ' ' {
				b.WriteRune('\u200b') // keeps it from being a mention, a reference or an address
			}
		case r == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteString("\u200b.")
		case r < unicode.MaxASCII && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" ,.;/-()", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
